"""Zones of the service's own behind a real PowerDNS: answers, transfers, serials, NOTIFY."""

import contextlib
import json
import os
import re
import socket
import subprocess
import time
import urllib.request

import dns.message
import dns.opcode
import pytest

from admin_client import status
from dns_tools import delv, dig, dig_all, run_tool
from powerdns import TRANSPORTS, PowerDns, Zones
from processes import DEADLINE, wait_until
from service import Service, run
from test_dnssec import write_anchors
from unix_client import Stream

ZONES = """\
zones:
  nameservers: [ns1.example.net, ns2.example.net]
  hostmaster: hostmaster.example.net
  catalog: catalog.example.net
"""
POLICIES = ZONES + """\
policies:
  - domain: example.net
    authority: zones
    mode: enforce
    mx: mail.example.net
    id: {id}
    policy_host: [192.0.2.40, "2001:db8::40"]
    acme_challenge: "%d.acme.invalid"
    rua: mailto:postmaster@example.net
    domains: [{members}]
  - domain: other.example
    authority: zones
    rua: mailto:postmaster@example.net
  - domain: signed.example
    mode: none
    policy_host: 192.0.2.41
"""
NO_ZONES = "policies:\n  - {domain: signed.example, mode: none}\n"
# Zones come and go within a second of PowerDNS's cache, and NOTIFY is thought of each second, for
# servers named here alone: to look up those of the zones may take long.
PRIMARY = (
    "primary=yes\nonly-notify=\nxfr-cycle-interval=1\nzone-cache-refresh-interval=1\nloglevel=6\n"
)
USED = [transport for transport in TRANSPORTS if transport.name in ("get", "json", "unix")]
PREFIXES = ("_mta-sts", "_tls", "mta-sts")
IDLE = "need notifications"


def configure(service, number="one", members="example.org"):
    service.configure(POLICIES.format(id=number, members=members))


@pytest.fixture
def served(service):
    configure(service)
    return service.start()


@contextlib.contextmanager
def primary(directory, port, service, transport):
    """PowerDNS with the service alone, once it knows the zones."""
    with PowerDns(directory, port, None, service, transport, more=PRIMARY) as powerdns:
        powerdns.start()
        wait_until(
            lambda: dig(powerdns.port, "mta-sts.example.net", "SOA").answer, "PowerDNS's zone cache"
        )
        yield powerdns


@pytest.fixture(params=USED, ids=lambda transport: transport.name)
def server(request, make_directory, ports, served):
    with primary(make_directory(), ports.take(), served, request.param) as powerdns:
        yield powerdns


@pytest.fixture(scope="module")
def service_at_rest(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        configure(service)
        yield service.start()


@pytest.fixture(scope="module", params=USED, ids=lambda transport: transport.name)
def server_at_rest(request, make_directory, ports, service_at_rest):
    """For tests that change nothing."""
    with primary(make_directory(), ports.take(), service_at_rest, request.param) as powerdns:
        yield powerdns


def axfr(port, zone):
    """The records of a transfer in master-file form, as named-checkzone reads them."""
    command = ["dig", "@127.0.0.1", "-p", port, "-r", "+noall", "+answer", "-t", "AXFR", "-q", zone]
    return run_tool(command)


def serials(port, zones):
    replies = dig_all(port, [(zone, "SOA") for zone in zones])
    return {zone: int(reply.answer[0].split()[5]) for zone, reply in zip(zones, replies)}


def serial(port, zone):
    return serials(port, [zone])[zone]


def test_every_record_is_answered(server_at_rest):
    expected = {}
    for domain in ("example.net", "example.org"):
        expected[f"_mta-sts.{domain}", "TXT"] = [
            f'_mta-sts.{domain}. 3600 TXT "v=STSv1; id=one"'
        ]
        expected[f"_smtp._tls.{domain}", "TXT"] = [
            f'_smtp._tls.{domain}. 3600 TXT "v=TLSRPTv1; rua=mailto:postmaster@example.net"'
        ]
        expected[f"mta-sts.{domain}", "AAAA"] = [f"mta-sts.{domain}. 3600 AAAA 2001:db8::40"]
        expected[f"_acme-challenge.mta-sts.{domain}", "TXT"] = [
            f"_acme-challenge.mta-sts.{domain}. 3600 CNAME {domain}.acme.invalid."
        ]
    replies = dig_all(server_at_rest.port, expected)
    assert [reply.answer for reply in replies] == list(expected.values())


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_zone_answers_with_authority(server_at_rest, prefix):
    for domain in ("example.net", "example.org"):
        name = f"{prefix}.{domain}"
        questions = [(name, "NS"), (f"x.{name}", "A"), (name, "MX")]
        servers, absent, empty = dig_all(server_at_rest.port, questions)
        assert servers.answer == [f"{name}. 3600 NS ns{number}.example.net." for number in (1, 2)]
        assert (absent.rcode, absent.soa()) == ("NXDOMAIN", [f"{name}."])
        assert (empty.rcode, empty.answer, empty.soa()) == ("NOERROR", [], [f"{name}."])


def test_a_policy_without_mode_has_one_zone(server_at_rest):
    questions = [(f"{prefix}.other.example", "SOA") for prefix in PREFIXES]
    rcodes = [reply.rcode for reply in dig_all(server_at_rest.port, questions)]
    assert rcodes == ["REFUSED", "NOERROR", "REFUSED"]


def test_every_zone_as_transferred_is_valid(server_at_rest, tmp_path):
    for number, prefix in enumerate(PREFIXES):
        records = axfr(server_at_rest.port, f"{prefix}.example.org")
        assert ("_acme-challenge.mta-sts.example.org." in records) == (prefix == "mta-sts")
        path = tmp_path / str(number)
        path.write_text(records, encoding="ascii")
        done = subprocess.run(
            ["named-checkzone", f"{prefix}.example.org", path],
            capture_output=True, text=True, timeout=DEADLINE, check=False,
        )
        assert done.returncode == 0, done.stdout + records
        assert "loaded serial" in done.stdout


@pytest.mark.parametrize("zone", [f"{prefix}.example.org" for prefix in PREFIXES] + ["catalog.example.net"])
def test_pdnsutil_finds_nothing_to_warn_of(server_at_rest, zone):
    """Contents are as PowerDNS itself would store them."""
    output = run_tool(["pdnsutil", f"--config-dir={server_at_rest.directory}", "check-zone", zone])
    assert re.search(rf"^Checked \d+ records of '{zone}', 0 errors, 0 warnings\.$", output, re.M), output


def test_the_catalog_lists_every_zone(server_at_rest):
    records = axfr(server_at_rest.port, "catalog.example.net")
    members = {line.split()[4] for line in records.splitlines() if "\tPTR\t" in line or " PTR " in line}
    expected = {f"{prefix}.example.{top}." for prefix in PREFIXES for top in ("net", "org")}
    assert members == expected | {"_tls.other.example."}
    assert re.search(r'^version\.catalog\.example\.net\.\s+0\s+IN\s+TXT\s+"2"$', records, re.M)
    label = next(line.split()[0] for line in records.splitlines() if "_tls.other.example." in line)
    assert dig(server_at_rest.port, label, "PTR").answer == [f"{label} 0 PTR _tls.other.example."]


def test_only_zones_of_a_changed_policy_get_a_new_serial(server, served):
    before = serials(server.port, zones_of(server))
    configure(served, number="two")
    served.reload()
    after = serials(server.port, before)
    changed = {zone for zone, number in after.items() if number != before[zone]}
    assert changed == {f"{p}.example.{top}" for p in PREFIXES for top in ("net", "org")}
    assert all(after[zone] > before[zone] for zone in changed)
    assert after["catalog.example.net"] == before["catalog.example.net"]


def zones_of(server):
    catalog = axfr(server.port, "catalog.example.net").splitlines()
    return [line.split()[4][:-1] for line in catalog if "PTR" in line] + ["catalog.example.net"]


def test_serials_never_go_back_however_fast_the_files_change(server, served):
    """PowerDNS is stopped before the service is: as a primary it may end without it."""
    zone = "_mta-sts.example.net"
    last = serial(server.port, zone)
    for number in range(3):
        served.configure(POLICIES.format(id=f"n{number}", members="example.org"))
        served.reload()
        current = serial(server.port, zone)
        assert current > last
        last = current
    server.stop()
    served.stop()
    served.start()
    server.start()
    wait_until(lambda: dig(server.port, zone, "SOA").answer, "PowerDNS's zone cache")
    assert serial(server.port, zone) == last


def policy_serial(service):
    return status(service)["policies"][0]["serial"]


@pytest.mark.parametrize("age", [-10**9, 0, 10**9])
def test_serials_rise_whatever_the_times_of_files_are(service, ports, age):
    """As after cp -p, rsync -a or a wrong clock; over reloads and restarts."""
    service.admin_port = ports.take()
    configure(service)
    service.start()
    last = policy_serial(service)
    for number in range(4):
        configure(service, number=f"n{number}")
        modified = time.time() + age - number
        os.utime(service.config, (modified, modified))
        if number % 2:
            service.stop()
            service.start()
        else:
            service.reload()
        serial = policy_serial(service)
        assert last < serial <= max(time.time(), last + 1)
        last = serial


class Secondary:
    """Takes NOTIFY messages and answers them, and is told of which zones they were. PowerDNS repeats one that
    is not answered within two seconds, with the same id; a repetition does not count."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.port = port
        self.ids = set()
        self.zones = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def take(self):
        """Takes what has come; returns the zones of all messages since the last clear()."""
        with contextlib.suppress(BlockingIOError):
            while True:
                wire, peer = self.socket.recvfrom(4096)
                message = dns.message.from_wire(wire)
                assert message.opcode() == dns.opcode.NOTIFY
                zone = str(message.question[0].name)[:-1]
                if (zone, message.id) not in self.ids:
                    self.ids.add((zone, message.id))
                    self.zones.append(zone)
                self.socket.sendto(dns.message.make_response(message).to_wire(), peer)
        return self.zones

    def expect(self, server, service, zones):
        """Reloads, after which there must be one message for each of these zones, and no other."""
        self.take().clear()
        service.reload()
        wait_until(lambda: zones <= set(self.take()), "a message for each")
        wait_idle(server, service)
        assert sorted(self.take()) == sorted(zones)


def test_each_changed_zone_is_notified_once(service, make_directory, ports):
    """PowerDNS is up before there is a zone: it begins to notify before it has read also-notify, so those
    that it finds when it starts may be passed over, and it takes them for notified."""
    changed = {f"{p}.example.{top}" for p in PREFIXES for top in ("net", "org")}
    service.configure(NO_ZONES)
    with Secondary(ports.take()) as secondary:
        more = f"{PRIMARY}also-notify=127.0.0.1:{secondary.port}\n"
        with PowerDns(make_directory(), ports.take(), None, service.start(), USED[0],
                      more=more) as server:
            server.start()
            wait_idle(server, service)
            configure(service)
            secondary.expect(server, service, changed | {"_tls.other.example", "catalog.example.net"})
            configure(service, number="two")
            secondary.expect(server, service, changed)


def wait_idle(server, service):
    """Until nothing is left to notify, and PowerDNS has found that in two cycles more."""
    wait_until(lambda: settled(service), "PowerDNS to have notified all zones")
    start = len(server.log())
    wait_until(lambda: server.log()[start:].count(IDLE) >= 2, "PowerDNS to find nothing to notify")


def pending(service):
    """What a getUpdatedMasters would tell."""
    with Stream(service.socket) as stream:
        stream.send(b'{"method":"getUpdatedMasters","parameters":{}}\n')
        return {zone["zone"][:-1] for zone in stream.reply()["result"]}


def settled(service):
    return not pending(service)


def test_a_new_domain_touches_no_other_zone(server, served):
    wait_until(lambda: settled(served), "PowerDNS to have notified all zones")
    before = serials(server.port, zones_of(server))
    configure(served, members="example.org, example.com")
    served.reload()
    wait_until(lambda: dig(server.port, "_tls.example.com", "SOA").answer, "the new zones")
    after = serials(server.port, before)
    catalog = "catalog.example.net"
    assert after.pop(catalog) > before.pop(catalog)
    assert after == before


def test_records_are_searched_for(served):
    """As PowerDNS's GET mode asks: the query string has what to look for."""
    url = f"{served.url}/searchRecords?pattern=%2Asmtp%2A&maxResults=2"
    with urllib.request.urlopen(url, timeout=DEADLINE) as reply:
        found = json.load(reply)["result"]
    assert len(found) == 2
    assert all(row["qname"].startswith("_smtp._tls.") and row["domain_id"] for row in found)


PARENT = """\
@    3600 SOA ns1.signed.example. hostmaster.signed.example. 1 10800 3600 604800 300
@    3600 NS  ns1.signed.example.
ns1  3600 A   127.0.0.1
"""


def test_a_signed_parent_delegates_and_validates(service, make_directory, ports):
    """NSEC, which no overlay could stand in: the delegations are insecure, and proven so."""
    zones = Zones(make_directory())
    service.configure(ZONES.replace("example.net", "signed.example") + """\
policies:
  - domain: signed.example
    authority: zones
    mode: enforce
    mx: mail.signed.example
    policy_host: 192.0.2.40
    rua: mailto:postmaster@signed.example
""")
    delegations = run("export", "delegations", "-c", service.config).stdout
    zone_file = zones.directory / "zone"
    zone_file.write_text(PARENT + delegations, encoding="ascii")
    zones.load("signed.example", zone_file)
    zones.pdnsutil("secure-zone", "signed.example")
    zones.pdnsutil("rectify-zone", "signed.example")
    service.start()
    with PowerDns(make_directory(), ports.take(), zones, service, more=PRIMARY) as powerdns:
        powerdns.start()
        wait_until(
            lambda: dig(powerdns.port, "mta-sts.signed.example", "A").answer, "the zone cache"
        )
        anchors = zones.directory / "anchors"
        write_anchors(powerdns.port, anchors)
        for name, kind in (("_mta-sts.signed.example", "TXT"), ("mta-sts.signed.example", "A")):
            output = delv(powerdns.port, anchors, "signed.example", name, kind)
            assert "; unsigned answer" in output and name in output, output
        secure = delv(powerdns.port, anchors, "signed.example", "ns1.signed.example", "A")
        assert "; fully validated" in secure, secure


def test_three_hundred_thousand_zones_are_listed_in_flat_memory(service):
    listed = service.directory / "domains.list"
    listed.write_text("".join(f"c{i}.example\n" for i in range(100000)), encoding="ascii")
    service.configure(
        POLICIES.format(id="one", members="example.org").replace(
            "    domains:", "    domain_files: domains.list\n    domains:", 1
        )
    )
    service.start()
    before = peak(service)
    message = read_all_domains(service)
    assert len(message) == 300000 + 8
    assert len({zone["id"] for zone in message}) == len(message)
    assert all(1000000 <= zone["id"] <= 2**31 - 1 for zone in message)
    assert service.is_sanitized() or peak(service) - before < 4096


LARGE = ZONES + """\
policies:
  - domain: large.example
    authority: zones
    mode: none
    policy_host: 192.0.2.40
    rua: mailto:postmaster@example.net
    domain_files: domains.list
  - domain: one.example
    authority: zones
    mode: none
    id: {id}
    policy_host: 192.0.2.41
    rua: mailto:postmaster@example.net
"""


# Requests sent before their replies are read; more could fill the buffers of both sides.
BATCH = 100


def set_notified(zone):
    parameters = {"id": zone["id"], "serial": zone["serial"]}
    return json.dumps({"method": "setNotified", "parameters": parameters}).encode("ascii") + b"\n"


def notify_all(stream):
    """Does what PowerDNS does cycle by cycle, until nothing is left; returns what was notified."""
    notified = []
    while True:
        stream.send(b'{"method":"getUpdatedMasters","parameters":{}}\n')
        zones = stream.reply()["result"]
        if not zones:
            return notified
        for first in range(0, len(zones), BATCH):
            batch = zones[first : first + BATCH]
            stream.send(b"".join(map(set_notified, batch)))
            assert all(stream.reply() == {"result": True} for _ in batch)
        notified += [zone["zone"][:-1] for zone in zones]


def test_of_a_hundred_thousand_domains_only_the_one_that_changed_is_notified(service):
    listed = service.directory / "domains.list"
    listed.write_text("".join(f"c{i}.example\n" for i in range(100000 - 2)), encoding="ascii")
    service.configure(LARGE.format(id="one"))
    service.start()
    with Stream(service.socket) as stream:
        assert len(set(notify_all(stream))) == 300000 + 1
        service.configure(LARGE.format(id="two"))
        service.reload()
        assert sorted(notify_all(stream)) == sorted(f"{p}.one.example" for p in PREFIXES)


def peak(service):
    """The most memory that the process ever had, in kB."""
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


def read_all_domains(service):
    with urllib.request.urlopen(f"{service.url}/getAllDomains", timeout=DEADLINE) as reply:
        assert reply.headers["Transfer-Encoding"] == "chunked"
        return json.load(reply)["result"]


def test_a_zone_that_is_held_back_comes_with_its_certificate(service, make_directory, ports):
    certificate = service.directory / "example.net.pem"
    service.configure(ZONES + f"""\
policies:
  - domain: example.net
    authority: zones
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
    certificates: {service.directory}/%d.pem
""")
    service.start()
    with PowerDns(make_directory(), ports.take(), None, service, more=PRIMARY) as powerdns:
        powerdns.start()
        wait_until(lambda: dig(powerdns.port, "mta-sts.example.net", "A").answer, "the zone cache")
        assert not dig(powerdns.port, "_mta-sts.example.net", "TXT").answer
        certificate.touch()
        service.reload()
        wait_until(
            lambda: dig(powerdns.port, "_mta-sts.example.net", "TXT").answer, "the new zone"
        )
