"""A catalog in parts: many own zones, of which a secondary learns by all parts together."""

import json
import re
import shutil

import pytest

from admin_client import Metrics
from dns_tools import transfer
from knot import Knot
from powerdns import TRANSPORTS
from primary import Primary
from processes import DEADLINE, wait_until
from service import run
from test_secondaries import ask
from test_zones import wait_idle
from unix_client import Stream

PARTS = 8
DOMAINS_A_SECOND = 50  # that a busy machine transfers and notifies
CATALOG = "catalog.mta-sts.example.net"
TOO_LONG = re.compile("set zones.catalog_parts|set zone-cache")
NO_LIST = "zone-cache-refresh-interval=0"
APEXES = ("_mta-sts", "_tls", "mta-sts")
CONFIGURATION = f"""\
zones:
  nameservers: [ns1.example.net, ns2.example.net]
  hostmaster: hostmaster.example.net
  catalog: {CATALOG}
  catalog_parts: {{parts}}
policies:
  - domain: example.net
    authority: zones
    mode: testing
    mx: mail.example.net
    rua: "mailto:tlsrpt@example.net"
    policy_host: 192.0.2.40
    domain_files: "*.list"
"""


@pytest.fixture
def domains(request):
    return [f"customer-{number}.example" for number in range(request.config.getoption("--domains"))]


def write(service, domains):
    (service.directory / "domains.list").write_text("\n".join(domains) + "\n", encoding="ascii")


def zones_of(domains):
    return {f"{apex}.{domain}" for apex in APEXES for domain in domains}


def check(service):
    """What check warns of."""
    return run("check", "-c", service.config).stderr


def listed(port, parts=PARTS):
    """The zones that each part lists, as a transfer has them."""
    return [{record.split()[3][:-1] for record in transfer("dig", port, f"{part}.{CATALOG}")
             if record.split()[2] == "PTR"} for part in range(parts)]


def wait_notified(service, domains):
    wait_until(lambda: Metrics(service).sum("zones_to_notify") == 0, "PowerDNS to notify all zones",
               deadline=DEADLINE + len(domains) / DOMAINS_A_SECOND)


def notified(service):
    """How many zones PowerDNS has said to have notified."""
    return Metrics(service).sum("requests_total", method="setNotified")


def test_a_secondary_follows_all_parts(service, make_directory, ports, domains):
    service.admin_port = ports.take()
    service.configure(CONFIGURATION.format(parts=PARTS))
    write(service, domains)
    service.start()
    port, knot_port = ports.take(), ports.take()
    primary = Primary(make_directory(), port, service, TRANSPORTS[0], [knot_port])
    with (primary.directory / "pdns.conf").open("a", encoding="ascii") as settings:
        settings.write("loglevel=6\n")  # it tells when there is nothing to notify
        if NO_LIST in check(service):
            settings.write(f"{NO_LIST}\n")
    with primary, Knot(make_directory(), knot_port, port, PARTS) as knot:
        primary.start()
        knot.start()
        parts = listed(port)
        assert all(parts)
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert set.union(*parts) == zones_of([*domains, "example.net"])
        wait_notified(service, domains)
        wait_until(lambda: knot.zones() == set.union(*parts), "all zones on the secondary",
                   deadline=DEADLINE + len(domains) / DOMAINS_A_SECOND)
        follow_a_change(service, primary, knot, domains)


def follow_a_change(service, primary, knot, domains):
    """A domain comes and another one goes: their parts alone change, and are notified."""
    before = listed(primary.port)
    count = notified(service)
    write(service, [*domains[1:], "new.example"])
    service.reload()
    gone, come = zones_of([domains[0]]), zones_of(["new.example"])
    wait_until(lambda: knot.zones() >= come and not knot.zones() & gone, "the secondary to follow")
    assert ask(knot, "_mta-sts.new.example.", "TXT") == ask(primary, "_mta-sts.new.example.", "TXT")
    assert ask(knot, f"_mta-sts.{domains[0]}.", "TXT") == "REFUSED"
    wait_idle(primary, service)
    after = listed(primary.port)
    changed = [part for part in range(PARTS) if before[part] != after[part]]
    assert [part - come for part in after] == [part - gone for part in before]
    assert notified(service) - count == len(come) + len(changed)


@pytest.mark.parametrize("before, after", [(3, 1), (1, 3)])
def test_a_secondary_follows_another_number_of_parts(service, make_directory, ports, before, after):
    """As the guide has it done: it is started again without its list of zones."""
    domains = [f"customer-{number}.example" for number in range(20)]
    service.admin_port = ports.take()
    service.configure(CONFIGURATION.format(parts=before))
    write(service, domains)
    service.start()
    port, knot_port, directory = ports.take(), ports.take(), make_directory()
    with Primary(make_directory(), port, service, TRANSPORTS[0], [knot_port]) as primary:
        primary.start()
        with Knot(directory, knot_port, port, before) as knot:
            knot.start()
            wait_until(lambda: knot.zones() == zones_of([*domains, "example.net"]), "all zones")
        service.configure(CONFIGURATION.format(parts=after))
        service.reload()
        shutil.rmtree(directory / "catalog")
        with Knot(directory, knot_port, port, after) as knot:
            knot.start()
            wait_until(lambda: knot.zones() == zones_of([*domains, "example.net"]), "all zones again")
            write(service, [*domains[1:], "new.example"])
            service.reload()
            wait_until(lambda: knot.zones() == zones_of([*domains[1:], "new.example", "example.net"]),
                       "the secondary to follow")


def notify_all(service):
    """Says what PowerDNS says when it has notified all zones."""
    with Stream(service.socket) as stream:
        stream.send(b'{"method":"getAllDomains","parameters":{}}\n')
        for zone in stream.reply()["result"]:
            said = {"id": zone["id"], "serial": zone["serial"]}
            request = {"method": "setNotified", "parameters": said}
            stream.send(json.dumps(request).encode("ascii") + b"\n")
            assert stream.reply()["result"] is True


@pytest.mark.parametrize("length, count", [(14, 5400), (60, 3800)])
def test_powerdns_takes_what_check_does_not_warn_of(service, make_directory, ports, length, count):
    """Nearly the longest list without a warning, and a catalog in as many parts as check says."""
    domains = [f"{number:0{length - len('.example')}}.example" for number in range(count)]
    write(service, domains)
    service.configure(CONFIGURATION.format(parts=1))
    parts = int(re.search(r"set zones.catalog_parts to (\d+)", check(service))[1])
    service.configure(CONFIGURATION.format(parts=parts))
    assert not TOO_LONG.search(check(service))
    write(service, domains + [f"more.{domain}" for domain in domains[:count // 20]])
    assert NO_LIST in check(service)
    write(service, domains)
    service.start()
    notify_all(service)
    with Primary(make_directory(), ports.take(), service, TRANSPORTS[0], [ports.take()]) as primary:
        primary.start()
        assert set.union(*listed(primary.port, parts)) == zones_of([*domains, "example.net"])
