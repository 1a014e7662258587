"""Policies behind Apache: Debian's Apache with the file that is exported; mod_md gets certificates of an
authority that looks at DNS and at Apache, or they are files that another program made."""

import re
import shutil
from pathlib import Path

import pytest
import sender
from apache import Apache
from dehydrated import make_state, run_dehydrated
from documented import documented, filled_in
from hosting import PATH, Hosting, greet, issue_many, peer_certificate
from namespace import Namespace
from pebble import URL
from processes import DEADLINE, wait_until

HOOK = Path(__file__).resolve().parents[2] / "contrib" / "apache-hook.sh"
ZONES = ["example.net", "example.org", "example.com", "many.example", "other.example"]
DOMAINS = ZONES[:3]
POLICIES = """\
defaults: {{policy_host: 127.0.0.1, rua: "mailto:tlsrpt@example.net"}}
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    certificates: {public}/mta-sts.%d/pubcert.pem
    domains: [example.org, example.com]
"""
OF_MD = """\
  - domain: many.example
    mode: enforce
    mx: mail.example.net
    certificates: {public}/mta-sts.%d/pubcert.pem
    domain_files: many.list
"""
OF_DEHYDRATED = """\
defaults: {policy_host: 127.0.0.1, rua: "mailto:tlsrpt@example.net"}
policies:
  - domain: other.example
    mode: testing
    mx: mail.example.net
    certificates: /var/lib/dehydrated/mta-sts/certs/mta-sts.%d/fullchain.pem
    domains: member.other.example
"""
OF_FILES = """\
  - domain: many.example
    mode: testing
    mx: mail.example.net
    certificates: {files}/mta-sts.%d.crt
    domain_files: many.list
"""
STAGED = re.compile(r"The Managed Domain (\S+) has been setup")


class World:
    """The host of the domains, and Apache."""

    def __init__(self, make_directory, hosting):
        self.hosting = hosting
        self.directory = make_directory()
        self.store = self.directory / "md" / "domains"
        self.files, self.public = make_directory(), make_directory()
        self.hook = make_directory() / HOOK.name  # which www-data runs, who may not see the sources
        shutil.copy(HOOK, self.hook)
        for path in (self.files, self.public, self.hook.parent):
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
                + filled_in(documented("apache.md", "Set it up"), {
                    "/usr/local/lib/pdns-mta-sts/apache-hook.sh": self.hook}) + more)

    def wait_staged(self, start, domains):
        """Until mod_md has got certificates, which it uses from the next reload on."""
        staged = {f"mta-sts.{domain}" for domain in domains}
        wait_until(lambda: staged <= set(STAGED.findall(self.apache.log(start))),
                   "mod_md to get certificates", deadline=DEADLINE + 2 * len(staged))

    def certificates(self, domains):
        return [peer_certificate(f"mta-sts.{domain}", self.hosting.pebble.root) for domain in domains]

    def wait_renewed(self, domains, before):
        """Until clients get other certificates than before. A process of before the reload may still answer one."""
        def renewed():
            return all(new and new != old and new[0] == [f"mta-sts.{domain}"]
                       for domain, old, new in zip(domains, before, self.certificates(domains)))

        wait_until(renewed, "other certificates")


@pytest.fixture(scope="module")
def world(make_directory):
    with Namespace() as namespace, Hosting(make_directory, namespace, ZONES) as hosting:
        make_state(make_directory, namespace)
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
    keys = list(world.store.glob("*/privkey*.pem"))
    assert len(keys) == len(DOMAINS)
    for key in keys:
        assert key.stat().st_mode & 0o077 == 0


def test_a_certificate_is_renewed(world):
    """As long before its end as mod_md is told; the next reload has it."""
    before = world.certificates(DOMAINS)
    assert all(before)
    start = world.apache.log_size()
    world.apache.configure(world.hosting.export("apache"), world.settings("MDRenewWindow 1000d\n"))
    world.apache.reload()
    world.wait_staged(start, DOMAINS)
    world.apache.configure(world.hosting.export("apache"), world.settings())
    world.apache.reload()
    world.wait_renewed(DOMAINS, before)
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


def test_dehydrated_gets_and_renews_certificates_by_way_of_apache(world):
    """Its hook reloads both: a virtual host is there once its certificate is. mod_md has nothing to do here."""
    hosting, names = world.hosting, ["other.example", "member.other.example"]
    reload = hosting.make_directory() / "reload"
    reload.write_text(f"#!/bin/sh\nkill -USR1 {world.apache.process.pid}\nkill -HUP {hosting.service.process.pid}\n",
                      encoding="ascii")
    reload.chmod(0o755)
    hosting.service.configure(OF_DEHYDRATED)
    hosting.service.reload("held back, having no certificate: 2: ")
    world.apache.configure(hosting.export("apache"), world.settings())
    world.apache.reload()
    for options in "", "--force":
        before = world.certificates(names)
        run_dehydrated(hosting, reload=str(reload), options=options)
        world.wait_renewed(names, before)
    assert hosting.verify(*names) == set()


def test_hundreds_of_domains_have_certificates_from_files(world, request):
    """One whose file is missing keeps nobody from being served."""
    hosting, count = world.hosting, request.config.getoption("--domains")
    there = ["many.example", *(f"d{number}.many.example" for number in range(1, count))]
    missing = "missing.many.example"
    (hosting.service_directory / "many.list").write_text(
        "".join(f"{name}\n" for name in [*there[1:], missing]), encoding="ascii")
    hosts = [f"mta-sts.{name}" for name in there]
    for host, certificate, key in issue_many(hosting.authority, hosts):
        (world.files / f"{host}.crt").write_bytes(certificate)
        (world.files / f"{host}.key").write_bytes(key)
    hosting.service.configure(POLICIES.format(public=world.public) + OF_FILES.format(files=world.files))
    hosting.service.reload(f"held back, having no certificate: 1: {missing}$")
    world.apache.configure(hosting.export("apache"), world.settings())
    world.apache.reload()
    own = hosting.authority.certificate
    for host in hosts:
        assert peer_certificate(host, own)[0] == [host]
    assert hosting.verify(*there) == set()
    assert {sender.policy_of(name, own).mode for name in there[::50]} == {"testing"}
    assert hosting.policy_of("example.org").mode == "enforce"


def test_mod_md_gets_the_certificates_of_many_domains(world, request):
    """This test comes last: its domains take the place of others."""
    hosting, count = world.hosting, request.config.getoption("--certificates")
    names = ["many.example", *(f"n{number}.many.example" for number in range(1, count))]
    (hosting.service_directory / "many.list").write_text(
        "".join(f"{name}\n" for name in names[1:]), encoding="ascii")
    hosting.service.configure("removal_limit: 100%\n" + POLICIES.format(public=world.public) +
                              OF_MD.format(public=world.public))
    hosting.service.reload("held back, having no certificate: ")
    start = world.apache.log_size()
    world.apache.configure(hosting.export("apache"), world.settings())
    world.apache.reload(DEADLINE + count)  # it makes a directory for each
    world.wait_staged(start, names)
    world.apache.reload(DEADLINE + count)  # it runs the hook for each
    wait_until(lambda: all(sender.find_id(name) for name in names), "all to be announced",
               deadline=DEADLINE + count)
    assert hosting.verify(*names) == set()
