"""A hoster: PowerDNS with its API over zones in SQLite, the service as its last backend, and sync, run as the
units run it."""

import os
import re
import shlex
import sqlite3
import subprocess
from pathlib import Path

from powerdns import PowerDns
from processes import DEADLINE, run_to_end
from service import program
from zone_api import KEY

ROOT = Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "contrib" / "systemd" / "pdns-mta-sts-sync.service.in"
APPLY = ROOT / "contrib" / "pdns-mta-sts-apply"

SOA = "ns1.hoster.example. root.hoster.example. 1 10800 3600 604800 300"

# Sends SIGHUP and waits for the line that says what came of it, as systemctl reload does.
RELOAD = """\
#!/bin/sh
set -eu
before=$(grep -c "reload:" "{log}" || true)
kill -HUP {pid}
until [ "$(grep -c "reload:" "{log}")" -gt "$before" ]; do sleep 0.01; done
"""


def sync_program():
    return f"{program()}-sync"


class Hoster:
    """The zones are those of a database of PowerDNS's; the service has the state in DIRECTORY."""

    def __init__(self, directory, ports, zones, service):
        self.directory = directory
        self.service = service
        self.zones = zones
        self.port = ports.take()
        self.api_port = ports.take()
        self.state = directory / "state"
        self.state.mkdir()
        self.key = directory / "powerdns.key"
        self.key.write_text(KEY + "\n", encoding="ascii")
        self.key.chmod(0o640)
        self.caches = "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\n"
        self.pdns = None

    def source(self):
        return (f'powerdns: {{url: "http://127.0.0.1:{self.api_port}", api_key_file: {self.key}}}, '
                f'nameserver: "127.0.0.1:{self.port}"')

    def configure(self, policies, source=None, more=""):
        self.service.configure(
            policies, more=f"state: {self.state}\nsync: {{{source or self.source()}{more}}}\n")

    def start(self):
        """Starts the service, and PowerDNS with caches as it has them by default."""
        self.service.start()
        directory = self.directory / "pdns"
        directory.mkdir()
        self.pdns = PowerDns(
            directory, self.port, self.zones, self.service,
            more=f"{self.caches}webserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={self.api_port}\n"
                 f"api=yes\napi-key={KEY}\n").start()
        return self

    def stop(self):
        if self.pdns:
            self.pdns.stop()

    def set_zones(self, zones):
        """Makes these the zones: name to the list of its MX hosts. PowerDNS forgets what it has cached of
        them, as when its API changes them, and of nothing below."""
        with sqlite3.connect(self.zones.database) as database:
            database.execute("DELETE FROM records")
            database.execute("DELETE FROM domains")
            for number, (name, hosts) in enumerate(zones.items(), 1):
                database.execute("INSERT INTO domains (id, name, type) VALUES (?, ?, 'NATIVE')",
                                 (number, name))
                rows = [("SOA", SOA, 0), ("NS", "ns1.hoster.example", 0)]
                rows += [("MX", host, 10) for host in hosts]
                database.executemany(
                    "INSERT INTO records (domain_id, name, type, content, prio, ttl, auth) "
                    "VALUES (?, ?, ?, ?, ?, 60, 1)",
                    [(number, name, kind, content, prio) for kind, content, prio in rows])
        if self.pdns:
            self.control("purge", *zones)

    def control(self, *words):
        done = run_to_end(["pdns_control", f"--config-dir={self.pdns.directory}", *words])
        assert done.returncode == 0, done.stdout

    def sync(self, *options, **more):
        """Runs sync; returns it as ended."""
        return subprocess.run(
            [sync_program(), "sync", "-c", self.service.config, *options], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False, **more)

    def environment(self):
        """What the unit's commands find here in the place of systemd's."""
        reload = self.directory / "reload"
        reload.write_text(RELOAD.format(log=self.service.log_path, pid=self.service.process.pid),
                          encoding="ascii")
        reload.chmod(0o755)
        return {**os.environ, "PDNS_MTA_STS_RELOAD": str(reload), "STATE_DIRECTORY": str(self.state),
                "PDNS_MTA_STS_CONTROL": f"pdns_control --config-dir={self.pdns.directory}"}

    def run_unit(self):
        """Runs the commands of the unit, with the paths of the test; returns the output of sync."""
        output = ""
        for command in re.findall(r"^Exec(?:Start|StartPost)=\+?(.*)$", UNIT.read_text(encoding="ascii"),
                                  re.MULTILINE):
            words = shlex.split(command.replace("@bindir@/pdns-mta-sts", program())
                                .replace("@libexecdir@/pdns-mta-sts-apply", str(APPLY))
                                .replace("/etc/pdns-mta-sts/config.yaml", str(self.service.config)))
            done = subprocess.run(words, env=self.environment(), capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            output += done.stdout
        return output

    def members(self, primary):
        """The members that a list has."""
        path = self.state / "synced" / f"{primary}.list"
        return [line for line in path.read_text(encoding="ascii").splitlines() if not line.startswith("#")]

    def lists(self):
        """What is on the disk, and which files they are: to see that nothing has changed."""
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
                for path in (self.state / "synced").glob("*.list")}
