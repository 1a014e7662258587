"""Thousands of peers at one listener, in processes of their own: no process needs many descriptors, and
the test has its own time for asking meanwhile. Run as a program this is one such process."""

import contextlib
import json
import resource
import socket
import subprocess
import sys

PROCESSES = 2


class Crowd:
    """With it, until its end, so many peers have connected and sent half a question; where places or
    time are limited the service may have ended some of them. A unix socket turns away those for
    whom its queue has no room."""

    def __init__(self, listener, service, count):
        half = listener.question[: len(listener.question) // 2].decode("ascii")
        self.order = json.dumps([listener.address(service), count // PROCESSES, half])
        self.connected = 0
        self.stack = contextlib.ExitStack()

    def launch(self):
        command = [sys.executable, "-ISB", __file__, self.order]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self.stack.enter_context(process)

    def __enter__(self):
        """The processes connect one after the other: at once they would push each other's peers out."""
        with self.stack:
            for process in [self.launch() for _ in range(PROCESSES)]:
                process.stdin.write(b"\n")
                process.stdin.flush()
                self.connected += int(process.stdout.readline())
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *exception):
        """The end of its input ends each process."""
        self.stack.close()


def connect(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    peer = socket.socket(family, socket.SOCK_STREAM)
    peer.settimeout(60)
    peer.connect(address if isinstance(address, str) else tuple(address))
    return peer


def main(address, count, greeting):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.stdin.readline()
    peers = []
    for _ in range(count):
        with contextlib.suppress(BlockingIOError):
            peers.append(connect(address))
            with contextlib.suppress(ConnectionError):
                peers[-1].sendall(greeting.encode("ascii"))
    print(len(peers), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
