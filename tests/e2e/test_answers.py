"""The answers of tests/data/answers, asked through PowerDNS over every transport."""

import hashlib

import dns.query
import pytest

from cases import read_cases
from conftest import DATA
from dns_tools import dig, dig_all
from powerdns import TRANSPORTS, PowerDns, Zones
from processes import DEADLINE
from service import Service

ANSWERS = DATA / "answers"

FULL = (
    "version: STSv1\r\nmode: enforce\r\n"
    "mx: mail.full.example\r\nmx: *.mx.full.example\r\nmax_age: 604800\r\n"
)
TESTING = (
    "version: STSv1\r\nmode: testing\r\n"
    "mx: mail.full.example\r\nmx: *.mx.full.example\r\nmax_age: 172800\r\n"
)
NONE = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"


def policy_id(body):
    """An id that is not configured: the first half of the body's SHA-256."""
    return hashlib.sha256(body.encode("ascii")).hexdigest()[:32]


IDS = {"full": policy_id(FULL), "mode": policy_id(TESTING), "none": policy_id(NONE)}
CASES = [case for path in sorted(ANSWERS.glob("*.cases")) for case in read_cases(path, IDS)]


def plain_zones():
    lines = (ANSWERS / "zones/plain.list").read_text(encoding="ascii").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def answer_zones(make_directory):
    zones = Zones(make_directory())
    for zone in plain_zones():
        zones.load(zone, ANSWERS / "zones/plain.zone")
    for path in (ANSWERS / "zones").glob("*.*.zone"):
        zones.load(path.stem, path)
        zones.pdnsutil("rectify-zone", path.stem)
    return zones


@pytest.fixture(scope="module")
def answer_service(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        text = (ANSWERS / "config.yaml").read_text(encoding="utf-8")
        text = text.replace(":8053", f":{service.port}")
        text = text.replace("/run/pdns-mta-sts", str(service.directory))
        service.config.write_text(text, encoding="utf-8")
        yield service.start()


@pytest.fixture(scope="module", params=TRANSPORTS, ids=lambda transport: transport.name)
def server(request, make_directory, ports, answer_zones, answer_service):
    powerdns = PowerDns(
        make_directory(), ports.take(), answer_zones, answer_service, request.param
    )
    with powerdns:
        yield powerdns.start()


def ask_all(port):
    """The replies to all cases, by their places. PowerDNS answers ANY over TCP only."""
    questions = [
        (case.question, case.kind, "+tcp" if case.kind == "ANY" else "+notcp") for case in CASES
    ]
    return dict(zip((case.place for case in CASES), dig_all(port, questions)))


def check_reply(case, reply):
    found = (reply.rcode, reply.soa(), reply.answer)
    assert found == (case.rcode, case.soa, case.answer), f"{case.question} {case.kind}"


@pytest.fixture(scope="module")
def replies(server):
    return ask_all(server.port)


def axfr_owners(port, zone):
    messages = dns.query.xfr("127.0.0.1", zone, port=port, lifetime=DEADLINE, relativize=False)
    return {str(rrset.name) for message in messages for rrset in message.answer}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_answer_is_as_listed(replies, case):
    check_reply(case, replies[case.place])


def test_an_answer_comes_in_the_case_of_the_question(server):
    """Resolvers that mix cases against spoofing (0x20) count on it."""
    reply = dig(server.port, "_mTa-StS.FuLl.ExAmPlE", "TXT")
    assert reply.owners == {"_mTa-StS.FuLl.ExAmPlE."}


def test_an_answer_over_tcp_is_the_same(server):
    question = ("mta-sts.full-member.example", "A")
    assert dig(server.port, *question, "+tcp").answer == dig(server.port, *question).answer


def test_zone_transfer_lists_the_other_backend_alone(server):
    """Overlay records are never part of a transfer."""
    owners = axfr_owners(server.port, "full.example")
    names = ("", "dept.", "mail.", "ns1.", "sub.", "www.")
    assert owners == {f"{name}full.example." for name in names}
