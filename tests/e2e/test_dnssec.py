"""A signed parent: what validates with NSEC3 narrow, and what does not with anything else."""

import pytest

from dns_tools import delv, dig, validates
from powerdns import PowerDns, Zones
from service import Service

ZONE = """\
@    3600 SOA ns1.signed.example. hostmaster.signed.example. 1 10800 3600 604800 300
@    3600 NS  ns1.signed.example.
@    3600 MX  10 mail.signed.example.
mail 3600 A   192.0.2.25
zz   3600 A   192.0.2.26
*.wild 3600 TXT "wildcard"
"""

POLICIES = """\
policies:
  - domain: signed.example
    mode: enforce
    mx: mail.signed.example
    rua: mailto:postmaster@signed.example
    policy_host: 192.0.2.40
    domains: [dept.signed.example, wild.signed.example]
"""

POSITIVE = [
    ("_mta-sts.signed.example", "TXT"),
    ("_smtp._tls.signed.example", "TXT"),
    ("mta-sts.signed.example", "A"),
    ("_mta-sts.dept.signed.example", "TXT"),
    ("mta-sts.dept.signed.example", "A"),
    ("signed.example", "MX"),
    ("other.wild.signed.example", "TXT"),
    ("_mta-sts.wild.signed.example", "TXT"),
]

# Names that exist without the type asked for, the ENT among them.
NODATA = [
    ("mta-sts.signed.example", "AAAA"),
    ("_mta-sts.signed.example", "A"),
    ("_smtp._tls.signed.example", "A"),
    ("_tls.signed.example", "TXT"),
    ("_tls.wild.signed.example", "TXT"),
]

# Names below ours. Without narrow their proof deals with the wrong ancestor; whether it validates
# all the same depends on which names happen to be their neighbours.
BELOW = [
    ("x._mta-sts.signed.example", "TXT"),
    ("x._tls.signed.example", "TXT"),
    ("x.mta-sts.signed.example", "A"),
    ("x._mta-sts.wild.signed.example", "TXT"),
]

# Nothing of ours is involved.
NEGATIVE_ELSEWHERE = [("other.signed.example", "A"), ("mail.signed.example", "AAAA")]


@pytest.fixture(scope="module")
def dnssec_service(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        service.configure(POLICIES)
        yield service.start()


def sign(zones, *nsec3):
    zone_file = zones.directory / "zone"
    zone_file.write_text(ZONE, encoding="ascii")
    zones.load("signed.example", zone_file)
    zones.pdnsutil("secure-zone", "signed.example")
    if nsec3:
        zones.pdnsutil("set-nsec3", "signed.example", *nsec3)
    zones.pdnsutil("rectify-zone", "signed.example")


def write_anchors(port, path):
    """The zone's own keys as trust anchors."""
    keys = [record.split(None, 3)[3] for record in dig(port, "signed.example", "DNSKEY").answer]
    lines = []
    for key in keys:
        flags, protocol, algorithm, text = key.split(None, 3)
        text = text.replace(" ", "")
        lines.append(f'signed.example. static-key {flags} {protocol} {algorithm} "{text}";')
    path.write_text("trust-anchors {\n" + "\n".join(lines) + "\n};\n", encoding="ascii")


class Validator:
    def __init__(self, port, directory):
        self.port = port
        self.anchors = directory / "anchors"
        write_anchors(port, self.anchors)

    def ask(self, question):
        return delv(self.port, self.anchors, "signed.example", *question)


@pytest.fixture(scope="module")
def validator(make_directory, ports, dnssec_service):
    """Makes a validator in front of the zone, signed with the given NSEC3 parameters."""
    servers = []

    def make(*nsec3):
        zones = Zones(make_directory())
        sign(zones, *nsec3)
        server = PowerDns(make_directory(), ports.take(), zones, dnssec_service)
        servers.append(server)
        server.start()
        return Validator(server.port, server.directory)

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def narrow(validator):
    return validator("1 0 0 -", "narrow")


@pytest.fixture(scope="module", params=[(), ("1 0 0 -",)], ids=["nsec", "nsec3"])
def not_narrow(request, validator):
    return validator(*request.param)


def ids(question):
    return "-".join(question)


@pytest.mark.parametrize("question", POSITIVE + NODATA + BELOW + NEGATIVE_ELSEWHERE, ids=ids)
def test_everything_validates_with_nsec3_narrow(narrow, question):
    output = narrow.ask(question)
    assert validates(output), output


@pytest.mark.parametrize("question", POSITIVE, ids=ids)
def test_positive_answers_validate_without_narrow(not_narrow, question):
    output = not_narrow.ask(question)
    assert validates(output), output


@pytest.mark.parametrize("question", NEGATIVE_ELSEWHERE, ids=ids)
def test_other_negative_answers_validate_without_narrow(not_narrow, question):
    output = not_narrow.ask(question)
    assert validates(output), output


@pytest.mark.parametrize("question", NODATA, ids=ids)
def test_negative_answers_at_our_names_are_bogus_without_narrow(not_narrow, question):
    """The reason why an overlay on a signed parent needs NSEC3 narrow. Where this fails, PowerDNS
    has learnt to deny our names, and the documentation may ask for less."""
    output = not_narrow.ask(question)
    assert not validates(output), output
