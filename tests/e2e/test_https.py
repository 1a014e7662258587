"""The whole way of a policy: PowerDNS, nginx with certificates that dehydrated gets of an authority that looks
at DNS and at nginx, the service behind both, and senders that look from outside."""

import re
import shutil
import socket
import ssl
import subprocess
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import pytest

import sender
from dehydrated import CERTIFICATES, make_state, run_dehydrated
from hosting import PATH, Hosting, greet, issue_many, peer_certificate
from namespace import Namespace
from nginx import NO_REDIRECT, Nginx
from processes import DEADLINE
from service import run


POLICIES = """\
defaults:
  policy_host: 127.0.0.1
  rua: "mailto:tlsrpt@example.net"
  certificates: /var/lib/dehydrated/mta-sts/certs/mta-sts.%d/fullchain.pem
policies:
  - domain: example.net
    mode: {mode}
    mx: [mail.example.net, "*.mx.example.net"]
    domains: example.org
  - domain: example.com
    mode: testing
    mx: mail.example.com
    max_age: 1d
    records: direct
    domains: direct.example
  - domain: off.example
    mode: none
    max_age: 1d
"""
OF_MANY = """\
  - domain: many.example
    mode: testing
    mx: mail.example.net
    max_age: 1d
    domain_files: many.list
"""
ZONES = ["example.net", "example.org", "example.com", "direct.example", "off.example"]
MX = ["mail.example.net", "*.mx.example.net"]


class World:
    """The host of the domains, nginx and dehydrated."""

    def __init__(self, make_directory, hosting):
        self.hosting = hosting
        self.make_directory = make_directory
        self.nginx = None

    def start(self):
        self.hosting.zones.load_mail(ZONES[2:4], "mail.example.com")
        self.hosting.start(POLICIES.format(mode="enforce"))
        self.start_nginx()

    def start_nginx(self, *arguments):
        self.nginx = self.hosting.run(
            Nginx(self.make_directory(), self.hosting.export("nginx", *arguments)))

    def dehydrated(self, *arguments, **options):
        return run_dehydrated(self.hosting, *arguments, **options)

    def reload(self, mode):
        self.hosting.service.configure(POLICIES.format(mode=mode))
        return self.hosting.service.reload()


@pytest.fixture(scope="module")
def world(make_directory):
    """Everything but the certificates."""
    with Namespace() as namespace, Hosting(
            make_directory, namespace, [*ZONES, "many.example"]) as hosting:
        make_state(make_directory, namespace)
        world = World(make_directory, hosting)
        world.start()
        yield world


@pytest.fixture(scope="module")
def deployed(world):
    """With the certificates, which the first test of all has seen coming."""
    if not CERTIFICATES.exists():
        start = world.hosting.service.log_size()
        world.dehydrated()
        world.hosting.service.wait_log("reload: ", start)
    return world


@pytest.mark.parametrize("record, id", [
    ("v=STSv1; id=a", "a"),
    ("v=STSv1;id=20260101T000000;", "20260101T000000"),
    ("v=STSv1 ; x=1;\tid=b ; ", "b"),
    ("v=STSv1; id=", None),
    ("v=STSv1; id=a+b", None),
    ("v=STSv1; id=" + "a" * 33, None),
    ("V=STSv1; id=a", None),
    ("v=STSv1 id=a", None),
    (" v=STSv1; id=a", None),
    ("v=STSv1; id=a; ;", None),
])
def test_the_grammar_of_the_test_tells_good_records_from_bad(record, id):
    if id is None:
        with pytest.raises(AssertionError):
            sender.parse_record(record)
    else:
        assert sender.parse_record(record) == id


GOOD_BODY = "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmx: *.b.example\r\nmax_age: 1\r\n"


@pytest.mark.parametrize("good, bad", [
    ("version: STSv1", "version: STSv2"),
    ("version: STSv1\r\n", ""),
    ("mode: enforce", "mode: Enforce"),
    ("mode: enforce", "mode: testing\r\nmode: enforce"),
    ("mx: a.example", "mx: a_b.example"),
    ("mx: *.b.example", "mx: *b.example"),
    ("mx: *.b.example", "mx: a.*.example"),
    ("mx: a.example\r\nmx: *.b.example\r\n", ""),
    ("max_age: 1", "max_age: -1"),
    ("max_age: 1", "max_age: 31557601"),
    ("max_age: 1\r\n", "max_age: 1\r\n\r\nx: y"),
    ("mx: a", "\r\nmx: a"),
])
def test_the_grammar_of_the_test_tells_good_bodies_from_bad(good, bad):
    assert sender.parse_body(GOOD_BODY) == ("enforce", ["a.example", "*.b.example"], 1)
    assert GOOD_BODY.count(good) == 1
    with pytest.raises(AssertionError):
        sender.parse_body(GOOD_BODY.replace(good, bad))


def test_an_empty_server_gets_to_policies_that_senders_accept(world):
    """Policies wait for their certificates; dehydrated gets these by way of the same nginx; its
    hook has the service announce them, all at once."""
    assert not CERTIFICATES.exists()
    assert [world.hosting.policy_of(zone) for zone in ZONES] == [None] * len(ZONES)
    assert world.hosting.query("example.net") == ("NONE", None)
    start = world.hosting.service.log_size()
    said = world.dehydrated()
    log = world.hosting.service.wait_log("reload: ", start)
    assert [line for line in said.splitlines() if line.startswith("Processing ")] == [
        f"Processing mta-sts.{zone}" for zone in ZONES]
    assert world.hosting.pebble.issued() == len(ZONES)
    assert "held back" not in log and log.count("reload: ") == 1
    assert [world.hosting.policy_of(zone).mode for zone in ZONES] == [
        "enforce", "enforce", "testing", "testing", "none"]
    assert world.hosting.verify() == set()


def test_dehydrated_reads_the_exported_names_and_leaves_what_is_good_alone(deployed):
    start = deployed.hosting.service.log_size()
    said = deployed.dehydrated()
    assert said.count("existing cert... unchanged.") == len(ZONES)
    assert said.count("Skipping renew!") == len(ZONES)
    deployed.reload("enforce")
    assert deployed.hosting.service.log(start).count("reload: ") == 1


def test_a_certificate_is_renewed(deployed):
    """When dehydrated finds that it is due. nginx serves it without a reload, and the service need not look."""
    host, root = "mta-sts.example.org", deployed.hosting.pebble.root
    names, serial = peer_certificate(host, root)
    start = deployed.nginx.log_size()
    deployed.dehydrated(options=f"--force --domain {host}")
    now = peer_certificate(host, root)
    assert now[0] == names == [host] and now[1] != serial
    assert "reconfiguring" not in deployed.nginx.log(start)
    assert deployed.hosting.query("example.org")[0] == "VALID"


def test_a_configuration_with_an_error_keeps_the_list_of_certificates(deployed):
    listed = (CERTIFICATES.parent / "domains.txt").read_text(encoding="ascii")
    assert listed == "".join(f"mta-sts.{zone}\n" for zone in ZONES)
    deployed.hosting.service.configure("policies: [{domain: no domain}]\n")
    try:
        assert deployed.dehydrated().count("Skipping renew!") == len(ZONES)
    finally:
        deployed.reload("enforce")
    assert (CERTIFICATES.parent / "domains.txt").read_text(encoding="ascii") == listed


def test_the_keys_are_for_nginx_alone(deployed):
    for zone in ZONES:
        key = CERTIFICATES / f"mta-sts.{zone}" / "privkey.pem"
        status = key.stat()
        assert (status.st_mode & 0o777, key.group()) == (0o640, "www-data")
    tried = subprocess.run(["cat", key], user="nobody", group="nogroup", extra_groups=[],
                           capture_output=True, check=False)
    assert (tried.returncode, tried.stdout) == (1, b"")


@pytest.mark.parametrize("domain, mode, mx, max_age", [
    ("example.net", "enforce", MX, 604800),
    ("example.org", "enforce", MX, 604800),
    ("example.com", "testing", ["mail.example.com"], 86400),
    ("direct.example", "testing", ["mail.example.com"], 86400),
    ("off.example", "none", [], 86400),
])
def test_two_independent_senders_find_the_same_policy(deployed, domain, mode, mx, max_age):
    mine = deployed.hosting.policy_of(domain)
    assert (mine.mode, mine.mx, mine.max_age) == (mode, mx, max_age)
    result, (id, theirs) = deployed.hosting.query(domain)
    assert (result, id) == ("VALID", mine.id)
    assert theirs == {"version": "STSv1", "mode": mode, "mx": mx, "max_age": max_age}


def test_what_dns_and_the_web_server_say_is_what_the_commands_print(deployed):
    body = run("policy", "example.org", "-c", deployed.hosting.service.config).stdout
    _, served = sender.fetch("mta-sts.example.org", PATH, deployed.hosting.trusted)
    assert served.replace(b"\r\n", b"\n").decode("ascii") == body


@pytest.mark.parametrize("domain", ["example.net", "example.org"])
def test_senders_see_a_change_by_its_new_id(deployed, domain):
    before = deployed.hosting.policy_of(domain)
    assert deployed.hosting.query(domain, before.id) == ("NOT_CHANGED", None)
    try:
        deployed.reload("testing")
        after = deployed.hosting.policy_of(domain)
        assert (before.mode, after.mode) == ("enforce", "testing")
        assert before.id != after.id
        result, (id, policy) = deployed.hosting.query(domain, before.id)
        assert (result, id, policy["mode"]) == ("VALID", after.id, "testing")
    finally:
        deployed.reload("enforce")
    assert deployed.hosting.policy_of(domain) == before


def ask_http(host, path):
    """One request without TLS: the status, and where it leads."""
    try:
        reply = NO_REDIRECT.open(f"http://{host}{path}", timeout=DEADLINE)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        return reply.status, reply.headers["Location"]


def test_http_leads_to_https_but_for_the_policy(deployed):
    host = "mta-sts.example.org"
    assert ask_http(host, "/") == (301, f"https://{host}/")
    assert ask_http(host, "/a?b=c") == (301, f"https://{host}/a?b=c")
    assert ask_http(host, PATH) == (404, None)
    assert ask_http(host, "/.well-known/acme-challenge/none") == (404, None)


def test_https_serves_the_policy_and_nothing_else(deployed):
    authority = deployed.hosting.trusted
    for path in ("/", "/.well-known/", PATH + "/x", "/.well-known/acme-challenge/x"):
        reply, _ = sender.fetch("mta-sts.example.net", path, authority)
        assert reply.status == 404
    reply, _ = sender.fetch("mta-sts.example.net", PATH, authority)
    assert (reply.status, reply.headers["Location"]) == (200, None)
    assert reply.headers["Content-Type"] == "text/plain; charset=us-ascii"
    assert reply.headers["ETag"] == f'"{sender.find_id("example.net")}"'


@pytest.mark.parametrize("name", [
    None,
    "mta-sts.unknown.example",
    "www.example.net",
    "unknown",
    "mta-sts.example.net.",
    "mta-sts./../mta-sts.example.net",
    "../certs/mta-sts.example.net",
    "mta-sts.example.net/../mta-sts.example.net",
    "mta-sts.a/../../../../elsewhere",
    "MTA-STS.Unknown.Example",
    "MTA-STS./../MTA-STS.example.net",
])
def test_names_without_a_certificate_are_refused(deployed, name):
    """Also those that would lead out of the directory, to a certificate that is there."""
    pebble = deployed.hosting.pebble
    start, log = deployed.nginx.log_size(), pebble.log_size()
    assert greet("mta-sts.example.net")
    assert not greet(name)
    opened = re.findall(r"fopen\((\S+), r\)", deployed.nginx.log(start))
    assert opened and all(re.fullmatch(rf"{CERTIFICATES}/[a-z.-]+/fullchain.pem", path)
                          and ".." not in path for path in opened)
    assert pebble.ordered(log) == 0


@pytest.mark.parametrize("name", [
    "MTA-STS.Example.NET",
    "mta-sts.example.orG",
    "MTA-STS.DIRECT.EXAMPLE",
])
def test_capitals_in_a_name_lead_to_its_certificate(deployed, name):
    """RFC 6066 3: names in the server name extension compare without case."""
    with socket.create_connection(("127.0.0.1", 443), DEADLINE) as connection:
        context = ssl.create_default_context(cafile=deployed.hosting.trusted)
        with context.wrap_socket(connection, server_hostname=name) as session:
            assert session.getpeercert()["subjectAltName"] == (("DNS", name.lower()),)
            session.sendall(f"GET {PATH} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode("ascii"))
            reply = b"".join(iter(lambda: session.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 200 ") and b"\r\n\r\nversion: STSv1\r\n" in reply


def test_nginx_accepts_the_exported_hosts_without_a_warning(deployed):
    for arguments in [], ["--per-certificate", "2"], ["--per-certificate", "100"]:
        nginx = Nginx(deployed.make_directory(), deployed.hosting.export("nginx", *arguments))
        said, code = nginx.test()
        assert code == 0 and "warn" not in said, said


def test_hundreds_of_domains_are_served_by_name_from_one_host(deployed, request):
    """A certificate a domain, and nginx as it was started for five domains."""
    count = request.config.getoption("--domains")
    domains = ["many.example", *(f"d{number}.many.example" for number in range(1, count))]
    hosts = [f"mta-sts.{domain}" for domain in domains]
    for host, certificate, key in issue_many(deployed.hosting.authority, hosts):
        folder = CERTIFICATES / host
        folder.mkdir()
        (folder / "fullchain.pem").write_bytes(certificate)
        path = folder / "privkey.pem"
        path.write_bytes(key)
        shutil.chown(path, group="www-data")
        path.chmod(0o640)
    (deployed.hosting.service_directory / "many.list").write_text(
        "".join(f"{domain}\n" for domain in domains[1:]), encoding="ascii")
    deployed.hosting.service.configure(POLICIES.format(mode="enforce") + OF_MANY)
    assert "held back" not in deployed.hosting.service.reload()

    context = ssl.create_default_context(cafile=deployed.hosting.trusted)

    def fetch(host):
        """Trusts the authority, and wants a certificate for this very name."""
        with socket.create_connection(("127.0.0.1", 443), DEADLINE) as connection:
            with context.wrap_socket(connection, server_hostname=host) as session:
                names = session.getpeercert()["subjectAltName"]
                session.sendall(f"GET {PATH} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii"))
                reply = b"".join(iter(lambda: session.recv(65536), b""))
        return names, reply.partition(b"\r\n\r\n")[2]

    with ThreadPoolExecutor(4) as pool:
        served = list(pool.map(fetch, hosts))
    assert [names for names, _ in served] == [(("DNS", host),) for host in hosts]
    assert {body for _, body in served} == {
        b"version: STSv1\r\nmode: testing\r\nmx: mail.example.net\r\nmax_age: 86400\r\n"}
    assert deployed.hosting.verify() == set()
    deployed.hosting.service.configure("removal_limit: 100%\n" + POLICIES.format(mode="enforce"))
    deployed.hosting.service.reload()


def test_certificates_in_several_places_are_served(deployed):
    """nginx finds those of each policy where the policy says that they are."""
    elsewhere = deployed.make_directory()
    elsewhere.chmod(0o711)
    hosts = ["mta-sts.example.com", "mta-sts.direct.example"]
    for host, certificate, key in issue_many(deployed.hosting.authority, hosts):
        (elsewhere / f"{host}.crt").write_bytes(certificate)
        path = elsewhere / f"{host}.key"
        path.write_bytes(key)
        path.chmod(0o644)
    deployed.hosting.service.configure(POLICIES.format(mode="enforce").replace(
        "    records: direct\n", f"    records: direct\n    certificates: {elsewhere}/mta-sts.%d.crt\n"))
    deployed.hosting.service.reload()
    deployed.hosting.end(deployed.nginx)
    deployed.start_nginx()
    for zone in ZONES:
        deployed.hosting.policy_of(zone)
        assert greet(f"MTA-STS.{zone}")
    assert not greet("mta-sts.unknown.example")
    (elsewhere / "mta-sts.direct.example.crt").unlink()
    assert not greet("mta-sts.direct.example")
    assert greet("mta-sts.example.com")


def test_a_certificate_of_several_names_serves_each_of_them(deployed):
    """With nginx and dehydrated told the same number."""
    deployed.hosting.end(deployed.nginx)
    shutil.rmtree(CERTIFICATES)
    policies = POLICIES[POLICIES.index("policies:"):].replace("    domains: example.org", """\
    domains: [example.org, example.com, direct.example, off.example]""")
    policies = policies.partition("  - domain: example.com")[0].format(mode="enforce")
    deployed.hosting.service.configure("defaults: {policy_host: 127.0.0.1}\n" + policies)
    deployed.hosting.service.reload()
    deployed.start_nginx("--per-certificate", "3")
    said = deployed.dehydrated("--per-certificate", "3")
    assert [line for line in said.splitlines() if line.startswith("Processing ")] == [
        "Processing mta-sts.example.net with alternative names: "
        "mta-sts.example.org mta-sts.example.com",
        "Processing mta-sts.direct.example with alternative names: mta-sts.off.example",
    ]
    for zone in ZONES:
        assert deployed.hosting.policy_of(zone).mode == "enforce"
    assert greet("MTA-STS.Example.Org")
    assert not greet("mta-sts.unknown.example")


def test_dehydrated_gets_the_certificates_of_many_domains(world, request):
    """One each. This test comes last: its domains take the place of others."""
    hosting, count = world.hosting, request.config.getoption("--certificates")
    shutil.rmtree(CERTIFICATES, ignore_errors=True)
    names = ["many.example", *(f"n{number}.many.example" for number in range(1, count))]
    (hosting.service_directory / "many.list").write_text(
        "".join(f"{name}\n" for name in names[1:]), encoding="ascii")
    head, _, _ = POLICIES.partition("  - domain: ")
    hosting.service.configure("removal_limit: 100%\n" + head + OF_MANY)
    hosting.service.reload("held back, having no certificate: ")
    hosting.end(world.nginx)
    world.start_nginx()
    start = hosting.service.log_size()
    world.dehydrated(patience=15 * count)  # one after the other, each of which takes two seconds on an idle machine
    hosting.service.wait_log("no longer waiting for a certificate", start)
    assert hosting.verify() == set()
