"""Several threads that answer: each from one snapshot, the same new one after a reload."""

import contextlib
from pathlib import Path

import pytest

from http_client import exchange, get_request
from load import http_load, unix_load
from processes import wait_until
from unix_client import Stream, lookup

POLICIES = """\
threads: 4
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: {id}
    policy_host: {address}
"""
# Both rows of a generation change together; a query sees one of the two.
GENERATIONS = [{"id": "a", "address": "192.0.2.1"}, {"id": "b", "address": "192.0.2.2"}]
POSSIBLE = [[generation["address"]] for generation in GENERATIONS]
RELOADS = 30


def write(service, number):
    service.configure(POLICIES.format(**GENERATIONS[number % 2]))


@pytest.fixture
def threaded(service):
    write(service, 0)
    return service.start()


def test_every_thread_answers_the_new_snapshot_once_the_reload_is_logged(threaded):
    """More connections than threads, so that each thread has some."""
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(threaded.socket)) for _ in range(32)]
        for number in range(RELOADS):
            write(threaded, number)
            threaded.reload()
            for stream in streams:
                stream.send(lookup("mta-sts.example.net"))
            expected = [GENERATIONS[number % 2]["address"]]
            assert all(stream.contents() == expected for stream in streams)


def test_no_query_fails_or_mixes_while_snapshots_change(threaded):
    request = get_request("/dns", "lookup", {"qname": "mta-sts.example.net.", "qtype": "ANY"})
    http = http_load(threaded.port, {request: POSSIBLE})
    unix = unix_load(threaded.socket, {"mta-sts.example.net": POSSIBLE})
    with http, unix:
        for number in range(RELOADS):
            write(threaded, number)
            threaded.reload()
        http.wait_for_more()
        unix.wait_for_more()
    http.check()
    unix.check()


def test_a_thread_that_waits_for_slow_peers_keeps_nobody_waiting(threaded):
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(Stream(threaded.socket)).send(b'{"method":')
        request = get_request("/dns", "lookup", {"qname": "mta-sts.example.net.", "qtype": "ANY"})
        for _ in range(100):
            assert exchange(threaded.port, request).status == 200


def test_the_threads_are_there(threaded):
    tasks = Path(f"/proc/{threaded.process.pid}/task")

    def names():
        return [(task / "comm").read_text(encoding="ascii").strip() for task in tasks.iterdir()]

    wait_until(lambda: names().count("answers") == 4, "four threads that answer")
