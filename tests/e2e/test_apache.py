"""Policies behind Apache: Debian's Apache with the file that is exported; mod_md gets certificates of an
authority that looks at DNS and at Apache, or they are files that another program made."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import sender
from apache import Apache
from hosting import PATH, Hosting, greet, peer_certificate
from namespace import Namespace
from pebble import URL
from processes import wait_until

HOOK = Path(__file__).resolve().parents[2] / "contrib" / "apache-hook.sh"
ZONES = ["example.net", "example.org", "example.com", "many.example"]
DOMAINS = ZONES[:3]
POLICIES = """\
defaults: {{policy_host: 127.0.0.1}}
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    certificates: {public}/mta-sts.%d/pubcert.pem
    domains: [example.org, example.com]
"""
MANY = [f"d{number}.many.example" for number in range(1000)]
OF_FILES = """\
  - domain: many.example
    mode: testing
    mx: mail.example.net
    certificates: {files}/%d.crt
    domain_files: many.list
"""


class World:
    """The host of the domains, and Apache."""

    def __init__(self, make_directory, hosting):
        self.hosting = hosting
        self.directory = make_directory()
        self.store = self.directory / "md" / "domains"
        self.files, self.public = make_directory(), make_directory()
        for path in (self.files, self.public):
            path.chmod(0o755)
        self.apache = None

    def start(self):
        hosting = self.hosting
        hosting.start(POLICIES.format(public=self.public))
        self.apache = Apache(self.directory, hosting.export("apache"), self.settings())
        self.apache.start(
            PDNS_MTA_STS_STORE=str(self.store),
            PDNS_MTA_STS_PUBLIC=str(self.public),
            PDNS_MTA_STS_RELOAD=f"kill -HUP {hosting.service.process.pid}")
        hosting.programs.append(self.apache)

    def settings(self, more=""):
        return (f"MDCertificateAuthority {URL}\n"
                f"MDCACertificateFile {self.hosting.authority.certificate}\n"
                "MDContactEmail hostmaster@example.net\nMDCertificateAgreement accepted\n"
                f"MDMessageCmd {HOOK}\n" + more)

    def wait_staged(self, start, domains):
        """Until mod_md has got certificates, which it uses from the next reload on."""
        for domain in domains:
            self.apache.wait_log(rf"The Managed Domain mta-sts\.{re.escape(domain)} has been setup",
                                 start)


@pytest.fixture(scope="module")
def world(make_directory):
    with Namespace() as namespace, Hosting(make_directory, namespace, ZONES) as hosting:
        world = World(make_directory, hosting)
        world.start()
        yield world


def test_an_empty_server_gets_to_policies_that_senders_accept(world):
    """Domains wait for mod_md's certificates, which the hook copies to where the service may look."""
    hosting = world.hosting
    world.wait_staged(0, DOMAINS)
    assert [sender.find_id(domain) for domain in DOMAINS] == [None] * 3
    start = hosting.service.log_size()
    world.apache.reload()
    hosting.service.wait_log("no longer waiting for a certificate", start)
    wait_until(lambda: all(sender.find_id(domain) for domain in DOMAINS), "all to be announced")
    for domain in DOMAINS:
        mine = hosting.policy_of(domain)
        assert (mine.mode, mine.mx) == ("enforce", ["mail.example.net"])
        assert hosting.query(domain)[0] == "VALID"
    assert hosting.verify(*DOMAINS) == set()
    for key in world.store.glob("*/privkey.pem"):
        assert key.stat().st_mode & 0o077 == 0


def test_a_certificate_is_renewed(world):
    """As long before its end as mod_md is told; the next reload has it."""
    root = world.hosting.pebble.root
    before = [peer_certificate(f"mta-sts.{domain}", root) for domain in DOMAINS]
    assert all(before)
    start = world.apache.log_size()
    world.apache.configure(world.hosting.export("apache"), world.settings("MDRenewWindow 1000d\n"))
    world.apache.reload()
    world.wait_staged(start, DOMAINS)
    world.apache.configure(world.hosting.export("apache"), world.settings())
    world.apache.reload()
    after = [peer_certificate(f"mta-sts.{domain}", root) for domain in DOMAINS]
    assert [names for names, _ in after] == [names for names, _ in before]
    assert all(new != old for new, old in zip(after, before))
    assert {world.hosting.policy_of(domain).mode for domain in DOMAINS} == {"enforce"}


@pytest.mark.parametrize("name", [
    None, "www.example.net", "mta-sts.unknown.example", "x.mta-sts.example.net",
    "MTA-STS.unknown.example", "mta-sts.example.net.", "../mta-sts.example.net", "*.example.net",
])
def test_a_name_that_is_not_ours_gets_no_certificate(world, name):
    """Apache answers such a client with a certificate that is there."""
    start = world.hosting.pebble.log_size()
    greet(name)
    assert world.hosting.pebble.ordered(start) == 0
    assert {path.name for path in world.store.iterdir()} == {f"mta-sts.{name}" for name in DOMAINS}


def test_the_policy_is_served_and_nothing_else(world):
    root = world.hosting.pebble.root
    for path in ("/", PATH + "/x", "/ask?domain=mta-sts.example.net", "/.well-known/"):
        assert sender.fetch("mta-sts.example.net", path, root)[0].status == 404
    reply, _ = sender.fetch("mta-sts.example.net", PATH, root)
    assert (reply.status, reply.headers["Location"]) == (200, None)
    assert reply.headers["Content-Type"] == "text/plain; charset=us-ascii"


def test_a_thousand_domains_have_certificates_from_files(world):
    """Those whose file is missing keep nobody from being served."""
    hosting = world.hosting
    (hosting.service_directory / "many.list").write_text(
        "".join(f"{name}\n" for name in MANY), encoding="ascii")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    there = ["many.example", *MANY[:-1]]
    hosts = [f"mta-sts.{name}" for name in there]
    for name, certificate in zip(there, hosting.authority.issue(key, hosts)):
        (world.files / f"{name}.crt").write_bytes(certificate)
        (world.files / f"{name}.key").write_bytes(pem)
    hosting.service.configure(POLICIES.format(public=world.public) + OF_FILES.format(files=world.files))
    hosting.service.reload(f"held back, having no certificate: 1: {MANY[-1]}$")
    world.apache.configure(hosting.export("apache"), world.settings())
    world.apache.reload()
    own = hosting.authority.certificate
    for name in there[::50]:
        assert sender.policy_of(name, own).mode == "testing"
        assert peer_certificate(f"mta-sts.{name}", own)[0] == [f"mta-sts.{name}"]
    assert hosting.policy_of("example.org").mode == "enforce"
