"""Domains that leave go on with mode none until no sender can hold their enforce policy any more
(RFC 8461 8.3), through reloads, restarts and clocks that are set; then they are gone."""

import http.client
import re
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

import admin_client
from clock import Clock
from dns_tools import dig
from http_client import exchange, get_request
from powerdns import PowerDns
from processes import DEADLINE, wait_until
from service import run

POLICY = """\
policies:
  - domain: example.net
    mode: {mode}
    mx: mail.example.net
    max_age: {max_age}
    ttl: {ttl}
    retire: {retire}
    policy_host: {host}
    domains: [{members}]
  - domain: reports.example
    rua: mailto:tlsrpt@reports.example
    domains: [{reports}]
"""
DEFAULTS = {"mode": "enforce", "max_age": "12h", "ttl": 60, "retire": "auto", "host": "192.0.2.40",
            "members": "example.org, example.com", "reports": ""}
NONE = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"
HOUR = 3600
YEAR = 365 * 24 * HOUR
GONE = re.compile(r"retiring: 1 domain, until (\S+): example\.org$", re.MULTILINE)
SOON = {"max_age": 12, "ttl": 1}  # so that a busy machine sees it retire


def write(service, more="", **changes):
    values = {**DEFAULTS, **changes}
    service.configure(POLICY.format(**values), more=f"state: {service.directory}/state\n" + more)


def contents(service, name, qtype="ANY"):
    result = exchange(service.port, get_request("/dns", "lookup", {"qname": f"{name}.",
                                                                    "qtype": qtype}))
    rows = result.json()["result"]
    return [row["content"] for row in rows] if rows else rows


def is_there(service, domain="example.org"):
    return contents(service, f"_mta-sts.{domain}") is not False


def get(service, path, host):
    connection = http.client.HTTPConnection("127.0.0.1", service.policy_port, timeout=DEADLINE)
    connection.request("GET", path, headers={"Host": host})
    reply = connection.getresponse()
    text = reply.read().decode("ascii")
    connection.close()
    return text if reply.status == 200 else reply.status


def body(service, domain):
    return get(service, "/.well-known/mta-sts.txt", f"mta-sts.{domain}")


def wants_certificate(service, domain):
    return get(service, f"/ask?domain=mta-sts.{domain}", "localhost") != 404


def time_of(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


@pytest.fixture
def prepared(service, ports):
    (service.directory / "state").mkdir()
    service.policy_port = ports.take()
    service.admin_port = ports.take()
    return service


@pytest.fixture
def running(prepared):
    write(prepared)
    return prepared.start()


@pytest.fixture
def clock(prepared):
    """A service whose clock can be set."""
    return Clock(prepared)


def start(service, clock):
    service.start(env=clock.environment())


def test_senders_see_mode_none_until_the_last_has_forgotten(prepared, zones, make_directory, ports):
    """No file is read when its time is over: the configuration is broken by then."""
    write(prepared, **SOON)
    prepared.start()
    zones.load_empty("example.net", "example.org", "example.com")
    with PowerDns(make_directory(), ports.take(), zones, prepared) as server:
        server.start()
        assert "_mta-sts.example.org. 1 CNAME _mta-sts.example.net." in dig(
            server.port, "_mta-sts.example.org", "TXT").answer
        before = body(prepared, "example.org")
        write(prepared, members="example.com", **SOON)
        asked = time.time()
        log = prepared.reload()
        prepared.config.write_text("{", encoding="ascii")
        txt = dig(server.port, "_mta-sts.example.org", "TXT")
        host = dig(server.port, "mta-sts.example.org", "A")
        assert body(prepared, "example.org") == NONE != before
        assert re.fullmatch(r'_mta-sts.example.org. 1 TXT "v=STSv1; id=[0-9a-f]{32}"',
                            txt.answer[0])
        assert host.answer == ["mta-sts.example.org. 1 A 192.0.2.40"]
        assert dig(server.port, "_smtp._tls.example.org", "TXT").rcode == "NXDOMAIN"
        assert GONE.search(prepared.log())
        assert wants_certificate(prepared, "example.org")
        assert "3 domains (0 added, 1 removed)" in log
        wait_until(lambda: not is_there(prepared), "the domain to go")
        assert time.time() >= asked + 13
        assert dig(server.port, "_mta-sts.example.org", "TXT").rcode == "NXDOMAIN"
        assert dig(server.port, "mta-sts.example.org", "A").rcode == "NXDOMAIN"
        assert body(prepared, "example.org") == 404
        assert not wants_certificate(prepared, "example.org")
        assert dig(server.port, "mta-sts.example.com", "A").rcode == "NOERROR"
        prepared.wait_log(r"retired, and gone: 1 domain: example\.org")


def test_the_end_is_max_age_and_ttl_after_the_reload(running):
    write(running, members="example.com")
    earliest = int(time.time())
    running.reload()
    until = time_of(GONE.search(running.log()).group(1))
    assert earliest < until - 12 * HOUR - 60 <= time.time() + 1


def test_own_zones_stay_as_long_and_the_catalog_lists_them(prepared, make_directory, ports):
    more = ("zones: {nameservers: ns1.example.net, hostmaster: hostmaster.example.net, "
            "catalog: cat.example}\ndefaults: {authority: zones}\n")
    write(prepared, more, **SOON)
    prepared.start()
    with PowerDns(make_directory(), ports.take(), None, prepared) as server:
        server.start()
        serial = int(dig(server.port, "_mta-sts.example.org", "SOA").answer[0].split()[5])
        catalog = int(dig(server.port, "cat.example", "SOA").answer[0].split()[5])
        write(prepared, more, members="example.com", **SOON)
        prepared.reload()
        soa = dig(server.port, "_mta-sts.example.org", "SOA").answer[0].split()
        assert int(soa[5]) > serial
        assert dig(server.port, "mta-sts.example.org", "A").answer == [
            "mta-sts.example.org. 1 A 192.0.2.40"]
        assert int(dig(server.port, "cat.example", "SOA").answer[0].split()[5]) == catalog
        wait_until(lambda: not is_there(prepared), "the domain to go")
        assert int(dig(server.port, "cat.example", "SOA").answer[0].split()[5]) > catalog
        assert dig(server.port, "mta-sts.example.org", "A").rcode == "REFUSED"
        assert dig(server.port, "mta-sts.example.com", "A").answer


def test_it_retires_over_restarts_and_goes_in_time(prepared, clock):
    write(prepared)
    start(prepared, clock)
    write(prepared, members="example.com")
    prepared.reload()
    for hours in (5, 11):
        prepared.stop()
        clock.set(hours * HOUR)
        start(prepared, clock)
        assert body(prepared, "example.org") == NONE
    prepared.stop()
    clock.set(12 * HOUR + 120)
    start(prepared, clock)
    assert not is_there(prepared)
    assert is_there(prepared, "example.com")


def test_its_certificate_can_be_renewed_until_it_is_gone(prepared, clock):
    """Over HTTP and over DNS: what a web server and an authority ask goes on."""
    host = '192.0.2.40\n    acme_challenge: "%d.acme.example"'

    def renewable():
        return (wants_certificate(prepared, "example.org"),
                contents(prepared, "_acme-challenge.mta-sts.example.org"))

    write(prepared, host=host)
    start(prepared, clock)
    write(prepared, host=host, members="example.com")
    prepared.reload()
    assert renewable() == (True, ["example.org.acme.example"])
    prepared.stop()
    clock.set(11 * HOUR)
    start(prepared, clock)
    assert renewable() == (True, ["example.org.acme.example"])
    prepared.stop()
    clock.set(12 * HOUR + 120)
    start(prepared, clock)
    assert renewable() == (False, False)


def test_a_domain_that_goes_while_the_service_is_stopped_retires(running):
    running.stop()
    write(running, members="example.com")
    running.start()
    assert body(running, "example.org") == NONE
    assert GONE.search(running.log())


def test_a_policy_that_goes_while_the_service_is_stopped_leaves_its_policy_host(running):
    running.stop()
    running.configure("policies: [{domain: other.example, mode: testing, mx: mx.other.example}]\n",
                      more=f"state: {running.directory}/state\n")
    running.start()
    for domain in ("example.net", "example.org", "example.com"):
        assert body(running, domain) == NONE
        assert contents(running, f"mta-sts.{domain}") == ["192.0.2.40"]


def test_what_a_kill_loses_makes_no_domain_go_early(running):
    wait_until(lambda: count(running, "domains") == 4, "the state to be written")
    write(running, members="example.com")
    running.reload()
    running.kill()
    running.start()
    assert body(running, "example.org") == NONE
    write(running, members="")
    running.kill()
    running.start()
    assert body(running, "example.org") == NONE
    assert body(running, "example.com") == NONE


@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_is_set_by_years_ends_no_retirement(prepared, clock, years):
    write(prepared)
    start(prepared, clock)
    write(prepared, members="example.com")
    prepared.reload()
    clock.set(years * YEAR)
    prepared.wait_log("the clock was set (forward|back) by")
    assert body(prepared, "example.org") == NONE
    prepared.stop()
    clock.set(0)
    start(prepared, clock)
    assert body(prepared, "example.org") == NONE
    prepared.stop()
    clock.set(years * YEAR)
    start(prepared, clock)
    assert body(prepared, "example.org") == NONE
    assert "no time counts as passed" in prepared.log()


def test_a_lower_max_age_frees_nobody_from_the_longer_one(prepared, clock):
    """Senders that looked before the change hold the policy for 12 hours."""
    write(prepared)
    start(prepared, clock)
    write(prepared, max_age="1h")
    prepared.reload()
    write(prepared, mode="testing", max_age="1h")
    prepared.reload()
    write(prepared, mode="testing", max_age="1h", members="example.com")
    prepared.reload()
    assert body(prepared, "example.org") == NONE
    for hours, there in ((11, True), (13, False)):
        prepared.stop()
        clock.set(hours * HOUR)
        start(prepared, clock)
        assert is_there(prepared) is there


def test_a_policy_that_was_served_for_a_moment_alone_binds_as_well(running):
    """However soon the next reload comes, the state has what was before it."""
    for changes in ({"mode": "testing"}, {"mode": "none"}, {"mode": "none", "members": ""}):
        write(running, **changes)
        running.reload()
    assert is_there(running)
    assert is_there(running, "example.com")


def test_a_domain_that_joined_later_owes_nothing_for_what_was_before(running):
    write(running, mode="testing")
    running.reload()
    write(running, mode="testing", members="example.org, example.com, late.example")
    running.stop()
    running.start()
    write(running, mode="testing", members="")
    running.reload()
    assert is_there(running)
    assert not is_there(running, "late.example")


def test_listed_again_it_is_an_ordinary_domain_at_once(running):
    write(running, members="example.com")
    running.reload()
    assert is_there(running)
    write(running)
    running.reload()
    assert contents(running, "_mta-sts.example.org") == ["_mta-sts.example.net"]
    assert admin_client.status(running)["n_retiring"] == 0


def test_what_it_owed_before_it_was_listed_again_still_counts(running):
    write(running, members="example.com")
    running.reload()
    until = time_of(GONE.search(running.log()).group(1))
    write(running, mode="testing")
    running.reload()
    write(running, mode="testing", members="example.com")
    log_size = running.log_size()
    running.reload()
    assert time_of(GONE.search(running.log(log_size)).group(1)) >= until


def test_moved_under_rua_alone_it_keeps_its_reports_afterwards(prepared):
    write(prepared, **SOON)
    prepared.start()
    write(prepared, members="example.com", reports="example.org", **SOON)
    prepared.reload()
    report = ['"v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"']
    assert body(prepared, "example.org") == NONE
    assert contents(prepared, "_smtp._tls.example.org") == report
    wait_until(lambda: not is_there(prepared), "mode none to go")
    assert contents(prepared, "_smtp._tls.example.org") == ["_smtp._tls.reports.example"]
    assert contents(prepared, "mta-sts.example.org") is False


def test_a_policy_that_loses_its_mode_leaves_it_to_all_its_domains(running):
    """The list of domains is as it was, while the service runs or is stopped."""
    policy = "policies: [{domain: %s, %srua: 'mailto:a@example.net', domains: [%s]}]\n"
    enforce = "mode: enforce, mx: m.example, policy_host: 192.0.2.40, "
    for domain, load in ("a.example", running.reload), ("b.example", None):
        for mode in enforce, "":
            running.configure(policy % (domain, mode, f"www.{domain}"))
            if load:
                load()
            else:
                running.stop()
                running.start()
        assert body(running, domain) == body(running, f"www.{domain}") == NONE


def test_it_follows_the_policy_host_of_its_former_policy(running):
    write(running, members="example.com")
    running.reload()
    write(running, members="example.com", host="192.0.2.41")
    running.reload()
    assert contents(running, "mta-sts.example.org") == ["192.0.2.41"]
    running.stop()
    running.start()
    assert contents(running, "mta-sts.example.org") == ["192.0.2.41"]


@pytest.mark.parametrize("changes", [{"retire": "no"}, {"mode": "testing"}, {"mode": "none"}])
def test_what_needs_no_retiring_is_gone_at_once(prepared, changes):
    write(prepared, **changes)
    prepared.start()
    write(prepared, members="example.com", **changes)
    prepared.reload()
    assert not is_there(prepared)


def test_without_a_state_it_is_gone_at_once_with_a_warning(prepared):
    def configure(**changes):
        prepared.configure(POLICY.format(**{**DEFAULTS, **changes}), more="state: none\n")

    configure()
    prepared.start()
    configure(members="example.com")
    log = prepared.reload()
    assert not is_there(prepared)
    assert "without a state" in log


def test_a_state_that_cannot_be_read_makes_no_domain_go_early(running):
    """What senders may hold from before is not known then."""
    write(running, mode="testing")
    running.reload()
    wait_until(lambda: count(running, "bodies WHERE last IS NULL AND mode = 'testing'") == 1,
               "the state to be written")
    (running.directory / "state").rename(running.directory / "elsewhere")
    write(running, mode="testing", members="example.com")
    running.reload()
    assert is_there(running)


def test_the_commands_know_what_retires(running):
    write(running, members="example.com")
    running.reload()

    def retires():
        done = run("check", "-c", running.config)
        return "retiring: 1 domain, until " in done.stdout

    wait_until(retires, "the state to be written")
    assert run("policy", "-c", running.config, "example.org").stdout.replace("\r\n", "\n") == (
        NONE.replace("\r\n", "\n"))
    assert "mta-sts.example.org" in run("export", "-c", running.config, "dehydrated").stdout
    export = run("export", "-c", running.config, "--per-certificate", "100", "nginx")
    assert "mta-sts.example.org" in export.stdout
    assert "192.0.2.40" in run("lookup", "-c", running.config, "mta-sts.example.org", "A").stdout
    assert "_mta-sts.example.org." in run("records", "-c", running.config).stdout


def test_the_web_server_keeps_the_certificates_of_a_policy_that_is_gone(prepared):
    """Also where they are elsewhere than those of the policies that are left, and after a restart."""
    place = prepared.directory / "my certs in here"
    place.mkdir()
    gone_domains = ["gone.example", *(f"member-{number}.example" for number in range(5))]  # more than are left
    for domain in gone_domains:
        (place / f"mta-sts.{domain}.crt").touch()
    gone = (f"  - {{domain: gone.example, mode: enforce, mx: mail.example.net, domains: [{', '.join(gone_domains[1:])}],\n"
            f"     policy_host: 192.0.2.41, certificates: '{place}/mta-sts.%d.crt'}}\n")
    prepared.configure(POLICY.format(**DEFAULTS) + gone, more=f"state: {prepared.directory}/state\n")
    prepared.start()
    wait_until(lambda: count(prepared, "domains") == 10, "the state to be written")
    write(prepared)
    prepared.reload()
    for _ in range(2):
        wait_until(lambda: count(prepared, "domains WHERE until > 0") == 6, "the state to be written")
        export = run("export", "-c", prepared.config, "nginx").stdout
        for domain in gone_domains:
            assert f'mta-sts.{domain} "{place}/mta-sts.{domain}.crt";' in export
        assert "mta-sts.example.org" not in export
        export = run("export", "-c", prepared.config, "apache").stdout
        assert f"{place}/mta-sts.gone.example.crt" in export
        prepared.stop()
        prepared.start()


def test_commands_know_what_retires_while_the_service_writes_it(running):
    """They see the state before or after, and never a bit of both."""
    wait_until(lambda: count(running, "domains") == 4, "the state to be written")
    write(running, members="example.com")
    retiring = running.config.read_text("ascii")
    write(running)
    listed = running.config.read_text("ascii")
    ended = threading.Event()

    def records():
        printed = set()
        while not ended.is_set():
            printed.add("_mta-sts.example.org." in run("records", "-c", running.config).stdout)
        return printed

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(records) for _ in range(3)]
        try:
            for text, n in [(retiring, 1), (listed, 0)] * 50:
                new = running.config.with_suffix(".new")
                new.write_text(text, "ascii")
                new.replace(running.config)
                running.process.send_signal(signal.SIGHUP)
                wait_until(lambda: count(running, "domains WHERE until > 0") == n, "the state")
        finally:
            ended.set()
    assert [reader.result() for reader in readers] == [{True}] * 3


def test_check_tells_what_would_retire_after_a_reload(running):
    wait_until(lambda: count(running, "domains") == 4, "the state to be written")
    write(running, members="example.com")
    done = run("check", "-c", running.config)
    assert "retiring: 1 domain, until " in done.stdout
    assert "mta-sts.example.org" in run("export", "-c", running.config, "dehydrated").stdout


def count(service, rows):
    """How many the state has."""
    path = service.directory / "state" / "state.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]


def test_status_and_metrics_count_what_retires(running):
    assert admin_client.status(running)["retiring_until"] is None
    write(running, members="")
    running.reload()
    status = admin_client.status(running)
    assert status["n_retiring"] == 2
    assert time_of(status["retiring_until"]) > time.time()
    assert status["n_domains"] == 2
    metrics = admin_client.Metrics(running)
    assert metrics.sum("domains_retiring") == 2


def test_a_domain_that_retires_is_not_held_back(prepared):
    """Its certificate may be anywhere: it is not listed, so nobody looks for it."""
    certificates = prepared.directory / "certificates"
    certificates.mkdir()
    for domain in ("example.net", "example.org"):
        (certificates / domain).touch()
    more = f"defaults: {{certificates: '{certificates}/%d'}}\n"
    write(prepared, more)
    prepared.start()
    (certificates / "example.org").unlink()
    write(prepared, more, members="")
    prepared.reload()
    assert body(prepared, "example.org") == NONE
    assert is_there(prepared)
    assert not is_there(prepared, "example.com")


def test_a_hundred_thousand_retire_at_once(prepared):
    """They cost what others cost, and the service answers as before."""
    domains = [f"d{number}.example.org" for number in range(100000)]
    path = prepared.directory / "domains.list"
    path.write_text("\n".join(domains) + "\n", encoding="ascii")

    def configure():
        write(prepared, "removal_limit: 100%\n", members="")
        text = prepared.config.read_text(encoding="utf-8")
        prepared.config.write_text(text.replace("domains: []", "domain_files: domains.list", 1),
                                   encoding="utf-8")

    configure()
    prepared.start()
    full = admin_client.status(prepared)["snapshot_bytes"]
    path.write_text("", encoding="ascii")
    prepared.reload()
    status = admin_client.status(prepared)
    assert status["n_retiring"] == len(domains)
    assert status["n_domains"] == 2
    assert status["snapshot_bytes"] < full + 32 * len(domains)
    assert body(prepared, domains[-1]) == NONE
    prepared.reload()
    assert admin_client.status(prepared)["n_retiring"] == len(domains)
    prepared.process.send_signal(signal.SIGTERM)
    prepared.process.wait(DEADLINE)
    prepared.start()
    assert admin_client.status(prepared)["n_retiring"] == len(domains)
