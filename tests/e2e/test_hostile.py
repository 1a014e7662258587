"""Hostile peers at every listener: all others are answered meanwhile, and afterwards the service has
the descriptors and the memory that it had before."""

import contextlib
import os
import re
import resource
import select
import socket
import sys
import threading
from pathlib import Path

import pytest

import admin_client
import attacks
from crowd import Crowd
from documented import GUIDES
from listeners import LISTENERS, POLICIES
from processes import wait_until
from service import Service

PEERS = 25  # that attack at once
CROWD = 10000
PLACES = {"http": 1024, "policy": 1024, "unix": 1024, "admin": 64}  # as in docs/security.md
EXTRA = 8  # descriptors, at most: of bystanders, and of what is accepted before another goes
TRIES = 20  # of a question in a crowd
MANY = 60000  # policies
HOLDERS = 100  # peers that hold memory at once
ENDLESS = 20000  # questions: more than anything takes
LIMIT = 512  # of descriptors, where these are to run out
GROWTH_MAX = 4 << 20  # bytes, of what further rounds of all attacks may leave behind
CASES = [
    (listener, name, attack)
    for listener in LISTENERS
    for name, attack in [
        *attacks.EVERYWHERE.items(),
        *(attacks.OVER_UNIX if listener.name == "unix" else attacks.OVER_HTTP).items(),
    ]
]
EACH_LISTENER = pytest.mark.parametrize("listener", LISTENERS, ids=lambda each: each.name)
ONE_THREAD_OR_MORE = pytest.mark.parametrize("threads", [1, 3])


# A bystander must not stand still between connecting and asking, while hundreds of others connect.
sys.setswitchinterval(1e-4)


def make_service(make_directory, ports, threads, keepalive="no"):
    service = Service(make_directory(), ports.take())
    service.policy_port, service.admin_port = ports.take(), ports.take()
    service.configure(POLICIES, keepalive, f"threads: {threads}\n")
    return service


@pytest.fixture(scope="module", params=[(1, "no"), (2, "yes")], ids=["closing", "keepalive"])
def served(request, make_directory, ports):
    with make_service(make_directory, ports, *request.param) as service:
        yield service.start()


def descriptors_at_rest(service):
    """How many there are once the state is open, which it stays."""
    wait_until(lambda: admin_client.status(service)["state"]["written"], "the state to be written")
    return descriptors(service)


def descriptors(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def accepted(service, listener):
    metrics = admin_client.Metrics(service)
    return metrics.sum("connections_accepted_total", listener=listener.name)


def status_bytes(service, key):
    lines = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


class Bystander:
    """Asks at every listener, again and again, while something happens; each must be answered. At
    the unix socket it has a connection already, as PowerDNS does.

    Where a crowd comes to a listener, its connection may be the one that gives way if it stands
    still, on a busy machine, between connecting and asking; there it tries again."""

    def __init__(self, service, crowded=None):
        self.service = service
        self.crowded = crowded
        self.failures = []
        self.rounds = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.kept = {each.name: each.connect(service) for each in LISTENERS if each.idles}

    def ask(self, listener):
        for _ in range(TRIES if listener is self.crowded else 0):
            with contextlib.suppress(ConnectionError, AssertionError):
                return listener.ask(self.service)
        if not listener.idles:
            return listener.ask(self.service)
        peer = self.kept[listener.name]
        peer.sendall(listener.question)
        listener.read_answer(peer)

    def run(self):
        while not self.ending.is_set():
            for listener in LISTENERS:
                try:
                    self.ask(listener)
                except Exception as error:  # whatever it is, the question failed
                    self.failures.append((listener.name, repr(error)))
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        wanted = self.rounds + 2
        wait_until(lambda: self.rounds >= wanted, "all listeners to answer")
        self.ending.set()
        self.thread.join()
        for peer in self.kept.values():
            peer.close()
        if exception[0] is None:
            assert not self.failures, self.failures[:5]


@contextlib.contextmanager
def peers_that(attack, listener, service, count):
    """So many peers that do the same, and stay until the end."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            peer = stack.enter_context(contextlib.closing(listener.connect(service)))
            attack(peer, listener)
        yield


@pytest.mark.parametrize("listener,name,attack", CASES, ids=[f"{c[0].name}-{c[1]}" for c in CASES])
def test_others_are_answered_while_peers_send(served, listener, name, attack):
    before = descriptors_at_rest(served)
    with Bystander(served):
        with peers_that(attack, listener, served, PEERS):
            pass
        with peers_that(attack, listener, served, PEERS):
            listener.ask(served)
    wait_until(lambda: descriptors(served) <= before, "the descriptors to be closed")
    listener.ask(served)


def test_attacks_leave_no_memory_behind(served):
    """The first times fill what is kept for later use; then nothing is added."""
    def attack_all():
        before = descriptors_at_rest(served)
        for listener, _, attack in CASES:
            with peers_that(attack, listener, served, 5):
                listener.ask(served)
        wait_until(lambda: descriptors(served) <= before, "the descriptors to be closed")
        return status_bytes(served, "VmRSS")

    rounds = [attack_all() for _ in range(6)]
    assert served.is_sanitized() or rounds[-1] - rounds[3] < GROWTH_MAX, rounds


@pytest.fixture
def many(make_directory, ports):
    """A service with many policies, so that /status is long, and no memory that was used before."""
    more = "".join(
        f"  - {{domain: d{number}.example, mode: enforce, mx: mail.example.net, id: one}}\n"
        for number in range(MANY)
    )
    with make_service(make_directory, ports, 2, "yes") as service:
        service.configure(POLICIES + more, "yes", "threads: 2\n")
        yield service.start()


def documented_bytes():
    """How much memory a connection may take: what docs/security.md says of those of a listener."""
    words = " ".join((GUIDES / "security.md").read_text(encoding="utf-8").split())
    found = re.search(r"at most (\d+) MiB for the ([\d,]+) connections of a listener", words)
    return (int(found[1]) << 20) / int(found[2].replace(",", ""))


def fill(peer, data):
    """Sends until the service takes no more."""
    data = memoryview(data)
    with contextlib.suppress(ConnectionError):
        while data and select.select([], [peer], [], 0.02)[1]:
            data = data[peer.send(data, socket.MSG_DONTWAIT) :]


def holds_all_it_can(peer, listener):
    """A request of the largest size, and then without end others whose replies nobody reads."""
    large = b""
    if listener.name == "unix":
        large = b'{"method":"initialize","parameters":{}%s}\n' % (b" " * 65000)
    elif listener.name == "http":
        large = attacks.body(b'{"method":"getAllDomains","parameters":{}}' + b" " * 65000)
    fill(peer, large + listener.question * ENDLESS)


@EACH_LISTENER
def test_peers_hold_no_more_memory_than_is_documented(many, listener):
    """Once what is kept for later use is there."""
    with peers_that(holds_all_it_can, listener, many, 5):
        listener.ask(many)
    before = status_bytes(many, "VmRSS")
    count = min(HOLDERS, PLACES[listener.name] - EXTRA)
    with Bystander(many), peers_that(holds_all_it_can, listener, many, count):
        listener.ask(many)
        grown = status_bytes(many, "VmRSS") - before
    assert many.is_sanitized() or grown < count * documented_bytes()


@ONE_THREAD_OR_MORE
@EACH_LISTENER
def test_thousands_of_connections_lock_nobody_out(make_directory, ports, listener, threads):
    """All 10,000 come to the TCP listeners, where those that have waited longest give way. Of those that
    come to the unix socket, where nobody must go, as many as there are places are held, and some
    thousands wait in the queue (net.core.somaxconn); the others are turned away by the system.

    A question of the bystander may take a place from the crowd, and leaves it free; the connection
    that it keeps at the unix socket makes up for that in the number of descriptors. That must be
    counted before there was any connection: one that a peer has closed may live on for a while."""
    with make_service(make_directory, ports, threads) as service:
        service.start()
        before = descriptors_at_rest(service)
        listener.ask(service)
        memory = status_bytes(service, "VmRSS")
        places = PLACES[listener.name]
        if listener.idles:
            places = places // threads * threads
        crowded = None if listener.idles else listener
        with Bystander(service, crowded), Crowd(listener, service, CROWD) as crowd:
            taken = lambda: descriptors(service) - before
            wait_until(lambda: taken() >= places, "all places to be taken")
            wait_until(lambda: taken() <= places + EXTRA, "the places to be no more")
            assert crowd.connected == CROWD or listener.idles
            if not listener.idles:
                listener.ask(service)
        wait_until(lambda: accepted(service, listener) >= crowd.connected, "the queue to be empty")
        wait_until(lambda: descriptors(service) <= before, "the descriptors to be closed")
        listener.ask(service)
        if not service.is_sanitized():
            assert status_bytes(service, "VmRSS") - memory < GROWTH_MAX


@ONE_THREAD_OR_MORE
@EACH_LISTENER
def test_the_end_of_descriptors_is_not_the_end_of_answers(make_directory, ports, listener, threads):
    """The hard limit is lowered: connections beyond it would take what other listeners, and a
    reload, need."""
    with make_service(make_directory, ports, threads) as service:
        service.start(
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        )
        before = descriptors_at_rest(service)
        crowded = None if listener.idles else listener
        with Bystander(service, crowded), Crowd(listener, service, 3 * LIMIT):
            for other in LISTENERS:
                if not (other is listener and listener.idles):
                    other.ask(service)
            service.configure(POLICIES.replace("id: one", "id: two"), more=f"threads: {threads}\n")
            assert "one -> two" in service.reload()
        wait_until(lambda: descriptors(service) <= before, "the descriptors to be closed")
        listener.ask(service)
