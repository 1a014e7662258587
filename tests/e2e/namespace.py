"""Networks and mounts of the test's own, which nobody else sees."""

import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


class Namespace:
    """With it, until its end, this process has its own network and mounts: port 53, 80 and 443 are
    free, and files of its own may stand where programs expect them.

    The test process itself moves there, so that everything it starts is there too: it leaves the
    machine's network for one that is a loopback interface alone. That takes root.
    """

    def __enter__(self):
        self.before = os.open("/proc/self/ns/net", os.O_RDONLY)
        check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare, which takes root")
        self.run("mount", "--make-rprivate", "/")
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *exception):
        """The network is the machine's again. The mounts end with this process."""
        check(libc.setns(self.before, CLONE_NEWNET), "setns")
        os.close(self.before)

    def run(self, *command):
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def put(self, path, over):
        """Has a file or directory stand in for another."""
        self.run("mount", "--bind", path, over)


class SmallDisk:
    """With it, until its end, there is a file system of a few pages, or of a few files.

    It is mounted in a namespace of a process that does nothing else, for which nobody needs to be
    root, and everybody reaches it through that process's working directory."""

    def __init__(self, directory, options):
        rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        script = 'mount -t tmpfs -o "$2" none "$1" && cd "$1" && echo && read -r _'
        self.directory = directory
        self.command = ["unshare", *rights, "--mount", "sh", "-c", script, "sh", directory, options]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        if not self.process.stdout.readline():
            self.__exit__()
            raise RuntimeError("no file system could be mounted")
        self.path = Path(f"/proc/{self.process.pid}/cwd")
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        # Before a command: it sees the file system where it is mounted.
        self.enter = ["nsenter", "--target", str(self.process.pid), "--mount", *user]
        return self

    def __exit__(self, *exception):
        """The end of its input ends the process, and that the file system."""
        with self.process:
            pass
