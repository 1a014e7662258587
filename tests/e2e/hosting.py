"""A host of mail domains in a network of the test's own: PowerDNS with the overlay, a resolver, a mail
server, and a certification authority that convinces itself by DNS and HTTP. What serves the policies, the
test adds."""

import ast
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import sender
from authority import Authority, openssl
from pebble import Pebble
from postfix import Postfix
from powerdns import PowerDns, Zones, answers_at
from processes import DEADLINE, Program
from service import Service, run

RESOLVER = "127.0.53.53"
PATH = "/.well-known/mta-sts.txt"
YEAR = 31536000  # seconds
PATIENCE = 300  # seconds for a look at a thousand domains


class Resolver(Program):
    """unbound, which asks PowerDNS for everything in some zones."""

    def __init__(self, directory, zones):
        super().__init__("unbound", directory / "unbound.log")
        self.config = directory / "unbound.conf"
        self.config.write_text(f"""\
server:
    interface: {RESOLVER}
    do-daemonize: no
    use-syslog: no
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{directory}"
    module-config: iterator
    do-not-query-localhost: no
    do-ip6: no
    qname-minimisation: no
    cache-max-ttl: 0
    cache-max-negative-ttl: 0
remote-control:
    control-enable: no
""" + "".join(f'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1\n' for zone in zones),
            encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/unbound", "-d", "-c", self.config])
        self.wait_ready(lambda: answers_at(RESOLVER, 53))
        return self


class Hosting:
    """All of it, as a context manager inside a namespace. ZONES are those of PowerDNS."""

    def __init__(self, make_directory, namespace, zones, more=""):
        self.make_directory = make_directory
        self.directory = make_directory()
        for path in (self.directory, self.directory.parent):
            path.chmod(0o755)
        self.authority = Authority(make_directory())
        self.programs = []
        resolv = self.directory / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\noptions timeout:30 attempts:1\n",
                          encoding="ascii")
        namespace.put(resolv, "/etc/resolv.conf")
        self.service_directory = make_directory()
        self.service = Service(self.service_directory, 8053)
        self.service.policy_port = 8080
        self.zones = Zones(make_directory())
        self.zones.load_mail(zones)
        self.zone_names = zones
        self.more = more  # settings of PowerDNS
        self.pebble = None
        self.trusted = self.directory / "roots.pem"  # the roots of both authorities

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for program in reversed(self.programs):
            program.stop()

    def run(self, program, **options):
        program.start(**options)
        self.programs.append(program)
        return program

    def start(self, policies, validity=YEAR):
        """Starts all, the service as a user who may read no key."""
        os.chmod(self.service_directory, 0o755)
        shutil.chown(self.service_directory, "nobody", "nogroup")
        self.service.configure(policies)
        self.run(self.service, user="nobody", group="nogroup", extra_groups=[])
        self.run(PowerDns(self.make_directory(), 53, self.zones, self.service, more=self.more))
        self.run(Resolver(self.make_directory(), self.zone_names))
        self.run(mail_server(self.make_directory(), self.authority))
        self.start_authority(validity)

    def start_authority(self, validity):
        self.pebble = self.run(
            Pebble(self.make_directory(), self.authority, f"{RESOLVER}:53", validity))
        self.trusted.write_bytes(
            self.pebble.root.read_bytes() + self.authority.certificate.read_bytes())

    def end(self, program):
        self.programs.remove(program)
        program.stop()

    def restart_authority(self, validity):
        """Has another authority from now on, whose certificates are valid for some seconds."""
        self.end(self.pebble)
        self.start_authority(validity)

    def export(self, *arguments):
        done = run("export", *arguments, "-c", self.service.config)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def policy_of(self, domain):
        """What a sender of the test's own finds."""
        return sender.policy_of(domain, self.trusted)

    def query(self, domain, *known):
        """What mta-sts-query finds, which may know an id: the result, and the id and the policy if it has them."""
        done = subprocess.run(
            ["mta-sts-query", domain, *known],
            env={**os.environ, "SSL_CERT_FILE": str(self.trusted)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False)
        found = re.fullmatch(r"\(<STSFetchResult\.(\w+): \d>, (.*)\)\n", done.stdout)
        assert found, done.stdout + done.stderr
        return found[1], ast.literal_eval(found[2])

    def verify(self, *domains):
        """What all checks of verify find of some domains, or of all, as {(check, domain), …}. It asks PowerDNS,
        which knows all names that there are: a resolver before it gives up on a busy machine earlier than verify
        does. DNSSEC has no trust anchor here: the zones are not signed."""
        done = run("verify", "-c", self.service.config, "--ca-file", self.trusted, "--resolver", "127.0.0.1",
                   "--trust-anchor", "none", "--format", "json", *domains, timeout=PATIENCE)
        report = json.loads(done.stdout)
        return {(finding["check"], domain)
                for finding in report["findings"] for domain in finding["domains"]}


def issue_many(authority, hosts):
    """Certificates of one key for many hosts, as a client that got them one by one leaves them: yields a host,
    its certificate and its key, both in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    for host, certificate in zip(hosts, authority.issue(key, hosts)):
        yield host, certificate, pem


def mail_server(directory, authority):
    """Postfix at 127.0.0.1 with a certificate of the authority."""
    key, certificate = directory / "mail.key", directory / "mail.pem"
    openssl("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", key)
    certificate.write_bytes(authority.sign(openssl(
        "req", "-new", "-key", key, "-subj", "/",
        "-addext", "subjectAltName=critical,DNS:mail.example.net,DNS:mail.example.com")))
    return Postfix(directory, key, {"127.0.0.1": [f"smtpd_tls_cert_file={certificate}"]})


def peer_certificate(name, root, address="127.0.0.1"):
    """The names and the serial of the certificate that a client gets which asks for a name, and trusts
    ROOT alone; None if the handshake fails."""
    context = ssl.create_default_context(cafile=root)
    context.check_hostname = False
    try:
        with socket.create_connection((address, 443), DEADLINE) as connection:
            with context.wrap_socket(connection, server_hostname=name) as session:
                certificate = session.getpeercert()
    except ssl.SSLError:
        return None
    return [name for _, name in certificate["subjectAltName"]], certificate["serialNumber"]


def greet(name):
    """Whether a handshake by a client that sends any name, and trusts everybody, succeeds."""
    servername = ["-noservername"] if name is None else ["-servername", name]
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:443", *servername],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False)
    greeted = "BEGIN CERTIFICATE" in done.stdout
    assert greeted == (done.returncode == 0)
    return greeted
