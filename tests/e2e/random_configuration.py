"""Random configurations, each with the policies that it means, and random questions about them.

Domains come from few labels, so that they lie above, below and beside each other, and some look like
owner names. Each value is written in one of the ways in which it may stand in a file.
"""

import json
from dataclasses import dataclass

from model import Policy

LABELS = ["a", "b", "mta-sts", "tls", "x-1", "xn--bcher-kva", "xn--zwlf-6qa", "l" * 63]
TOPS = ["example", "test", "mta-sts"]
UNICODE = {"xn--bcher-kva": "bücher", "xn--zwlf-6qa": "zwölf"}
NAME_MAX = 253 - len("_smtp._tls.")

DURATIONS = {0: ["0", "0s"], 60: ["60", "1m"], 3600: ["3600", "1h", "60m"], 86400: ["1d", "24h"],
             604800: ["604800", "1w"], 31557600: ["31557600"]}
ADDRESSES = ["192.0.2.1", "192.0.2.2", "198.51.100.255", "2001:db8::1", "2001:db8::2", "::1"]
HOSTS = ["web.hosting.invalid", "Policies.Hosting.invalid", "h-1.invalid"]
MX = ["mail.example.net", "*.mx.example.net", "mx2.example.org", "*.example.com"]
RUA = ["mailto:postmaster@example.net", "https://report.example/v1?x=%2C%21", "mailto:a+b@c.example",
       "https://" + "r" * 63 + ".example/" + "p" * 200]
DEFAULTABLE = ["mode", "mx", "max_age", "id", "rua", "policy_host", "ttl", "records"]

PREFIXES = ["_mta-sts.", "_smtp._tls.", "_tls.", "mta-sts."]
OTHER_PREFIXES = ["", "www.", "*.", "_smtp.", "smtp._tls.", "x._tls.", "_mta-sts._mta-sts.",
                  "_mta_sts.", "_mta-sts", "_mta-stsx.", "_tls._tls.", "_smtp._tls._tls.", "mta.",
                  "_mta-sts\\.", "_smtp\\._tls.", "\\000_tls.", "mta-sts\\032."]
TYPES = ["ANY", "TXT", "CNAME", "A", "AAAA", "SOA", "NS", "MX", "any", "Txt", "cname"]


def random_name(rng):
    labels = [rng.choice(LABELS) for _ in range(rng.choice([1, 1, 2, 2, 3, 5]))]
    name = ".".join([*labels, rng.choice(TOPS)])
    return name if len(name) <= NAME_MAX else rng.choice(LABELS[:5]) + ".example"


def written(rng, name):
    """A domain as it may stand in a file: in any case, with U-labels, with a final dot."""
    labels = name.split(".")
    if rng.random() < 0.5:
        labels = [UNICODE.get(label, label) for label in labels]
    name = ".".join(labels)
    if rng.random() < 0.2:
        name = name.upper()
    return name + rng.choice(["", "", "."])


def sample(rng, values, most):
    return rng.sample(values, rng.randint(1, most))


def random_settings(rng):
    """Values for some keys, such as may stand in a policy or under defaults."""
    settings = {}
    if rng.random() < 0.8:
        settings["mode"] = rng.choice(["enforce", "testing", "none"])
    if rng.random() < 0.6:
        settings["rua"] = sample(rng, RUA, len(RUA))
    if rng.random() < 0.7:
        settings["policy_host"] = rng.choice([sample(rng, ADDRESSES, 5), sample(rng, HOSTS, 1)])
    if rng.random() < 0.4:
        settings["max_age"] = rng.choice(list(DURATIONS))
    if rng.random() < 0.4:
        settings["ttl"] = rng.choice(list(DURATIONS))
    if rng.random() < 0.3:
        settings["id"] = rng.choice(["1", "abc123", "Z" * 32, "auto"])
    if rng.random() < 0.5:
        settings["records"] = rng.choice(["cname", "direct"])
    if rng.random() < 0.5:
        settings["mx"] = sample(rng, MX, len(MX))
    return settings


def value_text(rng, key, value):
    if key in ("max_age", "ttl"):
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


# What makes a configuration one that is refused: each takes a policy's settings, which it spoils,
# and the name of a domain that another policy has.
ERRORS = [
    lambda settings, taken: settings.update(mode="strict"),
    lambda settings, taken: settings.update(mode="enforce", mx=[]),
    lambda settings, taken: settings.update(id="a+b"),
    lambda settings, taken: settings.update(rua="http://report.example/"),
    lambda settings, taken: settings.update(policy_host=["192.0.2.1", "web.example"]),
    lambda settings, taken: settings.update(mood="enforce"),
    lambda settings, taken: settings.update(domains=["a_b.example"]),
    lambda settings, taken: settings.update(domains=[taken]),
]


@dataclass
class Configuration:
    files: dict  # of the directory, by name; "main" belongs into the main file
    policies: list  # what it means; None if it is to be refused


class Writer:
    """Makes one random configuration."""

    def __init__(self, rng):
        self.rng = rng
        self.defaults = random_settings(rng) if rng.random() < 0.5 else {}
        self.taken = set()
        self.files = {}
        self.places = {"main": [], "one.inc": [], "two.inc": []}
        self.policies = []

    def new_names(self, most):
        """Names that no other policy has."""
        names = {random_name(self.rng) for _ in range(self.rng.randint(1, most))} - self.taken
        self.taken |= names
        return sorted(names)

    def complete(self, own):
        """Adds to a policy's own settings what its mode needs; returns the ones in force."""
        settings = {**self.defaults, **own}
        if settings.get("mode") in ("enforce", "testing") and not settings.get("mx"):
            settings["mx"] = own["mx"] = sample(self.rng, MX, 2)
        return {key: settings[key] for key in DEFAULTABLE if key in settings}

    def share_members(self, own, members, place):
        """Spreads the members over the policy and list files."""
        inline = [name for name in members if self.rng.random() < 0.5]
        listed = [name for name in members if name not in inline]
        if inline:
            own["domains"] = [written(self.rng, name) for name in inline]
        if listed:
            file = f"{len(self.files)}-{place}.list"
            self.files[file] = list_text(self.rng, listed)
            own["domain_files"] = [file]

    def add_policy(self):
        names = self.new_names(12)
        if not names:
            return
        self.rng.shuffle(names)
        primary, *members = names
        own = random_settings(self.rng)
        in_force = self.complete(own)
        if in_force.get("id") == "auto":
            in_force["id"] = None
        self.policies.append(Policy(domain=primary, members=members, **in_force))
        place = self.rng.choice(list(self.places))
        self.share_members(own, self.repeat_some([primary, *members]), place)
        self.places[place].append({"domain": written(self.rng, primary), **own})

    def repeat_some(self, names):
        """The members, and now and then one of the policy's domains again."""
        again = [self.rng.choice(names)] if self.rng.random() < 0.2 else []
        return [*dict.fromkeys([*names[1:], *again])]

    def spoil(self):
        """Puts one error into one policy."""
        bad = {"domain": "spoiled.example"}
        self.rng.choice(ERRORS)(bad, self.policies[0].domain)
        self.places[self.rng.choice(list(self.places))].append(bad)

    def policies_text(self, place):
        items = [f"  - {mapping_text(self.rng, each)}\n" for each in self.places[place]]
        return "policies:\n" + "".join(items) if items else "policies: []\n"

    def finish(self, good):
        lines = [self.policies_text("main")]
        for place in ("one.inc", "two.inc"):
            self.files[place] = self.policies_text(place)
        lines.append('include: [one.inc, "t*.inc"]\n')
        if self.defaults:
            lines.append(f"defaults: {mapping_text(self.rng, self.defaults)}\n")
        self.rng.shuffle(lines)
        self.files["main"] = "".join(lines)
        return Configuration(self.files, self.policies if good else None)


def random_configuration(rng):
    writer = Writer(rng)
    for _ in range(rng.randint(0, 6)):
        writer.add_policy()
    good = not writer.policies or rng.random() < 0.9
    if not good:
        writer.spoil()
    return writer.finish(good)


def disguised(rng, name):
    """The same name in another form: other case, escapes for letters."""
    way = rng.random()
    if way < 0.3:
        name = "".join(rng.choice([c.lower(), c.upper()]) for c in name)
    if way < 0.2 and "\\" not in name:
        at = rng.randrange(len(name))
        if name[at] != ".":
            name = f"{name[:at]}\\{ord(name[at]):03d}{name[at + 1:]}"
    return name + "."


def random_question(rng, policies):
    domains = [name for policy in policies for name in [policy.domain, *policy.members]]
    domain = rng.choice(domains) if domains and rng.random() < 0.8 else random_name(rng)
    way = rng.random()
    if way < 0.05:
        domain = domain.partition(".")[2]
    elif way < 0.1:
        domain = f"{rng.choice(LABELS[:4])}.{domain}"
    prefix = rng.choice(PREFIXES if rng.random() < 0.8 else OTHER_PREFIXES)
    qtype = rng.choice(["ANY", "ANY", rng.choice(TYPES)])
    return disguised(rng, prefix + domain), qtype
