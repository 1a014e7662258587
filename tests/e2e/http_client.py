"""HTTP by hand, so that tests see every byte of it.

The encoders write what PowerDNS's HTTP connector writes in each of its modes.
"""

import json
import socket
import struct
from dataclasses import dataclass

from processes import DEADLINE

# The order in which parameters become components of a path.
COMPONENTS = ("id", "domain_id", "zonename", "qname", "name", "kind", "qtype")

SEGS_IN = 140  # where tcpi_segs_in stands in the kernel's struct tcp_info


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def parse_reply(data):
    """Takes one reply off the front; returns it, or None if it is not complete, and the rest."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return None, data
    status_line, *lines = head.decode("ascii").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    length = int(headers["content-length"])
    if len(rest) < length:
        return None, data
    return check(Reply(int(status_line.split()[1]), headers, rest[:length])), rest[length:]


def check(reply):
    """What holds for each and every reply: it is JSON, and so never a page for people."""
    assert reply.headers["content-type"] == "application/json"
    assert isinstance(reply.json(), dict)
    return reply


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        """One reply."""
        while True:
            reply, self.data = parse_reply(self.data)
            if reply:
                return reply
            received = self.socket.recv(65536)
            assert received, f"the connection ended after {self.data!r}"
            self.data += received

    def read_head(self):
        """The head of a reply that has no body."""
        while b"\r\n\r\n" not in self.data:
            received = self.socket.recv(65536)
            assert received, f"the connection ended after {self.data!r}"
            self.data += received
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def at_end(self):
        """Waits for the next byte or the end; returns whether it was the end."""
        return not self.data and not self.socket.recv(1)

    def segments_received(self):
        """How many TCP segments the peer has sent so far, those without data included."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SEGS_IN + 4)
        return struct.unpack_from("I", info, SEGS_IN)[0]


def exchange(port, request):
    """The one reply to a request on a connection that closes after it."""
    with Connection(port) as connection:
        connection.send(request)
        reply = connection.read()
        assert connection.at_end()
        return reply


def request(verb, path, body=b"", content_type=None):
    """A request with the headers that PowerDNS sends."""
    lines = [
        f"{verb} {path} HTTP/1.1",
        "Accept: application/json",
        "Connection: Keep-Alive",
        "Host: 127.0.0.1",
        "User-Agent: YaHTTP v1.0",
    ]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def percent(text):
    """Percent-encodes every octet but letters and digits, as PowerDNS does."""
    octets = str(text).encode("utf-8")
    return "".join(
        chr(octet) if chr(octet).isalnum() and octet < 128 else f"%{octet:02x}"
        for octet in octets
    )


FORM = "application/x-www-form-urlencoded; charset=utf-8"


def get_request(base, method, parameters):
    """As PowerDNS's GET mode; what is no component comes in a body or in the query string."""
    parts = [percent(parameters[name]) for name in COMPONENTS if name in parameters]
    path = "/".join([base, method, *parts])
    if method == "setNotified":
        body = f"serial={percent(float(parameters['serial']))}00000".encode("ascii")
        return request("PATCH", path, body, FORM)
    if method == "searchRecords":
        path += f"?pattern={percent(parameters['pattern'])}&maxResults={parameters['maxResults']}"
    return request("GET", path)


def form_request(base, method, parameters):
    body = f"parameters={percent(json.dumps(parameters))}".encode("ascii")
    return request("POST", f"{base}/{method}", body, FORM)


def json_request(base, method, parameters):
    body = json.dumps({"method": method, "parameters": parameters}).encode("ascii")
    return request("POST", base or "/", body, "text/javascript; charset=utf-8")


ENCODERS = {"get": get_request, "form": form_request, "json": json_request}
