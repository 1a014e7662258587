"""A network of the test's own, with port 53, 80 and 443 free, and files of its own where programs
expect them.

The test process itself moves there, so that everything it starts is there too: it leaves the
machine's network for one that is a loopback interface alone, and what it mounts nobody else sees.
That takes root.
"""

import ctypes
import os
import subprocess

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


class Namespace:
    """With it, until its end, this process has its own network and mounts."""

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
