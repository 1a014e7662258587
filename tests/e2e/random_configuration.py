"""Random configurations, each with what it means; many are variations of the one before.

Domains come from few labels, so that they lie above, below and beside each other, and some look like
owner names. Each value is written in one of the ways in which it may stand in a file.
"""

import copy
import json
from dataclasses import dataclass, field

from model import Policy, ZoneSettings

LABELS = ["a", "b", "mta-sts", "tls", "x-1", "xn--bcher-kva", "xn--zwlf-6qa", "l" * 63]
TOPS = ["example", "test", "mta-sts"]
UNICODE = {"xn--bcher-kva": "bücher", "xn--zwlf-6qa": "zwölf"}
NAME_MAX = 253 - len("_smtp._tls.")
CATALOG_MAX = 200

DURATIONS = {0: ["0", "0s"], 60: ["60", "1m"], 3600: ["3600", "1h", "60m"], 86400: ["1d", "24h"],
             604800: ["604800", "1w"], 31557600: ["31557600"]}
ADDRESSES = ["192.0.2.1", "192.0.2.2", "198.51.100.255", "2001:db8::1", "2001:db8::2", "::1"]
HOSTS = ["web.hosting.invalid", "policies.xn--bcher-kva.invalid", "h-1.invalid"]
CHALLENGES = ["%d.acme.invalid", "one.acme.invalid", "_x.%d.a%%b.invalid", "%d", "A.%d.Acme.Invalid.",
              "%d.%d.invalid"]
MX = ["mail.example.net", "*.mx.example.net", "mx2.xn--bcher-kva.example",
      "*.xn--zwlf-6qa.example"]
RUA = ["mailto:postmaster@example.net", "https://report.example/v1?x=%2C%21", "mailto:a+b@c.example",
       "https://" + "r" * 63 + ".example/" + "p" * 200]
NAMESERVERS = ["ns1.example.net", "ns2.example.net", "ns", "ns.xn--bcher-kva.example",
               ".".join(["n" * 63] * 3 + ["n" * 61])]
REMOVAL_LIMITS = [None, 0, 50, 90, 100, 100]
MANY = 0.05  # of the configurations have many domains
CERTIFICATE = "DIRECTORY/%d.pem"  # of the directory that the files lie in
HOSTMASTERS = ["hostmaster.example.net", "mail.xn--zwlf-6qa.test"]


def random_name(rng):
    labels = [rng.choice(LABELS) for _ in range(rng.choice([1, 1, 2, 2, 3, 5]))]
    name = ".".join([*labels, rng.choice(TOPS)])
    return name if len(name) <= NAME_MAX else rng.choice(LABELS[:5]) + ".example"


def challenge_fits(template, name):
    return (len("_acme-challenge.mta-sts." + name) <= 253
            and len(template.replace("%%", "%").replace("%d", name).removesuffix(".")) <= 253)


def random_catalog(rng):
    name = rng.choice(["", "", "mta-sts."]) + random_name(rng)
    return name if len(name) <= CATALOG_MAX else "catalog.invalid"


def sample(rng, values):
    return rng.sample(values, rng.randint(1, len(values)))


# Of every key how often it is there, and what draws its value.
SETTINGS = {
    "mode": (0.8, lambda rng: rng.choice(["enforce", "testing", "none"])),
    "rua": (0.6, lambda rng: sample(rng, RUA)),
    "policy_host": (0.7, lambda rng: rng.choice([sample(rng, ADDRESSES), [rng.choice(HOSTS)]])),
    "acme_challenge": (0.3, lambda rng: rng.choice(CHALLENGES)),
    "max_age": (0.4, lambda rng: rng.choice(list(DURATIONS))),
    "ttl": (0.4, lambda rng: rng.choice(list(DURATIONS))),
    "id": (0.3, lambda rng: rng.choice(["1", "abc123", "Z" * 32, "auto"])),
    "records": (0.5, lambda rng: rng.choice(["cname", "direct"])),
    "mx": (0.5, lambda rng: sample(rng, MX)),
    "certificates": (0.2, lambda rng: CERTIFICATE),
    "authority": (0.6, lambda rng: rng.choice(["overlay", "zones", "zones"])),
}
ZONES = {
    "nameservers": (1, lambda rng: sample(rng, NAMESERVERS)),
    "hostmaster": (1, lambda rng: rng.choice(HOSTMASTERS)),
    "catalog": (0.7, random_catalog),
    "catalog_parts": (0.5, lambda rng: rng.choice([1, 2, 3, 256])),
}


def draw(rng, table):
    return {key: value(rng) for key, (often, value) in table.items() if rng.random() < often}


# A configuration before it is written down


@dataclass
class Entry:
    """A policy and the keys that it has itself."""

    domain: str
    members: list
    own: dict

    def names(self):
        return [self.domain, *self.members]


@dataclass
class Draft:
    defaults: dict
    zones: dict  # or None
    entries: list = field(default_factory=list)
    certified: set = field(default_factory=set)  # names that have a certificate
    removal_limit: int = None  # percent
    taken: set = frozenset()  # names that retire: a catalog may not be in their way

    def in_force(self, entry):
        return {**self.defaults, **entry.own}

    def new_names(self, rng, most):
        """Names that no policy has."""
        taken = {name for entry in self.entries for name in entry.names()}
        return sorted({random_name(rng) for _ in range(rng.randint(1, most))} - taken)

    def add_entry(self, rng):
        names = self.new_names(rng, 12)
        rng.shuffle(names)
        self.certified |= set(names[::2])
        if names:
            self.entries.append(Entry(names[0], names[1:], draw(rng, SETTINGS)))

    def add_many(self, rng):
        """So many that a reload which removes them may be refused."""
        rng.choice(self.entries).members += [
            name for name in (f"{number}.many.example" for number in range(rng.randint(90, 130)))
            if not any(name in entry.names() for entry in self.entries)]

    def complete(self, rng, entry):
        """Adds to a policy's own settings what makes them agree with each other."""
        settings = self.in_force(entry)
        if settings.get("mode") in ("enforce", "testing") and not settings.get("mx"):
            entry.own["mx"] = sample(rng, MX)
        if "acme_challenge" in settings:
            self.fit_challenge(rng, entry, settings["acme_challenge"])
        if settings.get("authority") != "zones":
            return
        if settings.get("records") == "cname":
            entry.own["records"] = "direct"
        if settings.get("policy_host", ADDRESSES)[0] not in ADDRESSES:
            entry.own["policy_host"] = sample(rng, ADDRESSES)

    def fit_challenge(self, rng, entry, template):
        """Leaves out the domains that are too long."""
        entry.members = [name for name in entry.members if challenge_fits(template, name)]
        if not challenge_fits(template, entry.domain):
            entry.domain = f"short-{rng.randrange(10**9)}.example"

    def complete_all(self, rng):
        for entry in self.entries:
            self.complete(rng, entry)
        used = any(self.in_force(entry).get("authority") == "zones" for entry in self.entries)
        if used and not self.zones:
            self.zones = draw(rng, ZONES)
        if self.zones and "catalog" in self.zones and self.is_in_the_way(self.zones["catalog"]):
            del self.zones["catalog"]
        if self.zones and "catalog" not in self.zones:
            self.zones.pop("catalog_parts", None)

    def is_in_the_way(self, catalog):
        """Whether a zone has the name of another one, or has a domain in it."""
        names = [*self.taken, *(name for entry in self.entries for name in entry.names())]
        return any(catalog == f"mta-sts.{name}" or f".{name}".endswith(f".{catalog}") for name in names)

    def policy(self, entry):
        """What a policy means."""
        settings = self.in_force(entry)
        if settings.get("id") == "auto":
            del settings["id"]
        if settings.get("authority") == "zones":
            settings["records"] = "direct"
        if settings.pop("certificates", None):
            settings["held"] = set(entry.names()) - self.certified
        return Policy(entry.domain, list(entry.members), **settings)

    def certificates(self):
        """The files of certificates that are looked for and found."""
        return [f"{name}.pem" for entry in self.entries for name in entry.names()
                if name in self.certified
                and {"mode", "certificates"} <= self.in_force(entry).keys()]


def fresh(rng, least):
    """A draft of so many policies at least."""
    draft = Draft(draw(rng, SETTINGS) if rng.random() < 0.5 else {},
                  draw(rng, ZONES) if rng.random() < 0.7 else None,
                  removal_limit=rng.choice(REMOVAL_LIMITS))
    for _ in range(rng.randint(least, 6)):
        draft.add_entry(rng)
    if draft.entries and rng.random() < MANY:
        draft.add_many(rng)
    return draft


def change_setting(rng, draft, entry):
    key = rng.choice(list(SETTINGS))
    if rng.random() < 0.2:
        entry.own.pop(key, None)
    else:
        entry.own[key] = SETTINGS[key][1](rng)


def reorder_setting(rng, draft, entry):
    lists = [each for each in entry.own.values() if isinstance(each, list)]
    if lists:
        rng.shuffle(rng.choice(lists))


def add_members(rng, draft, entry):
    entry.members += draft.new_names(rng, 3)


def drop_member(rng, draft, entry):
    if entry.members:
        entry.members.remove(rng.choice(entry.members))


def drop_members(rng, draft, entry):
    del entry.members[rng.choice([0, 10]) :]


def change_removal_limit(rng, draft, entry):
    draft.removal_limit = rng.choice(REMOVAL_LIMITS)


def move_member(rng, draft, entry):
    if entry.members:
        rng.choice(draft.entries).members.append(entry.members.pop())


def change_primary(rng, draft, entry):
    if entry.members:
        entry.members.append(entry.domain)
        entry.domain = entry.members.pop(0)


def drop_entry(rng, draft, entry):
    draft.entries.remove(entry)


def change_zones(rng, draft, entry):
    if draft.zones:
        key = rng.choice(list(ZONES))
        draft.zones[key] = ZONES[key][1](rng)


def change_certificates(rng, draft, entry):
    draft.certified ^= set(sample(rng, entry.names()))


CHANGES = [change_setting, change_setting, change_setting, reorder_setting, add_members, drop_member,
           drop_member, drop_members, move_member, move_member, change_removal_limit, change_primary, drop_entry, change_zones, change_certificates]


def varied(rng, before):
    draft = copy.deepcopy(before)
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        if draft.entries:
            rng.choice(CHANGES)(rng, draft, rng.choice(draft.entries))
    if rng.random() < 0.2:
        draft.add_entry(rng)
    return draft


# Errors, each of which makes a configuration one that is refused: what the message says was found,
# and a function that puts it into a policy, which is sound, or into what stands under `zones:`. TAKEN
# is a domain that another policy has.

SOUND = {"domain": "spoiled.example", "mode": "none", "id": "1", "policy_host": "192.0.2.1",
         "records": "direct", "authority": "overlay", "mx": "mx.example", "rua": RUA[0]}
SOUND_ZONES = {"nameservers": ["ns.example"], "hostmaster": "h.example"}
POLICY_ERRORS = [
    ("strict", lambda taken: {"mode": "strict"}),
    ("mode enforce without mx", lambda taken: {"mode": "enforce", "mx": []}),
    ("a+b", lambda taken: {"id": "a+b"}),
    ("http://report.example/", lambda taken: {"rua": "http://report.example/"}),
    ("web.example", lambda taken: {"policy_host": ["192.0.2.1", "web.example"]}),
    ("mood", lambda taken: {"mood": "enforce"}),
    ("a_b.example", lambda taken: {"domains": ["a_b.example"]}),
    ("", lambda taken: {"domains": [taken]}),
    ("zone", lambda taken: {"authority": "zone"}),
    ("%D", lambda taken: {"acme_challenge": "%D.acme.invalid"}),
    ("at or below mta-sts.%d", lambda taken: {"acme_challenge": "x.mta-sts.%d"}),
    ("a record hides those", lambda taken: {"acme_challenge": "_acme-challenge.mta-sts.spoiled.example"}),
    ("more than 253 octets", lambda taken: {"acme_challenge": "%d." + ".".join(["c" * 59] * 4)}),
    ("records cname", lambda taken: {"authority": "zones", "records": "cname"}),
    ("web.example", lambda taken: {"authority": "zones", "policy_host": "web.example"}),
]
ZONES_ERRORS = [
    ("a_b.example", {"nameservers": ["ns1.example", "a_b.example"]}),
    ("192.0.2.1", {"nameservers": "192.0.2.1"}),
    ("ns..example", {"nameservers": "ns..example"}),
    ("*.example", {"nameservers": ["*.example"]}),
    ("-ns.example", {"nameservers": ["-ns.example"]}),
    ("l" * 64, {"nameservers": ["l" * 64]}),
    ("NS.example.", {"nameservers": ["ns.example", "NS.example."]}),
    ("an empty list", {"nameservers": []}),
    ("14 values", {"nameservers": [f"ns{number}.example" for number in range(14)]}),
    ("h@example", {"hostmaster": "h@example"}),
    ("h_m.example", {"hostmaster": "h_m.example"}),
    ("_c.example", {"catalog": "_c.example"}),
    ("201 octets", {"catalog": ".".join(["c" * 50] * 3 + ["c" * 48])}),
    ("mta-sts.spoiled.example", {"catalog": "mta-sts.spoiled.example"}),
    ("hide the domain", {"catalog": "spoiled.example"}),
    ("hide the domain", {"catalog": "example"}),
    ("refresh", {"refresh": "1h"}),
    ("there is no catalog", {"catalog": None, "catalog_parts": 2}),
    ("257", {"catalog": "c.invalid", "catalog_parts": 257}),
    ("0", {"catalog": "c.invalid", "catalog_parts": 0}),
    ("nameservers", {"nameservers": None}),
    ("hostmaster", {"hostmaster": None}),
    ("authority zones", None),
]


def spoil(rng, draft):
    """Returns what is found wrong, and a sound policy and zones of which one has been spoiled."""
    policy, zones = dict(SOUND), {**SOUND_ZONES, **(dressed(rng, draft.zones or {}))}
    if rng.random() < 0.5:
        taken = rng.choice([name for entry in draft.entries for name in entry.names()])
        found, error = rng.choice(POLICY_ERRORS)
        policy.update(error(taken))
        return found or taken, policy, zones
    found, error = rng.choice(ZONES_ERRORS)
    if error is None:
        policy["authority"] = "zones"
        return found, policy, None
    zones.update(error)
    return found, policy, {key: value for key, value in zones.items() if value is not None}


# Writing it down


def written(rng, name):
    """A name as it may stand in a file: in any case, with U-labels, with a final dot."""
    labels = name.split(".")
    if rng.random() < 0.5:
        labels = [UNICODE.get(label, label) for label in labels]
    name = ".".join(labels)
    if rng.random() < 0.2:
        name = name.upper()
    return name + rng.choice(["", "", "."])


def dressed(rng, settings):
    """Settings with their names as they may stand in a file."""

    def dress(key, value):
        if isinstance(value, list):
            return [dress(key, each) for each in value]
        if key in ("mx", "nameservers", "hostmaster", "catalog") or value in HOSTS:
            return written(rng, value)
        return value

    return {key: dress(key, value) for key, value in settings.items()}


def value_text(rng, key, value):
    if key in ("max_age", "ttl", "announce_delay"):
        return rng.choice(DURATIONS[value])
    if isinstance(value, list) and len(value) == 1 and rng.random() < 0.5:
        value = value[0]
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


def mapping_text(rng, settings):
    """A mapping in flow style, with its keys in any order."""
    items = [f"{key}: {value_text(rng, key, value)}" for key, value in settings.items()]
    rng.shuffle(items)
    return "{" + ", ".join(items) + "}"


def list_text(rng, names):
    lines = []
    for name in names:
        lines.append(rng.choice(["", "  ", "\t"]) + written(rng, name) + rng.choice(["", " # x"]))
        lines += rng.choice([[], [], [""], ["# a comment"]])
    return rng.choice(["\n", "\r\n"]).join(["# list", *lines, ""])


class Writer:
    """Writes a draft into files."""

    def __init__(self, rng):
        self.rng = rng
        self.files = {}  # of the directory, by name; "main" belongs into the main file
        self.places = {"main": [], "one.inc": [], "two.inc": []}

    def add_policy(self, settings):
        place = self.rng.choice(list(self.places))
        self.places[place].append(mapping_text(self.rng, settings))

    def add_entry(self, entry):
        again = [self.rng.choice(entry.names())] if self.rng.random() < 0.2 else []
        members = [*dict.fromkeys([*entry.members, *again])]
        self.add_policy({"domain": written(self.rng, entry.domain), **dressed(self.rng, entry.own),
                         **self.share(members)})

    def share(self, members):
        """Spreads members over a policy and a list file; returns the keys for these."""
        inline = [name for name in members if self.rng.random() < 0.5]
        listed = [name for name in members if name not in inline]
        keys = {}
        if inline:
            keys["domains"] = [written(self.rng, name) for name in inline]
        if listed:
            file = f"{len(self.files)}.list"
            self.files[file] = list_text(self.rng, listed)
            keys["domain_files"] = [file]
        return keys

    def policies_text(self, place):
        items = [f"  - {each}\n" for each in self.places[place]]
        return "policies:\n" + "".join(items) if items else "policies: []\n"

    def finish(self, sections, removal_limit):
        lines = [self.policies_text("main"), 'include: [one.inc, "t*.inc"]\n']
        if removal_limit is not None:
            lines.append(f"removal_limit: {removal_limit}%\n")
        for key, settings in sections.items():
            if settings:
                lines.append(f"{key}: {mapping_text(self.rng, settings)}\n")
        self.rng.shuffle(lines)
        for place in ("one.inc", "two.inc"):
            self.files[place] = self.policies_text(place)
        self.files["main"] = "".join(lines)


@dataclass
class Configuration:
    draft: Draft
    files: dict
    policies: list  # what it means, with the next
    zones: ZoneSettings  # or None
    error: str  # what its error is about; None if it is to be accepted
    removal_limit: int = 20

    def domains(self):
        return {name for policy in self.policies for name in policy.domains()}

    def removes_too_many(self, before):
        """Whether a reload is refused that removes so many of the domains before."""
        removed = len(before.domains() - self.domains())
        return removed >= 100 and removed * 100 > len(before.domains()) * self.removal_limit


def random_configuration(rng, before=None, taken=frozenset()):
    """A configuration; BEFORE is the one that is in force. The first one is accepted. TAKEN are names
    that retire."""
    again = before and rng.random() < 0.7
    draft = varied(rng, before.draft) if again else fresh(rng, 0 if before else 1)
    draft.taken = taken
    draft.complete_all(rng)
    writer = Writer(rng)
    for entry in draft.entries:
        writer.add_entry(entry)
    error, zones = None if draft.entries else "found no policy", dressed(rng, draft.zones or {})
    if draft.entries and before and rng.random() < 0.1:
        error, policy, zones = spoil(rng, draft)
        writer.add_policy(policy)
    limit = draft.removal_limit
    writer.finish({"zones": zones, "defaults": dressed(rng, draft.defaults)}, limit)
    writer.files.update({name: "" for name in draft.certificates()})
    return Configuration(draft, writer.files, [draft.policy(entry) for entry in draft.entries],
                         ZoneSettings(**draft.zones) if draft.zones else None, error,
                         20 if limit is None else limit)
