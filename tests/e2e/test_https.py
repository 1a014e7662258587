"""The whole way of a policy: PowerDNS, nginx with certificates that dehydrated gets, the service
behind both, and senders that look from outside."""

import ast
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import sender
from authority import Acme, Authority
from documented import documented, filled_in
from namespace import Namespace
from nginx import NO_REDIRECT, Nginx
from powerdns import PowerDns, Zones
from processes import DEADLINE, run_to_end
from service import Service, program, run

CONTRIB = Path(__file__).resolve().parent.parent.parent / "contrib"
DEHYDRATED = Path("/var/lib/dehydrated")
CERTIFICATES = DEHYDRATED / "mta-sts" / "certs"
PATH = "/.well-known/mta-sts.txt"

POLICIES = """\
defaults:
  policy_host: 127.0.0.1
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
ZONES = ["example.net", "example.org", "example.com", "direct.example", "off.example"]
MX = ["mail.example.net", "*.mx.example.net"]


class World:
    """Everything but the certificates, in a network of its own."""

    def __init__(self, make_directory):
        self.directory = make_directory()
        os.chmod(self.directory.parent, 0o755)
        self.service_directory = make_directory()
        self.service = Service(self.service_directory, 8053)
        self.service.policy_port = 8080
        self.authority = Authority(self.directory)
        self.acme = Acme(self.authority, 14000)
        self.power_dns = None
        self.nginx = None
        self.make_directory = make_directory

    def mount(self, namespace):
        resolv = self.directory / "resolv.conf"
        resolv.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n", encoding="ascii")
        namespace.put(resolv, "/etc/resolv.conf")
        state = self.directory / "dehydrated"
        for directory in (state, state / "acme-challenges", state / "mta-sts"):
            directory.mkdir()
            os.chmod(directory, 0o711 if directory.name == "mta-sts" else 0o755)
        namespace.put(state, DEHYDRATED)

    def start_service(self, mode="enforce"):
        """As a user who may read no key."""
        os.chmod(self.service_directory, 0o755)
        shutil.chown(self.service_directory, "nobody", "nogroup")
        self.service.configure(POLICIES.format(mode=mode))
        self.service.start(user="nobody", group="nogroup", extra_groups=[])

    def start_power_dns(self):
        zones = Zones(self.make_directory())
        zones.load_empty(*ZONES)
        self.power_dns = PowerDns(self.make_directory(), 53, zones, self.service).start()

    def export(self, *arguments):
        done = run("export", *arguments, "-c", self.service.config)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def start_nginx(self, *arguments):
        self.nginx = Nginx(self.make_directory(), self.export("nginx", *arguments)).start()

    def dehydrated(self, *arguments):
        """Runs the command of docs/nginx.md that exports the names and gets certificates for them, with
        the configuration that it prints; returns what it says."""
        config = self.directory / "dehydrated.conf"
        config.write_text(
            filled_in(documented("nginx.md", "Certificates"), {"/usr/local/lib/pdns-mta-sts": CONTRIB})
            + f"CA={self.acme.url}/directory\nKEY_ALGO=prime256v1\n", encoding="ascii")
        command = filled_in(documented("nginx.md", "Certificates", 2).split("root  ")[1], {
            "pdns-mta-sts export dehydrated": shlex.join(map(str, [
                program(), "export", "dehydrated", *arguments, "-c", self.service.config])),
            "/etc/pdns-mta-sts/dehydrated.conf": f"{config} --accept-terms",
            " > /dev/null": "",
        })
        done = run_to_end(
            ["sh", "-c", command],
            timeout=5 * DEADLINE,
            env={**os.environ,
                 "PDNS_MTA_STS_RELOAD": f"kill -HUP {self.service.process.pid}"},
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def reload(self, mode):
        self.service.configure(POLICIES.format(mode=mode))
        return self.service.reload()

    def policy_of(self, domain):
        return sender.policy_of(domain, self.authority.certificate)

    def query(self, domain, *known):
        """What mta-sts-query finds: the result, and the id and the policy if it has them."""
        done = subprocess.run(
            ["mta-sts-query", domain, *known],
            env={**os.environ, "SSL_CERT_FILE": str(self.authority.certificate)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        found = re.fullmatch(r"\(<STSFetchResult\.(\w+): \d>, (.*)\)\n", done.stdout)
        assert found, done.stdout + done.stderr
        return found[1], ast.literal_eval(found[2])

    def stop(self):
        for program in (self.nginx, self.power_dns, self.service):
            if program:
                program.stop()


@pytest.fixture(scope="module")
def world(make_directory):
    """Everything but the certificates."""
    with Namespace() as namespace:
        world = World(make_directory)
        world.mount(namespace)
        try:
            with world.acme:
                world.start_service()
                world.start_power_dns()
                world.start_nginx()
                yield world
        finally:
            world.stop()


@pytest.fixture(scope="module")
def deployed(world):
    """With the certificates, which the first test of all has seen coming."""
    if not CERTIFICATES.exists():
        start = world.service.log_size()
        world.dehydrated()
        world.service.wait_log("reload: ", start)
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
    assert [world.policy_of(zone) for zone in ZONES] == [None] * len(ZONES)
    assert world.query("example.net") == ("NONE", None)
    start = world.service.log_size()
    said = world.dehydrated()
    log = world.service.wait_log("reload: ", start)
    assert [line for line in said.splitlines() if line.startswith("Processing ")] == [
        f"Processing mta-sts.{zone}" for zone in ZONES]
    assert world.acme.asked == [f"mta-sts.{zone}" for zone in ZONES]
    assert "held back" not in log and log.count("reload: ") == 1
    assert [world.policy_of(zone).mode for zone in ZONES] == [
        "enforce", "enforce", "testing", "testing", "none"]


def test_dehydrated_reads_the_exported_names_and_leaves_what_is_good_alone(deployed):
    start = deployed.service.log_size()
    said = deployed.dehydrated()
    assert said.count("existing cert... unchanged.") == len(ZONES)
    assert said.count("Skipping renew!") == len(ZONES)
    deployed.reload("enforce")
    assert deployed.service.log(start).count("reload: ") == 1


def test_a_configuration_with_an_error_keeps_the_list_of_certificates(deployed):
    listed = (CERTIFICATES.parent / "domains.txt").read_text(encoding="ascii")
    assert listed == "".join(f"mta-sts.{zone}\n" for zone in ZONES)
    deployed.service.configure("policies: [{domain: no domain}]\n")
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
    mine = deployed.policy_of(domain)
    assert (mine.mode, mine.mx, mine.max_age) == (mode, mx, max_age)
    result, (id, theirs) = deployed.query(domain)
    assert (result, id) == ("VALID", mine.id)
    assert theirs == {"version": "STSv1", "mode": mode, "mx": mx, "max_age": max_age}


def test_what_dns_and_the_web_server_say_is_what_the_commands_print(deployed):
    body = run("policy", "example.org", "-c", deployed.service.config).stdout
    _, served = sender.fetch("mta-sts.example.org", PATH, deployed.authority.certificate)
    assert served.replace(b"\r\n", b"\n").decode("ascii") == body


@pytest.mark.parametrize("domain", ["example.net", "example.org"])
def test_senders_see_a_change_by_its_new_id(deployed, domain):
    before = deployed.policy_of(domain)
    assert deployed.query(domain, before.id) == ("NOT_CHANGED", None)
    try:
        deployed.reload("testing")
        after = deployed.policy_of(domain)
        assert (before.mode, after.mode) == ("enforce", "testing")
        assert before.id != after.id
        result, (id, policy) = deployed.query(domain, before.id)
        assert (result, id, policy["mode"]) == ("VALID", after.id, "testing")
    finally:
        deployed.reload("enforce")
    assert deployed.policy_of(domain) == before


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
    authority = deployed.authority.certificate
    for path in ("/", "/.well-known/", PATH + "/x", "/.well-known/acme-challenge/x"):
        reply, _ = sender.fetch("mta-sts.example.net", path, authority)
        assert reply.status == 404
    reply, _ = sender.fetch("mta-sts.example.net", PATH, authority)
    assert (reply.status, reply.headers["Location"]) == (200, None)
    assert reply.headers["Content-Type"] == "text/plain; charset=us-ascii"
    assert reply.headers["ETag"] == f'"{sender.find_id("example.net")}"'


def greet(name):
    """Whether a handshake by a client that sends any name, and trusts everybody, succeeds."""
    servername = ["-noservername"] if name is None else ["-servername", name]
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:443", *servername],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    greeted = "BEGIN CERTIFICATE" in done.stdout
    assert greeted == (done.returncode == 0)
    return greeted


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
    start = deployed.nginx.log_size()
    assert greet("mta-sts.example.net")
    assert not greet(name)
    opened = re.findall(r"fopen\((\S+), r\)", deployed.nginx.log(start))
    assert opened and all(re.fullmatch(rf"{CERTIFICATES}/[a-z.-]+/fullchain.pem", path)
                          and ".." not in path for path in opened)


@pytest.mark.parametrize("name", [
    "MTA-STS.Example.NET",
    "mta-sts.example.orG",
    "MTA-STS.DIRECT.EXAMPLE",
])
def test_capitals_in_a_name_lead_to_its_certificate(deployed, name):
    """RFC 6066 3: names in the server name extension compare without case."""
    with socket.create_connection(("127.0.0.1", 443), DEADLINE) as connection:
        context = ssl.create_default_context(cafile=deployed.authority.certificate)
        with context.wrap_socket(connection, server_hostname=name) as session:
            assert session.getpeercert()["subjectAltName"] == (("DNS", name.lower()),)
            session.sendall(f"GET {PATH} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode("ascii"))
            reply = b"".join(iter(lambda: session.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 200 ") and b"\r\n\r\nversion: STSv1\r\n" in reply


def test_nginx_accepts_the_exported_hosts_without_a_warning(deployed):
    for arguments in [], ["--per-certificate", "2"], ["--per-certificate", "100"]:
        nginx = Nginx(deployed.make_directory(), deployed.export("nginx", *arguments))
        said, code = nginx.test()
        assert code == 0 and "warn" not in said, said


def test_a_thousand_domains_are_served_by_name_from_one_host(deployed):
    """A certificate a domain, of the same key, and nginx as it was started for five domains."""
    domains = [f"d{number}.thousand.example" for number in range(1000)]
    hosts = [f"mta-sts.{domain}" for domain in domains]
    key = ec.generate_private_key(ec.SECP256R1())
    key_path = deployed.directory / "thousand.key"
    key_path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    shutil.chown(key_path, group="www-data")
    os.chmod(key_path, 0o640)
    for host, certificate in zip(hosts, deployed.authority.issue(key, hosts)):
        folder = CERTIFICATES / host
        folder.mkdir()
        (folder / "fullchain.pem").write_bytes(certificate)
        (folder / "privkey.pem").symlink_to(key_path)

    context = ssl.create_default_context(cafile=deployed.authority.certificate)

    def fetch(host):
        """Trusts the authority, and wants a certificate for this very name."""
        with socket.create_connection(("127.0.0.1", 443), DEADLINE) as connection:
            with context.wrap_socket(connection, server_hostname=host) as session:
                names = session.getpeercert()["subjectAltName"]
                session.sendall(f"GET {PATH} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii"))
                reply = b"".join(iter(lambda: session.recv(65536), b""))
        return names, reply.partition(b"\r\n\r\n")[2]

    os.chmod(deployed.directory, 0o711)
    listed = deployed.service_directory / "thousand.list"
    listed.write_text("".join(f"{domain}\n" for domain in domains), encoding="ascii")
    deployed.service.configure(
        POLICIES.format(mode="enforce") + "    domain_files: thousand.list\n")
    deployed.service.reload()
    with ThreadPoolExecutor(4) as pool:
        served = list(pool.map(fetch, hosts))
    assert [names for names, _ in served] == [(("DNS", host),) for host in hosts]
    assert {body for _, body in served} == {
        b"version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"}
    deployed.service.configure("removal_limit: 100%\n" + POLICIES.format(mode="enforce"))
    deployed.service.reload()


def test_certificates_in_several_places_are_served(deployed):
    """nginx finds those of each policy where the policy says that they are."""
    elsewhere = deployed.make_directory()
    for path in (deployed.directory, elsewhere):
        path.chmod(0o711)
    key = ec.generate_private_key(ec.SECP256R1())
    names = ["example.com", "direct.example"]
    hosts = [f"mta-sts.{name}" for name in names]
    for host, certificate in zip(hosts, deployed.authority.issue(key, hosts)):
        (elsewhere / f"{host}.crt").write_bytes(certificate)
        key_path = elsewhere / f"{host}.key"
        key_path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        key_path.chmod(0o644)
    deployed.service.configure(POLICIES.format(mode="enforce").replace(
        "    records: direct\n", f"    records: direct\n    certificates: {elsewhere}/mta-sts.%d.crt\n"))
    deployed.service.reload()
    deployed.nginx.stop()
    deployed.start_nginx()
    for zone in ZONES:
        deployed.policy_of(zone)
        assert greet(f"MTA-STS.{zone}")
    assert not greet("mta-sts.unknown.example")
    (elsewhere / "mta-sts.direct.example.crt").unlink()
    assert not greet("mta-sts.direct.example")
    assert greet("mta-sts.example.com")


def test_a_certificate_of_several_names_serves_each_of_them(deployed):
    """With nginx and dehydrated told the same number."""
    deployed.nginx.stop()
    shutil.rmtree(CERTIFICATES)
    policies = POLICIES[POLICIES.index("policies:"):].replace("    domains: example.org", """\
    domains: [example.org, example.com, direct.example, off.example]""")
    policies = policies.partition("  - domain: example.com")[0].format(mode="enforce")
    deployed.service.configure("defaults: {policy_host: 127.0.0.1}\n" + policies)
    deployed.service.reload()
    deployed.start_nginx("--per-certificate", "3")
    said = deployed.dehydrated("--per-certificate", "3")
    assert [line for line in said.splitlines() if line.startswith("Processing ")] == [
        "Processing mta-sts.example.net with alternative names: "
        "mta-sts.example.org mta-sts.example.com",
        "Processing mta-sts.direct.example with alternative names: mta-sts.off.example",
    ]
    for zone in ZONES:
        assert deployed.policy_of(zone).mode == "enforce"
    assert greet("MTA-STS.Example.Org")
    assert not greet("mta-sts.unknown.example")
