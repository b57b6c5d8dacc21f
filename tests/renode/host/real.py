# SPDX-License-Identifier: BSD-3-Clause
"""Where there is a real Renode: two of its machines with the firmware of examples/, and a program of the host."""
import os
import select
import shutil
import subprocess

from build import run

SECONDS = 180
FIRMWARE = "examples/firmware/demo-lm3s6965evb.elf"
PEER = "examples/host-peer"


def run_real(root, library, folder, outcomes):
    renode = os.environ.get("RENODE")
    if not renode:
        outcomes.skip("a real Renode: the variable RENODE does not name one")
    elif not shutil.which(renode):
        outcomes.fail(f"RENODE is {renode}, and that cannot be run")
    elif not shutil.which("arm-none-eabi-gcc"):
        outcomes.skip("a real Renode: arm-none-eabi-gcc, which builds the firmware, is not there")
    else:
        why = demonstrate(root, library, folder, renode)
        if why:
            outcomes.fail(f"a real Renode: {why}")
        else:
            outcomes.passed += 1
            print("ok a real Renode runs the firmware of examples/", flush=True)


def demonstrate(root, library, folder, renode):
    """Why it failed, or None."""
    run("meson", "setup", "--reconfigure", library.build, root, "-Dexamples=auto")
    run("ninja", "-C", library.build, "-j2", FIRMWARE, PEER)
    with Running(library.server, "-F", "-S", folder / "socket", "-n", "2", "-l", "4M") as server:
        if not server.says_something():
            return "the server is not ready"
        with Running(renode, *script(root, library, folder), env=environment(library)) as machines:
            peer = subprocess.run([library.build / PEER, "--time", str(SECONDS), folder / "socket"], check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = peer.stdout.decode("utf-8", "replace")
    return judge(folder, peer.returncode, f"{said}\nRenode said:\n{machines.said}")


def judge(folder, status, said):
    lines = [line for name in ("one", "two") for line in uart(folder / name)]
    done = [line for line in lines if "sent 2000, received 2000, bad 0" in line]
    if status == 0 and len(done) == 2:
        return None
    return f"host-peer ended with {status}, and the machines said: {lines}\n{said}"


def uart(path):
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def environment(library):
    return {**os.environ, "LD_LIBRARY_PATH": str(library.so.parent)}


def script(root, library, folder):
    """Renode's command line: both machines write what their UARTs say to files."""
    commands = [f'$socket="{folder}/socket"', f"$elf=@{library.build / FIRMWARE}",
                f"include @{root}/bindings/renode/demo.resc"]
    for name in ("one", "two"):
        commands += [f'mach set "{name}"', f"sysbus.uart CreateFileBackend @{folder / name} true"]
    words = [word for command in [*commands, "start"] for word in ("-e", command)]
    return ["--disable-xwt", "--console", "--plain", *words]


class Running:
    """A program that ends with the block, and by force if it has to."""

    def __init__(self, *command, env=None):
        self.child = subprocess.Popen([str(word) for word in command], env=env, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = ""

    def says_something(self):
        return bool(select.select([self.child.stdout], [], [], 30)[0]) and bool(self.child.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.child.terminate()
        try:
            output, _ = self.child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            output, _ = self.child.communicate()
        self.said = output.decode("utf-8", "replace")[-4000:]
