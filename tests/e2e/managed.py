"""The service under a service manager that keeps descriptors for it, as systemd does: what sd_notify(3)
says of FDSTORE=1, and sd_listen_fds(3)."""

import os
import select
import socket
import sys

from service import Service

# Becomes a program that is given descriptors from 3 on, in their order, and no others.
ACTIVATE = """\
import fcntl, os, sys

fds = [int(number) for number in sys.argv[1].split()]
moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3 + len(fds)) for fd in fds]
for fd in fds:
    os.close(fd)
for number, fd in enumerate(moved, 3):
    os.dup2(fd, number)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""
MOST_AT_ONCE = 253  # descriptors in a message


class Managed(Service):
    """Between two starts it keeps what the service has stored, `most` descriptors at most, beside its
    own sockets, which are (name, descriptor) as what is stored."""

    def __init__(self, directory, port, most=1024):
        super().__init__(directory, port)
        self.most = most
        self.is_heard = True  # whether it listens to the service
        self.sockets = []
        self.stored = []
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(directory / "notify"))
        self.notify.setblocking(False)

    def listen(self):
        """Opens the unix socket itself, as a socket unit does."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(self.socket))
        listening.listen(64)
        self.sockets.append(("unix", listening.detach()))

    def launch(self, command, **options):
        self.drop_ended()
        kept = self.sockets + self.stored
        fds = [fd for _, fd in kept]
        environment = {
            **options.pop("env", os.environ),
            **({"NOTIFY_SOCKET": str(self.directory / "notify")} if self.is_heard else {}),
            "LISTEN_FDS": str(len(kept)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in kept),
        }
        super().launch(
            [sys.executable, "-I", "-S", "-c", ACTIVATE, " ".join(map(str, fds)), *command],
            env=environment, pass_fds=fds, **options)

    def start(self, **options):
        super().start(**options)
        self.receive()
        return self

    def stop(self):
        super().stop()
        self.receive()

    def restart(self):
        self.stop()
        self.start()

    def kill(self):
        super().kill()
        self.receive()

    def drop_ended(self):
        """Drops what the other side has closed."""
        poll = select.poll()
        for _, fd in self.stored:
            poll.register(fd, 0)
        ended = {fd for fd, _ in poll.poll(0)}
        self.drop(lambda name, fd: fd in ended)

    def drop(self, unwanted):
        for name, fd in self.stored:
            if unwanted(name, fd):
                os.close(fd)
        self.stored = [each for each in self.stored if not unwanted(*each)]

    def receive(self):
        """Does what the service has asked for."""
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.notify, 4096, MOST_AT_ONCE)
            except BlockingIOError:
                return
            message = dict(line.split("=", 1) for line in data.decode("utf-8").splitlines())
            name = message.get("FDNAME", "stored")
            if "FDSTOREREMOVE" in message:
                self.drop(lambda kept, _: kept == name)
            for fd in fds:
                if "FDSTORE" in message and len(self.stored) < self.most:
                    self.stored.append((name, fd))
                else:
                    os.close(fd)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        self.drop(lambda *_: True)
        for _, fd in self.sockets:
            os.close(fd)
        self.notify.close()
