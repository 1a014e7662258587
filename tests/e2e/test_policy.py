"""The policy listener: bodies for a web server in front, as RFC 8461, 9110 and 9112 want them."""

import hashlib
import http.client
import os
import re
import socket
from datetime import datetime, timedelta, timezone

import pytest

from admin_client import status
from http_client import exchange, get_request
from processes import DEADLINE
from service import Service, run

PATH = "/.well-known/mta-sts.txt"

POLICIES = """\
policies:
  - domain: example.net
    mode: {mode}
    mx: [mail.example.net, "*.mx.example.net"]
    policy_host: 192.0.2.40
    domains: [example.org, xn--mnchen-3ya.example]
  - domain: direct.example
    mode: testing
    mx: mail.example.net
    max_age: 1d
    id: fixed
    records: direct
    policy_host: 192.0.2.40
    domains: member.example
  - domain: off.example
    mode: none
    policy_host: 192.0.2.40
  - domain: reports-only.example
    rua: mailto:postmaster@example.net
"""
BODY = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.net\r\nmx: *.mx.example.net\r\n"
    b"max_age: 604800\r\n"
)
DIRECT = b"version: STSv1\r\nmode: testing\r\nmx: mail.example.net\r\nmax_age: 86400\r\n"
OFF = b"version: STSv1\r\nmode: none\r\nmax_age: 604800\r\n"


def etag(body):
    return '"' + hashlib.sha256(body).hexdigest()[:32] + '"'


@pytest.fixture(scope="module")
def policies(make_directory, ports):
    """A service that nobody reconfigures."""
    with Service(make_directory(), ports.take()) as service:
        service.policy_port = ports.take()
        service.configure(POLICIES.format(mode="enforce"))
        yield service.start()


def ask(service, host, verb="GET", path=PATH, headers=None):
    """One request and its reply, by Python's own client."""
    connection = http.client.HTTPConnection("127.0.0.1", service.policy_port, timeout=DEADLINE)
    connection.putrequest(verb, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", host)
    for key, value in headers or []:
        connection.putheader(key, value)
    connection.endheaders()
    reply = connection.getresponse()
    reply.body = reply.read()
    connection.close()
    return reply


def assert_plain_error(reply, status):
    assert reply.status == status
    assert reply.headers["Content-Type"] == "text/plain; charset=us-ascii"
    assert reply.headers["ETag"] is None
    assert re.fullmatch(rb"[ -~]{1,400}\n", reply.body)


@pytest.mark.parametrize("host, body", [
    ("mta-sts.example.net", BODY),
    ("MTA-STS.Example.NET", BODY),
    ("mta-sts.example.net.", BODY),
    ("mta-sts.example.net:443", BODY),
    ("Mta-Sts.example.Net.:8443", BODY),
    (" \t mta-sts.example.net \t", BODY),
    ("mta-sts.example.org", BODY),
    ("mta-sts.xn--mnchen-3ya.example", BODY),
    ("mta-sts.direct.example", DIRECT),
    ("mta-sts.member.example", DIRECT),
    ("mta-sts.off.example", OFF),
])
def test_a_host_gets_the_body_of_its_domain(policies, host, body):
    reply = ask(policies, host)
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["Content-Type"] == "text/plain; charset=us-ascii"
    assert reply.headers["Content-Length"] == str(len(body))
    assert reply.headers["ETag"] == etag(body)


def test_head_gets_the_head_alone(policies):
    get, head = ask(policies, "mta-sts.example.net"), ask(policies, "mta-sts.example.net", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.getheaders() == get.getheaders()


def test_a_query_string_makes_no_difference(policies):
    assert ask(policies, "mta-sts.example.net", path=PATH + "?a=b").body == BODY


@pytest.mark.parametrize("host", [
    "example.net", "mta-sts", "mta-sts.", "mta-sts.example.com", "mta-sts.reports-only.example",
    "_mta-sts.example.net", "mta-sts.mta-sts.example.net", "127.0.0.1", "[::1]:80", "",
])
def test_an_unknown_host_is_not_found(policies, host):
    """The reply names it: a proxy in front may have sent its own."""
    reply = ask(policies, host)
    assert_plain_error(reply, 404)
    assert reply.body == f'there is no MTA-STS policy for the host "{host}"\n'.encode("ascii")


def test_a_long_host_is_cut_in_the_reply(policies):
    reply = ask(policies, "a" * 300)
    assert_plain_error(reply, 404)
    assert b'"' + b"a" * 253 + b'"' in reply.body


@pytest.mark.parametrize("path", [
    "/", "/.well-known/", "/.well-known/mta-sts.txt/", "/.well-known/mta-sts.TXT", "/dns",
    "//.well-known/mta-sts.txt", "/.well-known/mta-sts.txtx", "/x/../.well-known/mta-sts.txt",
])
def test_an_unknown_path_is_not_found(policies, path):
    assert_plain_error(ask(policies, "mta-sts.example.net", path=path), 404)


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_not_allowed(policies, verb):
    reply = ask(policies, "mta-sts.example.net", verb)
    assert_plain_error(reply, 405)
    assert reply.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("host", ["a b", "a/b", "user@mta-sts.example.net", "mta-sts.example.net:x"])
def test_what_is_no_host_is_a_bad_request(policies, host):
    assert_plain_error(ask(policies, host), 400)


@pytest.mark.parametrize("lines", [
    [],
    ["Host: mta-sts.example.net", "Host: mta-sts.example.net"],
    ["Host: mta-sts.example.net", "X: y", "hOST: mta-sts.example.org"],
], ids=["none", "twice", "two"])
@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_http_1_1_takes_exactly_one_host_field(policies, lines, verb):
    request = "\r\n".join([f"{verb} {PATH} HTTP/1.1", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", policies.policy_port), DEADLINE) as connection:
        connection.sendall(request.encode("ascii"))
        reply = http.client.HTTPResponse(connection, method=verb)
        reply.begin()
        reply.body = reply.read()
        assert connection.recv(1) == b""
    if verb == "GET":
        assert_plain_error(reply, 400)
    assert reply.status == 400


@pytest.mark.parametrize("target, host", [
    ("http://mta-sts.example.net" + PATH, "mta-sts.off.example"),
    ("HTTP://MTA-STS.example.net:80" + PATH + "?x", "a"),
    ("https://mta-sts.example.net" + PATH, "mta-sts.off.example"),
    ("HTTPS://mta-sts.EXAMPLE.net:443" + PATH + "?x", "a"),
])
def test_an_absolute_target_counts_more_than_the_host_field(policies, target, host):
    assert ask(policies, host, path=target).body == BODY


TAG = etag(BODY)


@pytest.mark.parametrize("field", [TAG, "W/" + TAG, "*", '"a"'])
def test_a_client_that_has_a_body_gets_it_again(policies, field):
    """Senders do not use HTTP caching (RFC 8461 3.3), so no request is a conditional one."""
    reply = ask(policies, "mta-sts.example.net", headers=[("If-None-Match", field)])
    assert (reply.status, reply.body, reply.headers["ETag"]) == (200, BODY, TAG)


def test_a_connection_is_kept_through_replies_of_every_kind(policies):
    connection = http.client.HTTPConnection("127.0.0.1", policies.policy_port, timeout=DEADLINE)
    local = None
    for host, path, status in [
        ("mta-sts.example.net", PATH, 200),
        ("mta-sts.example.com", PATH, 404),
        ("mta-sts.example.net", "/", 404),
        ("mta-sts.off.example", PATH, 200),
    ] * 3:
        connection.request("GET", path, headers={"Host": host})
        reply = connection.getresponse()
        reply.read()
        assert reply.status == status
        assert local in (None, connection.sock.getsockname())
        local = connection.sock.getsockname()
    connection.close()


def test_a_reload_changes_the_body_and_its_tag(service, ports):
    service.policy_port = ports.take()
    service.configure(POLICIES.format(mode="testing"))
    service.start()
    before = BODY.replace(b"enforce", b"testing")
    assert ask(service, "mta-sts.example.net").body == before
    service.configure(POLICIES.format(mode="enforce"))
    service.reload()
    reply = ask(service, "mta-sts.example.net")
    assert (reply.status, reply.body, reply.headers["ETag"]) == (200, BODY, TAG)


def test_the_tag_is_the_automatic_id_also_where_the_announced_one_is_fixed(policies):
    assert announced(policies, "example.net") == TAG.strip('"')
    assert announced(policies, "direct.example") == "fixed"
    assert ask(policies, "mta-sts.direct.example").headers["ETag"] == etag(DIRECT)


def test_a_service_may_serve_policies_alone(service, ports):
    service.policy_port = ports.take()
    alone = f'listen: {{policy: {{address: "127.0.0.1:{service.policy_port}"}}}}\n'
    service.config.write_text(alone + POLICIES.format(mode="enforce"), encoding="ascii")
    service.start()
    assert ask(service, "mta-sts.example.net").body == BODY
    assert f"listening on http://127.0.0.1:{service.policy_port}{PATH}" in service.log()


def test_without_the_key_nobody_listens(service, ports):
    service.configure(POLICIES.format(mode="enforce"))
    service.start()
    assert service.log().count("listening on ") == 2
    service.policy_port = ports.take()
    service.configure(POLICIES.format(mode="enforce"))
    assert "warning: reload: listen.policy changed" in service.reload()
    with pytest.raises(ConnectionRefusedError):
        ask(service, "mta-sts.example.net")


def test_a_policy_listener_that_others_reach_is_warned_of(make_directory):
    config = make_directory() / "config.yaml"
    text = 'listen: {policy: {address: "0.0.0.0"}}\n' + POLICIES.format(mode="enforce")
    config.write_text(text, encoding="ascii")
    checked = run("check", "-c", config)
    assert checked.returncode == 0
    assert f"{config}:1:28: warning: 0.0.0.0:8080 is not a loopback address" in checked.stderr


# What Caddy asks before it gets a certificate on demand


ASKED = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
    certificates: /nowhere/%d.pem
    domains: [example.org, xn--mnchen-3ya.example, mta-sts.example.com]
  - domain: direct.example
    mode: testing
    mx: mail.example.net
    records: direct
    policy_host: web.example.net
    domains: member.example
  - {domain: off.example, mode: none, policy_host: 192.0.2.40}
  - {domain: own.example, mode: none, policy_host: 192.0.2.40, authority: zones}
  - {domain: zone.example, mode: none}
  - {domain: own-zone.example, mode: none, authority: zones, rua: "mailto:a@example.net"}
  - {domain: reports-only.example, rua: "mailto:a@example.net", policy_host: 192.0.2.40}
zones: {nameservers: ns1.example.net, hostmaster: h.example.net}
"""


@pytest.fixture(scope="module")
def asked(make_directory, ports):
    """A service that nobody reconfigures; example.net and its members are held back."""
    with Service(make_directory(), ports.take()) as service:
        service.policy_port = ports.take()
        service.configure(ASKED)
        yield service.start()


def ask_for(service, query, verb="GET"):
    return ask(service, "127.0.0.1", verb, "/ask" + query)


@pytest.mark.parametrize("query", [
    "?domain=mta-sts.example.net",
    "?domain=MTA-STS.Example.ORG",
    "?domain=mta%2Dsts%2eexample.net",
    "?domain=%6D%74%61-sts.example.net",
    "?x=y&domain=mta-sts.example.net&&domains=x&=",
    "?domain=mta-sts.xn--mnchen-3ya.example",
    "?domain=mta-sts.mta-sts.example.com",
    "?domain=mta-sts.direct.example",
    "?domain=mta-sts.member.example",
    "?domain=mta-sts.off.example",
    "?domain=mta-sts.own.example",
])
def test_a_certificate_is_wanted_for_policy_hosts_of_ours(asked, query):
    """Those that are held back, too: they need it to be announced."""
    for verb in ("GET", "HEAD"):
        reply = ask_for(asked, query, verb)
        assert (reply.status, reply.body) == (
            200, b"" if verb == "HEAD" else b"a certificate is wanted\n")
        assert reply.headers["Content-Type"] == "text/plain; charset=us-ascii"
        assert reply.headers["ETag"] is None


@pytest.mark.parametrize("name", [
    "example.net", "mta-sts", "mta-sts.", "www.example.net", "_mta-sts.example.net",
    "mta-sts.unknown.example", "x.mta-sts.example.net", "mta-sts.mta-sts.example.net",
    "mta-sts.www.example.net", "mta-sts.example.com", "127.0.0.1", "localhost",
    # no policy, or a policy host that the service says nothing of
    "mta-sts.reports-only.example", "mta-sts.zone.example", "mta-sts.own-zone.example",
    # not as a certificate has it
    "mta-sts.example.net.", "mta-sts.example.net%2e", "mta-sts.example.net:443",
    "mta-sts.example.net%3a", "mta-sts.example.net%00", "mta-sts.example.net%00.example",
    "%00mta-sts.example.net", "mta-sts.example.net%20", "+mta-sts.example.net",
    "mta-sts.m%C3%BCnchen.example", "mta-sts.m%FCnchen.example", "*.example.net",
    "mta-sts.*.net", "mta-sts..example.net", "mta-sts%5C.example.net",
    "mta-sts%E3%80%82example.net", "mta-sts.example.net%2Fx", "mta-sts.example.net%0D%0AX:y",
    # encoded twice, or not as RFC 3986 has it
    "mta-sts%252eexample.net", "mta-sts%2.example.net", "mta-sts%", "mta-sts%zzexample.net",
    "mta-sts.example.net%", "", "%00", "." * 300, "a" * 253, "a" * 760, "%61" * 253, "%61" * 254,
    "mta-sts." + "a." * 8000 + "example.net",
])
def test_no_certificate_is_wanted_for_any_other_name(asked, name):
    assert_plain_error(ask_for(asked, f"?domain={name}"), 404)


@pytest.mark.parametrize("query", [
    "", "?", "?domain", "?domain&", "?=mta-sts.example.net", "?mta-sts.example.net",
    "?Domain=mta-sts.example.net", "?domai%6e=mta-sts.example.net", "?domain =mta-sts.example.net",
    "?domain==mta-sts.example.net", "?domain=?domain=mta-sts.example.net",
    "/?domain=mta-sts.example.net", "%3fdomain=mta-sts.example.net",
    "?domain=mta-sts.example.net&domain=mta-sts.example.net",
    "?domain=mta-sts.example.net&domain=mta-sts.unknown.example",
    "?domain=mta-sts.unknown.example&domain=mta-sts.example.net",
    "?domain=mta-sts.example.net&domain",
    "?domain&domain=mta-sts.example.net",
    "?domain=mta-sts.example.net;domain=mta-sts.example.org",
    "?" + "x&" * 7000 + "domain=mta-sts.example.net&domain=",
])
def test_no_certificate_is_wanted_without_exactly_one_name(asked, query):
    if " " in query:
        query = query.replace(" ", "%20")
    assert_plain_error(ask_for(asked, query), 404)


@pytest.mark.parametrize("query, host", [
    ("?domain=mta-sts.unknown.example", "mta-sts.example.net"),
    ("", "mta-sts.example.net"),
])
def test_the_host_field_makes_no_name_a_wanted_one(asked, query, host):
    assert_plain_error(ask(asked, host, path="/ask" + query), 404)


def test_a_certificate_is_wanted_while_a_domain_is_listed(service, ports):
    service.policy_port = ports.take()
    service.configure(POLICIES.format(mode="testing"))
    service.start()
    assert ask_for(service, "?domain=mta-sts.example.org").status == 200
    service.configure(POLICIES.format(mode="testing").replace("example.org, ", ""))
    service.reload()
    assert ask_for(service, "?domain=mta-sts.example.org").status == 404
    assert ask_for(service, "?domain=mta-sts.example.net").status == 200


# announce_delay: the body first, the id later

DELAYED = """\
defaults: {{announce_delay: {delay}}}
policies:
  - domain: example.net
    mode: {mode}
    mx: mail.example.net
    policy_host: 192.0.2.40
    domains: example.org
  - domain: example.com
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
"""


def announced(service, domain):
    """The id in the TXT record of a domain, or None if there is no record."""
    lookup = get_request("/dns", "lookup", {"qname": f"_mta-sts.{domain}.", "qtype": "TXT"})
    rows = exchange(service.port, lookup).json()["result"]
    return re.fullmatch(r'"v=STSv1; id=(\w+)"', rows[0]["content"])[1] if rows else None


def served_mode(service, domain):
    body = ask(service, f"mta-sts.{domain}").body.decode("ascii")
    return re.search(r"^mode: (\w+)\r$", body, re.MULTILINE)[1]


def served_id(service, domain):
    return ask(service, f"mta-sts.{domain}").headers["ETag"].strip('"')


@pytest.fixture
def delayed(service, ports):
    service.policy_port = ports.take()
    service.configure(DELAYED.format(delay="1h", mode="testing"))
    return service.start()


def test_after_a_reload_the_new_body_is_served_and_the_old_id_announced(delayed):
    old = announced(delayed, "example.net")
    delayed.configure(DELAYED.format(delay="1h", mode="enforce"))
    log = delayed.reload()
    new = served_id(delayed, "example.net")
    assert served_mode(delayed, "example.net") == "enforce"
    assert new != old == announced(delayed, "example.net")
    assert f"info: 1 id waits: example.net {old} -> {new} in 3600 s" in log
    assert served_id(delayed, "example.com") == announced(delayed, "example.com")


def test_the_status_shows_what_waits_until_when(service, ports):
    service.admin_port = ports.take()
    service.configure(DELAYED.format(delay="2s", mode="testing"))
    service.start()
    assert status(service)["waiting"] == []
    service.configure(DELAYED.format(delay="2s", mode="enforce"))
    start = service.log_size()
    before = datetime.now(timezone.utc)
    old = announced(service, "example.net")
    service.reload()
    (waiting,) = status(service)["waiting"]
    shown = {policy["domain"]: policy for policy in status(service)["policies"]}
    assert shown["example.net"]["id"] == waiting["announced"] == old
    due = datetime.fromisoformat(waiting.pop("due"))
    assert timedelta(seconds=1) < due - before < timedelta(seconds=2 + DEADLINE)
    service.wait_log("announced now: ", start)
    assert waiting == {"domain": "example.net", "announced": old,
                       "next": announced(service, "example.net")}
    assert status(service)["waiting"] == []


def test_a_reload_without_a_change_does_not_announce_what_waits(delayed):
    old = announced(delayed, "example.net")
    delayed.configure(DELAYED.format(delay="1h", mode="enforce"))
    delayed.reload()
    log = delayed.reload()
    assert "0 changed" in log
    assert re.search(rf"waits: example.net {old} -> \w+ in (3600|35\d\d) s", log)
    assert announced(delayed, "example.net") == old


def test_what_waits_is_announced_when_the_delay_ends_without_reading_again(delayed):
    old = announced(delayed, "example.net")
    delayed.configure(DELAYED.format(delay="2s", mode="enforce"))
    start = delayed.log_size()
    delayed.reload()
    assert announced(delayed, "example.net") == old
    delayed.config.write_text("half of an edi", encoding="ascii")
    log = delayed.wait_log(r"announced now: .*", start)
    new = served_id(delayed, "example.net")
    assert announced(delayed, "example.net") == new != old
    assert f"announced now: ids: example.net {old} -> {new}" in log
    assert "error" not in log


def test_a_change_while_another_waits_keeps_the_id_that_senders_know(delayed):
    old = announced(delayed, "example.net")
    for mode in ("enforce", "none"):
        delayed.configure(DELAYED.format(delay="1h", mode=mode))
        delayed.reload()
        assert served_mode(delayed, "example.net") == mode
        assert announced(delayed, "example.net") == old
    delayed.configure(DELAYED.format(delay="1h", mode="testing"))
    assert "id waits" not in delayed.reload()
    assert announced(delayed, "example.net") == old == served_id(delayed, "example.net")


def test_taking_the_delay_away_announces_at_once(delayed):
    delayed.configure(DELAYED.format(delay="1h", mode="enforce"))
    delayed.reload()
    delayed.configure(DELAYED.format(delay="0", mode="enforce"))
    delayed.reload()
    assert announced(delayed, "example.net") == served_id(delayed, "example.net")


def test_a_refused_reload_leaves_what_waits_alone(delayed):
    old = announced(delayed, "example.net")
    delayed.configure(DELAYED.format(delay="2s", mode="enforce"))
    start = delayed.log_size()
    delayed.reload()
    delayed.configure(DELAYED.format(delay="2s", mode="unknown"))
    delayed.reload(until="reload: refused")
    delayed.wait_log(r"announced now: .*", start)
    assert announced(delayed, "example.net") == served_id(delayed, "example.net") != old


def test_without_a_state_nothing_waits_after_a_restart(delayed):
    policies = "state: none\n" + DELAYED.format(delay="1h", mode="enforce")
    delayed.configure(policies)
    delayed.stop()
    delayed.start()
    delayed.configure(policies.replace("enforce", "testing"))
    delayed.reload()
    assert announced(delayed, "example.net") != served_id(delayed, "example.net")
    delayed.stop()
    delayed.start()
    assert announced(delayed, "example.net") == served_id(delayed, "example.net")


# certificates: a policy is announced once the web server can be asked for it

CERTIFIED = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
    certificates: {directory}/mta-sts.%d/fullchain.pem
    domains: [example.org, example.com]
  - domain: direct.example
    records: direct
    mode: enforce
    mx: mail.example.net
    rua: mailto:postmaster@example.net
    policy_host: 192.0.2.40
    certificates: {directory}/mta-sts.%d/fullchain.pem
    domains: member.example
  - domain: without.example
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
"""


def rows(service, name):
    lookup = get_request("/dns", "lookup", {"qname": f"{name}.", "qtype": "ANY"})
    return exchange(service.port, lookup).json()["result"]


def give_certificate(directory, domain):
    folder = directory / f"mta-sts.{domain}"
    folder.mkdir(parents=True)
    (folder / "fullchain-1.pem").write_text("", encoding="ascii")
    (folder / "fullchain.pem").symlink_to("fullchain-1.pem")


@pytest.fixture
def certified(service, ports):
    service.policy_port = ports.take()
    service.configure(CERTIFIED.format(directory=service.directory / "certs"))
    return service.start()


HELD = ["example.net", "example.org", "example.com", "direct.example", "member.example"]


def test_without_certificates_policies_are_served_but_not_announced(certified):
    for domain in HELD:
        assert rows(certified, f"_mta-sts.{domain}") is False
        assert rows(certified, f"mta-sts.{domain}")
        assert ask(certified, f"mta-sts.{domain}").status == 200
    assert rows(certified, "_smtp._tls.direct.example")
    assert rows(certified, "_mta-sts.without.example")
    assert f"held back, having no certificate: 5: {', '.join(HELD)}\n" in certified.log()


def test_a_reload_announces_those_that_have_got_one(certified):
    certs = certified.directory / "certs"
    for number, domain in enumerate(HELD[::2], 1):
        give_certificate(certs, domain)
        log = certified.reload()
        assert f"certificate: {5 - number}: " in log
        assert f"; no longer waiting for a certificate: {domain}, in " in log
        assert rows(certified, f"_mta-sts.{domain}")
    assert [bool(rows(certified, f"_mta-sts.{domain}")) for domain in HELD] == [
        True, False, True, False, True]
    for domain in HELD[1::2]:
        give_certificate(certs, domain)
    assert "held back" not in certified.reload()
    assert all(rows(certified, f"_mta-sts.{domain}") for domain in HELD)


def test_check_counts_what_is_held_back(certified):
    give_certificate(certified.directory / "certs", "example.net")
    checked = run("check", "-c", certified.config)
    assert checked.returncode == 0
    assert f"held back, having no certificate: 4: {', '.join(HELD[1:])}\n" in checked.stdout
    assert "TXT records: 4\n" in checked.stdout
    for domain in HELD[1:]:
        give_certificate(certified.directory / "certs", domain)
    assert "held back" not in run("check", "-c", certified.config).stdout


def test_a_directory_that_may_not_be_searched_is_warned_of(certified):
    """As a user without privileges, since root may search every directory."""
    os.chmod(certified.directory, 0o755)
    os.chmod(certified.directory.parent, 0o755)
    give_certificate(certified.directory / "certs", "example.net")
    os.chmod(certified.directory / "certs", 0o700)
    checked = run("check", "-c", certified.config, user="nobody", group="nogroup")
    assert checked.returncode == 0
    path = certified.directory / "certs/mta-sts.example.net/fullchain.pem"
    assert (
        f"{certified.config}:7:19: warning: 3 domains are held back, as it cannot be told whether "
        f'there is a certificate, first at "{path}": Permission denied\n'
    ) in checked.stderr
    assert "held back, having no certificate: 5: " in checked.stdout


def test_searching_the_directories_is_enough(certified):
    """The files and the directories may be unreadable, as those of keys are."""
    certs = certified.directory / "certs"
    os.chmod(certified.directory, 0o755)
    os.chmod(certified.directory.parent, 0o755)
    for domain in HELD:
        give_certificate(certs, domain)
        os.chmod(certs / f"mta-sts.{domain}" / "fullchain-1.pem", 0)
        os.chmod(certs / f"mta-sts.{domain}", 0o711)
    os.chmod(certs, 0o711)
    checked = run("check", "-c", certified.config, user="nobody", group="nogroup")
    assert checked.returncode == 0
    assert "held back" not in checked.stdout + checked.stderr


# ids: they follow the body, and nothing else

BASE = """\
policies:
  - domain: example.net
    mode: enforce
    mx: [mail.example.net, "*.mx.example.net"]
    max_age: 1w
    ttl: 1h
    rua: mailto:postmaster@example.net
    policy_host: 192.0.2.40
    domains: [example.org, example.com]
"""

CHANGES = {
    "mode": ("mode: enforce", "mode: testing"),
    "mode none": ("mode: enforce", "mode: none"),
    "max_age": ("max_age: 1w", "max_age: 604801"),
    "an mx more": ('"*.mx.example.net"', '"*.mx.example.net", mx.example.org'),
    "an mx less": (', "*.mx.example.net"', ""),
    "another mx": ("mail.example.net", "mail2.example.net"),
    "another pattern": ("*.mx.example.net", "*.example.net"),
    "the order of mx": ('mail.example.net, "*.mx.example.net"', '"*.mx.example.net", mail.example.net'),
}

NON_CHANGES = {
    "a comment": ("policies:", "# a comment\npolicies: # another"),
    "the order of keys": ("    ttl: 1h\n    rua", "    records: cname\n    ttl: 1h\n    rua"),
    "the order of domains": ("[example.org, example.com]", "[example.com, example.org]"),
    "other domains": ("[example.org, example.com]", "example.info"),
    "ttl": ("ttl: 1h", "ttl: 5m"),
    "rua": ("mailto:postmaster@example.net", "https://example.net/tlsrpt"),
    "policy_host": ("192.0.2.40", "www.example.net"),
    "records": ("ttl: 1h", "records: direct"),
    "announce_delay": ("ttl: 1h", "announce_delay: 1h"),
    "another writing of max_age": ("max_age: 1w", "max_age: 168h"),
    "the default of max_age": ("    max_age: 1w\n", ""),
    "another writing of mx": ("mail.example.net, ", "MAIL.Example.net., "),
    "the same by defaults": ("policies:", "defaults: {mode: testing, max_age: 1d}\npolicies:"),
    "another policy": ("policies:", "policies:\n  - {domain: a.example, mode: none}"),
    "id auto": ("ttl: 1h", "id: auto"),
}


def automatic_id(directory, text):
    config = directory / "config.yaml"
    config.write_text(text, encoding="ascii")
    found = run("lookup", "_mta-sts.example.net", "TXT", "-c", config)
    return re.search(r'"v=STSv1; id=([0-9a-f]{32})"', found.stdout)[1]


@pytest.mark.parametrize("old, new", CHANGES.values(), ids=CHANGES.keys())
def test_the_id_changes_with_each_part_of_the_body(make_directory, old, new):
    directory = make_directory()
    assert BASE.count(old) == 1
    assert automatic_id(directory, BASE.replace(old, new)) != automatic_id(directory, BASE)


def test_every_body_has_an_id_of_its_own(make_directory):
    directory = make_directory()
    ids = {automatic_id(directory, BASE.replace(old, new)) for old, new in CHANGES.values()}
    assert len(ids) == len(CHANGES)


@pytest.mark.parametrize("old, new", NON_CHANGES.values(), ids=NON_CHANGES.keys())
def test_the_id_does_not_change_with_anything_else(make_directory, old, new):
    directory = make_directory()
    assert BASE.count(old) == 1
    assert automatic_id(directory, BASE.replace(old, new)) == automatic_id(directory, BASE)


def test_the_id_is_the_same_on_every_server_and_after_a_restart(make_directory, ports):
    """Two services, of which one has been through other policies, in other directories."""
    ids = []
    for text in ([BASE], [POLICIES.format(mode="testing"), BASE]):
        with Service(make_directory(), ports.take()) as service:
            service.configure(text[0])
            service.start()
            for each in text[1:]:
                service.configure(each)
                service.reload()
            ids.append(announced(service, "example.net"))
            service.stop()
            service.start()
            ids.append(announced(service, "example.net"))
    assert len(ids) == 4 and len(set(ids)) == 1
