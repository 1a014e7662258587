"""Domains on the admin listener: /domain/NAME, /domains and the pages about them, whatever is asked."""

import contextlib
import http.client
import json
import socket
from urllib.parse import quote

import pytest

from admin_client import Metrics, get, metrics_at_rest
from processes import DEADLINE, wait_until
from service import Service, run

PAGE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
                               "connect-src 'self'; base-uri 'none'; form-action 'self'; "
                               "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: {mx}
    max_age: 1w
    policy_host: 192.0.2.40
    announce_delay: 1h
    rua: "https://report.example/?a&b='c'"
    domains: [example.org, bücher.example{more}]
  - domain: held.example
    mode: testing
    mx: mail.example.net
    policy_host: web.example.net
    records: direct
    certificates: {certificates}/%d.pem
    domains: [also.held.example]
  - domain: reports.example
    rua: mailto:tlsrpt@reports.example
"""


def write(service, mx="mail.example.net", more=""):
    service.configure(POLICIES.format(mx=mx, more=more, certificates=service.directory))


@pytest.fixture(scope="module")
def served(make_directory, ports):
    """A service with domains in each state."""
    with Service(make_directory(), ports.take()) as service:
        service.admin_port = ports.take()
        write(service, more=", left.example")
        service.start()
        write(service, mx="other.example.net")
        service.reload()
        yield service


def get_json(service, path):
    code, headers, text = get(service, path)
    assert (code, headers["Content-Type"]) == (200, "application/json"), text
    assert {name: headers[name] for name in PAGE} == PAGE
    return json.loads(text)


@pytest.mark.parametrize("name, policy, kind, state", [
    ("example.net", "example.net", "primary", "waiting"),
    ("example.org", "example.net", "cname", "waiting"),
    ("xn--bcher-kva.example", "example.net", "cname", "waiting"),
    ("held.example", "held.example", "primary", "held_back"),
    ("also.held.example", "held.example", "direct", "held_back"),
    ("reports.example", "reports.example", "primary", "published"),
    ("left.example", "example.net", "direct", "retiring"),
])
def test_a_domain_is_shown_as_json_and_as_a_page(served, name, policy, kind, state):
    shown = get_json(served, f"/domain/{name}")
    assert (shown["domain"], shown["policy"], shown["kind"], shown["state"]) == (name, policy, kind, state)
    assert (shown["until"] is not None) == (state == "retiring")
    assert (shown["id"] is None) == (name == "reports.example")
    assert (shown["findings"], shown["verified"]) == ([], None)
    hits = get_json(served, f"/domains?q={name}.&state={state}")["domains"]
    assert {key: value for key, value in shown.items() if key not in ("records", "findings", "verified")} in hits
    code, headers, page = get(served, f"/?domain={name}")
    assert (code, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert {name: headers[name] for name in PAGE} == PAGE
    assert all(record["name"] in page for record in shown["records"])


def test_a_domain_that_is_held_back_names_the_file_that_it_waits_for(served):
    assert f"<code>{served.directory}/also.held.example.pem</code>" in get(served, "/?domain=also.held.example")[2]


def test_records_are_those_that_dig_would_print(served):
    for name in ("example.net", "example.org", "held.example", "reports.example"):
        lines = [line.split(None, 4) for line in run("records", "-c", served.config, name).stdout.splitlines()]
        shown = get_json(served, f"/domain/{name}")["records"]
        printed = [[record["name"], str(record["ttl"]), "IN", record["type"], record["content"]]
                   for record in shown]
        # While an id waits, the service announces another one than the configuration has.
        assert [line for line in printed if "id=" not in line[4]] == [
            line for line in lines if "id=" not in line[4]]
        assert len(printed) == len(lines)


@pytest.mark.parametrize("path", [
    "/domain/EXAMPLE.net", "/domain/example.net.", "/domain/%65xample%2enet", "/domain/example.net?x=1",
])
def test_a_name_may_be_written_in_several_ways(served, path):
    assert get_json(served, path)["domain"] == "example.net"


def test_a_name_may_be_written_in_its_own_script(served):
    assert get_json(served, "/domain/" + quote("Bücher.example"))["domain"] == "xn--bcher-kva.example"
    assert get_json(served, "/domains?q=" + quote("BÜCHER"))["domains"][0]["domain"] == "xn--bcher-kva.example"


@pytest.mark.parametrize("name", [
    "", ".", "none.example", "www.example.net", "_mta-sts.example.net", "a..b", "a/b", "%2e%2e/status",
    "%3Cscript%3Ealert(1)%3C/script%3E", "a" * 255, "%E2%80%AEexample.net", "xn--", "192.0.2.1",
])
def test_what_is_not_ours_is_not_found(served, name):
    code, headers, text = get(served, f"/domain/{name}")
    assert (code, headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert "is not a domain of this service" in text and text.count("\n") == 1
    code, headers, page = get(served, f"/?domain={name}")
    assert (code, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<script>" not in page


@pytest.mark.parametrize("path, fault", [
    ("/domains?q=%", 'q: found "%", expected two hexadecimal digits after each %'),
    ("/domains?q=%00", 'q: found "\\x00", expected UTF-8'),
    ("/domains?q=%ff%fe", 'q: found "\\xff\\xfe", expected UTF-8'),
    ("/domains?q=a&q=b", "q: found twice, expected once"),
    ("/domains?q=" + "a" * 256, "q: longer than any name"),
    ("/domains?q=" + "%41" * 3000, "q: longer than any name"),
    ("/domains?state=gone", 'state: found "gone", expected published, held_back, waiting or retiring'),
    ("/domains?from=-1", 'from: found "-1", expected a number up to 2147483647'),
    ("/domains?from=1e3", 'from: found "1e3", expected a number up to 2147483647'),
    ("/domains?from=" + "9" * 100, 'from: found "' + "9" * 100 + '", expected a number up to 2147483647'),
    ("/domain/%4", 'the name: found "%4", expected two hexadecimal digits after each %'),
    ("/domain/" + "a" * 256, "the name: longer than any name"),
])
def test_what_cannot_be_understood_is_refused_in_words(served, path, fault):
    code, headers, text = get(served, path)
    assert (code, headers["Content-Type"], text) == (400, "text/plain; charset=utf-8", fault + "\n")
    query = path.partition("?")[2]
    if query:
        code, headers, page = get(served, f"/?{query}")
        assert (code, headers["Content-Type"]) == (400, "text/html; charset=utf-8")
        assert fault.replace('"', "&quot;") in page


@pytest.mark.parametrize("path", [
    "/", "/?q=example", "/?domain=example.net", "/?policies=1", "/page.css", "/page.js", "/icon.svg",
    "/domains?q=e", "/domain/example.net", "/?domain=none.example",
])
def test_head_is_a_reply_without_its_body_and_nothing_else_can_be_done(served, path):
    whole, head = get(served, path), get(served, path, "HEAD")
    assert (head[0], head[2]) == (whole[0], "")
    assert head[1] == whole[1] and int(head[1]["Content-Length"]) == len(whole[2].encode())
    for verb in ("POST", "PUT", "DELETE"):
        code, headers, _ = get(served, path, verb)
        assert (code, headers["Allow"]) == (405, "GET, HEAD")


def ask_again(service, path, tag):
    connection = http.client.HTTPConnection("127.0.0.1", service.admin_port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"If-None-Match": tag})
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()


@pytest.mark.parametrize("path", ["/", "/?q=e", "/?domain=example.net", "/page.css", "/domains?state=retiring",
                                  "/domain/example.net"])
def test_what_has_not_changed_is_not_sent_again(served, path):
    tag = get(served, path)[1]["ETag"]
    for field in (tag, f"W/{tag}", f'"a", {tag}', f'W/"a"  ,\t{tag} , "b"', "*"):
        code, headers, body = ask_again(served, path, field)
        assert (code, headers["ETag"], body) == (304, tag, b"")
        assert "Content-Length" not in headers and "Content-Type" not in headers
        assert headers["Content-Security-Policy"] == PAGE["Content-Security-Policy"]
    for field in ('"a"', tag.strip('"'), tag[:-1], f'"{tag}"', "", ",,", '"', "W/", tag.upper() + "x"):
        code, headers, body = ask_again(served, path, field)
        assert (code, headers["ETag"]) == (200, tag) and body


def test_a_refusal_is_sent_again(served):
    assert ask_again(served, "/?domain=none.example", "*")[0] == 404
    assert ask_again(served, "/domains?from=a", "*")[0] == 400


def test_a_reload_makes_another_page(service, ports):
    service.admin_port = ports.take()
    write(service)
    service.start()
    tags = {path: get(service, path)[1]["ETag"] for path in ("/", "/?q=e", "/domains", "/?domain=example.net")}
    write(service, mx="other.example.net")
    service.reload()
    for path, tag in tags.items():
        assert ask_again(service, path, tag)[0] == 200


FOR_PEOPLE = ["/", "/?q=e", "/domains", "/domain/example.net", "/page.css", "/page.js", "/icon.svg"]
OWN = ["127.0.0.1", "192.0.2.1:8054", "[::1]:1", "localhost", "LOCALHOST.:8054", "page.localhost", socket.gethostname()]


def get_for(service, path, host):
    """Asks as a browser does that has a site of this name lead to 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", service.admin_port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": host})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8054", "_a.evil.example", "<b>"])
def test_a_site_that_has_its_name_lead_here_reads_nothing(served, host):
    for path in FOR_PEOPLE:
        code, text = get_for(served, path, host)
        assert code == 421 and text.startswith(f'found the Host field "{host}", expected an IP address')
        assert "a proxy in front has to set it" in text and text.count("\n") == 1
    for path in ("/healthz", "/status", "/metrics"):
        assert get_for(served, path, host)[0] == 200


def test_who_asks_this_machine_is_answered(served):
    for path in FOR_PEOPLE:
        for host in OWN:
            assert get_for(served, path, host)[0] == 200
        assert read_all(ask(served, path)).startswith(b"HTTP/1.1 200 ")  # without a Host field


def test_what_has_markup_in_it_is_text_on_the_page(served):
    page = get(served, "/?domain=example.net")[2]
    assert "rua=https://report.example/?a&amp;b=&#39;c&#39;" in page
    page = get(served, "/?q=" + quote("\"'><script>alert(1)</script>"))[2]
    assert "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page


def test_messages_of_a_refused_reload_are_text_on_the_page(service, ports):
    service.admin_port = ports.take()
    write(service)
    service.start()
    (service.directory / "<b>&.list").write_text("not a name <i>\n", encoding="utf-8")
    service.configure("policies:\n  - domain: example.net\n    rua: mailto:a@example.net\n"
                      f"    domain_files: '{service.directory}/<b>&.list'\n")
    service.reload("refused")
    page = get(service, "/")[2]
    assert "&lt;b&gt;&amp;.list:1" in page
    assert "<b>" not in page and "<i>" not in page


MANY = 1000000
SEARCHES = 20  # at once; each takes 20 steps


@pytest.fixture(scope="module")
def million(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        service.admin_port = ports.take()
        names = "".join(f"d{number}.example\n" for number in range(MANY))
        (service.directory / "names.list").write_text(names, encoding="ascii")
        service.configure("policies:\n  - domain: example.net\n    mode: none\n    policy_host: 192.0.2.40\n"
                          f"    domain_files: {service.directory}/names.list\n")
        yield service.start()


def ask(service, path):
    peer = socket.create_connection(("127.0.0.1", service.admin_port), DEADLINE)
    peer.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    return peer


def read_all(peer):
    received = b""
    with contextlib.closing(peer):
        while data := peer.recv(65536):
            received += data
    return received


def has_hits(peer):
    """Whether the hits of a search have come, maybe none."""
    with contextlib.suppress(BlockingIOError):
        return b'"next"' in peer.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    return False


def test_no_reply_grows_with_the_number_of_domains(million):
    for path in ("/", "/domains", "/domains?q=d", "/?q=d", "/domain/d999999.example", "/?domain=example.net"):
        assert len(get(million, path)[2]) < 64 << 10
    assert get_json(million, "/domains?q=d999999.")["domains"][0]["domain"] == "d999999.example"
    last = get_json(million, f"/domains?from={MANY - 9}")
    assert (len(last["domains"]), last["next"]) == (10, None)
    assert get_json(million, "/domains?state=held_back") == {"domains": [], "next": None}


def test_all_hits_are_found_by_following_the_links(million):
    found, following = [], 0
    while following is not None:
        page = get_json(million, f"/domains?q=99999&from={following}")
        found += [hit["domain"] for hit in page["domains"]]
        following = page["next"]
    assert found == [f"d{number}.example" for number in range(MANY) if "99999" in str(number)]


def test_others_are_answered_while_searches_are_under_way(million):
    """Each search goes over all domains in steps, and a step comes to everybody's turn."""
    before = metrics_at_rest(million)
    searches = [ask(million, "/domains?q=nosuchname") for _ in range(SEARCHES)]
    assert searches[0].recv(1, socket.MSG_PEEK)
    assert b"serving" in read_all(ask(million, "/healthz"))
    assert not all(map(has_hits, searches))
    for peer in searches:
        assert read_all(peer).endswith(b'{"domains":[],"next":null}\n')
    assert Metrics(million).sum("requests_total") == before.sum("requests_total")


def test_a_search_that_nobody_waits_for_ends(million):
    """Peers that ask and go leave nothing behind, and those that ask and do not read are in nobody's way."""
    for _ in range(4):
        with contextlib.ExitStack() as peers:
            for _ in range(10):
                peers.enter_context(contextlib.closing(ask(million, "/?q=nosuchname")))
    silent = [ask(million, "/domains?q=d") for _ in range(10)]
    assert get(million, "/healthz")[0] == 200
    for peer in silent:
        peer.close()
    wait_until(lambda: Metrics(million).sum("connections", listener="admin") == 1,
               "the connections of all others to end")
