"""What own zones must keep from load to load: ids, labels in the catalog zone, and serials.

The service chooses these itself, so the model (model.py) takes them from it, and here is checked
what docs/zones.md and docs/ARCHITECTURE.md say of them.
"""

from time import time as time_now

from model import Model, labels_of

ID_MIN, ID_MAX = 1000000, 2**31 - 1


def published(model, policy):
    """What a policy publishes in own zones; their serials change with it. Records have no order."""
    rows = {owner: sorted(rows) for owner, rows in policy.own().items()}
    return (policy.domain, policy.ttl, rows, policy.challenge_template(),
            sorted(model.settings.apex()))


class ZoneHistory:
    def __init__(self):
        self.ids = {}  # of every zone that there ever was
        self.labels = {}
        self.parts = {}  # (number of parts, zone) -> part
        self.highest = 0  # of all serials
        self.serials = {}  # domain -> what it publishes, and the serial of its zones
        self.model = Model()  # of the last load

    def restart(self):
        """What was notified is kept for the zones whose serial it was."""
        for zone in self.model.zones.values():
            if zone.notified != zone.serial:
                zone.notified = 0

    def load(self, model, zones, members, began):
        """Takes the zones and the records of the catalog zones after a load that began at a time.
        The new serial is one for all zones that have changed."""
        self.take_zones(model, zones)
        if model.catalogs:
            self.take_labels(model, members)
        kept = {}
        for policy in model.policies:
            if policy.authority == "zones":
                what = published(model, policy)
                kept |= {each: (what, self.kept_serial(each, what)) for each in policy.domains()}
        fresh = 0
        for zone in model.zones.values():
            before = self.model.zones.get(zone.name)
            zone.notified = before.notified if before else 0
            expected = kept[zone.domain][1] if zone.domain else self.of_catalog(model, zone)
            if expected is None:
                fresh = fresh or self.check_fresh(zone.serial, began)
                expected = fresh
            assert zone.serial == expected, f"{zone.info()} after {before and before.info()}"
        if any(serial is None for _, serial in kept.values()):
            fresh = fresh or max(began, self.highest + 1)
        self.highest = max(self.highest, fresh)
        self.serials = {each: (what, serial or fresh) for each, (what, serial) in kept.items()}
        self.model = model

    def check_fresh(self, serial, began):
        """A new serial is the time, or the number after the highest that there was."""
        first, last = (max(time, self.highest + 1) for time in (began, int(time_now()) + 1))
        assert first <= serial <= last, f"{serial} is not in {first} to {last}"
        return serial

    def kept_serial(self, domain, what):
        """A domain has a serial even while it has no zone. None: it has changed."""
        before, serial = self.serials.get(domain, (None, None))
        return serial if what == before else None

    def of_catalog(self, model, zone):
        before = self.model.zones.get(zone.name)
        same = (before and not before.domain
                and self.model.settings.soa() == model.settings.soa()
                and before.members() == zone.members())
        return before.serial if same else None

    def take_zones(self, model, zones):
        listed = {labels_of(zone["zone"]): zone for zone in zones}
        assert sorted(listed) == sorted(model.zones) and len(listed) == len(zones)
        assert len({zone["id"] for zone in zones}) == len(zones), "an id is there twice"
        for name, zone in model.zones.items():
            zone.id, zone.serial = listed[name]["id"], listed[name]["serial"]
            assert ID_MIN <= zone.id <= ID_MAX
            assert self.ids.setdefault(name, zone.id) == zone.id, f"the id of {name} changed"

    def take_labels(self, model, members):
        """What the catalog zones list, one after the other."""
        labels = {}
        for part, (catalog, rows) in enumerate(zip(model.catalogs, members, strict=True)):
            listed = {labels_of(row["content"]): labels_of(row["qname"])[0]
                      for row in rows if row["qtype"] == "PTR"}
            assert not listed.keys() & labels.keys(), "a zone is in two parts"
            labels |= listed
            model.name_members(catalog, listed)
            for name in listed:
                key = len(model.catalogs), name
                assert self.parts.setdefault(key, part) == part, f"{name} moved to another part"
        assert labels.keys() == model.zones.keys() - {each.name for each in model.catalogs}
        assert len(set(labels.values())) == len(labels), "a label is there twice"
        for name, label in labels.items():
            assert self.labels.setdefault(name, label) == label, f"the label of {name} changed"
