"""PowerDNS as the primary server of the service's own zones, as docs/zones.md configures it."""

from documented import documented, filled_in
from powerdns import PowerDns, Zones
from processes import Program, run_to_end
from service import run

CYCLE = "xfr-cycle-interval=1\n"  # seconds, so that tests need not wait for NOTIFY
PARENT = """\
$ORIGIN example.net.
@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 10800 3600 604800 300
@ 3600 NS ns1.example.net.
"""
CONNECTION = "http:url=http://127.0.0.1:8053/dns"


class Primary(PowerDns):
    """pdns_server over the service alone or, with `beside`, behind a database that has the parent
    zone, the delegations in it. It notifies secondaries on ports of 127.0.0.1."""

    def __init__(self, directory, port, service, transport, secondaries, beside=False):
        Program.__init__(self, "pdns_server", directory / "pdns.log")
        self.directory = directory
        self.port = port
        heading = "Beside another backend" if beside else "The service alone"
        values = {CONNECTION: transport.connection(service), "xfr-cycle-interval=10\n": CYCLE,
                  "allow-axfr-ips=192.0.2.53": "allow-axfr-ips=127.0.0.1",
                  "also-notify=192.0.2.53": "also-notify=" + ",".join(
                      f"127.0.0.1:{secondary}" for secondary in secondaries)}
        if beside:
            values["/var/lib/powerdns/pdns.sqlite3"] = self.make_parent(service)
        self.configure(filled_in(documented("zones.md", heading), values))

    def make_parent(self, service):
        """Makes a database with the parent zone; returns its path."""
        zones = Zones(self.directory)
        master_file = self.directory / "parent.zone"
        delegations = documented("zones.md", "Delegations")
        assert delegations in run("export", "delegations", "-c", service.config).stdout
        master_file.write_text(PARENT + delegations, encoding="ascii")
        zones.load("example.net", master_file)
        return zones.database

    def configure(self, lines):
        (self.directory / "pdns.conf").write_text(
            f"{lines}local-address=127.0.0.1\nlocal-port={self.port}\nsocket-dir={self.directory}\n"
            "daemon=no\nguardian=no\nwrite-pid=no\ndisable-syslog=yes\nsecurity-poll-suffix=\n",
            encoding="ascii")


class PowerDnsSecondary(PowerDns):
    """pdns_server as a secondary that follows the catalog zone, over a database of its own."""

    def __init__(self, directory, port, primary_port):
        Program.__init__(self, "secondary", directory / "pdns.log")
        self.directory = directory
        self.port = port
        zones = Zones(directory)
        Primary.configure(self, filled_in(documented("secondaries.md", "PowerDNS"), {
            "/var/lib/powerdns/pdns.sqlite3": zones.database}))
        for line in documented("secondaries.md", "PowerDNS", 1).splitlines():
            command = filled_in(line, {"# pdnsutil ": ""}).replace(
                "192.0.2.1", f"127.0.0.1:{primary_port}")
            zones.pdnsutil(*command.split())
        self.failures = 0  # to update its zones by the catalog, that were made up for

    def make_up_for_failures(self):
        failures = self.log().count("Catalog-Zone update failed")
        if failures > self.failures:
            self.failures = failures
            command = filled_in(documented("secondaries.md", "PowerDNS", 2), {"# pdns_control ": ""})
            done = run_to_end(["pdns_control", f"--config-dir={self.directory}", *command.split()])
            assert done.returncode == 0, done.stdout
