"""Certificates that are validated over DNS: dehydrated, whose hook writes to a zone of the same PowerDNS by
dynamic updates, and an authority that follows the record of the service to it."""

import os
import shlex
import subprocess
from pathlib import Path

import dns.resolver
import pytest

from documented import documented, filled_in
from hosting import Hosting, greet, peer_certificate
from namespace import Namespace
from nginx import Nginx
from pebble import URL
from processes import DEADLINE, run_to_end
from service import program

HOOK = Path(__file__).resolve().parents[2] / "contrib" / "dehydrated-hook.sh"
CHALLENGES = "acme.example.net"
ZONES = ["example.net", "example.org", "example.com", "other.example", CHALLENGES]
DOMAINS = ZONES[:3]
POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 127.0.0.1
    acme_challenge: "%d.acme.example.net"
    certificates: {certificates}/mta-sts.%d/fullchain.pem
    domains: example.org
  - domain: example.com
    mode: testing
    mx: mail.example.com
    policy_host: 127.0.0.1
    acme_challenge: "one.acme.example.net"
    certificates: {certificates}/mta-sts.%d/fullchain.pem
"""
SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlYw=="


class World:
    """The host of the domains, nginx without port 80, and dehydrated."""

    def __init__(self, make_directory, hosting):
        self.hosting = hosting
        self.directory = make_directory()
        self.tools = make_directory()
        self.certificates = self.directory / "certs"
        self.key = self.tools / "acme.key"
        (self.tools / "pdns-mta-sts").symlink_to(program())
        self.key.write_text(
            f'key "acme" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n', encoding="ascii")
        self.directory.chmod(0o711)

    def start(self):
        zones = self.hosting.zones
        zones.pdnsutil("import-tsig-key", "acme", "hmac-sha256", SECRET)
        zones.pdnsutil("set-meta", CHALLENGES, "TSIG-ALLOW-DNSUPDATE", "acme")
        self.hosting.start(POLICIES.format(certificates=self.certificates))
        self.hosting.run(Nginx(self.hosting.make_directory(), self.hosting.export("nginx")))

    def dehydrated(self, *arguments):
        """Runs the command of the guide, with the configuration of the guide; returns what it says."""
        config = self.tools / "dehydrated.conf"
        config.write_text(filled_in(documented("dns-01.md", "dehydrated"), {
            "/var/lib/dehydrated/mta-sts": self.directory,
            "/usr/local/lib/pdns-mta-sts": HOOK.parent,
            "/etc/pdns-mta-sts/acme.key": self.key,
        }) + f"CA={URL}\nKEY_ALGO=prime256v1\n", encoding="ascii")
        (self.directory / "domains.txt").write_text(
            self.hosting.export("dehydrated"), encoding="ascii")
        return run_to_end(
            ["dehydrated", "--config", config, "--cron", "--keep-going", "--accept-terms",
             *arguments],
            timeout=5 * DEADLINE,
            env={**os.environ,
                 "PATH": f"{self.tools}:{os.environ['PATH']}",
                 "CURL_CA_BUNDLE": str(self.hosting.authority.certificate),
                 "PDNS_MTA_STS_CONFIG": str(self.hosting.service.config),
                 "PDNS_MTA_STS_RELOAD": f"kill -HUP {self.hosting.service.process.pid}"})


@pytest.fixture(scope="module")
def world(make_directory):
    with Namespace() as namespace, Hosting(
            make_directory, namespace, ZONES, more="dnsupdate=yes\n") as hosting:
        world = World(make_directory, hosting)
        world.start()
        yield world


def resolve(name, kind):
    resolver = dns.resolver.Resolver()
    resolver.lifetime = DEADLINE
    try:
        return [row.to_text() for row in resolver.resolve(name, kind, search=False)]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []


def test_an_empty_server_gets_to_policies_that_senders_accept(world):
    hosting = world.hosting
    assert [hosting.query(domain) for domain in DOMAINS] == [("NONE", None)] * 3
    start = hosting.service.log_size()
    done = world.dehydrated()
    assert done.returncode == 0, done.stdout
    assert "held back" not in hosting.service.wait_log("reload: ", start)
    assert [hosting.policy_of(domain).mode for domain in DOMAINS] == ["enforce", "enforce", "testing"]
    assert [hosting.query(domain)[0] for domain in DOMAINS] == ["VALID"] * 3
    assert hosting.verify(*DOMAINS) == set()


def test_a_challenge_leaves_the_policy_host_its_address(world):
    """It is written where the record leads, and is gone afterwards."""
    hook = [HOOK, "deploy_challenge", "mta-sts.example.org", "token", "value-1"]
    environment = {**os.environ, "PATH": f"{world.tools}:{os.environ['PATH']}",
                   "PDNS_MTA_STS_UPDATE_KEY": str(world.key),
                   "PDNS_MTA_STS_CONFIG": str(world.hosting.service.config)}
    name = "_acme-challenge.mta-sts.example.org"
    assert resolve(name, "TXT") == []
    for command, found in (("deploy_challenge", ['"value-1"']), ("clean_challenge", [])):
        done = run_to_end([HOOK, command, *hook[2:]], env=environment)
        assert done.returncode == 0, done.stdout
        assert resolve(name, "TXT") == found
        assert resolve("mta-sts.example.org", "A") == ["127.0.0.1"]
    assert resolve(name, "CNAME") == ["example.org.acme.example.net."]


def test_a_certificate_is_renewed(world):
    """nginx serves it without a reload."""
    host, root = "mta-sts.example.org", world.hosting.pebble.root
    names, serial = peer_certificate(host, root)
    done = world.dehydrated("--force", "--domain", host)
    assert done.returncode == 0, done.stdout
    now = peer_certificate(host, root)
    assert now[0] == names == [host] and now[1] != serial
    assert world.hosting.query("example.org")[0] == "VALID"


def test_a_name_that_is_not_ours_gets_no_certificate(world):
    """Even if somebody wants it from dehydrated, and its zone is here."""
    issued = world.hosting.pebble.issued()
    for name in ("mta-sts.other.example", "www.example.net"):
        assert world.dehydrated("--domain", name).returncode != 0
        assert not greet(name)
    assert world.hosting.pebble.issued() == issued


def test_only_who_has_the_key_writes_challenges(world):
    other = world.tools / "other.key"
    other.write_text(world.key.read_text(encoding="ascii").replace(SECRET[:4], "AAAA"),
                     encoding="ascii")
    update = f"server 127.0.0.1\nupdate add x.{CHALLENGES}. 60 TXT x\nsend\n"
    for arguments in (["-k", str(other)], []):
        done = subprocess.run(["nsupdate", *arguments], input=update, capture_output=True, text=True,
                              timeout=DEADLINE, check=False)
        assert done.returncode != 0, shlex.join(arguments)
    assert resolve(f"x.{CHALLENGES}", "TXT") == []
