"""Three hundred thousand own zones: PowerDNS gets the whole list, and it costs nobody else anything."""

import contextlib
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from http_client import Connection, get_request, json_request
from processes import DEADLINE, wait_until
from unix_client import Stream

DOMAINS = 100000  # with three zones each
KIB = 1024
MEMORY_MAX = 4096 * KIB  # what several long lists at once may take, each of more than 30 MB
LIST_LEAST = 20 << 20  # bytes

CONFIGURATION = """\
removal_limit: 100%
zones:
  nameservers: [ns1.example.net, ns2.example.net]
  hostmaster: hostmaster.example.net
policies:
  - domain: example.net
    mode: testing
    mx: mail.example.net
    policy_host: 192.0.2.40
    rua: mailto:postmaster@example.net
    authority: zones
    domain_files: "*.list"
"""
ASK = {"method": "getAllDomains", "parameters": {"include_disabled": True}}
ASK_UNIX = json.dumps(ASK).encode() + b"\n"


def write_list(service, domains=DOMAINS, prefix="customer"):
    lines = "".join(f"{prefix}-{number}.example\n" for number in range(domains))
    listed = service.directory / "domains.list"
    listed.write_text(lines, encoding="ascii")


def expected(domains=DOMAINS, prefix="customer"):
    names = ["example.net", *(f"{prefix}-{number}.example" for number in range(domains))]
    return {f"{owner}.{name}." for owner in ("_mta-sts", "_tls", "mta-sts") for name in names}


def check_list(result, zones):
    """Each zone once, with an id of its own."""
    assert len(result) == len(zones)
    assert {row["zone"] for row in result} == zones
    assert len({row["id"] for row in result}) == len(zones)


@pytest.fixture
def running(service):
    """The service with all zones, over HTTP with keep-alive."""
    write_list(service)
    service.configure(CONFIGURATION, keepalive="yes")
    return service.start()


def get_all(service, *headers, version="1.1"):
    """A request of PowerDNS's for all zones."""
    lines = [f"GET {service.path}/getAllDomains?includeDisabled=true HTTP/{version}",
             "Host: 127.0.0.1", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


class Chunks:
    """The chunked replies on a connection."""

    def __init__(self, peer):
        self.file = peer.makefile("rb")

    def line(self):
        line = self.file.readline()
        assert line.endswith(b"\r\n"), "the connection ended in the middle"
        return line[:-2]

    def head(self):
        assert self.line() == b"HTTP/1.1 200 OK"
        headers = set(iter(self.line, b""))
        assert b"Transfer-Encoding: chunked" in headers
        assert not any(header.startswith(b"Content-Length") for header in headers)
        return headers

    def pieces(self):
        while length := int(self.line(), 16):
            piece = self.file.read(length)
            assert len(piece) == length
            assert self.line() == b""
            yield piece
        assert self.line() == b""

    def body(self):
        self.head()
        return b"".join(self.pieces())


def connect(service):
    return Connection(service.port)


def status_number(service, file, field):
    """A field of /proc/PID/FILE that is in kB, in bytes."""
    with open(f"/proc/{service.process.pid}/{file}", encoding="ascii") as lines:
        return next(int(line.split()[1]) * KIB for line in lines if line.startswith(field))


class Memory:
    """How far the memory of the service goes beyond what it is now."""

    def __init__(self, service):
        self.service = service
        with open(f"/proc/{service.process.pid}/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")  # begins VmHWM anew
        self.before = status_number(service, "status", "VmRSS")

    def growth(self):
        return status_number(self.service, "status", "VmHWM") - self.before


def test_over_http_the_list_is_chunked_and_memory_stays_flat(running):
    memory = Memory(running)
    with connect(running) as connection:
        connection.send(get_all(running))
        body = Chunks(connection.socket).body()
    assert len(body) > LIST_LEAST
    check_list(json.loads(body)["result"], expected())
    assert running.is_sanitized() or memory.growth() < MEMORY_MAX


def test_every_encoding_of_the_request_gets_the_list(running):
    for request in (get_request(running.path, "getAllDomains", {}),
                    json_request(running.path, ASK["method"], ASK["parameters"])):
        with connect(running) as connection:
            connection.send(request)
            check_list(json.loads(Chunks(connection.socket).body())["result"], expected())


def test_over_unix_the_list_is_one_line_and_memory_stays_flat(running):
    memory = Memory(running)
    with Stream(running.socket) as stream:
        stream.send(ASK_UNIX)
        line = stream.received.readline()
        assert len(line) > LIST_LEAST
        assert line.endswith(b"]}\n")
        check_list(json.loads(line)["result"], expected())
    assert running.is_sanitized() or memory.growth() < MEMORY_MAX


def test_a_request_behind_the_list_is_answered_after_it(running):
    lookup = json.dumps({"method": "lookup", "parameters": {
        "qname": "_mta-sts.example.net.", "qtype": "TXT"}}).encode() + b"\n"
    with Stream(running.socket) as stream:
        stream.send(ASK_UNIX + lookup + ASK_UNIX + lookup)
        for _ in range(2):
            assert len(stream.reply()["result"]) == len(expected())
            assert len(stream.contents()) == 1
    with connect(running) as connection:
        connection.send(get_all(running) + get_all(running, "Connection: close"))
        chunks = Chunks(connection.socket)
        first = chunks.body()
        assert chunks.body() == first
        assert not chunks.file.read(1)


def test_http_1_0_gets_the_list_until_the_end_of_the_connection(running):
    with connect(running) as connection:
        connection.send(get_all(running, version="1.0"))
        head, _, body = connection.socket.makefile("rb").read().partition(b"\r\n\r\n")
    assert b"chunked" not in head
    check_list(json.loads(body)["result"], expected())


def stuck_peers(service, count):
    """Peers that have asked for the list and read nothing."""
    peers = []
    for number in range(count):
        if number % 2:
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            request = ASK_UNIX
        else:
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            request = get_all(service)
        peer.settimeout(DEADLINE)
        peer.connect(str(service.socket) if number % 2 else ("127.0.0.1", service.port))
        peer.sendall(request)
        peers.append(peer)
    for peer in peers:
        assert peer.recv(1, socket.MSG_PEEK)
    return peers


def lookup(service):
    asked = get_request(service.path, "lookup", {"qname": "_mta-sts.example.net.", "qtype": "TXT"})
    with connect(service) as connection:
        connection.send(asked)
        return connection.read().json()["result"]


def test_peers_that_stop_reading_hold_up_nobody_and_cost_a_piece_each(running):
    memory = Memory(running)
    peers = stuck_peers(running, 40)
    for _ in range(100):
        assert len(lookup(running)) == 1
    with Stream(running.socket) as stream:
        stream.send(ASK_UNIX)
        assert len(stream.reply()["result"]) == len(expected())
    assert running.is_sanitized() or memory.growth() < 2 * MEMORY_MAX
    for peer in peers:
        peer.close()


def count_sockets(service):
    """Its files are none of these: the state is opened and closed beside all else."""
    count = 0
    for descriptor in Path(f"/proc/{service.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(descriptor).startswith("socket:")
    return count


def test_peers_that_go_away_in_the_middle_are_forgotten(running):
    before = count_sockets(running)
    peers = stuck_peers(running, 20)
    assert count_sockets(running) >= before + 20
    for peer in peers:
        peer.close()
    wait_until(lambda: count_sockets(running) == before, "the descriptors")
    assert len(lookup(running)) == 1


def test_a_reload_in_the_middle_leaves_the_old_list_whole(running):
    peers = stuck_peers(running, 2)
    write_list(running, 10, "other")
    running.reload()
    check_list(json.loads(Chunks(peers[0]).body())["result"], expected())
    check_list(json.loads(peers[1].makefile("rb").readline())["result"], expected())
    with Stream(running.socket) as stream:
        stream.send(ASK_UNIX)
        check_list(stream.reply()["result"], expected(10, "other"))
    for peer in peers:
        peer.close()


def test_a_list_under_way_is_sent_to_its_end_when_the_service_stops(service):
    count = 5000  # more than a socket holds, and sent long before the service has waited enough
    write_list(service, count)
    service.configure(CONFIGURATION)
    service.start()
    tcp, unix = stuck_peers(service, 2)
    tcp.close()
    service.process.send_signal(signal.SIGTERM)
    with unix:
        line = unix.makefile("rb").readline()
    check_list(json.loads(line)["result"], expected(count))
