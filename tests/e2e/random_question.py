"""Random questions about a configuration that a model knows: to PowerDNS's methods, and Host fields
of requests for policy bodies."""

import re

from model import content_of, text_of_labels
from random_configuration import LABELS, random_name

PREFIXES = ["_acme-challenge.mta-sts.", "_mta-sts.", "_smtp._tls.", "_tls.", "mta-sts."]
OTHER_PREFIXES = ["", "www.", "*.", "_smtp.", "smtp._tls.", "x._tls.", "_mta-sts._mta-sts.",
                  "_mta_sts.", "_mta-sts", "_mta-stsx.", "_tls._tls.", "_smtp._tls._tls.", "mta.",
                  "_mta-sts\\.", "_smtp\\._tls.", "\\000_tls.", "mta-sts\\032."]
TYPES = ["TXT", "CNAME", "A", "AAAA", "SOA", "NS", "PTR", "MX", "any", "Txt", "cname", "soa"]


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


def random_owner(rng, model):
    """A name that may be one of the service's."""
    domains = [name for policy in model.policies for name in policy.domains()]
    domain = rng.choice(domains) if domains and rng.random() < 0.8 else random_name(rng)
    way = rng.random()
    if way < 0.05:
        domain = domain.partition(".")[2] or domain
    elif way < 0.1:
        domain = f"{rng.choice(LABELS[:4])}.{domain}"
    return rng.choice(PREFIXES if rng.random() < 0.8 else OTHER_PREFIXES) + domain


def random_catalog_owner(rng, catalog):
    """A name in a catalog zone, or nearly."""
    owner = text_of_labels(rng.choice(catalog.records)[0])
    way = rng.random()
    if way > 0.9:
        return re.sub(r"\d+\.", rng.choice(["", "0.", "1.", "01.", "255.", "256."]), owner, count=1)
    if way < 0.1:
        return f"{rng.choice(['a', '_tls', 'zones', 'version', '0' * 32])}.{owner}"
    return owner.partition(".")[2] if way < 0.2 else owner


def random_zone(rng, model):
    return rng.choice([*model.zones.values()]) if model.zones else None


def zone_name(rng, model):
    zone = random_zone(rng, model)
    name = text_of_labels(zone.name) if zone and rng.random() < 0.8 else random_owner(rng, model)
    return disguised(rng, name)


def zone_id(rng, model):
    zone = random_zone(rng, model)
    return rng.choice([-1, 1, zone.id if zone else 2])


def lookup(rng, model):
    if model.catalogs and rng.random() < 0.15:
        name = random_catalog_owner(rng, rng.choice(model.catalogs))
    else:
        name = random_owner(rng, model)
    qtype = rng.choice(["ANY", "ANY", rng.choice(TYPES)])
    return {"qname": disguised(rng, name), "qtype": qtype, "zone-id": zone_id(rng, model)}


def list_zone(rng, model):
    return {"zonename": zone_name(rng, model), "domain_id": zone_id(rng, model)}


def get_domain_info(rng, model):
    return {"name": zone_name(rng, model)}


def set_notified(rng, model):
    zone = random_zone(rng, model)
    if zone is None or rng.random() < 0.1:
        return {"id": rng.randint(1, 2**31 - 1), "serial": 1}
    return {"id": zone.id, "serial": rng.choice([zone.serial, zone.serial, 1])}


def search_records(rng, model):
    """A pattern that is made from a text that is there."""
    zone = random_zone(rng, model)
    text = random_owner(rng, model)
    if zone:
        owner, kind, data, _ = rng.choice(zone.with_serial())
        text = rng.choice([text_of_labels(owner), content_of(kind, data)])
    for wildcard in rng.choice([[], ["*"], ["*", "?"], ["?", "*", "*"]]):
        begin = rng.randrange(len(text) + 1)
        end = begin + 1 if wildcard == "?" else rng.randint(begin, len(text))
        text = text[:begin] + wildcard + text[end:]
    if rng.random() < 0.2:
        text = text.swapcase()
    return {"pattern": text or "*", "maxResults": rng.choice([1, 5, 100000])}


QUESTIONS = {
    "lookup": (70, lookup),
    "list": (6, list_zone),
    "getDomainInfo": (6, get_domain_info),
    "setNotified": (3, set_notified),
    "getUpdatedMasters": (2, lambda rng, model: {}),
    "getAllDomains": (1, lambda rng, model: {}),
    "searchRecords": (4, search_records),
}


def random_questions(rng, model, count):
    """Methods, each with its parameters."""
    weights = [weight for weight, _ in QUESTIONS.values()]
    methods = rng.choices(list(QUESTIONS), weights, k=count)
    return [(method, QUESTIONS[method][1](rng, model)) for method in methods]


def random_host(rng, model):
    """A Host field that is well-formed, without escapes."""
    if model.hosts and rng.random() < 0.6:
        name = text_of_labels(rng.choice(list(model.hosts)))
    else:
        name = rng.choice([random_owner(rng, model).replace("\\", ""), "web.hosting.invalid",
                           "192.0.2.1", "mta-sts", ""])
    if rng.random() < 0.3:
        name = "".join(rng.choice([c.lower(), c.upper()]) for c in name)
    return name + rng.choice(["", "", ".", ".."]) + rng.choice(["", "", ":443", ":", ":0008080"])
