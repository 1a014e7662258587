"""A model of the service: what a configuration answers, written from the description of the answers
alone and without a look at the program.

    owner           primary, or a member with `records: direct`    member with `records: cname`
    _mta-sts.<d>    TXT v=STSv1; id=<id>                           CNAME _mta-sts.<primary>    mode
    _smtp._tls.<d>  TXT v=TLSRPTv1; rua=<uri>[,<uri>...]           CNAME _smtp._tls.<primary>  rua
    _tls.<d>        ENT                                            ENT                         rua
    mta-sts.<d>     A and AAAA, or CNAME to a host                 CNAME mta-sts.<primary>     mode, host
    _acme-challenge.mta-sts.<d>  CNAME to a name of the domain's own, for members too          acme_challenge

mta-sts.<d> is an ENT where only the last one is below it.

With `authority: zones` all are direct, and _mta-sts.<d>, _tls.<d> and mta-sts.<d> are apexes with SOA
and NS of zones; a catalog zone (RFC 9432) lists these.

Every owner of a configuration is written down with its records; a question is one look-up in this.
What the service may choose, serials, ids and labels in the catalog, zone_history.py judges.
"""

import functools
import hashlib
import ipaddress
import re
from dataclasses import dataclass, field

ESCAPED = re.compile(rb"\\([0-9]{3}|[^0-9])|\\|(\.)|([^\\.]+)", re.DOTALL)

APEXES = {"_mta-sts.": "_mta-sts.", "_smtp._tls.": "_tls.", "mta-sts.": "mta-sts.",
          "_acme-challenge.mta-sts.": "mta-sts."}  # of owners
SERIAL = "<serial>"  # stands for the serial in the data of a SOA record
TIMERS = "3600 600 2419200 300"


@dataclass
class Policy:
    """A policy as it is meant, with the defaults filled in; names are in A-labels."""

    domain: str
    members: list = field(default_factory=list)
    mode: str = None
    mx: list = field(default_factory=list)
    max_age: int = 604800
    id: str = None  # None: derived from the policy body
    rua: list = field(default_factory=list)
    policy_host: list = field(default_factory=list)
    acme_challenge: str = None
    ttl: int = 3600
    records: str = "cname"
    authority: str = "overlay"
    held: set = frozenset()  # domains that lack the certificate that they need
    announce_delay: int = 0
    retire: str = "auto"
    # Of what is published with retiring domains (past.py):
    away: set = frozenset()  # domains that it lists, which retire
    group: tuple = ()  # what retiring domains have in common whose zones have one serial

    def domains(self):
        names = dict.fromkeys([self.domain, *self.members])
        return {name: None for name in names if name not in self.away}

    def body(self):
        """RFC 8461 3.2: the version comes first; each mx pattern has a line of its own."""
        mx = [] if self.mode == "none" else self.mx
        lines = ["version: STSv1", f"mode: {self.mode}", *[f"mx: {name}" for name in mx]]
        return "".join(f"{line}\r\n" for line in [*lines, f"max_age: {self.max_age}"])

    def automatic_id(self):
        return hashlib.sha256(self.body().encode("ascii")).hexdigest()[:32]

    def host_records(self):
        records = []
        for host in self.policy_host:
            try:
                address = ipaddress.ip_address(host)
            except ValueError:
                records.append(("CNAME", host))
            else:
                records.append(("A" if address.version == 4 else "AAAA", str(address)))
        return records

    def own(self):
        """The records of the primary, by the prefix of their owner."""
        owners = {}
        if self.mode:
            owners["_mta-sts."] = [("TXT", f"v=STSv1; id={self.id or self.automatic_id()}")]
        if self.rua:
            owners["_smtp._tls."] = [("TXT", "v=TLSRPTv1; rua=" + ",".join(self.rua))]
            owners["_tls."] = [("ENT", "")]
        if self.mode and self.policy_host:
            owners["mta-sts."] = self.host_records()
        elif self.acme_challenge:
            owners["mta-sts."] = [("ENT", "")]
        return owners

    def challenge_template(self):
        return self.acme_challenge and self.acme_challenge.lower().removesuffix(".")

    def challenge_of(self, domain):
        parts = re.split("(%.)", self.challenge_template())
        return "".join({"%d": domain, "%%": "%"}.get(part, part) for part in parts)

    def of_domain(self, domain):
        """The records of one of the domains."""
        owners = self.own()
        if domain != self.domain and self.records == "cname":
            owners = self.aliases()
        if domain in self.held:
            owners.pop("_mta-sts.", None)
        if self.acme_challenge:
            name, target = f"_acme-challenge.mta-sts.{domain}", self.challenge_of(domain)
            # The policy that a retiring domain follows may have got a template that is not for it.
            if len(name) <= 253 and len(target) <= 253 and name != target:
                owners["_acme-challenge.mta-sts."] = [("CNAME", target)]
        return owners

    def aliases(self):
        return {prefix: records if records == [("ENT", "")] else [("CNAME", prefix + self.domain)]
                for prefix, records in self.own().items()}


@dataclass
class ZoneSettings:
    """What stands under `zones:`, in A-labels."""

    nameservers: list
    hostmaster: str
    catalog: str = None
    catalog_parts: int = 1

    def catalogs(self):
        """The names of the catalog zones."""
        if not self.catalog or self.catalog_parts == 1:
            return [self.catalog] if self.catalog else []
        return [f"{part}.{self.catalog}" for part in range(self.catalog_parts)]

    def soa(self):
        return ("SOA", f"{self.nameservers[0]} {self.hostmaster} {SERIAL} {TIMERS}")

    def apex(self):
        return [self.soa(), *[("NS", name) for name in self.nameservers]]


@dataclass
class Zone:
    """A zone of the service's own."""

    name: tuple  # the labels of its apex
    ttl: int
    domain: str = None  # a catalog zone has none
    records: list = field(default_factory=list)  # (owner's labels, type, data, ttl)
    id: int = None
    serial: int = None
    notified: int = 0  # the last serial that PowerDNS said it has notified
    told: set = field(default_factory=set)  # all of these

    def info(self):
        return self.name, self.id, "master", self.serial, self.notified

    def members(self):
        """What a catalog zone lists."""
        return {data for _, kind, data, _ in self.records if kind == "PTR"}

    def put(self, owner, records):
        self.records += [(owner, kind, data, self.ttl) for kind, data in records]

    def at(self, name):
        return self.answered(each for each in self.records if each[0] == name)

    def with_serial(self):
        return self.answered(self.records)

    def answered(self, records):
        return [(owner, kind, data.replace(SERIAL, str(self.serial)), ttl)
                for owner, kind, data, ttl in records]


class Model:
    """All that a list of policies answers."""

    def __init__(self, policies=(), settings=None):
        self.policies = policies
        self.settings = settings
        self.overlay = {}  # labels -> records, as in a zone
        self.zones = {}  # labels of the apex -> Zone
        self.hosts = {}  # labels of the policy host -> Policy
        for policy in policies:
            for domain in policy.domains():
                self.add(policy, domain)
        self.catalogs = [self.add_catalog(each) for each in settings.catalogs()] if settings else []

    def add(self, policy, domain):
        if policy.mode:
            self.hosts[labels_of(f"mta-sts.{domain}")] = policy
        if policy.authority == "zones":
            self.add_zones(policy, domain)
            return
        for prefix, records in policy.of_domain(domain).items():
            name = labels_of(prefix + domain)
            assert name not in self.overlay, f"two policies claim {domain}"
            self.overlay[name] = [(name, kind, data, policy.ttl) for kind, data in records]

    def add_zones(self, policy, domain):
        own = policy.of_domain(domain)
        for apex in {APEXES[prefix] for prefix in APEXES.keys() & own.keys()}:
            name = labels_of(apex + domain)
            assert name not in self.zones, f"two policies claim {domain}"
            zone = self.zones[name] = Zone(name, policy.ttl, domain)
            zone.put(name, self.settings.apex())
            for prefix in APEXES.keys() & own.keys():
                if APEXES[prefix] == apex and own[prefix] != [("ENT", "")]:
                    zone.put(labels_of(prefix + domain), own[prefix])

    def add_catalog(self, catalog):
        """A catalog zone, without its members."""
        name = labels_of(catalog)
        assert name not in self.zones and name not in self.overlay, f"{name} is not free"
        zone = self.zones[name] = Zone(name, 0)
        zone.put(name, [self.settings.soa(), ("NS", "invalid")])
        zone.put((b"version", *name), [("TXT", "2")])
        return zone

    def name_members(self, catalog, labels):
        """Adds the members of a catalog zone, by the labels that the service has chosen."""
        above = (b"zones", *catalog.name)
        for name, label in labels.items():
            catalog.put((label, *above), [("PTR", text_of_labels(name))])
        if labels:
            catalog.put(above, [("ENT", "")])

    def zone_at(self, name):
        """The zone that has records at a name, or None."""
        above = (self.zones.get(name[cut:]) for cut in range(len(name)))
        return next((zone for zone in above if zone and zone.at(name)), None)

    def at(self, name):
        """All records at a name, or None."""
        zone = self.zone_at(name)
        return zone.at(name) if zone else self.overlay.get(name)

    def find_id(self, number):
        return next((zone for zone in self.zones.values() if zone.id == number), None)

    # The methods, by PowerDNS's names, return what canonical() makes of the service's results.

    def lookup(self, qname, qtype, **_):
        """The zone-id makes no difference: in an overlay it is one of another backend."""
        records = self.at(labels_of(qname))
        if records is None:
            return False
        return sorted(each for each in records if qtype.upper() in ("ANY", each[1]))

    def list(self, zonename, **_):
        zone = self.zones.get(labels_of(zonename))
        return zone and sorted(each for each in zone.with_serial() if each[1] != "ENT") or False

    def get_domain_info(self, name):
        zone = self.zones.get(labels_of(name))
        return zone.info() if zone else False

    def get_all_domains(self, **_):
        return sorted(zone.info() for zone in self.zones.values())

    def get_updated_masters(self):
        return sorted(
            zone.info() for zone in self.zones.values() if zone.notified != zone.serial
        )

    def set_notified(self, id, serial):  # pylint: disable=redefined-builtin
        zone = self.find_id(id)
        if zone:
            zone.notified = serial
            zone.told.add(serial)
        return True

    def search_records(self, pattern, **_):
        """All that match, however many are asked for, final dots apart. Catalog zones are not
        searched."""
        parts = [{"*": ".*", "?": "."}.get(each, re.escape(each)) for each in undotted(pattern)]
        matches = re.compile("".join(parts), re.IGNORECASE).fullmatch
        return sorted(
            record for zone in self.zones.values() if zone.domain for record in zone.with_serial()
            if matches(text_of_labels(record[0])) or matches(undotted(content_of(*record[1:3])))
        )

    def answer(self, method, parameters):
        name = re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), method)
        return getattr(self, name)(**{k.replace("-", "_"): v for k, v in parameters.items()})

    def policy_of(self, host):
        """The policy that a Host field asks for (RFC 9110 7.2), or None."""
        name, _, port = host.partition(":")
        assert port.isdigit() or not port
        return self.hosts.get(labels_of(name))

    def wants_certificate(self, name):
        """Whether a name, as a certificate has it, is that of a policy host of the service's."""
        policy = self.hosts.get(labels_of(name))
        return bool(policy and policy.policy_host and not name.endswith("."))


def undotted(text):
    return text.removesuffix(".") if len(text) > 1 else text


def content_of(kind, data):
    """Data as the content of a row."""
    if kind == "TXT":
        return " ".join(f'"{data[i : i + 255]}"' for i in range(0, len(data), 255))
    if kind == "SOA":
        primary, hostmaster, rest = data.split(" ", 2)
        return f"{primary}. {hostmaster}. {rest}"
    return data


def unescape(match):
    """One octet of a label from what stands for it."""
    code = match.group(1)
    if code is None:
        return match.group(3) or b""
    return bytes([int(code)]) if len(code) == 3 else code


@functools.lru_cache(10000)
def labels_of(text):
    """The labels of a name in master-file form, in lower case."""
    labels, label = [], b""
    for match in ESCAPED.finditer(text.encode("latin-1")):
        if match.group(2):
            labels.append(label)
            label = b""
        else:
            label += unescape(match)
    return tuple(each.lower() for each in ([*labels, label] if label else labels))


def text_of_labels(labels):
    """The name of one of ours, without a final dot."""
    return b".".join(labels).decode("ascii")


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


def relative(name):
    """A name in data without its final dot, which must be there."""
    assert name.endswith("."), f"{name!r} is not absolute"
    return name[:-1].lower()


def data_of(kind, content):
    """What content_of made it from; anything but the form that a type has is a fault."""
    if kind == "TXT":
        return text_of(content)
    if kind in ("CNAME", "NS", "PTR"):
        assert not content.endswith("."), f"{content!r} is not as PowerDNS stores names"
        return content.lower()
    if kind == "SOA":
        primary, hostmaster, rest = content.split(" ", 2)
        return f"{relative(primary)} {relative(hostmaster)} {rest}"
    if kind in ("A", "AAAA"):
        return str(ipaddress.ip_address(content))
    return content


def canonical(result):
    """A result of the service as the model has it: sorted, and without what may differ."""
    if isinstance(result, list):
        return sorted(map(canonical, result))
    if not isinstance(result, dict):
        return result
    if "zone" in result:
        name = labels_of(relative(result["zone"]))
        return name, *[result[key] for key in ("id", "kind", "serial", "notified_serial")]
    kind = result["qtype"]
    return labels_of(result["qname"]), kind, data_of(kind, result["content"]), result["ttl"]
