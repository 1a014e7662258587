"""Certificates that are validated over DNS: dehydrated, whose hook writes to a zone of the same PowerDNS by
dynamic updates, and an authority that follows the record of the service to it."""

import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.resolver
import pytest

from documented import documented, filled_in
from hosting import Hosting, greet, issue_many, peer_certificate
from namespace import Namespace
from nginx import Nginx
from pebble import URL
from processes import DEADLINE, run_to_end
from service import program

HOOK = Path(__file__).resolve().parents[2] / "contrib" / "dehydrated-hook.sh"
DEHYDRATED = Path("/var/lib/dehydrated")
CHALLENGES = "acme.example.net"
ZONES = ["example.net", "example.org", "example.com", "other.example", "many.example"]
DOMAINS = ZONES[:3]
POLICIES = """\
defaults: {rua: "mailto:tlsrpt@example.net"}
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 127.0.0.1
    acme_challenge: "%d.acme.example.net"
    certificates: /var/lib/dehydrated/mta-sts/certs/mta-sts.%d/fullchain.pem
    domains: example.org
  - domain: example.com
    mode: testing
    mx: mail.example.net
    policy_host: 127.0.0.1
    acme_challenge: "one.acme.example.net"
    certificates: /var/lib/dehydrated/mta-sts/certs/mta-sts.%d/fullchain.pem
"""
OF_MANY = """\
removal_limit: 100%
defaults: {{rua: "mailto:tlsrpt@example.net"}}
policies:
  - domain: many.example
    mode: enforce
    mx: mail.example.net
    policy_host: 127.0.0.1
    acme_challenge: "%d.acme.example.net"
    domains: [{domains}]
"""
CERTIFICATES = "    certificates: /var/lib/dehydrated/mta-sts/certs/mta-sts.%d/fullchain.pem\n"
PARALLEL = 10  # clients at the same time: each waits a second for the authority at each name
RUN = {"lego": 2, "certbot": 1}  # how many blocks of the guide are for a shell


class World:
    """The host of the domains, nginx without port 80, and dehydrated."""

    def __init__(self, make_directory, namespace, hosting):
        self.hosting = hosting
        self.directory = DEHYDRATED / "mta-sts"
        self.tools = make_directory()
        self.key = self.tools / "acme.key"
        (self.tools / "pdns-mta-sts").symlink_to(program())
        namespace.put(make_directory(), DEHYDRATED)
        DEHYDRATED.chmod(0o755)
        self.directory.mkdir(0o711)
        self.nginx = None

    def start(self):
        self.make_challenge_zone()
        self.hosting.start(POLICIES)
        self.start_nginx()
        self.write_config()
        done = self.run_dehydrated("--register")
        assert done.returncode == 0, done.stdout

    def make_challenge_zone(self):
        """With the commands of the guide."""
        script = filled_in(documented("dns-01.md", "The challenge zone"), {
            "/etc/pdns-mta-sts/acme.key": self.key,
            "pdnsutil": f"pdnsutil --config-dir={self.hosting.zones.directory}"})
        done = run_to_end(["bash", "-ec", "set -o pipefail\n" + re.sub("(?m)^# ", "", script)])
        assert done.returncode == 0, done.stdout
        assert self.key.stat().st_mode & 0o077 == 0

    @property
    def secret(self):
        return re.search('secret "(.+)"', self.key.read_text(encoding="ascii"))[1]

    def start_nginx(self, *arguments):
        self.nginx = self.hosting.run(
            Nginx(self.hosting.make_directory(), self.hosting.export("nginx", *arguments)))

    def write_config(self):
        """The configuration of the guide, with the authority of the test."""
        (self.tools / "dehydrated.conf").write_text(
            filled_in(documented("dns-01.md", "dehydrated"), {
                "/usr/local/lib/pdns-mta-sts": HOOK.parent,
                "/etc/pdns-mta-sts/acme.key": self.key,
            }) + f"CA={URL}\nKEY_ALGO=prime256v1\n", encoding="ascii")

    def run_dehydrated(self, *arguments, patience=0):
        return run_to_end(
            ["dehydrated", "--config", self.tools / "dehydrated.conf", "--accept-terms", *arguments],
            timeout=5 * DEADLINE + patience,
            env={**os.environ,
                 "PATH": f"{self.tools}:{os.environ['PATH']}",
                 "CURL_CA_BUNDLE": str(self.hosting.authority.certificate),
                 "PDNS_MTA_STS_CONFIG": str(self.hosting.service.config),
                 "PDNS_MTA_STS_RELOAD": f"kill -HUP {self.hosting.service.process.pid}"})

    def dehydrated(self, *arguments):
        """Gets and renews certificates, with the commands of the guide; returns what it says."""
        (self.directory / "domains.txt").write_text(
            self.hosting.export("dehydrated"), encoding="ascii")
        return self.run_dehydrated("--cron", "--keep-going", *arguments)


@pytest.fixture(scope="module")
def world(make_directory):
    with Namespace() as namespace, Hosting(
            make_directory, namespace, ZONES, more="dnsupdate=yes\n") as hosting:
        world = World(make_directory, namespace, hosting)
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
    secret = "".join("A" if letter != "A" else "B" for letter in world.secret[:4]) + world.secret[4:]
    other.write_text(world.key.read_text(encoding="ascii").replace(world.secret, secret), encoding="ascii")
    update = f"server 127.0.0.1\nupdate add x.{CHALLENGES}. 60 TXT x\nsend\n"
    for arguments in (["-k", str(other)], []):
        done = subprocess.run(["nsupdate", *arguments], input=update, capture_output=True, text=True,
                              timeout=DEADLINE, check=False)
        assert done.returncode != 0, shlex.join(arguments)
    assert resolve(f"x.{CHALLENGES}", "TXT") == []


def run_documented(world, client, values, **environment):
    """Runs what the guide prints for a client, with the authority of the test. The service and nginx then have what
    they need of the files."""
    reloaded = world.hosting.make_directory() / "reloaded"
    script = "".join(documented("dns-01.md", client, number) for number in range(RUN[client]))
    script = filled_in(re.sub("(?m)^# ", "", script), {
        **values, "systemctl reload pdns-mta-sts": f"touch {reloaded}"})
    done = run_to_end(
        ["sh", "-ec", script], timeout=5 * DEADLINE,
        env={**os.environ, **environment, "PATH": f"{world.tools}:{os.environ['PATH']}",
             "PDNS_MTA_STS_CONFIG": str(world.hosting.service.config)})
    assert done.returncode == 0, done.stdout
    assert reloaded.exists()
    assert resolve("_acme-challenge.mta-sts.example.org", "TXT") == []


def may(user, group, *command):
    """Whether a command succeeds as another user."""
    return subprocess.run(command, user=user, group=group, extra_groups=[], capture_output=True,
                          timeout=DEADLINE, check=False).returncode == 0


def check_access(certificate, key):
    assert may("nobody", "nogroup", "test", "-e", certificate)
    assert not may("nobody", "nogroup", "cat", key)
    assert may("www-data", "www-data", "cat", certificate, key)


def test_lego_gets_a_certificate_and_renews_it(world):
    """It follows the CNAME record, and asks the name server of the challenge zone before the authority does."""
    directory, issued = world.hosting.make_directory(), world.hosting.pebble.issued()
    run_documented(world, "lego", {
        "/var/lib/lego": directory,
        "gXvCz…=": world.secret,
        "lego --path": f"lego --server {URL} --path",
        " renew\n": " renew --days 1000 --no-random-sleep\n",  # it is due, and at once
    }, LEGO_CA_CERTIFICATES=str(world.hosting.authority.certificate))
    assert world.hosting.pebble.issued() == issued + 2
    path = directory / "certificates" / "mta-sts.example.org.crt"
    check_access(path, path.with_suffix(".key"))


def test_certbot_gets_a_certificate_and_renews_it(world):
    directory, issued = world.hosting.make_directory(), world.hosting.pebble.issued()
    options = f"--config-dir {directory} --work-dir {directory} --logs-dir {directory}"
    environment = {"REQUESTS_CA_BUNDLE": str(world.hosting.authority.certificate)}
    run_documented(world, "certbot", {
        "/etc/pdns-mta-sts/acme.key": world.key,
        "/usr/local/lib/pdns-mta-sts": HOOK.parent,
        "/etc/letsencrypt": directory,
        "certbot certonly": f"certbot certonly --server {URL} --agree-tos -n -m hostmaster@example.net {options}",
    }, **environment)
    path = directory / "live" / "mta-sts.example.org"
    check_access(path / "fullchain.pem", path / "privkey.pem")
    done = run_to_end(
        ["certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew", *options.split()],
        timeout=5 * DEADLINE,
        env={**os.environ, **environment, "PATH": f"{world.tools}:{os.environ['PATH']}",
             "PDNS_MTA_STS_CONFIG": str(world.hosting.service.config),
             "PDNS_MTA_STS_UPDATE_KEY": str(world.key)})
    assert done.returncode == 0, done.stdout
    assert world.hosting.pebble.issued() == issued + 2
    check_access(path / "fullchain.pem", path / "privkey.pem")


def update(world, lines):
    """Changes the challenge zone, in updates of a hundred records."""
    for start in range(0, len(lines), 100):
        done = subprocess.run(
            ["nsupdate", "-k", world.key], text=True, capture_output=True, timeout=DEADLINE, check=False,
            input="\n".join(["server 127.0.0.1", *lines[start:start + 100], "send\n"]))
        assert done.returncode == 0, done.stderr


def test_hundreds_of_domains_have_challenges_and_policies(world, request):
    """All challenges at the same time; the certificates are where dehydrated puts them. The configuration is
    another one from here on."""
    hosting, count = world.hosting, request.config.getoption("--domains")
    names = ["many.example", *(f"d{number}.many.example" for number in range(1, count))]
    for host, certificate, key in issue_many(hosting.authority, [f"mta-sts.{name}" for name in names]):
        folder = world.directory / "certs" / host
        folder.mkdir(parents=True)
        (folder / "fullchain.pem").write_bytes(certificate)
        (folder / "privkey.pem").write_bytes(key)
        shutil.chown(folder / "privkey.pem", group="www-data")
        (folder / "privkey.pem").chmod(0o640)
    hosting.service.configure(OF_MANY.format(domains=", ".join(names[1:])) + CERTIFICATES)
    assert "held back" not in hosting.service.reload()
    records = [f"{name}.{CHALLENGES}. 60 TXT of-{name}" for name in names]
    update(world, [f"update add {record}" for record in records])
    for name in names:
        assert resolve(f"_acme-challenge.mta-sts.{name}", "TXT") == [f'"of-{name}"']
    assert hosting.verify(*names) == set()
    update(world, [f"update delete {record}" for record in records])
    assert resolve(f"_acme-challenge.mta-sts.{names[-1]}", "TXT") == []
    for name in names:
        shutil.rmtree(world.directory / "certs" / f"mta-sts.{name}")


def test_many_domains_share_certificates(world, request):
    """Up to a hundred names in one. This test comes last: its nginx has no other certificates."""
    hosting, count = world.hosting, request.config.getoption("--certificates")
    each = str(max(3, count // PARALLEL))
    names = ["many.example", *(f"d{number}.many.example" for number in range(1, count))]
    hosting.service.configure(OF_MANY.format(domains=", ".join(names[1:])))
    hosting.service.reload()
    hosting.end(world.nginx)
    world.start_nginx("--per-certificate", each)
    lines = hosting.export("dehydrated", "--per-certificate", each).splitlines()
    assert len(lines) == -(-count // int(each))

    def get_certificate(line):
        path = world.tools / f"{line.split()[0]}.txt"
        path.write_text(line + "\n", encoding="ascii")
        for _ in range(3):  # as on other days: the authority waits two seconds for the resolver, and no longer
            done = world.run_dehydrated("--cron", "--domains-txt", path, "--lock-suffix", path.stem,
                                        patience=3 * count)
            if done.returncode == 0:
                break
        return done

    with ThreadPoolExecutor(PARALLEL) as pool:
        for done in pool.map(get_certificate, lines):
            assert done.returncode == 0, done.stdout
    assert hosting.verify(*names) == set()
    assert {hosting.query(name)[0] for name in (names[0], names[-1])} == {"VALID"}
    assert resolve(f"_acme-challenge.mta-sts.{names[-1]}", "TXT") == []
