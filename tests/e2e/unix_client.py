"""The unix connector's side of a conversation, by hand."""

import json
import socket

from processes import DEADLINE


class Stream:
    """A connection to the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))
        self.received = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        return json.loads(self.received.readline())

    def contents(self):
        """The contents of the rows of the next reply, or its result if there are none."""
        result = self.reply()["result"]
        return [row["content"] for row in result] if result else result

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.received.close()
        self.socket.close()


def lookup(name, kind="ANY"):
    """A request as PowerDNS writes it."""
    parameters = {"qname": name + ".", "qtype": kind, "zone-id": 1, "remote": "0.0.0.0"}
    return json.dumps({"method": "lookup", "parameters": parameters}).encode() + b"\n"
