"""The admin listener: what it says, and that it is in nobody's way."""

import contextlib
import os
import re
import socket
import subprocess
from datetime import datetime

import pytest

from admin_client import Metrics, get, metrics_at_rest, status
from background import Background
from http_client import exchange, get_request
from load import http_load
from powerdns import TRANSPORTS, PowerDns
from processes import DEADLINE, wait_until
from service import REFUSED, Service, run_bytes
from unix_client import Stream, lookup

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    max_age: 1w
    policy_host: 192.0.2.40
    domains: [example.org, example.com]
  - domain: reports.example
    rua: mailto:tlsrpt@reports.example
"""


@pytest.fixture
def admin(service, ports):
    service.admin_port = ports.take()
    service.configure(POLICIES, more="threads: 3\n")
    return service.start()


def ask(service, name, kind="ANY"):
    request = get_request("/dns", "lookup", {"qname": name, "qtype": kind})
    return exchange(service.port, request)


def test_healthz_says_that_it_serves(admin):
    assert get(admin, "/healthz")[::2] == (200, "serving\n")


def test_status_shows_what_is_served(admin):
    shown = status(admin)
    assert re.fullmatch(r"\d+\.\d+\.\d+", shown["version"])
    assert (shown["serving"], shown["generation"]) == (True, 1)
    assert (shown["n_policies"], shown["n_domains"]) == (2, 4)
    assert datetime.fromisoformat(shown["started"]) <= datetime.fromisoformat(shown["loaded"])
    assert shown["last_reload"]["result"] == "applied"
    identified, reporting = shown["policies"]
    assert ask(admin, "_mta-sts.example.net.").json()["result"][0]["content"] == (
        f'"v=STSv1; id={identified.pop("id")}"'
    )
    assert identified.items() >= {
        "domain": "example.net", "mode": "enforce", "max_age": 604800, "domains": 3}.items()
    assert reporting == {"domain": "reports.example", "domains": 1, "synced": 0, "held_back": 0}


MANY = 60000  # policies
READERS = 16
PER_READER = 256 << 10  # bytes of memory, at most, whatever the length of the reply


def test_status_of_many_policies_takes_as_much_memory_as_of_few(service, ports):
    """Peers that ask and do not read cost a piece of the reply each."""
    service.admin_port = ports.take()
    service.configure("policies:\n" + "".join(
        f"  - {{domain: d{number}.example, mode: none, policy_host: 192.0.2.1}}\n"
        for number in range(MANY)))
    service.start()
    shown = status(service)
    assert [policy["domain"] for policy in shown["policies"]] == [
        f"d{number}.example" for number in range(MANY)]
    assert {policy["domains"] for policy in shown["policies"]} == {1}
    wait_until(lambda: status(service)["state"]["written"], "the state to be written",
               deadline=3 * DEADLINE)
    before = Metrics(service).sum("resident_memory_bytes")
    with contextlib.ExitStack() as readers:
        for _ in range(READERS):
            peer = socket.create_connection(("127.0.0.1", service.admin_port), DEADLINE)
            readers.enter_context(peer)
            peer.sendall(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
            assert peer.recv(1) == b"H"
        grown = Metrics(service).sum("resident_memory_bytes") - before
    assert grown < READERS * PER_READER


OWN_ZONES = """\
zones: {nameservers: ns1.example.net, hostmaster: root.example.net, catalog: catalog.example.net}
policies:
  - domain: example.net
    authority: zones
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
    domains: example.org
  - {domain: other.example, mode: none}
"""


def test_own_zones_are_shown_and_which_are_not_notified(service, ports):
    """PowerDNS says setNotified of each zone that it has notified."""
    service.admin_port = ports.take()
    service.configure(OWN_ZONES)
    service.start()
    shown = status(service)
    time = shown["policies"][0]["serial"]
    assert (shown["n_zones"], shown["n_zones_to_notify"]) == (5, 5)
    assert shown["catalog"] == {"zone": "catalog.example.net", "serial": time}
    own, other = shown["policies"]
    assert (own["authority"], own["serial"], own["zones"]) == ("zones", time, 4)
    assert "authority" not in other
    zones = exchange(service.port, get_request("/dns", "getAllDomains", {})).json()["result"]
    for left, zone in enumerate(reversed(zones)):
        metrics = Metrics(service)
        assert (metrics.sum("zones"), metrics.sum("zones_to_notify")) == (5, 5 - left)
        exchange(service.port, get_request("/dns", "setNotified", zone))
    assert status(service)["n_zones_to_notify"] == 0


def fingerprint(service):
    text = re.search(r"^pdns_mta_sts_published_fingerprint (\d+)$", Metrics(service).text, re.M).group(1)
    assert 0 < int(text) < 1 << 53
    return int(text)


def test_the_fingerprint_is_equal_exactly_where_the_same_is_published(service, make_directory, ports):
    """Whatever the files look like, when they were changed, and which policy has a domain."""
    service.admin_port = ports.take()
    service.configure(OWN_ZONES)
    service.start()
    first, last = OWN_ZONES.split("  - {domain: other")
    with Service(make_directory(), ports.take()) as second:
        second.admin_port = ports.take()
        second.configure(first.replace("policies:\n", "policies:\n  - {domain: other" + last)
                         .replace("domains: example.org", "domain_files: members.list"))
        (second.directory / "members.list").write_text("Example.ORG.\n", encoding="ascii")
        os.utime(second.config, (1700000000, 1700000000))
        second.start()
        same = fingerprint(service)
        assert fingerprint(second) == same
        (second.directory / "members.list").write_text("example.org\nexample.com\n", encoding="ascii")
        second.reload()
        assert fingerprint(second) != same
        service.configure(OWN_ZONES.replace("example.org", "[example.com, example.org]"))
        service.reload()
        assert fingerprint(second) == fingerprint(service) != same


def test_a_refused_reload_is_shown_until_one_is_applied(admin):
    admin.configure("policies:\n  - {domain: example.net, mode: no-such-mode}\n")
    admin.reload(REFUSED)
    shown = status(admin)
    assert shown["last_reload"]["result"] == "refused"
    assert shown["last_reload"]["n_errors"] == len(shown["last_reload"]["errors"]) == 1
    assert f"{admin.config}:3:" in shown["last_reload"]["errors"][0]
    assert (shown["generation"], shown["n_domains"]) == (1, 4)
    metrics = Metrics(admin)
    assert metrics.sum("last_reload_successful") == 0
    assert metrics.sum("reloads_total", result="refused") == 1
    admin.configure("policies:\n  - {domain: example.net, mode: none}\n")
    admin.reload()
    shown = status(admin)
    assert shown["last_reload"].items() >= {"result": "applied", "n_errors": 0, "errors": []}.items()
    assert (shown["generation"], shown["n_domains"]) == (2, 1)
    metrics = Metrics(admin)
    assert metrics.sum("last_reload_successful") == metrics.sum("domains") == 1
    assert metrics.sum("reloads_total", result="applied") == 1


def test_a_configuration_that_cannot_be_read_is_shown(admin):
    admin.config.unlink()
    admin.reload(REFUSED)
    assert "No such file" in status(admin)["last_reload"]["errors"][0]


UGLY = os.fsdecode(b"\x1b[31m\xff\xc3\r\n\x7f\xe2\x80\xae\xc2\x9b")  # for a terminal, and as UTF-8


def printable(text):
    """Whether what was written, octets, is UTF-8 without characters that a terminal obeys."""
    return all(line.isprintable() for line in text.decode("utf-8").split("\n"))


def test_names_of_files_reach_terminal_log_and_status_as_printable_text(service, ports):
    service.admin_port = ports.take()
    directory = service.directory / f"of{UGLY}"
    directory.mkdir()
    service.config = directory / f"config{UGLY}.yaml"
    for name in f"first{UGLY}.list", f"second{UGLY}.list":
        (directory / name).write_text("bad domain\na.example\n", encoding="ascii")
    service.configure("policies: [{domain: example.net, mode: none, policy_host: 192.0.2.1}]\n")
    service.start()
    service.configure("""\
policies:
  - {domain: example.net, mode: none, policy_host: 192.0.2.1, domain_files: "first*.list"}
  - {domain: example.org, mode: none, policy_host: 192.0.2.1, domain_files: ["second*.list", absent.list]}
""")
    service.reload(REFUSED)
    errors = status(service)["last_reload"]["errors"]
    assert len(errors) > 3 and any("second\\x1b" in error for error in errors)
    assert all(error.isprintable() for error in errors)
    assert printable(service.log_path.read_bytes())
    checked = run_bytes("check", "-c", service.config)
    assert checked.returncode == 1 and printable(checked.stderr)
    service.config.unlink()
    service.reload(REFUSED)
    missing = run_bytes("check", "-c", service.config)
    assert missing.returncode == 1 and printable(missing.stderr)
    assert printable(service.log_path.read_bytes())
    assert all(error.isprintable() for error in status(service)["last_reload"]["errors"])


REQUESTS = [
    ("_tls.reports.example.", "ANY", "answered"),
    ("_mta-sts.example.net.", "TXT", "answered"),
    ("_mta-sts.example.net.", "AAAA", "empty"),
    ("www.example.net.", "ANY", "not_ours"),
    ("mta-sts.absent.example.", "ANY", "not_ours"),
    ("mta-sts.absent.example.", "A", "not_ours"),
]


def test_requests_are_counted_by_transport_method_and_outcome(admin):
    with Stream(admin.socket) as stream:
        for name, kind, _ in REQUESTS:
            ask(admin, name, kind)
        stream.send(lookup("www.example.net"))
        stream.contents()
        exchange(admin.port, get_request("/dns", "getAllDomains", {}))
        exchange(admin.port, get_request("/dns", "noSuchMethod", {}))
        exchange(admin.port, b"GET /dns/lookup/only-one-component HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange(admin.port, b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange(admin.port, b"this is no HTTP\r\n\r\n")
        metrics = metrics_at_rest(admin)
    for outcome in ("answered", "empty", "not_ours"):
        expected = [row[2] for row in REQUESTS].count(outcome)
        assert metrics.sum("requests_total", transport="http", method="lookup", outcome=outcome) == expected
    assert metrics.sum("requests_total", transport="unix", outcome="not_ours") == 1
    assert metrics.sum("requests_total", method="getAllDomains", outcome="empty") == 1
    assert metrics.sum("requests_total", method="none", outcome="not_ours") == 1
    assert metrics.sum("requests_total", method="lookup", outcome="malformed") == 1
    assert metrics.sum("requests_total", method="none", outcome="malformed") == 2
    total = metrics.sum("requests_total", transport="http")
    assert metrics.sum("answer_duration_seconds_count", listener="http") == total == 11
    assert metrics.sum("answer_duration_seconds_bucket", listener="http", le="+Inf") == total
    assert 0 < metrics.sum("answer_duration_seconds_sum", listener="http") < 60
    assert metrics.sum("connections_accepted_total", listener="http") == total
    assert metrics.sum("connections", listener="unix") == 1


def test_buckets_ascend_and_end_with_all(admin):
    for _ in range(20):
        ask(admin, "www.example.net.")
    values = re.findall(r'_bucket\{listener="http",le="(.*)"\} (\d+)', metrics_at_rest(admin).text)
    bounds = [float(bound) for bound, _ in values]
    counts = [int(count) for _, count in values]
    assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf")
    assert counts == sorted(counts) and counts[-1] == 20


def test_promtool_accepts_the_metrics(admin):
    ask(admin, "_mta-sts.example.net.")
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=get(admin, "/metrics")[2], capture_output=True, text=True, check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def count_lookups(admin, powerdns, queries, times):
    """Has dnsperf ask every query so many times; returns the lookups by outcome."""
    before = Metrics(admin)
    command = ["dnsperf", "-s", "127.0.0.1", "-p", powerdns.port, "-d", queries, "-n", times,
               "-q", 5, "-t", 30]
    printed = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=True, timeout=120
    ).stdout
    assert "(100.00%)" in printed
    after = Metrics(admin)
    return {
        outcome: each_lookup(after, outcome) - each_lookup(before, outcome)
        for outcome in ("answered", "empty", "not_ours", "malformed")
    }


def each_lookup(metrics, outcome):
    return metrics.sum("requests_total", method="lookup", outcome=outcome)


@pytest.mark.parametrize("transport", [TRANSPORTS[0], TRANSPORTS[-1]], ids=lambda each: each.name)
def test_the_metrics_add_up_with_what_dnsperf_sent(admin, zones, make_directory, ports, transport):
    """What PowerDNS asks for one query is always the same, so 500 times as many queries are
    exactly 500 times as many requests."""
    directory = make_directory()
    zones.load_empty("example.net")
    queries = directory / "queries"
    queries.write_text("_mta-sts.example.net TXT\nabsent.example.net A\n", encoding="ascii")
    with PowerDns(make_directory(), ports.take(), zones, admin, transport) as powerdns:
        powerdns.start()
        once = count_lookups(admin, powerdns, queries, 1)
        often = count_lookups(admin, powerdns, queries, 500)
    assert once["answered"] >= 1 and once["not_ours"] >= 1
    assert once["malformed"] == 0
    assert often == {outcome: 500 * n for outcome, n in once.items()}


class Monitor(Background):
    """Asks for the status and the metrics without pause."""

    def __init__(self, service):
        super().__init__()
        self.service = service
        self.seen = []  # numbers of domains

    def run(self):
        while not self.ending.is_set():
            self.seen.append(status(self.service)["n_domains"])
            Metrics(self.service)


def test_admin_requests_and_answers_run_beside_each_other(admin):
    """While reloads change the snapshot that the status is taken from."""
    request = get_request("/dns", "lookup", {"qname": "mta-sts.example.net.", "qtype": "ANY"})
    load = http_load(admin.port, {request: [["192.0.2.40"]]})
    with load, Monitor(admin) as one, Monitor(admin) as other:
        for number in range(20):
            admin.configure(POLICIES.replace(", example.com", "") if number % 2 else POLICIES)
            admin.reload()
        load.wait_for_more()
        wait_until(lambda: len(one.seen) + len(other.seen) > 20, "answers of the admin listener")
    load.check()
    assert {*one.seen, *other.seen} <= {3, 4}


def test_whoever_asks_again_and_again_takes_no_place_from_others(admin):
    """A new connection for each question, as browsers and scripts make them: those that have ended
    were seen so late that they filled all places, and others lost theirs before they had asked."""
    for _ in range(300):
        assert get(admin, "/healthz")[0] == 200
    assert Metrics(admin).sum("connections_evicted_total", listener="admin") == 0


def test_the_admin_thread_is_one_of_its_own(admin):
    """It answers while no answering thread does anything: none of them wakes for it."""
    ask(admin, "www.example.net.")
    before = metrics_at_rest(admin)
    for _ in range(10):
        status(admin)
    after = Metrics(admin)
    assert after.sum("connections_accepted_total", listener="admin") == (
        before.sum("connections_accepted_total", listener="admin") + 11)
    for name in ("requests_total", "answer_duration_seconds_count"):
        assert after.sum(name, listener="http") == before.sum(name, listener="http")


@pytest.mark.parametrize("path", ["//", "/metrics/", "/status2", "/healthz/x", "/page.css/"])
def test_other_paths_are_not_found(admin, path):
    assert get(admin, path)[0] == 404


def test_nothing_can_be_changed(admin):
    code, headers, _ = get(admin, "/status", "POST")
    assert (code, headers["Allow"]) == (405, "GET, HEAD")
    code, headers, text = get(admin, "/metrics", "HEAD")
    assert (code, text) == (200, "")
    assert int(headers["Content-Length"]) > 0
