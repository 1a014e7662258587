"""A sending mail server's view of MTA-STS, from the grammar of RFC 8461 and from nothing else.

The rules are written as in the RFC, 3.1 and 3.2; a rule's name in angle brackets stands for it. As
they are, a field that has gone wrong could still be read as an extension of the same name, which is
not what is meant: a known name takes the rule of that name.
"""

import http.client
import re
import ssl
from dataclasses import dataclass

import dns.resolver

from processes import DEADLINE

RULES = {
    # 3.1
    "sts-text-record": r"<sts-version>(?:<sts-field-delim><sts-field>)+(?:<sts-field-delim>)?",
    "sts-field": r"(?:<sts-id>|<sts-extension>)",
    "sts-field-delim": r"[ \t]*;[ \t]*",
    "sts-version": r"v=STSv1",
    "sts-id": r"id=[A-Za-z0-9]{1,32}",
    "sts-extension": r"<ext-name>=[!-:<>-~]+",
    "ext-name": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}",
    # 3.2
    "sts-policy-record": r"<field>[ \t]*(?:<term><field>[ \t]*)*(?:<term>)?",
    "term": r"\r?\n",
    "field": r"(?:<version>|<mode>|<max-age>|<mx>|<extension>)",
    "delim": r":[ \t]*",
    "version": r"version<delim>STSv1",
    "mode": r"mode<delim>(?:testing|enforce|none)",
    "mx": r"mx<delim>(?:\*\.)?<domain>",
    "max-age": r"max_age<delim>[0-9]{1,10}",
    "extension": r"<ext-name><delim>[!-~](?:[ -~]*[!-~])?",
    # RFC 5321, 4.1.2
    "domain": r"<label>(?:\.<label>)*",
    "label": r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
}


def pattern(rule):
    return re.sub(r"<([a-z-]+)>", lambda match: pattern(match[1]), RULES[rule])


KNOWN = {"id": "sts-id", "version": "version", "mode": "mode", "mx": "mx", "max_age": "max-age"}


def check_field(field):
    rule = KNOWN.get(re.match(pattern("ext-name"), field)[0])
    assert not rule or re.fullmatch(pattern(rule), field), f"no {rule}: {field!r}"


@dataclass
class Policy:
    id: str
    mode: str
    mx: list
    max_age: int


def parse_record(text):
    """The id in a TXT record."""
    assert re.fullmatch(pattern("sts-text-record"), text), f"not a sts-text-record: {text!r}"
    version, *fields = re.split(pattern("sts-field-delim"), text)
    assert version == "v=STSv1"
    for field in filter(None, fields):
        check_field(field)
    (id,) = [field[3:] for field in fields if field.startswith("id=")]
    return id


def parse_body(text):
    """The fields of a policy body: each but mx once."""
    assert re.fullmatch(pattern("sts-policy-record"), text), f"no sts-policy-record: {text!r}"
    lines = text.split("\r\n")[:-1]
    for line in lines:
        check_field(line)
    fields = [re.split(pattern("delim"), line, maxsplit=1) for line in lines]
    assert fields[0] == ["version", "STSv1"]
    single = {key: value for key, value in fields if key != "mx"}
    mx = [value for key, value in fields if key == "mx"]
    assert len(fields) == len(single) + len(mx)
    assert mx or single["mode"] == "none"
    assert int(single["max_age"]) <= 31557600
    return single["mode"], mx, int(single["max_age"])


def find_id(domain):
    """The id that a domain announces, or None: one record that is of this kind must be left."""
    resolver = dns.resolver.Resolver()
    resolver.lifetime = DEADLINE
    try:
        rows = resolver.resolve(f"_mta-sts.{domain}.", "TXT", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    texts = [b"".join(row.strings).decode("ascii") for row in rows]
    texts = [text for text in texts if text.startswith("v=STSv1;")]
    return parse_record(texts[0]) if len(texts) == 1 else None


def fetch(host, path, authority):
    """GET over HTTPS with a certificate that must be the host's. Returns the reply and its body."""
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(host, context=context, timeout=DEADLINE)
    connection.request("GET", path, headers={"Host": host})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply, body


def policy_of(domain, authority):
    """What a sender does with a domain; None if there is no policy."""
    id = find_id(domain)
    if id is None:
        return None
    reply, body = fetch(f"mta-sts.{domain}", "/.well-known/mta-sts.txt", authority)
    assert reply.status == 200
    assert reply.headers.get_content_type() == "text/plain"
    assert len(body) <= 64 << 10
    return Policy(id, *parse_body(body.decode("ascii")))
