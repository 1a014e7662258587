"""Web and mail servers that mean harm, one behaviour each. They run in threads of the test."""

import contextlib
import gzip
import socket
import ssl
import threading

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


class HostileServers:
    """Listens at each of some addresses: {(address, port): (certificate and key or None, behaviour)}."""

    def __init__(self, behaviours):
        self.listening, self.peers, self.threads = [], [], []
        for address, (files, behave) in behaviours.items():
            listening = socket.create_server(address)
            context = None
            if files:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*files)
            self.listening.append(listening)
            self.spawn(self.accept, listening, context, behave)

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
