# SPDX-License-Identifier: BSD-3-Clause
"""The library's own programs, ivflat-server and ivflat-client, built in the cache."""
import os
import shutil

from make import files
from make.common import CHECKOUT, Broken, cache, logged, tail

OPTIONS = ("-Dtests=disabled", "-Dexamples=disabled", "-Ddocs=disabled")
# What makes the library.
PARTS = tuple(CHECKOUT / name for name in ("meson.build", "meson_options.txt", "libivflat"))


def folder():
    return cache() / "library"


def programs():
    return folder() / "libivflat" / "tools"


def state():
    return f"{CHECKOUT} {files.digest(*PARTS)}"


def current():
    stamp = folder() / "ivflat.stamp"
    return stamp.exists() and stamp.read_text() == state()


def set_up(log, environment):
    """The build folder, of this checkout and no other."""
    mine = folder() / "ivflat.checkout"
    if mine.exists() and mine.read_text() == str(CHECKOUT):
        return True
    shutil.rmtree(folder(), ignore_errors=True)
    if not logged(["meson", "setup", folder(), CHECKOUT, *OPTIONS], log, 120, env=environment):
        return False
    mine.write_text(str(CHECKOUT))
    return True


def build():
    """Brings the programs up to date."""
    if current():
        return
    log, now = cache() / "library.log", state()
    log.unlink(missing_ok=True)
    environment = {**os.environ, "PATH": "/usr/bin:/bin:" + os.environ.get("PATH", "")}
    if not set_up(log, environment) or not logged(["ninja", "-C", folder()], log, 300, env=environment):
        raise Broken(f"the library's build failed:\n{tail(log)}")
    (folder() / "ivflat.stamp").write_text(now)
