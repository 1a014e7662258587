"""The service killed, stopped, and under a clock that jumps: PowerDNS finds it again by itself, and
never hands on an answer to another question."""

import signal
import threading
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import admin_client
from background import Background
from clock import Clock
from load import http_load, unix_load
from http_client import exchange, get_request
from powerdns import TRANSPORTS, PowerDns
from processes import DEADLINE, running, wait_until

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: one
    policy_host: 192.0.2.40
    domains: example.org
"""
BY_NAME = {transport.name: transport for transport in TRANSPORTS}
EACH_TRANSPORT = pytest.mark.parametrize("transport", ["get", "json", "unix"])
EXPECTED = {
    ("mta-sts.example.net.", "A"): ("192.0.2.40",),
    ("_mta-sts.example.net.", "TXT"): ('"v=STSv1; id=one"',),
    ("mta-sts.example.org.", "CNAME"): ("mta-sts.example.net.",),
    ("missing.example.net.", "A"): (),
}
KILLS = 5
TIMEOUTS = 5
PATIENCE = 5  # seconds
CONNECTIONS = 4  # of PowerDNS: three threads for UDP, one for TCP


def ask(server, question, patience=DEADLINE):
    """The data that come, or the name of the error."""
    message = dns.message.make_query(*question, flags=dns.flags.Flag(0))
    reply = dns.query.udp(message, "127.0.0.1", patience, server.port)
    if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return dns.rcode.to_text(reply.rcode())
    return tuple(sorted(record.to_text() for rrset in reply.answer for record in rrset))


def serve(service):
    service.configure(POLICIES)
    return service.start()


@pytest.fixture
def make_server(service, zones, make_directory, ports):
    """Starts the service, and PowerDNS with a transport to it and a timeout."""
    serve(service)
    zones.load_empty("example.net", "example.org")
    servers = []

    def make(transport, timeout):
        server = PowerDns(make_directory(), ports.take(), zones, service, BY_NAME[transport],
                          timeout)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()


class Supervisor(Background):
    """Starts the service again whenever it ends, as a service manager does."""

    def __init__(self, service):
        super().__init__()
        self.service = service
        self.starts = 0

    def run(self):
        while not self.ending.is_set():
            if self.service.process.poll() is None:
                self.ending.wait(0.005)
                continue
            running.remove(self.service)
            self.service.start()
            self.starts += 1


class Questions(Background):
    """Asks PowerDNS without pause; what comes must be right or SERVFAIL.

    While the service is stopped PowerDNS may, rarely, not answer a question over the unix socket at
    all. As a resolver would, this asks the next one then."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.counts = {"right": 0, "SERVFAIL": 0}
        self.wrong = []

    def run(self):
        while not self.ending.is_set():
            for question, expected in EXPECTED.items():
                try:
                    answer = ask(self.server, question, PATIENCE)
                except dns.exception.Timeout:
                    continue
                if answer == expected:
                    self.counts["right"] += 1
                elif answer == "SERVFAIL":
                    self.counts["SERVFAIL"] += 1
                else:
                    self.wrong.append((question, answer))

    def wait_for_right(self, more=10):
        wanted = self.counts["right"] + more
        wait_until(lambda: self.counts["right"] >= wanted, "right answers")


def check_recovered(server, transport):
    """Over HTTP the first query succeeds. A connection to the unix socket is found broken by the one
    query that is sent over it, which is SERVFAIL; there are few."""
    allowed = CONNECTIONS if transport == "unix" else 0
    failures = 0
    for _ in range(5 * CONNECTIONS):
        for question, expected in EXPECTED.items():
            answer = ask(server, question)
            failures += answer == "SERVFAIL"
            assert answer in (expected, "SERVFAIL"), question
    assert failures <= allowed


@EACH_TRANSPORT
def test_powerdns_survives_a_service_that_is_killed_again_and_again(
    make_server, service, transport
):
    server = make_server(transport, 2000)
    with Supervisor(service) as supervisor:
        with Questions(server) as questions:
            for number in range(KILLS):
                questions.wait_for_right()
                service.process.kill()
                wait_until(lambda: supervisor.starts > number, "the service to be started again")
            questions.wait_for_right()
        assert not questions.wrong
        check_recovered(server, transport)


@pytest.mark.parametrize("transport", ["get", "unix"])
def test_a_stopped_service_is_servfail_and_then_found_again(make_server, service, transport):
    """Each timeout takes a second. The answers that come too late must not be taken for those to later
    questions."""
    server = make_server(transport, 1000)
    with Questions(server) as questions:
        questions.wait_for_right()
        service.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: questions.counts["SERVFAIL"] >= TIMEOUTS, "SERVFAIL")
        service.process.send_signal(signal.SIGCONT)
        questions.wait_for_right(100)
    assert not questions.wrong
    check_recovered(server, transport)


def is_stopped(pid):
    """A signal is taken when a thread next runs, which is later on a busy machine: each must have stopped."""
    return all(
        stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"
        for stat in Path(f"/proc/{pid}/task").glob("*/stat")
    )


def test_a_query_waits_for_a_service_that_stops_for_less_than_the_timeout(make_server, service):
    server = make_server("get", 20000)
    question = ("mta-sts.example.net.", "A")
    answers = []
    service.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(service.process.pid), "the service to have stopped")
    thread = threading.Thread(target=lambda: answers.append(ask(server, question)))
    thread.start()
    thread.join(0.2)
    assert not answers
    service.process.send_signal(signal.SIGCONT)
    thread.join(DEADLINE)
    assert answers == [EXPECTED[question]]


# A policy with zones of its own; another address is another serial.
ZONES = """\
zones: {{nameservers: ns1.example.net, hostmaster: hostmaster.example.net}}
{policies}  - {{domain: zone.example, mode: none, policy_host: 192.0.2.{number}, authority: zones}}
"""


def configure_zones(service, number):
    service.configure(ZONES.format(policies=POLICIES, number=number))


def serial(service):
    """That of an own zone."""
    asked = get_request("/dns", "lookup", {"qname": "mta-sts.zone.example.", "qtype": "SOA"})
    return int(exchange(service.port, asked).json()["result"][0]["content"].split()[2])


def test_a_clock_that_jumps_by_years_changes_nothing(service, ports):
    """Serials of own zones, which are times, keep rising."""
    clock = Clock(service)
    service.admin_port = ports.take()
    configure_zones(service, 0)
    service.start(env=clock.environment())
    asked = get_request("/dns", "lookup", {"qname": "mta-sts.example.net.", "qtype": "ANY"})
    http = http_load(service.port, {asked: [["192.0.2.40"]]})
    unix = unix_load(service.socket, {"mta-sts.example.net": [["192.0.2.40"]]})
    years, serials = [], [serial(service)]
    with http, unix:
        for number, days in enumerate((3000, -3000, 0, -6000), 1):
            clock.set(days * 86400)
            http.wait_for_more()
            unix.wait_for_more()
            assert serial(service) == serials[-1]
            configure_zones(service, number)
            service.reload()
            years.append(admin_client.status(service)["loaded"][:4])
            serials.append(serial(service))
    http.check()
    unix.check()
    assert len(set(years)) == 4
    assert serials == sorted(set(serials))
    assert serials[1] - serials[0] >= 3000 * 86400
