"""What hostile peers do: each attack takes a connected peer and the listener that it is connected
to, and leaves the connection open, unless ending it is part of the attack."""

import contextlib
import socket
import struct

DEEP = 30000
NO_UTF8 = b"\xff\xfe\xc0\x80\xed\xa0\x80"


def send(peer, data):
    """Sends what the service takes: it may have ended the connection, or read no more."""
    peer.setblocking(False)
    with contextlib.suppress(OSError):
        while data:
            data = data[peer.send(data) :]


def reset(peer):
    """Ends a connection with a reset instead of a FIN."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def half_close(peer):
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_WR)


def sends(data):
    return lambda peer, listener: send(peer, data)


def body(text, content_type=b"text/javascript"):
    head = b"POST /dns HTTP/1.1\r\nHost: mta-sts.example.net\r\nContent-Type: %s\r\n"
    return head % content_type + b"Content-Length: %d\r\n\r\n" % len(text) + text


def drip(peer, data):
    """A byte at a time, each a segment or a read of its own."""
    for octet in data:
        send(peer, bytes([octet]))


def half_a_question(peer, listener):
    send(peer, listener.question[: len(listener.question) // 2])


def half_a_question_and_half_closed(peer, listener):
    half_a_question(peer, listener)
    half_close(peer)


def half_a_question_and_reset(peer, listener):
    half_a_question(peer, listener)
    reset(peer)


def question_and_reset(peer, listener):
    send(peer, listener.question)
    reset(peer)


def pipelined_and_never_read(peer, listener):
    send(peer, listener.question * 2000)


def pipelined_and_reset(peer, listener):
    pipelined_and_never_read(peer, listener)
    reset(peer)


def noise_behind_a_question(peer, listener):
    send(peer, listener.question + bytes(range(256)) * 64)


CHUNKED = b"POST /dns HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n"
KEYS_TWICE = b'{"method":"lookup","method":"list","parameters":{"qname":"a.","qname":"b."}}'

EVERYWHERE = {
    "silence": lambda peer, listener: None,
    "half a question": half_a_question,
    "half a question, half closed": half_a_question_and_half_closed,
    "half a question, then a reset": half_a_question_and_reset,
    "a question, then a reset": question_and_reset,
    "thousands of questions, nothing read": pipelined_and_never_read,
    "thousands of questions, then a reset": pipelined_and_reset,
    "noise behind a question": noise_behind_a_question,
    "NUL bytes": sends(bytes(70000)),
    "no UTF-8": sends(NO_UTF8 * 10000),
    "newlines": sends(b"\n" * 10000),
    "a megabyte in one line": sends(b"a" * (1 << 20)),
}
OVER_HTTP = {
    "slow headers": lambda peer, listener: drip(peer, b"GET / HTTP/1.1\r\nX: y\r\n"),
    "headers without end": sends(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000),
    "a header line without end": sends(b"GET / HTTP/1.1\r\nX: " + b"y" * (1 << 20)),
    "slow body": lambda peer, listener: drip(peer, LENGTH % b"65536" + b"{"),
    "a body beyond its length": sends(LENGTH % b"1" + b"x" * (1 << 20)),
    "a body without end": sends(CHUNKED + b"ffff\r\n" + b"x" * (1 << 20)),
    "chunks of one byte": sends(CHUNKED + b"1\r\nx\r\n" * 20000),
    "a chunk of all memory": sends(CHUNKED + b"ffffffffffffffff\r\n"),
    "a chunk beyond counting": sends(CHUNKED + b"f" * 10000 + b"\r\n"),
    "a length of all memory": sends(LENGTH % b"18446744073709551615"),
    "a length beyond counting": sends(LENGTH % (b"9" * 10000)),
    "a length below zero": sends(LENGTH % b"-1"),
    "deep JSON": sends(body(b"[" * DEEP)),
    "keys twice": sends(body(KEYS_TWICE)),
    "no UTF-8 in JSON": sends(body(b'{"method":"%s"}' % NO_UTF8)),
}
OVER_UNIX = {
    "a slow line": lambda peer, listener: drip(peer, b'{"method":'),
    "deep JSON": sends(b"[" * DEEP + b"\n"),
    "deep JSON in parameters": sends(b'{"method":"lookup","parameters":' + b'{"a":' * 8000 + b"\n"),
    "keys twice": sends(KEYS_TWICE + b"\n"),
    "no UTF-8 in JSON": sends(b'{"method":"%s"}\n' % NO_UTF8),
    "a line of many parts": sends(b" " * 65536 + b" " * 65536),
}
