"""Policies behind Caddy, which gets certificates on demand: Debian's Caddy with the Caddyfile that is
exported, and an authority that looks at DNS and at Caddy."""

import json
import os
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sender
from caddy import Caddy
from documented import filled_in
from hosting import PATH, Hosting, greet, issue_many, peer_certificate
from namespace import Namespace
from pebble import URL
from processes import DEADLINE, run_to_end, wait_until
from service import program

SCRIPT = Path(__file__).resolve().parents[2] / "contrib" / "caddy-certificates.sh"
ZONES = ["example.net", "example.org", "example.com", "waits.example", "many.example"]
MANY = [f"d{number}.many.example" for number in range(1000)]
POLICIES = """\
removal_limit: 100%
defaults: {rua: "mailto:tlsrpt@example.net"}
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 127.0.0.1
    retire: no
    domain_files: members.list
  - {domain: example.com, mode: testing, mx: mail.example.net, policy_host: 127.0.0.1}
  - {domain: no-host.example, mode: none}
"""
WAITING = """\
  - domain: waits.example
    mode: enforce
    mx: mail.example.net
    policy_host: 127.0.0.1
    certificates: {store}/mta-sts.%d/mta-sts.%d.crt
    domain_files: waiting.list
"""
AUTHORITY = "127.0.0.1-14000-dir"  # as Caddy calls the one of the test


def write_list(path, names):
    path.write_text("".join(f"{name}\n" for name in names), encoding="ascii")


class World:
    """The host of the domains, and Caddy."""

    def __init__(self, hosting):
        self.hosting = hosting
        self.members = hosting.service_directory / "members.list"
        self.waiting = hosting.service_directory / "waiting.list"
        self.caddy = None

    def start(self, members):
        """The policies name Caddy's storage, to which the service has no access."""
        storage = self.hosting.make_directory()
        write_list(self.members, members)
        write_list(self.waiting, ["member.waits.example"])
        self.hosting.start(
            POLICIES + WAITING.format(store=storage / "caddy" / "certificates" / AUTHORITY))
        self.start_caddy(storage)

    def start_caddy(self, storage):
        self.caddy = self.hosting.run(
            Caddy(storage, self.with_authority(self.hosting.export("caddy"))))

    def with_authority(self, caddyfile):
        """The Caddyfile with the authority of the test, in the place of Let's Encrypt."""
        return filled_in(caddyfile, {
            "https://acme-v02.api.letsencrypt.org/directory":
                f"{URL}\n\tacme_ca_root {self.hosting.authority.certificate}"})

    @property
    def store(self):
        return self.caddy.store / AUTHORITY

    def list(self, members):
        write_list(self.members, members)
        self.hosting.service.reload()

    def stored(self):
        """The names that Caddy has certificates of."""
        return {path.stem for path in self.store.glob("*/*.crt")}


@pytest.fixture(scope="module")
def world(make_directory):
    """No certificate is there, and the Caddyfile was made before most domains were listed."""
    with Namespace() as namespace, Hosting(make_directory, namespace, ZONES) as hosting:
        world = World(hosting)
        world.start(["example.org"])
        yield world


def test_the_first_request_gets_a_certificate_and_senders_a_policy(world):
    assert world.stored() == set()
    mine = world.hosting.policy_of("example.org")
    assert (mine.mode, mine.mx) == ("enforce", ["mail.example.net"])
    assert world.stored() == {"mta-sts.example.org"}
    result, (id, theirs) = world.hosting.query("example.com")
    assert (result, theirs["mode"]) == ("VALID", "testing")
    assert id == world.hosting.policy_of("example.com").id
    assert world.hosting.verify("example.net", "example.org", "example.com") == set()
    assert world.stored() == {"mta-sts.example.org", "mta-sts.example.com", "mta-sts.example.net"}


def test_a_thousand_domains_take_no_change_of_caddys(world):
    """Each gets its certificate when it is asked for, several at the same time. Caddy 2.6 refuses a
    client now and then if another one is the first to ask for another name just then."""
    caddyfile = world.hosting.export("caddy")
    assert "example" not in caddyfile
    world.list(["example.org", *MANY])
    assert world.hosting.export("caddy") == caddyfile
    some = MANY[::125]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: wait_until(lambda: greet(f"mta-sts.{name}"), name), some))
    assert {world.hosting.policy_of(name).mode for name in some} == {"enforce"}
    assert {name for name in MANY if f"mta-sts.{name}" in world.stored()} == set(some)


@pytest.mark.parametrize("name", [
    None, "127.0.0.1", "localhost", "example.net", "www.example.net", "mta-sts",
    "mta-sts.unknown.example", "mta-sts.no-host.example", "mta-sts.mta-sts.example.net",
    "x.mta-sts.example.net", "mta-sts.www.example.net", "mta-sts.many.example",
    "MTA-STS.UNKNOWN.example", "mta-sts.example.net.", "mta-sts.example.net:443",
    "mta-sts.unknown.example/..", "../mta-sts.unknown.example", "*.example.net", "mta-sts.*.net",
    "mta-sts.example.net&domain=mta-sts.example.net", "mta-sts.a?domain=mta-sts.example.net",
    "mta-sts.unknown.example#mta-sts.example.net", "mta-sts%2eexample.net", "mta-sts..example.net",
    "a" * 63 + ".example.net", "_mta-sts.example.net", "mta_sts.example.net",
])
def test_a_name_that_is_not_ours_gets_no_certificate(world, name):
    """Whether it leads here or not, and in whatever form a client sends it."""
    start, stored = world.hosting.pebble.log_size(), world.stored()
    assert not greet(name)
    assert world.hosting.pebble.ordered(start) == 0
    assert world.stored() == stored


def test_a_name_that_leads_out_of_caddys_storage_gets_no_certificate_of_its_own(world):
    """Caddy 2.6 serves the certificate of the name that is left without what is special in a path."""
    world.hosting.policy_of("example.net")
    start, stored = world.hosting.pebble.log_size(), world.stored()
    greet("../mta-sts.example.net")
    assert world.hosting.pebble.ordered(start) == 0
    assert world.stored() == stored


def fetch(name, host, path=PATH):
    """The status and the body that a client gets which asks for one name in TLS and another in HTTP."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", 443), DEADLINE) as connection:
        with context.wrap_socket(connection, server_hostname=name) as session:
            session.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii"))
            reply = b"".join(iter(lambda: session.recv(65536), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("path", ["/", "/ask?domain=mta-sts.example.net", "/ask", PATH + "/x",
                                  "/.well-known/", "//.well-known/mta-sts.txt", "/metrics"])
def test_clients_reach_the_policy_alone(world, path):
    assert fetch("mta-sts.example.net", "mta-sts.example.net", PATH)[0] == 200
    assert fetch("mta-sts.example.net", "mta-sts.example.net", path)[0] == 404


def test_a_name_in_capitals_has_the_same_certificate(world):
    """RFC 6066 3: names in the server name extension compare without case."""
    root = world.hosting.pebble.root
    world.hosting.policy_of("example.net")
    names, serial = peer_certificate("mta-sts.example.net", root)
    assert peer_certificate("MTA-STS.Example.Net", root) == (names, serial)
    assert names == ["mta-sts.example.net"]


def test_a_domain_that_is_gone_gets_no_new_certificate(world):
    world.list(["example.org", "d7.many.example"])
    assert fetch("mta-sts.d7.many.example", "mta-sts.d7.many.example")[0] == 200
    world.list(["example.org"])
    assert fetch("mta-sts.d7.many.example", "mta-sts.d7.many.example")[0] == 404
    assert not greet("mta-sts.never.many.example")


def announced(domain):
    return sender.find_id(domain) is not None


def test_domains_are_announced_once_caddy_has_their_certificates(world):
    """The script asks Caddy for those that are missing, opens the way to them, and has the service look
    again; what cannot get a certificate is named."""
    hosting, waits = world.hosting, ["waits.example", "member.waits.example"]
    assert [announced(name) for name in ["example.net", *waits]] == [True, False, False]
    start = hosting.service.log_size()
    assert run_script(world) == "no certificate: mta-sts.no-host.example\n"
    assert "held back" not in hosting.service.wait_log("reload: ", start)
    assert [hosting.policy_of(name).mode for name in waits] == ["enforce"] * 2
    assert hosting.verify(*waits) == set()
    keys = list(world.store.glob("*/*.key"))
    assert keys and all(key.stat().st_mode & 0o077 == 0 for key in keys)


def test_the_script_does_nothing_where_nothing_is_new(world):
    service, pebble = world.hosting.service, world.hosting.pebble
    run_script(world)
    issued, start = pebble.issued(), service.log_size()
    assert run_script(world) == "no certificate: mta-sts.no-host.example\n"
    assert pebble.issued() == issued
    service.reload()
    assert service.log(start).count("reload: ") == 1


def test_the_script_gets_the_certificates_of_many_domains(world, request):
    """Caddy gets ten in ten seconds and no more, whoever asks."""
    count = request.config.getoption("--certificates")
    names = [f"d{number}.waits.example" for number in range(count)]
    write_list(world.waiting, ["member.waits.example", *names])
    world.hosting.service.reload("held back, having no certificate: ")
    start = world.hosting.service.log_size()
    assert run_script(world, patience=2 * count) == "no certificate: mta-sts.no-host.example\n"
    world.hosting.service.wait_log("no longer waiting for a certificate", start)
    assert {f"mta-sts.{name}" for name in names} <= world.stored()
    assert world.hosting.verify(*names) == set()


def test_hundreds_of_domains_are_served_from_caddys_storage(world, request):
    """As if Caddy had got their certificates before. It reads one when it is asked for."""
    hosting = world.hosting
    names = [f"s{number}.many.example" for number in range(request.config.getoption("--domains"))]
    hosts = [f"mta-sts.{name}" for name in names]
    world.list(["example.org", *names])
    for host, certificate, key in issue_many(hosting.authority, hosts):
        folder = world.store / host
        folder.mkdir()
        (folder / f"{host}.crt").write_bytes(certificate)
        (folder / f"{host}.key").write_bytes(key)
        (folder / f"{host}.json").write_text(json.dumps({"sans": [host], "issuer_data": None}), encoding="ascii")
    start = hosting.pebble.log_size()
    for host in hosts:
        assert peer_certificate(host, hosting.authority.certificate)[0] == [host]
    assert hosting.verify(*names) == set()
    assert hosting.pebble.ordered(start) == 0


def run_script(world, patience=0):
    """Runs the script as root; returns what it prints."""
    service = world.hosting.service
    tools = world.hosting.make_directory()
    (tools / "pdns-mta-sts").symlink_to(program())
    done = run_to_end([SCRIPT], timeout=5 * DEADLINE + patience, env={
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PDNS_MTA_STS_CONFIG": str(service.config),
        "PDNS_MTA_STS_STORE": str(world.store),
        "PDNS_MTA_STS_RELOAD": f"kill -HUP {service.process.pid}",
    })
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_certificate_is_renewed_by_requests_alone(world):
    """One that is valid for some seconds is replaced after two thirds of them. This test comes last: it
    has another authority, and Caddy begins anew."""
    hosting = world.hosting
    hosting.end(world.caddy)
    hosting.restart_authority(4)
    world.start_caddy(hosting.make_directory())
    host, root = "mta-sts.example.net", hosting.pebble.root
    first = wait_until(lambda: peer_certificate(host, root), "a certificate")

    def renewed():
        now = peer_certificate(host, root)
        return now and now != first

    wait_until(renewed, "another certificate")
    assert hosting.verify("example.net") == {("https", "example.net")}  # it ends within 14 days
    assert hosting.query("example.net")[0] == "VALID"
