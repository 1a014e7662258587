"""What own zones must keep from load to load: ids, labels in the catalog zone, and serials.

The service chooses these itself, so the model (model.py) takes them from it, and here is checked
what docs/zones.md and docs/ARCHITECTURE.md say of them.
"""

from model import Model, labels_of

ID_MIN, ID_MAX = 1000000, 2**31 - 1


def published(model, policy):
    """What a policy publishes in own zones; their serials change with it."""
    return policy.domain, policy.ttl, policy.own(), model.settings.apex()


class ZoneHistory:
    def __init__(self):
        self.ids = {}  # of every zone that there ever was
        self.labels = {}
        self.parts = {}  # (number of parts, zone) -> part
        self.forget()

    def forget(self):
        """The service starts anew; what comes from the names of zones stays even so."""
        self.highest = 0  # of all serials
        self.serials = {}  # domain -> what it publishes, and the serial of its zones
        self.model = Model()  # of the last load

    def load(self, model, zones, members, newest):
        """Takes the zones and the records of the catalog zones after a load of files of which the
        newest had a time."""
        self.take_zones(model, zones)
        if model.catalogs:
            self.take_labels(model, members)
        fresh = max(newest, self.highest + 1)
        serials = {}
        for policy in model.policies:
            if policy.authority == "zones":
                what = published(model, policy)
                serials |= {each: self.with_serial(each, what, fresh) for each in policy.domains()}
        for zone in model.zones.values():
            before = self.model.zones.get(zone.name)
            zone.notified = before.notified if before else 0
            expected = serials[zone.domain][1] if zone.domain else self.of_catalog(model, zone, fresh)
            assert zone.serial == expected, f"{zone.info()} after {before and before.info()}"
        given = [zone.serial for zone in model.zones.values()]
        self.highest = max([self.highest, *given, *(serial for _, serial in serials.values())])
        self.serials, self.model = serials, model

    def with_serial(self, domain, what, fresh):
        """A domain has a serial even while it has no zone."""
        before, serial = self.serials.get(domain, (None, None))
        return what, serial if what == before else fresh

    def of_catalog(self, model, zone, fresh):
        before = self.model.zones.get(zone.name)
        same = (before and not before.domain
                and self.model.settings.soa() == model.settings.soa()
                and before.members() == zone.members())
        return before.serial if same else fresh

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
