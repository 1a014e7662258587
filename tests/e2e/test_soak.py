"""A long run: load through two PowerDNS at once, one over HTTP and one over the unix socket, while
each second a reload changes the domains. Every answer must be that of a generation in force between
its question and its coming; memory and descriptors must not grow.

tests/soak.sh runs it for longer than the normal suite does.
"""

import os
import socket
import statistics
import struct
import time
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from background import Background
from powerdns import TRANSPORTS, PowerDns
from processes import DEADLINE, wait_until

ZONE = "soak.example"
POLICIES = """\
threads: 2
policies:
  - domain: primary.soak.example
    mode: enforce
    mx: mail.example.net
    id: "{number}"
    policy_host: {address}
    domains: {parity}.soak.example
    domain_files: customers.list
"""
CUSTOMERS = 5000
WINDOW = 64  # questions under way to each PowerDNS
LATE_CONNECTIONS = 8  # that PowerDNS makes only when it needs them, and keeps
MEMORY_GROWTH_MAX = 2 << 20  # bytes, between the second and the last quarter of the run


def address_of(number):
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def parity_of(number):
    return "odd" if number % 2 else "even"


# Questions, each with what answers it in a generation: the records, of which () is NXDOMAIN.
QUESTIONS = [
    ("mta-sts.primary", "A", lambda number: (address_of(number),)),
    ("_mta-sts.primary", "TXT", lambda number: (f'"v=STSv1; id={number}"',)),
    *[
        (
            f"mta-sts.{parity}",
            "CNAME",
            lambda number, parity=parity: (
                (f"mta-sts.primary.{ZONE}.",) if parity_of(number) == parity else ()
            ),
        )
        for parity in ("odd", "even")
    ],
    *[
        (f"_mta-sts.customer-{number}", "CNAME", lambda _: (f"_mta-sts.primary.{ZONE}.",))
        for number in range(0, CUSTOMERS, CUSTOMERS // 20)
    ],
    ("missing", "A", lambda _: ()),
    ("_mta-sts.missing", "TXT", lambda _: ()),
]


class Generations:
    """Which generations answers may come from: at first the one in force, later the next as well."""

    def __init__(self, service):
        self.service = service
        self.in_force = self.begun = 0

    def write(self):
        number = self.begun
        self.service.configure(
            POLICIES.format(number=number, address=address_of(number), parity=parity_of(number))
        )

    def advance(self):
        self.begun += 1
        self.write()
        self.service.reload()
        self.in_force = self.begun


class Load(Background):
    """Keeps a window of questions to one PowerDNS full, in a thread, and checks each reply."""

    def __init__(self, name, port, generations):
        super().__init__()
        self.name = name
        self.generations = generations
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(("127.0.0.1", port))
        self.wires = [
            dns.message.make_query(f"{name}.{ZONE}.", kind).to_wire()[2:]
            for name, kind, _ in QUESTIONS
        ]
        self.count = 0
        self.failures = []
        self.parsed = {}  # replies without their ids, which come again and again

    def send(self, number):
        self.socket.send(struct.pack("!H", number & 0xFFFF) + self.wires[number % len(self.wires)])

    def parse(self, wire):
        """The records of a reply, or the name of an error."""
        reply = dns.message.from_wire(b"\0\0" + wire)
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return dns.rcode.to_text(reply.rcode())
        return tuple(sorted(record.to_text() for rrset in reply.answer for record in rrset))

    def check(self, wire, number, oldest):
        if wire not in self.parsed:
            if len(self.parsed) > 1000:
                self.parsed.clear()
            self.parsed[wire] = self.parse(wire)
        name, kind, expected = QUESTIONS[number % len(QUESTIONS)]
        possible = [expected(each) for each in range(oldest, self.generations.begun + 1)]
        if self.parsed[wire] not in possible:
            self.failures.append((name, kind, self.parsed[wire], possible))

    def run(self):
        sent, under_way = 0, {}
        while under_way or not self.ending.is_set():
            while len(under_way) < WINDOW and not self.ending.is_set():
                under_way[sent & 0xFFFF] = (sent, self.generations.in_force)
                self.send(sent)
                sent += 1
            try:
                reply = self.socket.recv(4096)
            except TimeoutError:
                self.failures.append(("no reply", sorted(under_way)))
                return
            number, oldest = under_way.pop(struct.unpack_from("!H", reply)[0])
            self.check(reply[2:], number, oldest)
            self.count += 1

    def __exit__(self, *exception):
        with self.socket:
            super().__exit__(*exception)


@pytest.fixture
def soaked(service):
    lines = "".join(f"customer-{number}.{ZONE}\n" for number in range(CUSTOMERS))
    (service.directory / "customers.list").write_text(lines, encoding="ascii")
    Generations(service).write()
    return service.start()


@pytest.fixture
def servers(soaked, zones, make_directory, ports):
    zones.load_empty(ZONE)
    servers = {}
    for transport in TRANSPORTS:
        if transport.name in ("get", "unix"):
            server = PowerDns(make_directory(), ports.take(), zones, soaked, transport)
            servers[transport.name] = server.start()
    yield servers
    for server in servers.values():
        server.stop()


def memory_of(service):
    """The bytes that it keeps resident, and those of its address space."""
    pages = Path(f"/proc/{service.process.pid}/statm").read_text(encoding="ascii").split()
    size, resident = (int(each) * os.sysconf("SC_PAGE_SIZE") for each in pages[:2])
    return resident, size


def descriptors(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def check_memory(samples, report):
    """Sanitizers reserve terabytes, and their memory says nothing."""
    resident = [each for each, _ in samples]
    quarter = max(len(resident) // 4, 1)
    before = statistics.median(resident[quarter : 2 * quarter] or resident)
    after = statistics.median(resident[-quarter:])
    report(f"resident memory: {before / 1024:.0f} KiB, at the end {after / 1024:.0f} KiB")
    if samples[-1][1] < 1 << 40:
        assert after - before < MEMORY_GROWTH_MAX


def test_no_answer_fails_while_domains_change_each_second(soaked, servers, request, capsys):
    def report(line):
        with capsys.disabled():
            print(f"# {line}", flush=True)

    seconds = request.config.getoption("soak")
    generations = Generations(soaked)
    idle = descriptors(soaked)
    loads = [Load(name, server.port, generations) for name, server in servers.items()]
    samples = []
    begin = time.monotonic()
    with loads[0], loads[1]:
        while time.monotonic() < begin + seconds:
            due = begin + len(samples) + 1
            generations.advance()
            samples.append(memory_of(soaked))
            time.sleep(max(0, due - time.monotonic()))  # a reload each second, no wait for anything
    for load in loads:
        rate = load.count / (time.monotonic() - begin)
        report(f"{load.name}: {load.count} answers, {rate:.0f} a second")
        report(f"{load.name}: failures: {len(load.failures)}")
    report(f"reloads: {generations.begun}")
    for load in loads:
        assert load.count > 0
        assert not load.failures, (load.name, load.failures[:5])
    check_memory(samples, report)
    most = idle + LATE_CONNECTIONS
    wait_until(lambda: descriptors(soaked) <= most, "the descriptors to be closed")
