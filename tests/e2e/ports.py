"""Free ports for servers under test.

A port is held by a lock on a file of its own, so that tests running beside each other never get
the same one, and comes from below the ephemeral range, so that no outgoing connection takes it
between the check and the server's bind.
"""

import contextlib
import fcntl
import os
import random
import socket
import tempfile

LOWEST = 10000


def first_ephemeral():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def bindable(port):
    """Whether a server could listen there now, over TCP and over UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


class Ports:
    """Hands out ports; they stay reserved until close()."""

    def __init__(self):
        self.locks = contextlib.ExitStack()
        self.directory = os.path.join(
            tempfile.gettempdir(), f"pdns-mta-sts-ports-{os.getuid()}"
        )
        os.makedirs(self.directory, mode=0o700, exist_ok=True)

    def lock(self, port):
        """Whether this process now holds the port."""
        file = open(os.path.join(self.directory, str(port)), "w", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        if not bindable(port):
            file.close()
            return False
        self.locks.enter_context(file)
        return True

    def take(self):
        """A free port of 127.0.0.1."""
        candidates = range(LOWEST, first_ephemeral())
        for port in random.sample(candidates, len(candidates)):
            if self.lock(port):
                return port
        raise RuntimeError("no port is free")

    def close(self):
        self.locks.close()
