"""Web, mail and name servers that mean harm or have their faults, one behaviour each. They run in
threads of the test."""

import contextlib
import gzip
import socket
import ssl
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def endless_body(peer):
    peer.recv(4096)
    peer.sendall(HEAD + b"\r\n")
    while True:
        peer.sendall(b"x" * 4096)


def endless_header(peer):
    peer.recv(4096)
    peer.sendall(HEAD)
    while True:
        peer.sendall(b"X: " + b"x" * 1000 + b"\r\n")


def control_characters(peer):
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/\x1b[31mred\r\nContent-Length: 1\r\n\r\nx")


def stall(peer):
    """Neither answers nor ends, until the other side does."""
    while peer.recv(4096):
        pass


def gzip_bomb(peer):
    peer.recv(4096)
    body = gzip.compress(b"x" * 10_000_000)
    peer.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def endless_banner(peer):
    while True:
        peer.sendall(b"220-" + b"x" * 500 + b"\r\n")


def busy(peer):
    peer.sendall(b"421 \x1b[31mgreylisted, try later\r\n")


def refuses(peer):
    peer.sendall(b"554 no\r\n")


def relay(peer, to):
    """Passes octets on between a peer and another server, until both have ended."""
    with socket.create_connection(to) as other:
        back = threading.Thread(target=pump, args=(other, peer), daemon=True)
        back.start()
        pump(peer, other)
        back.join()


def pump(source, target):
    with contextlib.suppress(OSError):
        while octets := source.recv(65536):
            target.sendall(octets)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def slow(to):
    """Another server behind something that thinks for 20 seconds."""
    def behave(peer):
        time.sleep(20)
        relay(peer, to)
    return behave


class Once:
    """Another server, but where it is told to fail it ends the next connection at once."""

    def __init__(self, to):
        self.to = to
        self.fails = threading.Event()

    def __call__(self, peer):
        if self.fails.is_set():
            self.fails.clear()
        else:
            relay(peer, self.to)


QUESTION = 12  # where it begins in a message of DNS
RESPONSE, FORMERR, SERVFAIL, NOTIMP = 0x80, 1, 2, 4


def forward(message, to):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(5)
        other.sendto(message, (to, 53))
        return other.recv(65536)


def refusal(message, rcode, repeat=True):
    """An answer without records, which repeats the question or does not."""
    question = message[QUESTION:message.index(0, QUESTION) + 5] if repeat else b""
    return (message[:2] + bytes([message[2] | RESPONSE, rcode, 0, repeat]) + b"\0" * 6 + question)


def edns_unreadable(to):
    """Refuses EDNS with a header alone, as servers do that are older than it."""
    def answer(message):
        return refusal(message, FORMERR, False) if message[11] else forward(message, to)
    return answer


def edns_unknown(to):
    """Refuses EDNS, and repeats the question."""
    def answer(message):
        return refusal(message, NOTIMP) if message[11] else forward(message, to)
    return answer


def fails_with(once, to):
    """Another name server, which cannot look up _smtp._tls until a web server has failed."""
    def answer(message):
        if once.fails.is_set() and message[QUESTION:].lower().startswith(b"\x05_smtp\x04_tls"):
            return refusal(message, SERVFAIL)
        return forward(message, to)
    return answer


class HostileServers:
    """Listens at each of some addresses: {(address, port): (certificate and key or None, behaviour)};
    and at port 53 of others: {address: what makes an answer of a question}."""

    def __init__(self, behaviours, answers=None):
        self.listening, self.peers, self.threads = [], [], []
        for address, (files, behave) in behaviours.items():
            listening = socket.create_server(address)
            context = None
            if files:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*files)
            self.listening.append(listening)
            self.spawn(self.accept, listening, context, behave)
        for address, answer in (answers or {}).items():
            listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            listening.bind((address, 53))
            self.listening.append(listening)
            self.spawn(self.answer, listening, answer)

    def spawn(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self, listening, context, behave):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listening.accept()
                self.peers.append(peer)
                self.spawn(self.serve, peer, context, behave)

    def answer(self, listening, answer):
        with contextlib.suppress(OSError):
            while True:
                message, peer = listening.recvfrom(65536)
                if not message:  # shut down
                    return
                with contextlib.suppress(TimeoutError):
                    listening.sendto(answer(message), peer)

    def serve(self, peer, context, behave):
        with contextlib.suppress(OSError), peer:
            if context:
                with context.wrap_socket(peer, server_side=True) as wrapped:
                    behave(wrapped)
            else:
                behave(peer)

    def close(self):
        for each in [*self.listening, *self.peers]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
