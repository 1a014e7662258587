"""dnsdist before two PowerDNS servers, of which only one has the overlay (docs/isolation.md): the
answers are those of one server with the overlay, and no outage of ours reaches any other name."""

import contextlib
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import unquote

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from dns_tools import dig, dig_all, validates
from dnsdist import EXAMPLE, Dnsdist, check_config
from load import Load, dns_load
from powerdns import TRANSPORTS, PowerDns, Zones
from processes import wait_until
from test_answers import CASES, answer_service, answer_zones, ask_all, axfr_owners, check_reply
from test_dnssec import (
    BELOW,
    NEGATIVE_ELSEWHERE,
    NODATA,
    POSITIVE,
    Validator,
    dnssec_service,
    sign,
)

__all__ = ["answer_service", "answer_zones", "dnssec_service"]  # fixtures

UNIX = next(transport for transport in TRANSPORTS if transport.name == "unix")

# A name of each kind, the ENT among them, for a primary and for members.
OURS = [
    ("_mta-sts.full.example", "TXT"),
    ("_smtp._tls.full.example", "TXT"),
    ("_tls.full.example", "TXT"),
    ("mta-sts.full.example", "A"),
    ("_MTA-sts.full-member.example", "TXT"),
    ("_sMtP._TlS.full-direct-member.example", "TXT"),
]
BELOW_OURS = [
    ("x._mta-sts.full.example", "TXT"),
    ("_smtps._tls.full.example", "TXT"),
    ("x._smtp._tls.full.example", "TXT"),
    ("x.mta-sts.full.example", "A"),
]
# Names that only look like ours. None of them may depend on the overlay.
LOOK_ALIKES = [
    ("mta-sts-full.example", "A"),
    ("_mta-stss.full.example", "TXT"),
    ("_mta-st.full.example", "TXT"),
    ("x_mta-sts.full.example", "TXT"),
    ("xmta-sts.full.example", "A"),
    ("mta-stsx.full.example", "A"),
    ("mta-sts-1.full.example", "A"),
    ("MTA_STS.full.example", "A"),
    ("mtasts.full.example", "A"),
    ("mta\\.sts.full.example", "A"),
    ("mta-sts\\.x.full.example", "A"),
    ("_tlsx.full.example", "TXT"),
    ("x_tls.full.example", "TXT"),
    ("_smtp._tlsa.full.example", "TXT"),
    ("_smtp.full.example", "TXT"),
    ("tls.full.example", "TXT"),
    ("mta-sts", "A"),
]
OTHERS = [
    ("full.example", "SOA"),
    ("full.example", "MX"),
    ("www.full.example", "A"),
    ("WwW.fUlL.eXaMpLe", "a"),
    ("www.full.example", "AAAA"),
    ("sub.full.example", "MX"),
    ("other.full.example", "A"),
    ("a.b.c.full.example", "A"),
    ("other.wild.example", "A"),
    ("_25._tcp.full.example", "TLSA"),
    ("elsewhere.test", "A"),
]

# The same for queries without pause: what must come back, of which () is NXDOMAIN.
MAIN_LOAD = {
    ("www.full.example", "A"): {("192.0.2.80",)},
    ("full.example", "MX"): {("10 mail.full.example.",)},
    ("other.full.example", "A"): {()},
    ("x_mta-sts.full.example", "TXT"): {()},
}
OUR_ADDRESSES = {"192.0.2.40", "192.0.2.41"}


def ids(question):
    return "-".join(question)


@pytest.fixture(scope="module")
def make_front(make_directory, ports):
    """Starts the two servers over the same zones, and dnsdist before them."""
    with contextlib.ExitStack() as programs:

        def make(zones, service, transport=UNIX, alive="full.example", **more):
            main = PowerDns(make_directory(), ports.take(), zones)
            overlay = PowerDns(make_directory(), ports.take(), zones, service, transport)
            for server in (main, overlay):
                programs.enter_context(server)
                server.start()
            front = Dnsdist(make_directory(), ports.take(), main, overlay, alive, **more)
            programs.enter_context(front).start()
            return SimpleNamespace(port=front.port, dnsdist=front, main=main, overlay=overlay)

        yield make


@pytest.fixture(scope="module")
def front(make_front, answer_zones, answer_service):
    return make_front(answer_zones, answer_service)


@pytest.fixture
def all_up(front, answer_service):
    """Brings back what a test took down."""
    yield
    for program in (answer_service, front.main, front.overlay):
        if program.process.poll() is not None:
            program.start()
    for server in ("main", "overlay"):
        wait_for_state(front, server, "up")
    wait_until(lambda: rcodes(front.port, OURS) == {"NOERROR"}, "our names to be back")


def wait_for_state(front, server, state):
    wait_until(lambda: front.dnsdist.state(server) == state, f"dnsdist to find {server} {state}")


def replies(port, questions):
    return dict(zip(questions, dig_all(port, questions)))


def rcodes(port, questions):
    return {reply.rcode for reply in dig_all(port, questions)}


def our_load(port):
    """Asks for one of our addresses again and again. No reply and SERVFAIL are what an outage may
    cause; a false denial is what it must not."""
    question = dns.message.make_query("mta-sts.full.example", "A", flags=dns.flags.Flag(0))

    def ask(_):
        try:
            reply = dns.query.udp(question, "127.0.0.1", 1, port)
        except dns.exception.Timeout:
            return None
        if reply.rcode() == dns.rcode.SERVFAIL:
            return None
        found = {record.to_text() for rrset in reply.answer for record in rrset}
        return None if found == OUR_ADDRESSES else f"{dns.rcode.to_text(reply.rcode())} {found}"

    return Load(ask, ["mta-sts.full.example"])


@contextlib.contextmanager
def under_load(port):
    """Other names answer throughout, and ours are never denied."""
    with dns_load(port, MAIN_LOAD) as others, our_load(port) as ours:
        others.wait_for_more()
        yield others
        others.wait_for_more()
    others.check()
    ours.check()


def test_the_example_is_a_valid_configuration():
    code, output = check_config(EXAMPLE)
    assert code == 0, output


@pytest.fixture(scope="module")
def listed(front):
    return ask_all(front.port)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_answer_is_that_of_one_server_with_the_overlay(listed, case):
    check_reply(case, listed[case.place])


def in_mixed_case(name):
    return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(name))


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_an_answer_comes_in_the_case_of_the_question(front, transport):
    questions = [(name, kind, transport) for name, kind in OURS + OTHERS]
    mixed_questions = [(in_mixed_case(name), *rest) for name, *rest in questions]
    plain = dig_all(front.port, questions)
    for question, mixed, as_usual in zip(
        mixed_questions, dig_all(front.port, mixed_questions), plain
    ):
        assert (mixed.rcode, mixed.answer) == (as_usual.rcode, as_usual.answer), question
        asked = f"{question[0]}."
        owners = [owner for owner in mixed.owners if owner.lower() == asked.lower()]
        assert owners == ([asked] if mixed.answer else []), question


def test_only_one_of_the_two_servers_has_the_overlay(front):
    """What the other tests rest on: without dnsdist's rule our names would be denied."""
    assert "remote" not in (front.main.directory / "pdns.conf").read_text(encoding="ascii")
    assert rcodes(front.main.port, OURS) == {"NXDOMAIN"}
    assert rcodes(front.overlay.port, OURS) == {"NOERROR"}


def test_a_stopped_service_fails_our_names_alone(front, answer_service, all_up):
    others = replies(front.port, OTHERS + LOOK_ALIKES)
    with under_load(front.port):
        answer_service.stop()
        assert replies(front.port, OTHERS + LOOK_ALIKES) == others
        assert rcodes(front.port, OURS + BELOW_OURS) == {"SERVFAIL"}
        # What dnsdist's health check asks: the overlay server itself is well.
        assert dig(front.overlay.port, "full.example", "SOA").rcode == "NOERROR"


def test_a_hanging_service_fails_our_names_alone(front, answer_service, all_up):
    others = replies(front.port, OTHERS + LOOK_ALIKES)
    answer_service.process.send_signal(signal.SIGSTOP)
    try:
        with under_load(front.port):
            assert replies(front.port, OTHERS + LOOK_ALIKES) == others
            wait_for_state(front, "overlay", "down")
            assert replies(front.port, OTHERS + LOOK_ALIKES) == others
    finally:
        answer_service.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("service_too", [False, True], ids=["alone", "with-the-service"])
def test_a_stopped_overlay_server_fails_our_names_alone(
    front, answer_service, all_up, service_too
):
    others = replies(front.port, OTHERS + LOOK_ALIKES)
    with under_load(front.port):
        if service_too:
            answer_service.stop()
        front.overlay.stop()
        wait_for_state(front, "overlay", "down")
        assert replies(front.port, OTHERS + LOOK_ALIKES) == others
        assert rcodes(front.port, OURS + BELOW_OURS) == {"SERVFAIL"}


def test_a_stopped_main_server_leaves_our_names(front, all_up):
    ours = replies(front.port, OURS)
    front.main.stop()
    wait_for_state(front, "main", "down")
    assert replies(front.port, OURS) == ours
    assert rcodes(front.port, OTHERS + LOOK_ALIKES) == {"SERVFAIL"}


class Recorder:
    """A remote backend without records that remembers what it is asked."""

    def __init__(self, port):
        self.paths = paths = []
        self.url = f"http://127.0.0.1:{port}/dns"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                paths.append(unquote(self.path).lower())
                self.send_response(200)
                self.send_header("Content-Length", "13")
                self.end_headers()
                self.wfile.write(b'{"result":[]}')

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def names(self):
        """The names it was asked for since last time."""
        paths = list(self.paths)
        del self.paths[: len(paths)]
        return {path.split("/")[3].rstrip(".") for path in paths if "/lookup/" in path}


def test_the_service_is_never_asked_for_other_names(make_front, answer_zones, ports):
    with Recorder(ports.take()) as recorder:
        front = make_front(answer_zones, recorder, TRANSPORTS[0])
        replies(front.port, OTHERS + LOOK_ALIKES)
        assert recorder.names() == set()
        replies(front.port, OURS)
        assert recorder.names() >= {name.lower() for name, _ in OURS}


def test_zone_transfers_are_for_peers_alone(front, make_front, answer_zones, answer_service):
    with pytest.raises(dns.exception.DNSException, match="REFUSED"):
        axfr_owners(front.port, "full.example")
    open_to_us = make_front(answer_zones, answer_service, peers='{"127.0.0.1/32"}')
    owners = axfr_owners(open_to_us.port, "full.example")
    assert owners == axfr_owners(open_to_us.main.port, "full.example")
    assert not any("mta-sts" in owner or "_tls" in owner for owner in owners)


@pytest.fixture(scope="module")
def signed(make_front, make_directory, dnssec_service):
    zones = Zones(make_directory())
    sign(zones, "1 0 0 -", "narrow")
    return make_front(zones, dnssec_service, alive="signed.example")


@pytest.fixture(scope="module")
def validator(signed, make_directory):
    return Validator(signed.port, make_directory())


@pytest.mark.parametrize("question", POSITIVE + NODATA + BELOW + NEGATIVE_ELSEWHERE, ids=ids)
def test_everything_validates_where_both_servers_sign(validator, question):
    output = validator.ask(question)
    assert validates(output), output


def proof(port, question):
    """The NSEC3 records of a denial."""
    reply = dig(port, *question, "+dnssec")
    assert reply.rcode == "NXDOMAIN"
    return [record for record in reply.authority if record.split()[2] == "NSEC3"]


@pytest.mark.parametrize("question", BELOW[:3], ids=ids)
def test_names_below_ours_are_denied_without_denying_ours(signed, question):
    """The main server would prove that ours do not exist either, and resolvers that reuse proofs
    (RFC 8198) would believe it; so these names go to the overlay too."""
    assert proof(signed.port, question) == proof(signed.overlay.port, question)
    assert proof(signed.port, question) != proof(signed.main.port, question)
