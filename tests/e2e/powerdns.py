"""PowerDNS over zones in SQLite, with the service as its last backend."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from processes import Program, run_to_end

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")

# What stays the same in every configuration here. Caches are off, so that each query reaches the
# backends; the timeout is long, since a loaded machine must not make an answer fail, and so is the
# time after which PowerDNS drops a query that waits for one of its threads.
COMMON = """\
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
loglevel=4
security-poll-suffix=
cache-ttl=0
query-cache-ttl=0
queue-limit=60000
negquery-cache-ttl=0
zone-cache-refresh-interval=0
allow-axfr-ips=127.0.0.0/8
"""
TIMEOUT = 20000  # milliseconds

# What each zone has.
APEX = """\
@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 10800 3600 604800 300
@ 3600 NS  ns1.example.net.
"""

# What a zone has besides whose domains get mail; the servers are at 127.0.0.1.
MAIL = """\
@    3600 MX 10 {exchange}.
*    3600 MX 10 {exchange}.
ns1  3600 A  127.0.0.1
mail 3600 A  127.0.0.1
"""


@dataclass(frozen=True)
class Transport:
    """One way in which PowerDNS can talk to the service."""

    name: str
    connection: Callable  # of a Service, to a remote-connection-string without the timeout


def over_http(name, options):
    return Transport(name, lambda service: f"http:url={service.url}{options}")


TRANSPORTS = [
    over_http("get", ""),
    over_http("get-suffix", ",url-suffix=.json"),
    over_http("form", ",post=1"),
    over_http("form-suffix", ",post=1,url-suffix=.json"),
    over_http("json", ",post=1,post_json=1"),
    Transport("unix", lambda service: f"unix:path={service.socket}"),
]
DEFAULT_TRANSPORT = TRANSPORTS[0]


def answers(port):
    """Whether a server on 127.0.0.1 answers at all."""
    return answers_at("127.0.0.1", port)


def answers_at(address, port):
    """Whether a server answers at all. One that is just starting loses what comes before it is ready, so
    it is not waited for long."""
    question = dns.message.make_query("version.bind.", "TXT", "CH")
    try:
        dns.query.udp(question, address, 0.1, port)
    except (OSError, dns.exception.Timeout):
        return False
    return True


class Zones:
    """A directory with an SQLite database of zones, filled with pdnsutil."""

    def __init__(self, directory):
        self.directory = directory
        self.database = directory / "pdns.sqlite3"
        with sqlite3.connect(self.database) as database:
            database.executescript(SCHEMA.read_text(encoding="ascii"))
        (directory / "pdns.conf").write_text(COMMON + self.launch_lines(), encoding="ascii")

    def launch_lines(self, more=""):
        return f"launch=gsqlite3{more}\ngsqlite3-database={self.database}\ngsqlite3-dnssec=yes\n"

    def pdnsutil(self, *arguments):
        """Runs pdnsutil, which sees these zones alone and not the service."""
        done = run_to_end(["pdnsutil", f"--config-dir={self.directory}", *arguments])
        assert done.returncode == 0, f"pdnsutil {arguments}: {done.stdout}"
        return done.stdout

    def load(self, zone, master_file):
        self.pdnsutil("load-zone", zone, master_file)

    def load_empty(self, *names):
        """Zones that have SOA and NS and no other record."""
        self.load_text(APEX, names)

    def load_mail(self, names, exchange="mail.example.net"):
        """Zones with a mail server for the domain and for all below it."""
        self.load_text(APEX + MAIL.format(exchange=exchange), names)

    def load_text(self, text, names):
        master_file = self.directory / "text.zone"
        master_file.write_text(text, encoding="ascii")
        for name in names:
            self.load(name, master_file)


class PowerDns(Program):
    """pdns_server on a port of 127.0.0.1, over zones, if any, and, where one is given, the service;
    MORE are further settings."""

    def __init__(self, directory, port, zones, service=None, transport=DEFAULT_TRANSPORT,
                 timeout=TIMEOUT, more=""):
        super().__init__("pdns_server", directory / "pdns.log")
        self.directory = directory
        self.port = port
        lines = zones.launch_lines(",remote" if service else "") if zones else "launch=remote\n"
        if service:
            connection = f"{transport.connection(service)},timeout={timeout}"
            lines += f"remote-connection-string={connection}\nremote-dnssec=no\n"
        self.configure(lines, more)

    def configure(self, backends, more=""):
        """Writes pdns.conf, with these lines for the backends."""
        settings = dict(line.split("=", 1) for line in (COMMON + more).splitlines())
        common = "".join(f"{key}={value}\n" for key, value in settings.items())
        own = (f"local-address=127.0.0.1\nlocal-port={self.port}\n"
               f"socket-dir={self.directory}\n")
        (self.directory / "pdns.conf").write_text(common + own + backends, encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/pdns_server", f"--config-dir={self.directory}"])
        self.wait_ready(self.answers)
        return self

    def answers(self):
        return answers(self.port)
