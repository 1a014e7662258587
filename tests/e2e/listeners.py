"""Every listener of the service as a row: how to reach it, a question, and what answers it."""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

from http_client import get_request, request
from processes import DEADLINE
from unix_client import lookup

NAME = "mta-sts.example.net"
POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: one
    rua: mailto:postmaster@example.net
    policy_host: 192.0.2.40
    domains: example.org
"""


@dataclass(frozen=True)
class Listener:
    name: str
    address: Callable  # of a Service: what to connect to
    question: bytes
    answer: bytes  # is in the reply to the question
    idles: bool = False  # connections may idle for ever, and new ones wait for places

    def connect(self, service):
        address = self.address(service)
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        peer = socket.socket(family, socket.SOCK_STREAM)
        peer.settimeout(DEADLINE)
        try:
            peer.connect(address)
        except BaseException:
            peer.close()
            raise
        return peer

    def read_answer(self, peer):
        """Reads until the answer is there; what is not there when the connection ends never is."""
        received = b""
        while self.answer not in received:
            data = peer.recv(65536)
            assert data, f"{self.name}: the connection ended after {received!r}"
            received += data

    def ask(self, service):
        """Asks on a connection of its own."""
        with contextlib.closing(self.connect(service)) as peer:
            peer.sendall(self.question)
            self.read_answer(peer)


LISTENERS = [
    Listener(
        "http",
        lambda service: ("127.0.0.1", service.port),
        get_request("/dns", "lookup", {"qname": NAME + ".", "qtype": "ANY"}),
        b'"content":"192.0.2.40"',
    ),
    Listener(
        "policy",
        lambda service: ("127.0.0.1", service.policy_port),
        request("GET", "/.well-known/mta-sts.txt").replace(b"127.0.0.1", NAME.encode()),
        b"mx: mail.example.net\r\n",
    ),
    Listener(
        "admin",
        lambda service: ("127.0.0.1", service.admin_port),
        request("GET", "/status"),
        b'"serving":true,',
    ),
    Listener(
        "unix", lambda service: str(service.socket), lookup(NAME), b'"content":"192.0.2.40"', True
    ),
]
