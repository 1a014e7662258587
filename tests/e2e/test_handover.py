"""Connections to the unix socket over a restart, under a service manager that keeps descriptors: what
was asked of one process is answered by the next."""

import contextlib
import fcntl
import itertools
import os
import re
import signal
import socket
import subprocess
import termios

import dns.query
import dns.zone
import pytest

from admin_client import Metrics
from background import Background
from dns_tools import dig
from managed import MOST_AT_ONCE, Managed
from powerdns import TRANSPORTS, PowerDns
from processes import DEADLINE, wait_until
from service import listen
from unix_client import Stream, lookup

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: one
    policy_host: 192.0.2.40
"""
OWN = """\
zones: {nameservers: ns1.example.net, hostmaster: hostmaster.example.net}
""" + POLICIES + """\
  - {domain: zone.example, mode: none, policy_host: 192.0.2.41, authority: zones}
"""
MANY_ZONES = 20000
UNIX = next(transport for transport in TRANSPORTS if transport.name == "unix")
RESTARTS = 10  # at least, under load
CONNECTIONS = 3  # of PowerDNS, for its threads that take queries
ALL_ZONES = b'{"method": "getAllDomains", "parameters": {"include_disabled": true}}\n'
QUESTION = lookup("mta-sts.example.net")


@pytest.fixture
def managed(make_directory, ports):
    with Managed(make_directory(), ports.take()) as each:
        each.configure(POLICIES)
        yield each


@pytest.fixture
def connect(managed):
    """Connects to the service; all ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(Stream(managed.socket))


def ask(stream):
    stream.send(QUESTION)
    return stream.contents() == ["192.0.2.40"]


def has_ended(stream):
    """Waits for what comes. A connection that ends with a request unread is reset."""
    try:
        return stream.received.read() == b""
    except ConnectionResetError:
        return True


def wait_stopping(managed, start):
    managed.process.send_signal(signal.SIGTERM)
    managed.wait_log("info: stopping on ", start)


def test_what_is_asked_between_two_processes_is_answered_by_the_next(managed, connect):
    managed.start()
    streams = [connect() for _ in range(5)]
    assert all(ask(stream) for stream in streams[1:])
    for _ in range(3):
        managed.stop()
        for stream in streams:
            stream.send(QUESTION)
        managed.start()
        assert all(stream.contents() == ["192.0.2.40"] for stream in streams)
        assert all(ask(stream) for stream in streams)
    assert managed.log().count("goes on with 5 connections to the unix socket") == 3
    assert not managed.stored


def test_more_connections_than_a_message_takes_go_on(managed, connect):
    managed.start()
    streams = [connect() for _ in range(MOST_AT_ONCE + 1)]
    assert all(ask(stream) for stream in streams)
    managed.restart()
    assert all(ask(stream) for stream in streams)


@pytest.mark.parametrize("before,after", [(1, 4), (4, 1), (4, 4)])
def test_connections_go_on_with_another_number_of_threads(managed, connect, before, after):
    managed.configure(POLICIES, more=f"threads: {before}\n")
    managed.start()
    streams = [connect() for _ in range(9)]
    assert all(ask(stream) for stream in streams)
    managed.configure(POLICIES, more=f"threads: {after}\n")
    managed.restart()
    assert all(ask(stream) for stream in streams)
    assert "goes on with 9 connections" in managed.log()


def test_connections_end_with_the_listener(managed, connect):
    managed.start()
    streams = [connect() for _ in range(2)]
    assert all(ask(stream) for stream in streams)
    managed.config.write_text(listen(managed.port) + POLICIES, encoding="ascii")
    managed.restart()
    assert all(has_ended(stream) for stream in streams)
    assert not managed.stored
    assert ("warning: closed 2 connections to the unix socket that the service manager kept: "
            "listen.unix is not configured") in managed.log()


def test_connections_wait_for_a_configuration_that_is_mended(managed, connect):
    """A process that does not start has touched none of them."""
    managed.start()
    stream = connect()
    assert ask(stream)
    managed.stop()
    stream.send(QUESTION)
    managed.configure("nonsense\n")
    for _ in range(2):
        managed.launch([os.environ["PDNS_MTA_STS"], "serve", "-c", managed.config])
        assert managed.process.wait(DEADLINE) == 1
        managed.kill()
        assert len(managed.stored) == 1
    managed.configure(POLICIES)
    managed.start()
    assert stream.contents() == ["192.0.2.40"]


def test_a_connection_that_was_taken_over_ends_with_a_process_that_is_killed(managed, connect):
    """The manager must not have it any more: PowerDNS would wait for an answer until its timeout."""
    managed.start()
    stream = connect()
    assert ask(stream)
    managed.restart()
    assert ask(stream)
    managed.process.kill()
    managed.process.wait(DEADLINE)
    assert has_ended(stream)
    managed.kill()
    managed.start()
    assert "goes on" not in managed.log().rpartition("left 1 connection")[2].partition("serving")[2]


def test_a_peer_that_closed_meanwhile_is_dropped(managed, connect):
    managed.start()
    gone, stream = connect(), connect()
    assert ask(gone) and ask(stream)
    managed.stop()
    gone.received.close()
    gone.socket.close()
    stored = list(managed.stored)
    managed.start()
    assert len(stored) == 2
    assert "goes on with 1 connection to" in managed.log()
    assert ask(stream)


def test_half_a_request_is_read_to_its_end_before_the_connection_is_left(managed, connect):
    managed.start()
    begun, idle = connect(), connect()
    assert ask(begun) and ask(idle)
    begun.send(QUESTION[:10])
    wait_until(lambda: unread(begun) == 0, "the service to read")
    start = managed.log_size()
    managed.process.send_signal(signal.SIGTERM)
    begun.send(QUESTION[10:])
    managed.stop()
    assert begun.contents() == ["192.0.2.40"]
    begun.send(QUESTION)
    managed.start()
    assert begun.contents() == ["192.0.2.40"]
    assert "goes on with 2 connections" in managed.log(start)


def unread(stream):
    """How many bytes wait to be read by the other side."""
    number = bytearray(4)
    fcntl.ioctl(stream.socket, termios.TIOCOUTQ, number)
    return int.from_bytes(number, "little")


def test_half_a_request_without_an_end_ends_the_connection(managed, connect):
    managed.start()
    begun = connect()
    begun.send(QUESTION[:10])
    wait_until(lambda: unread(begun) == 0, "the service to read")
    managed.stop()
    assert not managed.stored
    assert has_ended(begun)


def configure_many_zones(managed):
    names = "".join(f"d{number}.example\n" for number in range(MANY_ZONES))
    (managed.directory / "many.list").write_text(names, encoding="ascii")
    managed.configure(OWN.rstrip("}\n") + ", domain_files: many.list}\n")


def test_a_long_list_is_sent_to_its_end_before_the_connection_is_left(managed, connect):
    configure_many_zones(managed)
    managed.start()
    stream = connect()
    stream.send(ALL_ZONES)
    assert stream.socket.recv(1, socket.MSG_PEEK)
    start = managed.log_size()
    wait_stopping(managed, start)
    assert len(stream.reply()["result"]) > MANY_ZONES
    managed.stop()
    assert "left 1 connection" in managed.log(start)
    stream.send(QUESTION)
    managed.start()
    assert stream.contents() == ["192.0.2.40"]


def test_a_long_list_that_nobody_reads_ends_the_connection(managed, connect):
    configure_many_zones(managed)
    managed.start()
    stream = connect()
    stream.send(ALL_ZONES)
    assert stream.socket.recv(1, socket.MSG_PEEK)
    managed.stop()
    assert not managed.stored
    assert not stream.received.readline().endswith(b"\n")


@pytest.mark.parametrize("most", [0, 2])
def test_what_the_manager_does_not_keep_ends(make_directory, ports, most):
    """Its store is full; or, with 0, it knows no such thing."""
    with Managed(make_directory(), ports.take(), most) as managed, contextlib.ExitStack() as stack:
        managed.configure(POLICIES)
        managed.start()
        streams = [stack.enter_context(Stream(managed.socket)) for _ in range(5)]
        assert all(ask(stream) for stream in streams)
        managed.restart()
        assert (f"goes on with {most}" in managed.log()) == (most > 0)
        for stream in streams:
            stream.socket.shutdown(socket.SHUT_WR)
        assert all(has_ended(stream) for stream in streams)


def fill(managed, sender):
    """Sends as many messages as go. Returns whether any did: a sender's own buffer may be full before the
    queue of the manager is."""
    sender.setblocking(False)
    for n in itertools.count():
        try:
            sender.sendto(b"STATUS=\n", str(managed.directory / "notify"))
        except BlockingIOError:
            return n > 0


def test_a_manager_that_hears_nothing_does_not_keep_the_service_from_stopping(managed, connect):
    managed.start()
    stream = connect()
    assert ask(stream)
    with contextlib.ExitStack() as fillers:
        while fill(managed, fillers.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))):
            pass
        assert managed.terminate() == 0
    assert has_ended(stream)
    assert "warning: cannot leave connections to the unix socket to the service manager: " in managed.log()


def test_in_a_socket_that_a_supervisor_keeps_new_connections_wait(managed, connect):
    """One that keeps nothing else, and that the service tells nothing."""
    managed.is_heard = False
    managed.listen()
    managed.start()
    old = connect()
    assert ask(old)
    managed.stop()
    assert has_ended(old)
    new = connect()
    new.send(QUESTION)
    managed.start()
    assert new.contents() == ["192.0.2.40"]


def make_strangers(stack):
    """Descriptors that are no connections to a unix socket."""
    end, other_end = os.pipe()
    stack.callback(os.close, other_end)
    stack.callback(os.close, end)
    listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    unix.bind("")
    unix.listen()
    others = [
        listening,
        stack.enter_context(socket.create_connection(listening.getsockname())),
        unix,
        *map(stack.enter_context, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)),
    ]
    return [os.dup(fd) for fd in [end] + [other.fileno() for other in others]]


def test_a_descriptor_that_is_no_connection_is_closed(managed, connect):
    managed.start()
    stream = connect()
    assert ask(stream)
    managed.stop()
    with contextlib.ExitStack() as stack:
        strangers = make_strangers(stack)
        managed.stored += [("unix-connection", fd) for fd in strangers]
        start = managed.log_size()
        managed.start()
    assert (f"warning: closed {len(strangers)} descriptors of the service manager that cannot be "
            "used: expected unix sockets with a connection, at most 1024") in managed.log(start)
    assert ask(stream)
    assert not managed.stored


class Transfers(Background):
    """Transfers an own zone again and again, each over a connection of its own to the service."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.count = 0

    def run(self):
        while not self.ending.is_set():
            messages = dns.query.xfr("127.0.0.1", "mta-sts.zone.example", port=self.port,
                                     timeout=DEADLINE, lifetime=DEADLINE)
            zone = dns.zone.from_xfr(messages)
            assert zone.get_rdataset("@", "A")[0].to_text() == "192.0.2.41"
            self.count += 1


def has_connected(powerdns, service):
    """Each of PowerDNS's threads connects when it gets its first question."""
    assert dig(powerdns.port, "mta-sts.example.net", "A").rcode == "NOERROR"
    return Metrics(service).sum("connections", listener="unix") >= CONNECTIONS


@pytest.mark.parametrize("threads", [1, 4])
def test_restarts_lose_no_query_and_no_transfer(make_directory, ports, zones, threads):
    """dnsperf asks all the while. PowerDNS keeps the connections over which it asks, and the manager
    keeps them and the socket to which it connects for each transfer."""
    directory = make_directory()
    zones.load_empty("example.net")
    queries = directory / "queries"
    queries.write_text("mta-sts.example.net A\nabsent.example.net A\n", encoding="ascii")
    outputs, restarts = [], 0
    with Managed(make_directory(), ports.take()) as managed:
        managed.listen()
        managed.admin_port = ports.take()
        managed.configure(OWN, more=f"threads: {threads}\n")
        managed.start()
        with PowerDns(make_directory(), ports.take(), zones, managed, UNIX) as powerdns:
            powerdns.start()
            wait_until(lambda: has_connected(powerdns, managed), "PowerDNS to connect")
            with Transfers(powerdns.port) as transfers:
                while restarts < RESTARTS:
                    with subprocess.Popen(
                        ["dnsperf", "-s", "127.0.0.1", "-p", str(powerdns.port), "-d", queries,
                         "-n", "250", "-Q", "250", "-q", "10", "-t", "30"],
                        stdout=subprocess.PIPE, text=True,
                    ) as load:
                        while load.poll() is None:
                            done = transfers.count
                            managed.restart()
                            wait_until(lambda: transfers.count > done + 1, "transfers")
                            restarts += 1
                        outputs.append(load.stdout.read())
            log = powerdns.log()
    went_on = re.findall(r"goes on with (\d+) connections?", managed.log())
    assert len(went_on) == restarts
    assert min(map(int, went_on)) >= CONNECTIONS
    for output in outputs:
        assert "Queries completed:    500 (100.00%)" in output, output
        assert "SERVFAIL" not in re.search(r"Response codes: +(.*)", output)[1], output + log
