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
    socket, commands = folder / "socket", script(root, library, folder)
    with Running(None, library.server, "-F", "-S", socket, "-n", "2", "-l", "4M") as server:
        server.child.stdout.readline()
        with Running(folder / "renode.out", renode, *commands, env=environment(library)) as machines:
            with Running(folder / "peer.out", library.build / PEER, "--time", str(SECONDS), socket) as peer:
                first_to_end(machines, peer)
                status = peer.child.poll()
    return judge(folder, status)


def first_to_end(*programs):
    poll = select.poll()
    ends = [os.pidfd_open(program.child.pid) for program in programs]
    for end in ends:
        poll.register(end, select.POLLIN)
    poll.poll((SECONDS + 30) * 1000)
    for end in ends:
        os.close(end)


def judge(folder, status):
    machines = [line for name in ("one", "two") for line in lines_of(folder / name)]
    done = [line for line in machines if "sent 2000, received 2000, bad 0" in line]
    if status == 0 and len(done) == 2:
        return None
    said = "\n".join(f"{name}: {line}" for name in ("peer.out", "renode.out") for line in lines_of(folder / name)[-40:])
    how = "was still at work when Renode ended, or the time was up" if status is None else f"ended with {status}"
    return f"host-peer {how}; the machines said: {machines}\n{said}"


def lines_of(path):
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
    """A program that writes to the file @said (None: a pipe) and ends with the block, by force if it has to."""

    def __init__(self, said, *command, env=None):
        output = open(said, "wb") if said else subprocess.PIPE
        self.child = subprocess.Popen([str(word) for word in command], env=env, stdin=subprocess.PIPE,
                                      stdout=output, stderr=subprocess.STDOUT)
        if said:
            output.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.child.terminate()
        try:
            self.child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.communicate()
