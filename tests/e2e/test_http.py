"""The HTTP listener, byte by byte: framing, encodings, limits, and what it says to nonsense."""

import contextlib
import json
import resource
import socket
import time

import pytest

from http_client import ENCODERS, Connection, exchange, get_request, parse_reply, request
from service import Service

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: abc123
    rua: mailto:postmaster@example.net
    policy_host: [192.0.2.40, "2001:db8::40"]
    domains: example.org
"""
NAME = "_mta-sts.example.net"
TXT = {"qtype": "TXT", "qname": NAME, "content": '"v=STSv1; id=abc123"', "ttl": 3600}
NOT_OURS = {"result": False}
LOOKUP = get_request("/dns", "lookup", {"qname": f"{NAME}.", "qtype": "ANY"})

HEADERS_MAX = 16 << 10
BODY_MAX = 64 << 10
CONNECTIONS_MAX = 1024
IDLE_SECONDS = 30


def start_service(make_directory, ports, path="/dns", keepalive="no"):
    service = Service(make_directory(), ports.take(), path)
    service.configure(POLICIES, keepalive)
    return service.start()


@pytest.fixture(scope="module")
def closing(make_directory, ports):
    """The service as it is by default: it closes after each reply."""
    with start_service(make_directory, ports) as service:
        yield service


@pytest.fixture(scope="module")
def keeping(make_directory, ports):
    """The service with keep-alive."""
    with start_service(make_directory, ports, keepalive="yes") as service:
        yield service


@pytest.fixture(scope="module", autouse=True)
def idle_since(closing):
    """A connection that stays silent from the start, and when that was."""
    with Connection(closing.port) as connection:
        yield connection, time.monotonic()


def in_lower_case(rows):
    return [{**row, "qname": row["qname"].rstrip(".").lower()} for row in rows]


# Encodings and methods

TLSRPT = '"v=TLSRPTv1; rua=mailto:postmaster@example.net"'
LOOKUPS = [
    ("_mta-sts.example.net.", "ANY", [("TXT", '"v=STSv1; id=abc123"')]),
    ("_mta-sts.example.net.", "TXT", [("TXT", '"v=STSv1; id=abc123"')]),
    ("_mta-sts.example.net.", "SOA", []),
    ("_MTA-sts.eXample.NET.", "any", [("TXT", '"v=STSv1; id=abc123"')]),
    ("\\095mta-sts.example.net.", "ANY", [("TXT", '"v=STSv1; id=abc123"')]),
    ("_smtp._tls.example.net.", "ANY", [("TXT", TLSRPT)]),
    ("_tls.example.net.", "ANY", [("ENT", "")]),
    ("_tls.example.net.", "TXT", []),
    ("mta-sts.example.net.", "ANY", [("A", "192.0.2.40"), ("AAAA", "2001:db8::40")]),
    ("mta-sts.example.net.", "AAAA", [("AAAA", "2001:db8::40")]),
    ("_mta-sts.example.org.", "ANY", [("CNAME", "_mta-sts.example.net")]),
    ("_mta-sts.example.org.", "TXT", []),
]


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("qname,qtype,rows", LOOKUPS)
def test_lookup_gives_rows(closing, encoding, qname, qtype, rows):
    parameters = {"qname": qname, "qtype": qtype, "zone-id": 1, "remote": "127.0.0.1"}
    reply = exchange(closing.port, ENCODERS[encoding]("/dns", "lookup", parameters))
    assert reply.status == 200
    name = qname.replace("\\095", "_").rstrip(".").lower()
    found = in_lower_case(reply.json()["result"])
    contents = [(row["qtype"], row["content"]) for row in found]
    assert contents == rows
    assert all(row["qname"] == name and row["ttl"] == 3600 for row in found)


OTHER_NAMES = [
    "example.net.",
    ".",
    "www.example.net.",
    "*.example.net.",
    "x._mta-sts.example.net.",
    "_mta-sts.example.com.",
    "_mta-sts\\.example.net.",
    "_mta-sts.example\\000.net.",
    "_mta-sts." + ".".join(["a" * 63] * 3) + ".example.net.",
]


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("qname", OTHER_NAMES)
def test_lookup_of_another_name_is_not_ours(closing, encoding, qname):
    parameters = {"qname": qname, "qtype": "ANY"}
    reply = exchange(closing.port, ENCODERS[encoding]("/dns", "lookup", parameters))
    assert (reply.status, reply.json()) == (200, NOT_OURS)


METHODS = [
    ("APILookup", {"qname": f"{NAME}.", "qtype": "TXT", "include-disabled": False}, [TXT]),
    ("list", {"zonename": "example.net.", "domain_id": 1, "include_disabled": False}, False),
    ("getAllDomains", {"include_disabled": True}, []),
    ("getDomainInfo", {"name": "example.net."}, False),
    ("getAllDomainMetadata", {"name": "example.net."}, False),
    ("getDomainMetadata", {"name": "example.net.", "kind": "PRESIGNED"}, False),
    ("getUpdatedMasters", {}, []),
    ("setNotified", {"id": 1, "serial": 8}, True),
    ("searchRecords", {"pattern": "mta-sts*", "maxResults": 10}, []),
    ("getBeforeAndAfterNamesAbsolute", {"id": 1, "qname": "x.example.net."}, False),
    ("getDomainKeys", {"name": "example.net."}, False),
    ("getTSIGKey", {"name": "key."}, False),
    ("getTSIGKeys", {}, False),
    ("getUnfreshSlaveInfos", {}, False),
    ("setFresh", {"id": 1}, False),
    ("setStale", {"id": 1}, False),
    ("feedRecord", {"rr": {"qname": "x.example.net."}, "trxid": 1}, False),
    ("feedEnts", {"domain_id": 1, "trxid": 1, "nonterm": ["x"]}, False),
    ("feedEnts3", {"domain_id": 1, "domain": "example.net.", "trxid": 1, "nonterm": []}, False),
    ("replaceRRSet", {"domain_id": 1, "qname": "x.", "qtype": "A", "rrset": []}, False),
    ("startTransaction", {"domain": "example.net.", "domain_id": 1, "trxid": 1}, False),
    ("commitTransaction", {"trxid": 1}, False),
    ("abortTransaction", {"trxid": 1}, False),
    ("createSlaveDomain", {"ip": "192.0.2.1", "domain": "example.net."}, False),
    ("superMasterBackend", {"ip": "192.0.2.1", "domain": "example.net.", "nsset": []}, False),
    ("setDomainMetadata", {"name": "example.net.", "kind": "X", "value": []}, False),
    ("addDomainKey", {"name": "example.net.", "key": {"flags": 257}}, False),
    ("removeDomainKey", {"name": "example.net.", "id": 1}, False),
    ("activateDomainKey", {"name": "example.net.", "id": 1}, False),
    ("deactivateDomainKey", {"name": "example.net.", "id": 1}, False),
    ("publishDomainKey", {"name": "example.net.", "id": 1}, False),
    ("unpublishDomainKey", {"name": "example.net.", "id": 1}, False),
    ("setTSIGKey", {"name": "key.", "algorithm": "hmac-md5", "content": "x"}, False),
    ("deleteTSIGKey", {"name": "key."}, False),
    ("someLaterMethod", {"name": "example.net."}, False),
]


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("method,parameters,result", METHODS, ids=[row[0] for row in METHODS])
def test_every_method_has_its_answer(closing, encoding, method, parameters, result):
    reply = exchange(closing.port, ENCODERS[encoding]("/dns", method, parameters))
    assert (reply.status, reply.json()) == (200, {"result": result})


# What PowerDNS's GET mode sends for methods that write: other verbs, and bodies of other forms.
WRITES_OF_GET_MODE = [
    ("PATCH", "/dns/setNotified/8", b"serial=8%2e000000", True),
    ("PATCH", "/dns/setDomainMetadata/example%2enet%2e/ALSO%2dNOTIFY", b"value%5b%5d=x", False),
    ("PATCH", "/dns/feedRecord/1", b"rr%5bqname%5d=x", False),
    ("PATCH", "/dns/replaceRRSet/1/x%2eexample%2enet%2e/A", b"rrset%5b0%5d%5bttl%5d=1", False),
    ("PUT", "/dns/addDomainKey/example%2enet%2e", b"flags=257&active=1&content=x", False),
    ("PUT", "/dns/createSlaveDomain/192%2e0%2e2%2e1/example%2enet%2e", b"", False),
    ("DELETE", "/dns/deleteTSIGKey/key%2e", b"", False),
    ("DELETE", "/dns/removeDomainKey/1/example%2enet%2e", b"", False),
    ("POST", "/dns/activateDomainKey/1/example%2enet%2e", b"", False),
    ("POST", "/dns/startTransaction/1/example%2enet%2e/1", b"", False),
    ("POST", "/dns/commitTransaction/1", b"", False),
    ("POST", "/dns/directBackendCmd", b"query=lookup%20a%20A", "not a name of this service\n"),
    ("POST", "/dns/superMasterBackend/192%2e0%2e2%2e1/x%2e", b"nsset%5b0%5d%5bttl%5d=1", False),
]


@pytest.mark.parametrize("verb,path,body,result", WRITES_OF_GET_MODE)
def test_a_write_in_get_mode_has_its_answer(closing, verb, path, body, result):
    content_type = "application/x-www-form-urlencoded; charset=utf-8"
    reply = exchange(closing.port, request(verb, path, body, content_type))
    assert (reply.status, reply.json()) == (200, {"result": result})


def test_a_path_typed_by_hand_needs_no_escapes(closing):
    reply = exchange(closing.port, request("GET", f"/dns/lookup/{NAME}/ANY"))
    assert reply.json() == {"result": [TXT]}


@pytest.mark.parametrize("encoding", ["get", "form"])
def test_a_url_suffix_changes_nothing(closing, encoding):
    parameters = {"qname": f"{NAME}.", "qtype": "ANY"}
    plain = ENCODERS[encoding]("/dns", "lookup", parameters)
    suffixed = plain.replace(b" HTTP/1.1", b".json HTTP/1.1", 1)
    assert exchange(closing.port, suffixed).json() == {"result": [TXT]}


def test_a_query_string_is_ignored(closing):
    reply = exchange(closing.port, request("GET", "/dns/getAllDomains?includeDisabled=true"))
    assert reply.json() == {"result": []}


# Where we are

@pytest.mark.parametrize("path", ["/", "/a/b", "/dns/"])
@pytest.mark.parametrize("encoding", ENCODERS)
def test_any_path_can_be_the_prefix(make_directory, ports, path, encoding):
    parameters = {"qname": f"{NAME}.", "qtype": "ANY"}
    asked = ENCODERS[encoding](path.rstrip("/"), "lookup", parameters)
    with start_service(make_directory, ports, path) as service:
        assert exchange(service.port, asked).json() == {"result": [TXT]}


@pytest.mark.parametrize("path", ["/", "/dns"])
@pytest.mark.parametrize("encoding", ENCODERS)
def test_the_url_may_end_in_a_slash(make_directory, ports, path, encoding):
    """PowerDNS adds a slash of its own before the method."""
    parameters = {"qname": f"{NAME}.", "qtype": "ANY"}
    asked = ENCODERS[encoding](path.rstrip("/") + "/", "lookup", parameters)
    with start_service(make_directory, ports, path) as service:
        assert exchange(service.port, asked).json() == {"result": [TXT]}


OTHER_PATHS = ["/", "/dn", "/dnsx", "/dnsx/lookup/a/ANY", "/a/dns/lookup/a/ANY", "/x.ico", "*"]


@pytest.mark.parametrize("path", OTHER_PATHS)
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_another_path_is_not_found(closing, verb, path):
    if path == "*":
        verb = "OPTIONS"
    reply = exchange(closing.port, request(verb, path))
    assert (reply.status, reply.json()) == (404, NOT_OURS)


@pytest.mark.parametrize("verb", ["OPTIONS", "TRACE", "PROPFIND"])
def test_another_verb_is_not_allowed(closing, verb):
    reply = exchange(closing.port, request(verb, f"/dns/lookup/{NAME}/ANY"))
    assert reply.status == 405
    assert "error" in reply.json()
    assert {"GET", "POST"} <= set(reply.headers["allow"].upper().split(", "))


def test_a_reply_to_head_has_no_body(closing):
    with Connection(closing.port) as connection:
        connection.send(request("HEAD", f"/dns/lookup/{NAME}/ANY"))
        received = read_to_end(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 ")
    assert body == b""


# Malformed requests

def json_body(text):
    return request("POST", "/dns", text.encode("utf-8"), "text/javascript; charset=utf-8")


def form_body(text):
    return request("POST", "/dns/lookup", text.encode("ascii"), "application/x-www-form-urlencoded")


POST = b"POST /dns HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n%s"
ALL_DOMAINS = b'{"method":"getAllDomains","parameters":{}}'
LENGTH = b"Content-Length: %d" % len(ALL_DOMAINS)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(ALL_DOMAINS), ALL_DOMAINS)
MALFORMED = {
    "get without method": request("GET", "/dns"),
    "get with empty method": request("GET", "/dns/"),
    "get without qname": request("GET", "/dns/lookup"),
    "get without qtype": request("GET", "/dns/lookup/_mta%2dsts%2eexample%2enet%2e"),
    "get with a percent and no digits": request("GET", "/dns/lookup/%zz/ANY"),
    "get with a percent at the end": request("GET", "/dns/lookup/a/%4"),
    "form without parameters": form_body("other=x"),
    "form with an empty body": form_body(""),
    "form with a percent and no digits": form_body("parameters=%7b%7"),
    "form with bad JSON": form_body("parameters=%7b%22qname%22"),
    "form with JSON that is no object": form_body("parameters=%5b%5d"),
    "form without qname": form_body("parameters=%7b%22qtype%22%3a%22A%22%7d"),
    "empty JSON": json_body(""),
    "JSON cut short": json_body('{"method":"lookup","parameters":{"qname":"a."'),
    "JSON with something behind": json_body('{"method":"getAllDomains","parameters":{}} x'),
    "JSON that is an array": json_body('["lookup"]'),
    "JSON that is a number": json_body("1"),
    "JSON without method": json_body('{"parameters":{"qname":"a.","qtype":"A"}}'),
    "JSON with a method of another type": json_body('{"method":1,"parameters":{}}'),
    "JSON without parameters": json_body('{"method":"lookup"}'),
    "JSON with parameters of another type": json_body('{"method":"lookup","parameters":[]}'),
    "JSON without qname": json_body('{"method":"lookup","parameters":{"qtype":"A"}}'),
    "JSON without qtype": json_body('{"method":"lookup","parameters":{"qname":"a."}}'),
    "JSON with a qname of another type": json_body(
        '{"method":"lookup","parameters":{"qname":1,"qtype":"A"}}'
    ),
    "JSON with a key twice": json_body(
        '{"method":"lookup","parameters":{"qname":"a.","qname":"b.","qtype":"A"}}'
    ),
    "JSON nested too deep": json_body("[" * 20000),
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "a request without version": b"GET /dns\r\n\r\n",
    "a version that does not exist": b"GET /dns/getAllDomains HTTP/x.y\r\n\r\n",
    "no Host field": LOOKUP.replace(b"Host: 127.0.0.1\r\n", b""),
    "two Host fields": LOOKUP.replace(b"User-Agent", b"host"),
    "a folded header line": LOOKUP.replace(b"Host: 127.0.0.1", b"Host: 127.0\r\n .0.1"),
    "an unknown verb": b"BREW /dns/getAllDomains HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length that is no number": b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "a negative length": b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a length beyond 64 bits": (
        b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"
    ),
    "two lengths": (
        b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "a length and chunks": (
        b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n"
    ),
    "a blank before the colon of a length": POST % (LENGTH.replace(b":", b" :"), ALL_DOMAINS),
    "a blank before the colon of an encoding": POST % (CHUNKED.replace(b":", b" :"), CHUNKS),
    "a blank in a name": LOOKUP.replace(b"User-Agent", b"User Agent"),
    "a first header line that begins with a blank": LOOKUP.replace(b"Accept:", b" Accept:"),
    "a first header line that begins with a tab": LOOKUP.replace(b"Accept:", b"\tAccept:"),
    "a folded line after an empty one": LOOKUP.replace(b"Host:", b"X:\r\n y\r\nHost:"),
    "a length that is folded": POST % (LENGTH.replace(b": ", b":\r\n "), ALL_DOMAINS),
    "a bare CR at the end of the headers": LOOKUP[:-2] + b"\rX",
    "a bare CR after an empty value": LOOKUP.replace(b"Host:", b"X: \rYHost:"),
    "data of a chunk that does not end in CRLF": POST % (CHUNKED, CHUNKS.replace(b"}\r\n", b"}XX")),
    "data of a chunk that ends in LF": POST % (CHUNKED, CHUNKS.replace(b"}\r\n", b"}\nX")),
    "a bare CR after the size of a chunk": POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b"\rX{")),
    "a bare CR in the extension of a chunk": POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b";a\rX{")),
    "a bare CR at the end of the trailers": POST % (CHUNKED, CHUNKS[:-1] + b"X"),
    "a trailer with a blank before its colon": POST % (CHUNKED, CHUNKS[:-2] + b"a : b\r\n\r\n"),
    "chunks in HTTP/1.0": (POST % (CHUNKED, CHUNKS)).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "an encoding beside chunked": POST % (CHUNKED.replace(b"chunked", b"gzip, chunked"), CHUNKS),
    "chunked twice": POST % (CHUNKED.replace(b"chunked", b"chunked, chunked"), CHUNKS),
    "chunked in two lines": POST % (CHUNKED + b"\r\n" + CHUNKED, CHUNKS),
    "an encoding that is not chunked": POST % (CHUNKED.replace(b"chunked", b"identity"), ALL_DOMAINS),
    "a length twice": POST % (LENGTH + b"\r\n" + LENGTH, ALL_DOMAINS),
    "a length with a sign": POST % (LENGTH.replace(b": ", b": +"), ALL_DOMAINS),
    "a length in two parts": POST % (LENGTH + b" 0", ALL_DOMAINS),
    "a chunk without size": (
        b"POST /dns HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    ),
    "a NUL in a header": b"GET /dns/getAllDomains HTTP/1.1\r\nHost: a\r\nX-\0Y: a\r\n\r\n",
    # What some libraries take, and others do not.
    "LF alone in the head": LOOKUP.replace(b"\r\n", b"\n"),
    "LF alone after the request line": LOOKUP.replace(b"HTTP/1.1\r", b"HTTP/1.1"),
    "LF alone at the end of the headers": LOOKUP[:-2] + b"\n",
    "LF alone before a request": b"\n" + LOOKUP,
    "LF alone after the size of a chunk": POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b"\n{")),
    "LF alone after a trailer": POST % (CHUNKED, CHUNKS[:-2] + b"A: b\n\r\n"),
    "RTSP": LOOKUP.replace(b"HTTP/1.1", b"RTSP/1.0"),
    "Icecast": LOOKUP.replace(b"GET", b"SOURCE").replace(b"HTTP/1.1", b"ICE/1.0"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": LOOKUP.replace(b"HTTP/1.1", b"HTTP/2.0"),
    "HTTP/1.2": LOOKUP.replace(b"HTTP/1.1", b"HTTP/1.2"),
    "HTTP/0.9": LOOKUP.replace(b"HTTP/1.1", b"HTTP/0.9"),
    "a verb that is newer": LOOKUP.replace(b"GET", b"QUERY"),
    "two blanks before the target": LOOKUP.replace(b"GET ", b"GET  "),
    "two blanks before the version": LOOKUP.replace(b" HTTP/", b"  HTTP/"),
    "a target beyond ASCII": LOOKUP.replace(b"/ANY", b"/\xc3\xa4"),
    "a target that is a scheme alone": b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character in a value": LOOKUP.replace(b"Host:", b"X: \x01\r\nHost:"),
    "a name that begins as that of the encoding": LOOKUP.replace(
        b"Host:", b"Transfer-Encodings: chunked\r\nHost:"),
    "a length without number": POST % (b"Content-Length:", b""),
    "a length of 64 bits": POST % (b"Content-Length: %d" % (2**64 - 1), b""),
    "a blank after the size of a chunk": POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b" \r\n{")),
    "a size of 64 bits": POST % (CHUNKED, b"ffffffffffffffff\r\n{"),
    "a chunk extension without name": POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b";=a\r\n{")),
    "a chunk extension with a blank": POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b"; a\r\n{")),
    "an extension of the last chunk with a blank": POST % (CHUNKED, CHUNKS[:-4] + b"; a\r\n\r\n"),
    "a length as a trailer": POST % (CHUNKED, CHUNKS[:-2] + b"Content-Length: 1\r\n\r\n"),
    "a host as a trailer": POST % (CHUNKED, CHUNKS[:-2] + b"Host: b\r\n\r\n"),
}


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_told_so(closing, malformed):
    reply = exchange(closing.port, malformed)
    assert reply.status == 400
    assert reply.json().keys() == {"error"}


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_on_a_kept_connection_is_told_so(keeping, malformed):
    """Whether the connection then stays depends on whether the framing was sound."""
    with Connection(keeping.port) as connection:
        connection.send(malformed)
        assert connection.read().status == 400


FRAMING = list(MALFORMED)[list(MALFORMED).index("no HTTP"):]


@pytest.mark.parametrize("name", FRAMING)
def test_what_follows_a_request_that_is_not_framed_well_is_never_read(keeping, name):
    """Nor if all comes byte by byte."""
    for pieces in ([MALFORMED[name] + LOOKUP], (MALFORMED[name] + LOOKUP)):
        with Connection(keeping.port) as connection:
            for piece in pieces:
                with contextlib.suppress(ConnectionError):
                    connection.send(piece if isinstance(piece, bytes) else bytes([piece]))
            received = read_to_end(connection)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert received.count(b"Content-Type:") == 1


@pytest.mark.parametrize("asked", [
    b"\r\n\r\n" + LOOKUP,
    LOOKUP.replace(b"Host: 127.0.0.1", b"Host:127.0.0.1 \t"),
    LOOKUP.replace(b"Host:", b"!#$%&'*+-.^_`|~09Az: x\r\nHost:"),
    POST % (LENGTH, ALL_DOMAINS),
    POST % (CHUNKED.replace(b"chunked", b" CHUNKED "), CHUNKS),
    POST % (CHUNKED, CHUNKS.replace(b"\r\n{", b';a="b"\r\n{')[:-2] + b"A: b\r\n\r\n"),
], ids=["empty lines before", "blanks around a value", "all of a token", "a length",
        "chunks", "an extension and a trailer"])
def test_what_http_allows_is_read(closing, asked):
    assert exchange(closing.port, asked).status == 200


def test_half_a_request_and_goodbye_harms_nothing(closing):
    for length in (0, 1, 20, len(LOOKUP) - 1):
        with Connection(closing.port) as connection:
            connection.send(LOOKUP[:length])
            connection.socket.shutdown(socket.SHUT_WR)
            read_to_end(connection)
    assert exchange(closing.port, LOOKUP).json() == {"result": [TXT]}


# Limits

def chunked(body, size=8192):
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"POST /dns HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n\r\n"


def padded_json(length):
    """A request for all domains, with blanks to a length."""
    text = b'{"method":"getAllDomains","parameters":{}}'
    return text + b" " * (length - len(text))


def with_headers(length):
    """A request whose request line and headers have a length."""
    head = LOOKUP[:-2] + b"X-Filler: "
    return head + b"a" * (length - len(head) - 4) + b"\r\n\r\n"


def test_headers_up_to_16_kib_are_read(closing):
    reply = exchange(closing.port, with_headers(HEADERS_MAX))
    assert reply.json() == {"result": [TXT]}


@pytest.mark.parametrize("length", [HEADERS_MAX + 1, HEADERS_MAX * 2, 1 << 20])
def test_longer_headers_are_refused(closing, length):
    reply = exchange(closing.port, with_headers(length))
    assert reply.status == 431
    assert "error" in reply.json()


def test_headers_without_end_are_refused(closing):
    with Connection(closing.port) as connection:
        connection.send(b"GET /dns/getAllDomains HTTP/1.1\r\n" + b"X: y\r\n" * 4000)
        assert connection.read().status == 431


def test_a_request_line_without_end_is_refused(closing):
    with Connection(closing.port) as connection:
        connection.send(b"GET /dns/" + b"a" * HEADERS_MAX)
        assert connection.read().status == 431


@pytest.mark.parametrize("encode", [lambda body: json_body(body.decode()), chunked])
def test_a_body_of_64_kib_is_read(closing, encode):
    reply = exchange(closing.port, encode(padded_json(BODY_MAX)))
    assert (reply.status, reply.json()) == (200, {"result": []})


@pytest.mark.parametrize("encode", [lambda body: json_body(body.decode()), chunked])
@pytest.mark.parametrize("length", [BODY_MAX + 1, BODY_MAX * 4])
def test_a_longer_body_is_refused(closing, encode, length):
    reply = exchange(closing.port, encode(padded_json(length)))
    assert reply.status == 413
    assert "error" in reply.json()


def test_a_longer_body_is_refused_before_it_comes(closing):
    with Connection(closing.port) as connection:
        connection.send(b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        assert connection.read().status == 413


def test_the_longest_idle_connection_gives_way(make_directory, ports):
    """Started with the usual limit of descriptors, which would be too low."""
    raise_descriptor_limit(CONNECTIONS_MAX + 200)
    service = Service(make_directory(), ports.take())
    service.configure(POLICIES)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit_child = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    with service:
        service.start(preexec_fn=limit_child)
        idle = [Connection(service.port) for _ in range(CONNECTIONS_MAX)]
        assert exchange(service.port, LOOKUP).json() == {"result": [TXT]}
        assert idle[0].at_end()
        for connection in (idle[1], idle[-1]):
            connection.send(LOOKUP)
            assert connection.read().json() == {"result": [TXT]}
        for connection in idle:
            connection.socket.close()


def raise_descriptor_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# Framing

def read_to_end(connection):
    received = b""
    while data := connection.socket.recv(65536):
        received += data
    return received


def test_a_reply_is_followed_by_the_end_of_the_connection(closing):
    with Connection(closing.port) as connection:
        connection.send(LOOKUP)
        reply, rest = parse_reply(read_to_end(connection))
    assert (reply.status, reply.json()) == (200, {"result": [TXT]})
    assert reply.headers["connection"] == "close"
    assert rest == b""


OTHER_LOOKUP = get_request("/dns", "lookup", {"qname": "x.", "qtype": "A"})


@pytest.mark.parametrize("asked", [LOOKUP, OTHER_LOOKUP], ids=["ours", "not-ours"])
def test_reply_and_end_come_in_one_segment(closing, asked):
    """PowerDNS must never find a connection open that is about to close. What comes is the SYN-ACK,
    the acknowledgement of the request, and the reply with the FIN."""
    for _ in range(300):
        with Connection(closing.port) as connection:
            connection.send(asked)
            connection.read()
            assert connection.at_end()
            assert connection.segments_received() <= 3


def test_only_the_first_of_pipelined_requests_is_answered(closing):
    with Connection(closing.port) as connection:
        connection.send(LOOKUP + LOOKUP)
        connection.read()
        assert connection.at_end()


def test_a_request_may_come_in_pieces(closing):
    for asked in [LOOKUP, json_body('{"method":"getAllDomains","parameters":{}}')]:
        with Connection(closing.port) as connection:
            for octet in asked:
                connection.send(bytes([octet]))
            assert connection.read().status == 200
            assert connection.at_end()


def test_keepalive_keeps_the_connection(keeping):
    with Connection(keeping.port) as connection:
        for _ in range(100):
            connection.send(LOOKUP)
            reply = connection.read()
            assert reply.json() == {"result": [TXT]}
            assert reply.headers.get("connection", "keep-alive") == "keep-alive"


def test_keepalive_answers_pipelined_requests_in_order(keeping):
    domains = get_request("/dns", "getAllDomains", {})
    with Connection(keeping.port) as connection:
        connection.send((LOOKUP + domains) * 50)
        results = [connection.read().json()["result"] for _ in range(100)]
    assert results == [[TXT], []] * 50


@pytest.mark.parametrize("asked", [
    LOOKUP.replace(b"Keep-Alive", b"close"),
    LOOKUP.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Connection: Keep-Alive\r\n", b""),
    b"GET " + LOOKUP.split()[1] + b" HTTP/1.0\r\n\r\n",
], ids=["close", "http-1.0", "http-1.0 without Host"])
def test_keepalive_ends_where_the_peer_wants_it(keeping, asked):
    with Connection(keeping.port) as connection:
        connection.send(asked)
        assert connection.read().json() == {"result": [TXT]}
        assert connection.at_end()
        assert connection.segments_received() <= 3


def test_http_1_0_is_told_that_the_connection_is_kept(keeping):
    asked = LOOKUP.replace(b"HTTP/1.1", b"HTTP/1.0")
    with Connection(keeping.port) as connection:
        for _ in range(3):
            connection.send(asked)
            reply = connection.read()
            assert reply.json() == {"result": [TXT]}
            assert reply.headers["connection"] == "keep-alive"


def expecting(body, version=b"1.1", expectation=b"100-continue"):
    head = b"POST /dns HTTP/%s\r\nHost: a\r\nExpect: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (version, expectation, len(body)), body


def test_who_waits_for_a_100_gets_it_and_then_the_answer(keeping):
    with Connection(keeping.port) as connection:
        for head, body in [expecting(ALL_DOMAINS), expecting(ALL_DOMAINS, b"1.1", b"100-Continue")]:
            connection.send(head)
            assert connection.read_head() == "HTTP/1.1 100 Continue"
            connection.send(body)
            assert connection.read().json() == {"result": []}


@pytest.mark.parametrize("head,body", [
    expecting(ALL_DOMAINS, b"1.0"),
    expecting(ALL_DOMAINS, b"1.1", b"something"),
], ids=["http-1.0", "another expectation"])
def test_others_get_no_100(closing, head, body):
    with Connection(closing.port) as connection:
        connection.send(head)
        connection.send(body)
        assert connection.read().json() == {"result": []}


def test_a_body_that_would_be_too_large_is_refused_instead_of_awaited(closing):
    with Connection(closing.port) as connection:
        connection.send(expecting(b"x" * (BODY_MAX + 1))[0])
        assert connection.read().status == 413


def test_keepalive_survives_another_path_and_a_malformed_request(keeping):
    with Connection(keeping.port) as connection:
        for asked, status in [("/other", 404), ("/dns/lookup/%zz/ANY", 400)]:
            connection.send(request("GET", asked))
            assert connection.read().status == status
        connection.send(LOOKUP)
        assert connection.read().json() == {"result": [TXT]}


def test_peers_that_do_not_read_harm_nobody(keeping):
    """Thousands of replies that nobody takes fill one connection's buffers and no more."""
    with Connection(keeping.port) as deaf:
        deaf.socket.setblocking(False)
        try:
            for _ in range(20000):
                deaf.socket.send(LOOKUP * 8)
        except BlockingIOError:
            pass
        with Connection(keeping.port) as connection:
            connection.send(LOOKUP)
            assert connection.read().json() == {"result": [TXT]}


def test_a_silent_connection_is_closed_after_its_idle_time(idle_since):
    connection, since = idle_since
    assert connection.at_end()
    waited = time.monotonic() - since
    assert waited > IDLE_SECONDS - 2


def test_bodies_and_answers_survive_many_at_once(closing):
    """Interleaved connections do not mix."""
    connections = [Connection(closing.port) for _ in range(50)]
    asked = [
        json_body(json.dumps({"method": "lookup", "parameters": {"qname": name, "qtype": "ANY"}}))
        for name in [f"{NAME}.", "other."] * 25
    ]
    for part in range(2):
        for connection, data in zip(connections, asked):
            middle = len(data) // 2
            connection.send(data[middle:] if part else data[:middle])
    results = [connection.read().json()["result"] for connection in connections]
    assert results == [[TXT], False] * 25
    for connection in connections:
        connection.socket.close()
