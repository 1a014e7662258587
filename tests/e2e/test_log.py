"""The log: levels, the journal's priorities, and a limit for what peers can cause."""

import contextlib
import os
import re
import signal
from http.client import HTTPConnection
from pathlib import Path

import pytest

from admin_client import get
from http_client import exchange, get_request
from processes import wait_until
from service import REFUSED, program
from unix_client import Stream, lookup

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
"""
LOOKUP = get_request("/dns", "lookup", {"qname": "www.example.net.", "qtype": "ANY"})
MALFORMED = b"GET /dns/lookup/one HTTP/1.1\r\nHost: a\r\n\r\n"


def start(service, *options, environment=None):
    service.configure(POLICIES)
    service.launch(
        [program(), "serve", "-c", service.config, *options],
        env={**os.environ, **(environment or {})},
    )
    service.wait_ready(lambda: answers(service))
    return service


def answers(service):
    try:
        return exchange(service.port, LOOKUP).status == 200
    except OSError:
        return False


LEVELS = ["error", "warning", "info", "debug"]


@pytest.mark.parametrize("least", LEVELS)
def test_a_level_shows_itself_and_those_before_it(service, least):
    start(service, "--log-level", least)
    exchange(service.port, MALFORMED)
    service.config.unlink()
    service.reload(REFUSED)
    service.stop()
    shown = set(re.findall(r"^(\w+): ", service.log(), re.MULTILINE))
    assert shown == set(LEVELS[: LEVELS.index(least) + 1])


def test_info_is_the_default_and_debug_shows_request_and_answer(service):
    start(service)
    assert "debug:" not in service.log()
    service.stop()
    start(service, "-l", "debug")
    line = r'^debug: http: GET /dns/lookup/www\S+/ANY .*-> 200 \{"result":false\}$'
    service.wait_log(line)


def test_debug_shows_requests_over_every_listener(service, ports):
    service.policy_port, service.admin_port = ports.take(), ports.take()
    start(service, "-l", "debug")
    with Stream(service.socket) as stream:
        stream.send(lookup("www.example.net"))
        stream.contents()
    get(service, "/healthz")
    with contextlib.closing(HTTPConnection("127.0.0.1", service.policy_port)) as connection:
        connection.request("GET", "/elsewhere")
        assert connection.getresponse().status == 404
    for line in (r'unix: \{.*"www.example.net.".*-> \{"result":false\}',
                 r"http: GET /healthz .*-> 200 serving", r"http: GET /elsewhere .*-> 404 "):
        service.wait_log(f"^debug: {line}")


UGLY = b"\x1b[31m\xff\xc2\x9b\xe2\x80\xae\x7f"  # for a terminal, and as UTF-8


def test_what_peers_send_is_logged_as_printable_text(service):
    start(service, "-l", "debug")
    exchange(service.port, b"GET /dns/%s HTTP/1.1\r\nHost: a\r\n\r\n" % UGLY.replace(b"\x7f", b""))
    body = b'{"method":"%s"}' % UGLY
    exchange(service.port, b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body), body))
    with Stream(service.socket) as stream:
        stream.send(body + b"\n")
        stream.reply()
    service.wait_log("debug: unix: .*31m")
    service.stop()
    assert service.log().count("31m") > 1
    assert all(line.isprintable()
               for line in service.log_path.read_bytes().decode("utf-8").split("\n"))


class Unread:
    """A log that nobody reads, until the test does."""

    def __init__(self, service, kind):
        if kind == "pipe":
            path = service.directory / "fifo"
            os.mkfifo(path)
            self.files = [os.open(path, os.O_RDWR)]
        else:
            self.files = os.openpty()
            path = os.ttyname(self.files[1])
        os.set_blocking(self.files[0], False)
        service.log_path = Path(path)
        service.configure(POLICIES)
        service.launch([program(), "serve", "-c", service.config, "-l", "debug"])
        service.log_path = Path(os.devnull)
        wait_until(lambda: service.check_alive() or answers(service), "the first answer")

    def read(self):
        text = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                text += os.read(self.files[0], 65536)
        return text

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for file in self.files:
            os.close(file)


ENOUGH = 2000  # lines, of some 200 bytes, to fill a pipe and what the service keeps
EACH_KIND = pytest.mark.parametrize("kind", ["pipe", "terminal"])


@EACH_KIND
def test_a_log_that_nobody_reads_holds_up_no_answer(service, kind):
    with Unread(service, kind) as log:
        for _ in range(ENOUGH):
            assert exchange(service.port, LOOKUP).status == 200
        lost = rb"^(\S+ )?warning: \d+ lines lost: stderr was blocked"
        wait_until(lambda: re.search(lost, log.read(), re.MULTILINE),
                   "the number of lines that were lost")


@EACH_KIND
def test_a_log_that_nobody_reads_holds_up_neither_a_reload_nor_the_end(service, kind):
    with Unread(service, kind):
        for _ in range(ENOUGH):
            assert exchange(service.port, LOOKUP).status == 200
        service.configure(POLICIES.replace("example.net", "example.org"))
        service.process.send_signal(signal.SIGHUP)
        moved = get_request("/dns", "lookup", {"qname": "_mta-sts.example.org.", "qtype": "ANY"})
        wait_until(lambda: exchange(service.port, moved).json()["result"], "the reload")
        service.stop()


def test_the_journal_gets_priorities(service):
    """Where stderr is the file that JOURNAL_STREAM names."""
    service.log_path.touch()
    status = service.log_path.stat()
    environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    start(service, "-l", "debug", environment=environment)
    exchange(service.port, MALFORMED)
    service.stop()
    lines = service.log().splitlines()
    assert all(re.match(r"<[3467]>\S", line) for line in lines)
    assert {line[:3] for line in lines} == {"<4>", "<6>", "<7>"}


def test_another_stream_gets_none(service):
    start(service, environment={"JOURNAL_STREAM": "1:1"})
    service.wait_log("^info: serving ")


def test_a_flood_is_counted_and_not_written(service):
    start(service)
    for _ in range(100):
        exchange(service.port, MALFORMED)
    service.stop()
    warnings = [line for line in service.log().splitlines() if "malformed" in line]
    assert len(warnings) == 6
    assert len(set(warnings[:5])) == 1
    assert warnings[5].startswith(
        "warning: 95 more of these in a minute, the last: http: malformed request"
    )


def test_a_path_that_is_not_ours_is_named(service):
    start(service)
    exchange(service.port, b"GET /pdns/lookup/a/ANY HTTP/1.1\r\nHost: a\r\n\r\n")
    service.wait_log(r'^warning: http: found the path "/pdns/lookup/a/ANY", expected one below /dns: '
                     "compare listen.http.path with remote-connection-string$")


def test_a_malformed_request_is_named(service):
    start(service)
    exchange(service.port, MALFORMED)
    service.wait_log('^warning: http: malformed request for "/dns/lookup/one", expected ')


def test_what_an_operator_causes_is_always_written(service):
    start(service)
    service.config.unlink()
    for _ in range(10):
        service.reload(REFUSED)
    assert service.log().count("reload: refused") == 10
