"""An Internet of the test's own: a root, name servers with and without the overlay, a resolver, web
servers and mail servers, each at an address of its own in a network namespace.

Every domain has one thing that is wrong with it, or nothing, and its name says which: what a look
from outside must find follows from the names.
"""

import sqlite3
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from authority import SHA256, Authority
from hostile_server import (
    HostileServers, Once, busy, control_characters, edns_unknown, edns_unreadable, endless_banner,
    endless_body, endless_header, fails_with, gzip_bomb, refuses, slow, stall,
)
from nginx import Nginx
from postfix import Postfix
from powerdns import COMMON, Zones, answers_at
from processes import Program
from service import Service, run

ROOT = "127.0.53.1"
NS1, NS2 = "127.0.53.11", "127.0.53.12"  # with the overlay
NS3 = "127.0.53.13"  # without it
NS4 = "127.0.53.14"  # nobody is there
NS7, NS8 = "127.0.53.17", "127.0.53.18"  # NS1 behind what knows no EDNS
NS10 = "127.0.53.20"  # NS1, but it fails where it is told to
NAME_SERVERS = {"ns1": [NS1], "ns2": [NS2], "ns3": [NS3], "ns4": [NS4], "ns5": [NS1, NS3],
                "ns7": [NS7], "ns8": [NS8], "ns10": [NS10]}
RESOLVER = "127.0.53.53"
WEB = "127.0.80.1"
MAIL = "127.0.25.1"
NOBODY = "127.0.99.99"
NS6, WEB6, MAIL6 = "fd00::53", "fd00::80", "fd00::25"

ROOT_HINTS = "/usr/share/dns/root.hints"

APEX = """\
@ 60 SOA ns1.dns.example. hostmaster.dns.example. 1 10800 3600 604800 5
"""


def zone_text(name_servers, *records):
    lines = [APEX] + [f"@ 60 NS {server}.dns.example.\n" for server in name_servers]
    return "".join(lines + [f"{record}\n" for record in records])


class NameServer(Program):
    """pdns_server at port 53 of an address, over zones, with the overlay if a service is given."""

    def __init__(self, directory, address, zones, service=None):
        super().__init__("pdns_server", directory / "pdns.log")
        self.directory = directory
        self.address = address
        lines = COMMON + f"local-address={address}\nlocal-port=53\nsocket-dir={directory}\n"
        lines += zones.launch_lines(",remote" if service else "")
        if service:
            lines += (f"remote-connection-string=unix:path={service.socket},timeout=20000\n"
                      "remote-dnssec=no\n")
        (directory / "pdns.conf").write_text(lines, encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/pdns_server", f"--config-dir={self.directory}"])
        self.wait_ready(lambda: answers_at(self.address, 53))
        return self


class Unbound(Program):
    """Debian's unbound, which asks the root of this Internet."""

    def __init__(self, directory, address, anchor):
        super().__init__("unbound", directory / "unbound.log")
        self.address = address
        self.config = directory / "unbound.conf"
        self.config.write_text(f"""\
server:
    interface: {address}
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    use-syslog: no
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{directory}"
    root-hints: "{ROOT_HINTS}"
    trust-anchor-file: "{anchor}"
    do-not-query-localhost: no
    do-ip6: no
    qname-minimisation: yes
    harden-below-nxdomain: yes
remote-control:
    control-enable: no
""", encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/unbound", "-d", "-c", self.config])
        self.wait_ready(lambda: answers_at(self.address, 53))
        return self


class Certificates:
    """Keys and certificates, as files that servers read."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = Authority(directory)
        self.authority_key = serialization.load_pem_private_key(
            self.authority.key.read_bytes(), None)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.key_file = directory / "server.key"
        self.key_file.write_bytes(self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))

    def issue(self, file_name, names, days=90, trusted=True, common_name=None):
        """Writes a certificate that ends in some days; returns its path."""
        now = datetime.now(timezone.utc)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]
                            if common_name else [])
        issuer = x509.load_pem_x509_certificate(
            self.authority.certificate.read_bytes()).subject if trusted else x509.Name(
                [x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
        builder = x509.CertificateBuilder(
            issuer_name=issuer, subject_name=subject, public_key=self.key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=30),
            not_valid_after=now + timedelta(days=days))
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]),
                critical=not common_name)
        signer = self.authority_key if trusted else self.key
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        signed = builder.sign(signer, SHA256)
        path = self.directory / file_name
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return path


# --- What is wrong with which domain -------------------------------------------------------------

E, W = "error", "warning"


class Domain:
    """A domain of a policy of its own, or with PRIMARY of another domain's, in a zone of its own.

    FOUND is what verify must find: [(check, severity, what the finding says), …]; MAYBE what it may
    find besides, where chance decides which server a resolver asks: {(check, severity), …}."""

    def __init__(self, name, found=(), maybe=(), mode="enforce", mx="mail.example.net", more="",
                 rua="mailto:tlsrpt@example.net", host=WEB, zone_mx="mail.example.net.",
                 records=(), servers=("ns1", "ns2"), zone=True, primary=None):
        self.name, self.primary = name, primary
        self.says = list(found)
        self.found, self.maybe = {(check, severity) for check, severity, _ in found}, set(maybe)
        self.mode, self.mx, self.rua, self.host, self.more = mode, mx, rua, host, more
        self.records = ([f"@ 60 MX 10 {zone_mx}"] if zone_mx else []) + list(records)
        self.servers, self.zone = servers, zone

    def policy(self, among=None):
        """The lines of its policy in a configuration, with its members among some domains."""
        if self.primary:
            return ""
        host = f", policy_host: {self.host}" if self.host else ""
        members = [domain.name for domain in among or DOMAINS if domain.primary == self.name]
        domains = f", domains: [{', '.join(members)}]" if members else ""
        return (f'  - {{domain: {self.name}, mode: {self.mode}, mx: [{self.mx}], rua: "{self.rua}"'
                f"{host}, ttl: 5{self.more}{domains}}}\n")


def web(number):
    return f"127.0.80.{number}"


def mail(number):
    return f"127.0.25.{number}"


def starttls(name, found, mode="enforce"):
    """A domain whose only MX is <name>.mail.example."""
    host = f"{name}.mail.example"
    return Domain(f"{name}.example", found, mode=mode, mx=host, zone_mx=f"{host}.")


NO_NAME = "no such name"
ALL_NAMES = "_mta-sts TXT, _smtp._tls TXT, mta-sts A, mta-sts AAAA"
ALL_RECORDS = [("txt", E, NO_NAME), ("tls-ent", E, NO_NAME), ("tlsrpt", E, NO_NAME),
               ("policy-host", E, NO_NAME), ("servers", E, f"answers {ALL_NAMES}: no such name")]
MAYBE_ALL = {(check, severity) for check, severity, _ in ALL_RECORDS}
# The mx of the policy is then no MX of any domain.
UNUSED = ("mx", W, "the mx mail.example.net is no MX of any domain of the policy")

DOMAINS = [
    Domain("good.example"),
    Domain("signed.example", more=', acme_challenge: "%d.acme.invalid"'),
    # all of it over IPv6 alone
    Domain("six.example", mx="mx6.mail.example", host=WEB6, zone_mx="mx6.mail.example.",
           servers=("ns1", "ns6")),
    Domain("old-servers.example", servers=("ns7", "ns8")),  # without EDNS
    Domain("again.example", mx="again.mail.example", host=web(26), zone_mx="again.mail.example.",
           servers=("ns10",)),
    Domain("alias.example", host="www.example.net"),
    # txt, tlsrpt
    Domain("txt-id.example", [
        ("txt", E, '"v=STSv1; id=20200101"'),
        ("servers", E, '(127.0.53.11) answers _mta-sts TXT: "v=STSv1; id=20200101"'),
        ("servers", E, '(127.0.53.12) answers _mta-sts TXT: "v=STSv1; id=20200101"')],
        records=['_mta-sts 5 TXT "v=STSv1; id=20200101"']),
    Domain("txt-two.example", [("txt", E, "2 records: "), ("servers", E, "2 records: ")],
           records=['_mta-sts 5 TXT "v=STSv1; id=a"', '_mta-sts 5 TXT "v=STSv1; id=b"']),
    Domain("txt-bad.example", [("txt", E, r'"v=STSv1 id=\"\x1b[31m"'), ("servers", E, r"\x1b[31m")],
           records=['_mta-sts 5 TXT "v=STSv1 id=\\"\\027[31m"']),
    Domain("markup.example", [("txt", E, r'"<script>alert(\"x\")</script><b>&amp;"'), ("servers", E, "<script>")],
           records=['_mta-sts 5 TXT "<script>alert(\\"x\\")</script><b>&amp;"']),
    Domain("tlsrpt-other.example", [
        ("tlsrpt", E, '"v=TLSRPTv1; rua=mailto:old@example.net"'),
        ("servers", E, 'answers _smtp._tls TXT: "v=TLSRPTv1; rua=mailto:old@example.net"')],
        records=['_smtp._tls 5 TXT "v=TLSRPTv1; rua=mailto:old@example.net"']),
    Domain("tlsrpt-two.example", [("tlsrpt", E, "2 records: "), ("servers", E, "2 records: ")],
           records=['_smtp._tls 5 TXT "v=TLSRPTv1; rua=mailto:a@example.net"',
                    '_smtp._tls 5 TXT "v=TLSRPTv1; rua=mailto:b@example.net"']),
    Domain("no-overlay.example", ALL_RECORDS, servers=("ns3",)),
    Domain("servfail.example", [
        (check, E, "SERVFAIL") for check in ("txt", "tls-ent", "tlsrpt", "policy-host", "servers", "mx")],
        servers=("ns3",), zone=False),
    Domain("tls-ent.example", [("tls-ent", E, NO_NAME)], {("tlsrpt", E)}, servers=("ns3",)),
    # servers
    Domain("one-server.example", [
        ("servers", E, f'"ns3.dns.example" (127.0.53.13) answers {ALL_NAMES}: no such name')],
        MAYBE_ALL, servers=("ns1", "ns3")),
    Domain("one-of-two.example", [("servers", E, '"ns5.dns.example" (127.0.53.13) answers')],
           MAYBE_ALL, servers=("ns1", "ns5")),
    Domain("dead-server.example", [
        ("servers", W, '"ns4.dns.example" (127.0.53.14) does not answer')], servers=("ns1", "ns4")),
    Domain("no-server.example", [("servers", W, 'no address of "ns9.dns.example"')],
           servers=("ns1", "ns9")),
    # dnssec
    Domain("nsec.example", [("dnssec", E, "_tls TXT: a bogus answer, mta-sts AAAA: a bogus answer")]),
    Domain("bogus.example", [
        ("dnssec", E, "_mta-sts TXT: a bogus answer, _tls TXT: a bogus answer, "),
        ("servers", E, "no SOA record of the zone: a bogus answer"), ("mx", E, "a bogus answer")]),
    # policy-host
    Domain("no-host.example", [("policy-host", E, NO_NAME)], host=None),
    Domain("only-challenge.example", [("policy-host", E, "no record")], host=None,
           more=', acme_challenge: "%d.acme.invalid"'),
    Domain("other-host.example", [
        ("policy-host", E, f'without "{WEB}"'), ("servers", E, f'answers mta-sts A: "{NOBODY}"'),
        ("https", E, f'no connection at {NOBODY} ("Connection refused")')],
        records=[f"mta-sts 5 A {NOBODY}"]),
    Domain("other-alias.example", [
        ("policy-host", E, '"web.example.net"'), ("servers", E, '"web.example.net" as alias')],
        host="www.example.net", records=["mta-sts 5 CNAME web.example.net."]),
    # https
    Domain("no-web.example", [("https", E, 'no connection at 127.0.80.11 ("Connection refused")')],
           host=web(11)),
    Domain("slow-web.example", host=web(25)),
    Domain("old-tls.example", [("https", E, "no TLS 1.2 at 127.0.80.10")], host=web(10)),
    Domain("untrusted.example", [("https", E, "a certificate that does not chain to a trusted root")],
           host=web(3)),
    Domain("other-name.example", [
        ("https", E, "a certificate without the name of the policy host at 127.0.80.4")], host=web(4)),
    Domain("other-name-2.example", [
        ("https", E, "a certificate without the name of the policy host at 127.0.80.4")], host=web(4)),
    Domain("common-name.example", [
        ("https", E, "a certificate without the name of the policy host at 127.0.80.14 (")],
        host=web(14)),
    Domain("expired.example", [("https", E, "a certificate that has expired at 127.0.80.2 (")],
           host=web(2)),
    Domain("ends-soon.example", [("https", W, "a certificate that ends on ")], host=web(13)),
    Domain("redirect.example", [("https", E, "a redirect (301) at 127.0.80.5")], host=web(5)),
    Domain("status.example", [("https", E, "status 404 at 127.0.80.6")], host=web(6)),
    Domain("type.example", [("https", E, 'the type "text/html" at 127.0.80.7')], host=web(7)),
    Domain("large.example", [("https", E, "more than 64 KiB at 127.0.80.8")], host=web(8)),
    Domain("one-address.example", [("https", E, "no connection at 127.0.80.11")],
           host=f"[{WEB}, {web(11)}]"),
    # policy
    Domain("other-policy.example", [
        ("policy", E, r'line 3 is "mx: other.example\x0d\x0a" at 127.0.80.9')], host=web(9)),
    # mx
    Domain("other-mx.example", [("mx", E, 'the MX "other.mail.example"'), UNUSED],
           zone_mx="other.mail.example."),
    Domain("no-mx.example", [("mx", E, "no record"), UNUSED], zone_mx=None),
    Domain("null-mx.example", [("mx", E, "a null MX"), UNUSED], zone_mx=None,
           records=["@ 60 MX 0 ."]),
    Domain("testing-mx.example", [("mx", W, 'the MX "other.mail.example"'), UNUSED], mode="testing",
           zone_mx="other.mail.example."),
    Domain("unused-mx.example", [
        ("mx", W, "the mx old.example.net is no MX of any domain of the policy")],
        mx="mail.example.net, old.example.net"),
    Domain("wildcard.example", mx='"*.mail.example"', zone_mx="other.mail.example."),
    Domain("none.example", mode="none", zone_mx="other.mail.example."),
    # starttls
    starttls("plain", [("starttls", E, "no STARTTLS: plain.mail.example at 127.0.25.2")]),
    starttls("plain-testing", [("starttls", W, "no STARTTLS: ")], mode="testing"),
    starttls("mx-untrusted", [
        ("starttls", E, "a certificate that does not chain to a trusted root: mx-untrusted")]),
    starttls("mx-name", [("starttls", E, "a certificate without its name: mx-name")]),
    starttls("mx-cn", [("starttls", E, "a certificate without its name: mx-cn")]),
    starttls("mx-expired", [("starttls", E, "a certificate that has expired: mx-expired")]),
    starttls("mx-old-tls", [("starttls", E, "no TLS 1.2: mx-old-tls")]),
    starttls("mx-two", [("starttls", E, "no STARTTLS: mx-two.mail.example at 127.0.25.2")]),
    starttls("mx-soon", [("starttls", W, "a certificate that ends on ")]),
    starttls("mx-dead", [("starttls", W, "no answer from mx-dead.mail.example at 127.0.25.99")]),
    starttls("mx-no-address", [("starttls", E, "no address of mx-no-address.mail.example")]),
    starttls("mx-slow", []),
    # Those that mean harm: hostile_server.py says what each does.
    Domain("endless-body.example", [("https", E, "more than 64 KiB at 127.0.80.20")], host=web(20)),
    Domain("endless-header.example", [("https", E, "more than 64 KiB at 127.0.80.21")], host=web(21)),
    Domain("control.example", [("https", E, r'the type "text/\x1b[31mred"')], host=web(22)),
    Domain("stall.example", [("https", E, "no whole reply in time at 127.0.80.23")], host=web(23)),
    Domain("gzip.example", [("policy", E, r'line 1 is "\x1f\x8b')], host=web(24)),
    Domain("big-txt.example", [("txt", E, '"xxx'), ("servers", E, "xxx")],
           records=["_mta-sts 5 TXT " + " ".join(['"' + "x" * 255 + '"'] * 200)]),
    Domain("loop.example", [("policy-host", E, "SERVFAIL"), ("servers", E, "mta-sts A, mta-sts AAAA: SERVFAIL")],
           records=["mta-sts 5 CNAME loop", "loop 5 CNAME mta-sts"]),
    starttls("mx-banner", [("starttls", E, "endless replies: mx-banner.mail.example")]),
    starttls("mx-busy", [("starttls", E, r'("421 \x1b[31mgreylisted, try later")')]),
    starttls("mx-refuses", [("starttls", E, 'a server that refuses us: mx-refuses.mail.example at '
                             '127.0.25.22 ("554 no")')]),
    # rua
    Domain("rua-mail.example", [("rua", E, "mailto: to nowhere.example, which has no MX and no address")],
           rua="mailto:x@nowhere.example"),
    Domain("rua-https.example", [("rua", E, "https: to nowhere.example, which has no address")],
           rua="https://nowhere.example/x"),
    # one policy in testing, whose domains differ
    Domain("verdict.example", mode="testing"),
    Domain("verdict-good.example", primary="verdict.example"),
    Domain("verdict-mx.example", [("mx", W, 'the MX "other.mail.example"'),
                                  ("mx", W, 'the MX "plain.mail.example"'),
                                  ("starttls", W, "no STARTTLS: plain.mail.example")],
           zone_mx="other.mail.example.", records=["@ 60 MX 20 plain.mail.example."],
           primary="verdict.example"),
    Domain("verdict-dead.example", [("mx", W, 'the MX "mx-dead.mail.example"'),
                                    ("starttls", W, "no answer from mx-dead.mail.example")],
           zone_mx="mx-dead.mail.example.", primary="verdict.example"),
]
MEMBERS = {"example.org": "mail.example.net", "member.example": "other.mail.example"}
SIGNED = ["bogus.example", "nsec.example", "signed.example"]
OWN = "own.example"  # in zones of the service's own

GOOD_POLICY = f"""\
  - domain: example.net
    mode: enforce
    mx: [mail.example.net, other.mail.example, "*.mail.example"]
    rua: "mailto:tlsrpt@example.net"
    policy_host: {WEB}
    ttl: 5
    domains: [{", ".join(MEMBERS)}]
"""

OWN_POLICY = f"""\
  - {{domain: {OWN}, authority: zones, mode: enforce, mx: [mail.example.net], ttl: 5,
     rua: "mailto:tlsrpt@example.net", policy_host: {WEB}}}
"""
OWN_ZONES = "zones: {nameservers: [ns1.dns.example, ns2.dns.example], hostmaster: h.dns.example}\n"

MAIL_HOSTS = {"other": 1, "plain": 2, "plain-testing": 2, "mx-untrusted": 3, "mx-name": 4,
              "mx-expired": 5, "mx-soon": 6, "mx-dead": 99, "mx-banner": 20, "mx-busy": 21,
              "mx-refuses": 22, "mx-slow": 7, "mx-cn": 8, "mx-old-tls": 9, "mx-two": 2, "again": 26}

# A virtual host at an address: its certificate, and what it does.
SITE = """\
server {{
    listen {address}:443 ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    {more}
    location = /.well-known/mta-sts.txt {{ {location} }}
}}
"""
PROXY = "proxy_pass http://127.0.0.1:8080; proxy_set_header Host $host;"
OTHER_POLICY = r"version: STSv1\r\nmode: enforce\r\nmx: other.example\r\nmax_age: 604800\r\n"


def policies_of(domains):
    return "".join(domain.policy(domains) for domain in domains)


class Internet:
    """All of it, as a context manager inside a namespace; or with other domains, and other policies beside theirs."""

    def __init__(self, make_directory, namespace, domains=None, policies=GOOD_POLICY + OWN_POLICY):
        self.make_directory = make_directory
        self.domains = domains or DOMAINS
        self.policies = "policies:\n" + policies + policies_of(self.domains)
        self.signed = [name for name in SIGNED if name in [domain.name for domain in self.domains]]
        self.directory = make_directory()
        self.certificates = Certificates(self.directory)
        self.service = Service(make_directory(), 8053)
        self.service.policy_port = 8080
        self.programs = []
        self.anchor = self.directory / "anchor"
        self.namespace = namespace
        self.hostile, self.once = None, {}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        if self.hostile:
            self.hostile.close()
        for program in reversed(self.programs):
            program.stop()

    def run(self, program):
        program.start()
        self.programs.append(program)

    def start(self):
        self.service.configure(self.policies, more=OWN_ZONES)
        for address in (NS6, WEB6, MAIL6):
            self.namespace.run("ip", "address", "add", address, "dev", "lo", "nodad")
        # Where only IPv6 has an address beyond loopback, the C library looks up no A records.
        self.namespace.run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")
        self.run(self.service)
        hosted, others = Zones(self.make_directory()), Zones(self.make_directory())
        self.load_hosted(hosted)
        self.load_others(others)
        self.start_root(hosted)
        self.run(NameServer(self.make_directory(), NS1, hosted, self.service))
        self.run(NameServer(self.make_directory(), NS2, hosted, self.service))
        self.run(NameServer(self.make_directory(), NS6, hosted, self.service))
        self.run(NameServer(self.make_directory(), NS3, others))
        self.run(Unbound(self.make_directory(), RESOLVER, self.anchor))
        self.run(Nginx(self.make_directory(), self.site()))
        self.start_mail()
        hostile_files = self.certificates.directory / "web.pem", self.certificates.key_file
        self.once = {"web": Once((WEB, 443)), "mail": Once((MAIL, 25))}
        self.hostile = HostileServers({
            (web(20), 443): (hostile_files, endless_body),
            (web(21), 443): (hostile_files, endless_header),
            (web(22), 443): (hostile_files, control_characters),
            (web(23), 443): (None, stall),
            (web(24), 443): (hostile_files, gzip_bomb),
            (mail(20), 25): (None, endless_banner),
            (mail(21), 25): (None, busy),
            (mail(22), 25): (None, refuses),
            (web(25), 443): (None, slow((WEB, 443))),
            (web(26), 443): (None, self.once["web"]),
            (mail(26), 25): (None, self.once["mail"]),
        }, {
            NS7: edns_unreadable(NS1),
            NS8: edns_unknown(NS1),
            NS10: fails_with(self.once["web"], NS1),
        })

    # --- DNS -----------------------------------------------------------------------------------

    def load_text(self, zones, name, text):
        path = zones.directory / "zone"
        path.write_text(text, encoding="ascii")
        zones.load(name, path)

    def load_hosted(self, zones):
        both = ("ns1", "ns2")
        self.load_text(zones, "dns.example", zone_text(
            both, *(f"{server} 60 A {address}" for server, addresses in NAME_SERVERS.items()
                    for address in addresses), f"ns6 60 AAAA {NS6}"))
        self.load_text(zones, "example.net", zone_text(
            both, "@ 60 MX 10 mail", "@ 60 MX 20 mail", f"mail 60 A {MAIL}", "www 60 A 127.0.80.1",
            "web 60 A 127.0.80.1"))
        self.load_text(zones, "mail.example", zone_text(
            both, *(f"{host} 60 A {mail(number)}" for host, number in MAIL_HOSTS.items()),
            f"mx-two 60 A {MAIL}", f"mx6 60 AAAA {MAIL6}"))
        self.load_text(zones, OWN, zone_text(
            both, "@ 60 MX 10 mail.example.net.",
            *(f"{zone} 60 NS {server}.dns.example." for zone in ("_mta-sts", "_tls", "mta-sts")
              for server in both)))
        for member, server in MEMBERS.items():
            self.load_text(zones, member, zone_text(both, f"@ 60 MX 10 {server}."))
        for domain in self.domains:
            if domain.zone and set(domain.servers) - {"ns3"}:
                self.load_text(zones, domain.name, zone_text(domain.servers, *domain.records))
        for name in self.signed:
            zones.pdnsutil("secure-zone", name)
        for name in set(self.signed) - {"nsec.example"}:
            zones.pdnsutil("set-nsec3", name, "1 0 0 -", "narrow")
            zones.pdnsutil("rectify-zone", name)

    def load_others(self, zones):
        for domain in self.domains:
            records = list(domain.records)
            if domain.name == "tls-ent.example":
                records += self.records_of(domain.name)
            if domain.zone and {"ns3", "ns5"} & set(domain.servers):
                self.load_text(zones, domain.name, zone_text(domain.servers, *records))
        with sqlite3.connect(zones.database) as database:
            database.execute("delete from records where type is null")

    def records_of(self, domain):
        """The records that the service would answer, for a zone file."""
        done = run("records", domain, "-c", self.service.config)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if line and not line.startswith(";")]

    def start_root(self, hosted):
        root = Zones(self.make_directory())
        lines = [APEX, "@ 60 NS a.root.\n", f"a.root. 60 A {ROOT}\n"]
        delegated = {"dns.example": ("ns1", "ns2"), "example.net": ("ns1", "ns2"),
                     "mail.example": ("ns1", "ns2"),
                     **{member: ("ns1", "ns2") for member in [OWN, *MEMBERS]},
                     **{domain.name: domain.servers for domain in self.domains}}
        for name, servers in delegated.items():
            lines += [f"{name}. 60 NS {server}.dns.example.\n" for server in servers]
        lines += [f"{server}.dns.example. 60 A {address}\n"
                  for server, addresses in NAME_SERVERS.items() for address in addresses]
        lines.append(f"ns6.dns.example. 60 AAAA {NS6}\n")
        for name in self.signed:
            ds = hosted.pdnsutil("export-zone-ds", name).splitlines()[1]
            line = " ".join(ds.split(";")[0].split()).replace(" IN ", " 60 IN ", 1)
            if name == "bogus.example":  # of some other key
                line = line[:-8] + "00000000"
            lines.append(line + "\n")
        self.load_text(root, ".", "".join(lines))
        root.pdnsutil("secure-zone", ".")
        root.pdnsutil("rectify-zone", ".")
        key = root.pdnsutil("export-zone-dnskey", ".", "1")
        self.anchor.write_text(key, encoding="ascii")
        hints = self.directory / "hints"
        hints.write_text(f". 3600000 NS a.root.\na.root. 3600000 A {ROOT}\n", encoding="ascii")
        self.namespace.put(hints, ROOT_HINTS)
        self.run(NameServer(self.make_directory(), ROOT, root))

    # --- The web -------------------------------------------------------------------------------

    def site(self):
        names = [f"mta-sts.{name}" for name in ["example.net", OWN, *MEMBERS,
                                           *(domain.name for domain in self.domains)]]
        issue = self.certificates.issue
        good = issue("web.pem", names, days=15)
        sites = {
            1: (good, f"listen [{WEB6}]:443 ssl;", PROXY),
            2: (issue("expired.pem", names, days=-1), "", PROXY),
            3: (issue("untrusted.pem", names, trusted=False), "", PROXY),
            4: (issue("other.pem", ["mta-sts.nowhere.example"]), "", PROXY),
            5: (good, "", "return 301 https://www.example.net/;"),
            6: (good, "", "return 404;"),
            7: (good, "", "default_type text/html; return 200 x;"),
            8: (good, "", f"default_type text/plain; root {self.directory};"),
            9: (good, "", f'default_type text/plain; return 200 "{OTHER_POLICY}";'),
            10: (good, "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;", PROXY),
            13: (issue("soon.pem", names, days=13), "", PROXY),
            14: (issue("cn.pem", [], common_name="mta-sts.common-name.example"), "", PROXY),
        }
        large = self.directory / ".well-known"
        large.mkdir()
        (large / "mta-sts.txt").write_bytes(b"x" * 70000)
        ready = "server { listen 127.0.0.1:80; return 404; }\n"
        return ready + "".join(
            SITE.format(address=web(number), certificate=certificate, more=more, location=location,
                        key=self.certificates.key_file)
            for number, (certificate, more, location) in sites.items())

    # --- Mail ----------------------------------------------------------------------------------

    def start_mail(self):
        issue = self.certificates.issue
        names = ["mail.example.net", "mx6.mail.example", *(f"{host}.mail.example" for host in MAIL_HOSTS)]

        good = issue("mail.pem", names, days=15)

        def tls(certificate):
            return [f"smtpd_tls_cert_file={certificate}"]

        self.run(Postfix(self.make_directory(), self.certificates.key_file, {
            mail(1): tls(good),
            mail(2): ["smtpd_tls_security_level=none"],
            mail(3): tls(issue("mail-untrusted.pem", names, trusted=False)),
            mail(4): tls(issue("mail-name.pem", ["other.example"])),
            mail(5): tls(issue("mail-expired.pem", names, days=-1)),
            mail(6): tls(issue("mail-soon.pem", names, days=13)),
            mail(7): tls(good) + ["smtpd_delay_reject=no", "{ smtpd_client_restrictions = sleep 20 }"],
            mail(8): tls(issue("mail-cn.pem", [], common_name="mx-cn.mail.example")),
            mail(9): tls(good) + ["smtpd_tls_protocols=TLSv1.1"],
            f"[{MAIL6}]": tls(good),
        }))
