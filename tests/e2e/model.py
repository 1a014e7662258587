"""A model of the service: what a configuration answers, written from the description of the answers
alone and without a look at the program.

    owner           primary, or a member with `records: direct`    member with `records: cname`
    _mta-sts.<d>    TXT v=STSv1; id=<id>                           CNAME _mta-sts.<primary>    mode
    _smtp._tls.<d>  TXT v=TLSRPTv1; rua=<uri>[,<uri>...]           CNAME _smtp._tls.<primary>  rua
    _tls.<d>        ENT                                            ENT                         rua
    mta-sts.<d>     A and AAAA, or CNAME to a host                 CNAME mta-sts.<primary>     mode, host

Every owner of a configuration is written down with its records; a question is one look-up in this.
"""

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field

ESCAPED = re.compile(rb"\\([0-9]{3}|[^0-9])|\\|(\.)|([^\\.]+)", re.DOTALL)


@dataclass
class Policy:
    """A policy as it is meant, with the defaults filled in; domain names are in A-labels."""

    domain: str
    members: list = field(default_factory=list)
    mode: str = None
    mx: list = field(default_factory=list)
    max_age: int = 604800
    id: str = None  # None: derived from the policy body
    rua: list = field(default_factory=list)
    policy_host: list = field(default_factory=list)
    ttl: int = 3600
    records: str = "cname"

    def body(self):
        mx = [] if self.mode == "none" else self.mx
        lines = ["version: STSv1", f"mode: {self.mode}", *[f"mx: {name}" for name in mx]]
        return "".join(f"{line}\r\n" for line in [*lines, f"max_age: {self.max_age}"])

    def effective_id(self):
        return self.id or hashlib.sha256(self.body().encode("ascii")).hexdigest()[:32]

    def host_records(self):
        records = []
        for host in self.policy_host:
            try:
                address = ipaddress.ip_address(host)
            except ValueError:
                records.append(("CNAME", host.lower()))
            else:
                records.append(("A" if address.version == 4 else "AAAA", str(address)))
        return records

    def own(self):
        """The records of the primary, by the prefix of their owner."""
        owners = {}
        if self.mode:
            owners["_mta-sts."] = [("TXT", f"v=STSv1; id={self.effective_id()}")]
        if self.rua:
            owners["_smtp._tls."] = [("TXT", "v=TLSRPTv1; rua=" + ",".join(self.rua))]
            owners["_tls."] = [("ENT", "")]
        if self.mode and self.policy_host:
            owners["mta-sts."] = self.host_records()
        return owners

    def of_member(self):
        if self.records == "direct":
            return self.own()
        aliases = {prefix: [("CNAME", prefix + self.domain)] for prefix in self.own()}
        if "_tls." in aliases:
            aliases["_tls."] = [("ENT", "")]
        return aliases


class Model:
    """All that a list of policies answers."""

    def __init__(self, policies):
        self.owners = {}  # labels -> records as (type, data, ttl)
        for policy in policies:
            self.add(policy, policy.domain, policy.own())
            for member in dict.fromkeys(policy.members):
                if member != policy.domain:
                    self.add(policy, member, policy.of_member())

    def add(self, policy, domain, owners):
        for prefix, records in owners.items():
            name = labels_of((prefix + domain).encode("ascii"))
            assert name not in self.owners, f"two policies claim {domain}"
            self.owners[name] = [(kind, data, policy.ttl) for kind, data in records]

    def answer(self, qname, qtype):
        """False, or the sorted records of the type, as canonical() gives them."""
        records = self.owners.get(labels_of(qname.encode("latin-1")))
        if records is None:
            return False
        return sorted(each for each in records if qtype.upper() in ("ANY", each[0]))


def unescape(match):
    """One octet of a label from what stands for it."""
    code = match.group(1)
    if code is None:
        return match.group(3) or b""
    return bytes([int(code)]) if len(code) == 3 else code


def labels_of(text):
    """The labels of a name in master-file form, in lower case."""
    labels, label = [], b""
    for match in ESCAPED.finditer(text):
        if match.group(2):
            labels.append(label)
            label = b""
        else:
            label += unescape(match)
    return tuple(each.lower() for each in ([*labels, label] if label else labels))


STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(?: |$)')


def text_of(content):
    """The text of a TXT record, whose strings must be legal and fill the content."""
    strings, end = [], 0
    for match in STRING.finditer(content):
        assert match.start() == end, f"what is between the strings of {content!r}?"
        strings.append(re.sub(r"\\(.)", r"\1", match.group(1)))
        end = match.end()
    assert end == len(content) and strings, f"{content!r} is not made of strings"
    assert all(len(string) <= 255 for string in strings), f"a string of {content!r} is too long"
    return "".join(strings)


def canonical(row):
    """A row of a reply, as the model writes it."""
    kind, content = row["qtype"], row["content"]
    if kind == "TXT":
        content = text_of(content)
    elif kind == "CNAME":
        assert content.endswith("."), f"{content!r} is not absolute"
        content = content[:-1].lower()
    elif kind in ("A", "AAAA"):
        content = str(ipaddress.ip_address(content))
    return kind, content, row["ttl"]
