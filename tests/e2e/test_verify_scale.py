"""verify over ten thousand domains: three faults among them are three lines, and a slow mail server
that all share is one more."""

import json
import time

import pytest

from hostile_server import HostileServers, stall
from internet import (
    APEX, NS1, ROOT, ROOT_HINTS, WEB, Certificates, NameServer, mail, zone_text,
)
from namespace import Namespace
from nginx import Nginx
from postfix import Postfix
from powerdns import Zones
from service import Service, run

COUNT = 10_000
NAMES_EACH = 100  # names of one certificate
OTHER_MX, NO_POLICY, NO_MX = "d100", "d200", "d300"

ZONE = [
    "* 60 MX 10 mail.example.net.", "* 60 MX 20 slow.example.net.",
    f"{OTHER_MX} 60 MX 10 other.example.net.", f'{NO_MX} 60 TXT "no mail"',
]

SITE = """\
map_hash_bucket_size 128;
map_hash_max_size 65536;
limit_conn_zone $server_addr zone=address:1m;
limit_conn address 8;  # more at a time than verify may have get a 503
map $ssl_server_name $certificate {{ {certificates} }}
map $host $refused {{ default 0; mta-sts.{refused}.many.example 1; }}
server {{ listen 127.0.0.1:80; return 404; }}
server {{
    listen {address}:443 ssl;
    ssl_certificate $certificate;
    ssl_certificate_key {key};
    location = /.well-known/mta-sts.txt {{
        if ($refused) {{ return 404; }}
        proxy_pass http://127.0.0.1:8080;
        proxy_set_header Host $host;
    }}
}}
"""


def names(count=COUNT):
    return ["example.net", *(f"d{number}.many.example" for number in range(count))]


class World:
    def __init__(self, make_directory, namespace, slow=True, count=COUNT):
        self.make_directory = make_directory
        self.namespace = namespace
        self.directory = make_directory()
        for path in (self.directory, self.directory.parent):
            path.chmod(0o755)
        self.certificates = Certificates(self.directory)
        self.service = Service(make_directory(), 8053)
        self.service.policy_port = 8080
        self.programs = []
        self.slow = slow
        self.names = names(count)
        self.hostile = HostileServers({(mail(2), 25): (None, stall)} if slow else {})

    def run(self, program):
        program.start()
        self.programs.append(program)

    def load(self, zones, name, text):
        path = self.directory / "zone"
        path.write_text(text, encoding="ascii")
        zones.load(name, path)

    def start(self):
        members = self.service.directory / "members.list"
        members.write_text("".join(f"{name}\n" for name in self.names[1:]), encoding="ascii")
        self.service.configure(f"""\
policies:
  - domain: example.net
    mode: enforce
    mx: [mail.example.net, slow.example.net]
    rua: "mailto:tlsrpt@example.net"
    policy_host: {WEB}
    domain_files: members.list
""")
        self.run(self.service)
        root, zones = Zones(self.make_directory()), Zones(self.make_directory())
        self.load(root, ".", APEX + f"@ 60 NS a.root.\na.root. 60 A {ROOT}\n" + "".join(
            f"{name}. 60 NS ns1.dns.example.\n" for name in (
                "dns.example", "example.net", "many.example")) + f"ns1.dns.example. 60 A {NS1}\n")
        hints = self.directory / "hints"
        hints.write_text(f". 3600000 NS a.root.\na.root. 3600000 A {ROOT}\n", encoding="ascii")
        self.namespace.put(hints, ROOT_HINTS)
        self.load(zones, "dns.example", zone_text(["ns1"], f"ns1 60 A {NS1}"))
        self.load(zones, "example.net", zone_text(
            ["ns1"], "@ 60 MX 10 mail", f"mail 60 A {mail(1)}", f"slow 60 A {mail(2)}",
            f"other 60 A {mail(1)}"))
        self.load(zones, "many.example", zone_text(
            ["ns1"], *(line for line in ZONE if self.slow or "slow" not in line)))
        self.run(NameServer(self.make_directory(), ROOT, root))
        self.run(NameServer(self.make_directory(), NS1, zones, self.service))
        self.run(Nginx(self.make_directory(), self.site()))
        hosts = [f"{host}.example.net" for host in ("mail", "other")]
        certificate = self.certificates.issue("mail.pem", hosts)
        self.run(Postfix(self.make_directory(), self.certificates.key_file, {
            mail(1): [f"smtpd_tls_cert_file={certificate}"]}))

    def site(self):
        hosts = [f"mta-sts.{name}" for name in self.names]
        lines = []
        for first in range(0, len(hosts), NAMES_EACH):
            some = hosts[first:first + NAMES_EACH]
            path = self.certificates.issue(f"web{first}.pem", some)
            lines += [f"{host} {path};" for host in some]
        return SITE.format(certificates=" ".join(lines), refused=NO_POLICY, address=WEB,
                           key=self.certificates.key_file)

    def stop(self):
        self.hostile.close()
        for program in reversed(self.programs):
            program.stop()


@pytest.fixture
def world(make_directory):
    with Namespace() as namespace:
        world = World(make_directory, namespace)
        try:
            world.start()
            yield world
        finally:
            world.stop()


def test_three_faults_among_ten_thousand_domains_are_three_lines(world):
    begin = time.monotonic()
    done = run("verify", "-c", world.service.config, "--ca-file",
               world.certificates.authority.certificate, "--trust-anchor", "none", "--format",
               "json", timeout=900)
    print(f"{COUNT / (time.monotonic() - begin):.0f} domains a second")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    found = sorted((finding["check"], finding["severity"], len(finding["domains"]),
                    finding["domains"][0]) for finding in report["findings"])
    assert found == [
        ("https", "error", 1, f"{NO_POLICY}.many.example"),
        ("mx", "error", 1, f"{OTHER_MX}.many.example"),
        ("mx", "error", 1, f"{NO_MX}.many.example"),
        ("starttls", "error", COUNT - 2, "d0.many.example"),
    ], report["findings"][:8]
    assert report["domains"] == COUNT + 1
