"""Secondaries of other makes fetch the service's own zones and follow every change by NOTIFY. Their
configurations, and the primary's, are those that docs/zones.md and docs/secondaries.md print."""

import dns.message
import dns.query
import dns.rcode
import pytest

from dns_tools import transfer
from knot import Knot
from named import Named
from nsd import Nsd
from powerdns import TRANSPORTS
from primary import PowerDnsSecondary, Primary
from processes import DEADLINE, wait_until

BY_NAME = {transport.name: transport for transport in TRANSPORTS}
CATALOG = "catalog.mta-sts.example.net"
CONFIGURATION = """\
zones:
  nameservers: [ns1.example.net, ns2.example.net]
  hostmaster: hostmaster.example.net
  catalog: catalog.mta-sts.example.net
policies:
  - domain: example.net
    authority: zones
    mode: testing
    mx: mail.example.net
    id: {id}
    rua: "mailto:tlsrpt@example.net"
    policy_host: [192.0.2.40, "2001:db8::40"]
    domains: [{members}]
"""
# What each domain has, in three zones.
RECORDS = [
    ("_mta-sts", "TXT", ['"v=STSv1; id={id}"']),
    ("_smtp._tls", "TXT", ['"v=TLSRPTv1; rua=mailto:tlsrpt@example.net"']),
    ("mta-sts", "A", ["192.0.2.40"]),
    ("mta-sts", "AAAA", ["2001:db8::40"]),
]
WITH_CATALOG = [(Knot, "get"), (Knot, "json"), (Knot, "unix"), (Named, "unix"),
                (PowerDnsSecondary, "unix")]


def configure(service, members, policy_id="one"):
    service.configure(CONFIGURATION.format(id=policy_id, members=", ".join(members)))


def ask(server, name, kind):
    """The data that a server has, or the name of the error."""
    reply = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", DEADLINE, server.port)
    if reply.rcode() != dns.rcode.NOERROR:
        return dns.rcode.to_text(reply.rcode())
    return sorted(record.to_text() for rrset in reply.answer for record in rrset)


def has_domain(server, domain, policy_id="one"):
    return all(
        ask(server, f"{prefix}.{domain}.", kind) == [data.format(id=policy_id) for data in content]
        for prefix, kind, content in RECORDS
    )


def refuses_domain(server, domain):
    return all(ask(server, f"{prefix}.{domain}.", kind) == "REFUSED" for prefix, kind, _ in RECORDS)


def wait_for(server, condition, what):
    """Waits until a secondary has followed. PowerDNS may need help with that."""
    def followed():
        if isinstance(server, PowerDnsSecondary):
            server.make_up_for_failures()
        return condition()
    wait_until(followed, what)


def wait_domain(server, domain, policy_id="one"):
    wait_for(server, lambda: has_domain(server, domain, policy_id),
             f"{domain} with the id {policy_id} on {server.name}")


def wait_gone(server, domain):
    wait_for(server, lambda: refuses_domain(server, domain), f"{server.name} to refuse {domain}")


@pytest.fixture
def start_pair(service, make_directory, ports):
    """Starts PowerDNS over a running service and, if a kind is given, a secondary that it
    notifies."""
    started = []

    def start(kind, transport, beside=False):
        port, secondary_port = ports.take(), ports.take()
        primary = Primary(make_directory(), port, service, BY_NAME[transport], [secondary_port],
                          beside)
        started.append(primary.start())
        if kind is None:
            return primary, None
        started.append(kind(make_directory(), secondary_port, port).start())
        return primary, started[-1]

    yield start
    for program in reversed(started):
        program.stop()


@pytest.mark.parametrize("kind,transport", WITH_CATALOG)
def test_a_secondary_with_the_catalog_follows_every_change(service, start_pair, kind, transport):
    # The zones are refreshed once in an hour: what shows before the deadline came by NOTIFY.
    configure(service, ["example.org"])
    service.start()
    _, secondary = start_pair(kind, transport)
    for domain in ("example.net", "example.org"):
        wait_domain(secondary, domain)
    assert refuses_domain(secondary, "example.com")

    configure(service, ["example.org", "example.com"])
    service.reload()
    wait_domain(secondary, "example.com")

    configure(service, ["example.org", "example.com"], "two")
    service.reload()
    for domain in ("example.net", "example.org", "example.com"):
        wait_domain(secondary, domain, "two")

    configure(service, ["example.com"], "two")
    service.reload()
    wait_gone(secondary, "example.org")
    assert has_domain(secondary, "example.net", "two")
    assert has_domain(secondary, "example.com", "two")


@pytest.mark.parametrize("transport", ["get", "json", "unix"])
def test_nsd_follows_the_zones_that_it_lists(service, start_pair, transport):
    configure(service, ["example.org"])
    service.start()
    _, nsd = start_pair(Nsd, transport, beside=True)
    nsd.follow_catalog()
    for domain in ("example.net", "example.org"):
        wait_domain(nsd, domain)

    configure(service, ["example.com"], "two")
    service.reload()
    wait_domain(nsd, "example.net", "two")  # by NOTIFY

    nsd.follow_catalog()
    wait_domain(nsd, "example.com", "two")
    wait_gone(nsd, "example.org")
    assert has_domain(nsd, "example.net", "two")


@pytest.mark.parametrize("transport", ["get", "json", "unix"])
def test_kdig_transfers_what_dig_transfers(service, start_pair, transport):
    configure(service, ["example.org"])
    service.start()
    primary, _ = start_pair(None, transport, beside=True)
    zones = [f"{apex}.{domain}" for apex in ("_mta-sts", "_tls", "mta-sts")
             for domain in ("example.net", "example.org")]
    members = [record.split()[3] for record in transfer("kdig", primary.port, CATALOG)
               if record.split()[2] == "PTR"]
    assert sorted(members) == sorted(f"{zone}." for zone in zones)
    for zone in [*zones, CATALOG]:
        records = transfer("kdig", primary.port, zone)
        assert records == transfer("dig", primary.port, zone)
        assert records[0] == records[-1]
        assert records[0].split()[2] == "SOA"
