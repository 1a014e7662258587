"""What own zones must keep from load to load: ids, labels in the catalog zone, and serials.

The service chooses these itself, so the model (model.py) takes them from it, and here is checked
what docs/zones.md and docs/ARCHITECTURE.md say of them.
"""

from model import Model, labels_of

ID_MIN, ID_MAX = 1000000, 2**31 - 1
UNSEEN = 64
LOST = 1100  # numbers that a start may skip after a crash, as they may have been given


def published(model, policy):
    """What a policy publishes in own zones; their serials change with it. Records have no order."""
    rows = {owner: sorted(rows) for owner, rows in policy.own().items()}
    name = policy.group or policy.domain
    return (name, policy.ttl, rows, policy.challenge_template(),
            sorted(model.settings.apex()))


class Limits:
    """What a new serial may be: the time, or the number after the highest that there was. Some
    numbers may have been given that were not seen: those that were planned, or lost in crashes just
    before, when they were the time already."""

    def __init__(self, highest, began, ended, unseen, crashes):
        self.first = max(int(began), highest + 1)
        skipped = LOST * crashes
        self.last = max(int(ended) + 1 + skipped, highest + (UNSEEN if unseen else 1) + skipped)

    def check(self, serial):
        assert self.first <= serial <= self.last, f"{serial} is not in {self.first} to {self.last}"
        return serial


class ZoneHistory:
    def __init__(self):
        self.ids = {}  # of every zone that there ever was
        self.labels = {}
        self.parts = {}  # (number of parts, zone) -> part
        self.highest = 0  # of all serials
        self.serials = {}  # domain -> what it publishes, and the serial of its zones
        self.seen = {}  # the last serial of every zone that there ever was
        self.model = Model()  # of the last load
        self.loose = set()  # primaries whose zones may have a serial that was planned before
        self.told = {}  # the serials of every zone that were notified
        self.unknown = set()  # domains without a zone, whose serial was not seen
        self.restarted = self.crashed = False  # since the last load
        self.lost = 0  # crashes since the last serial that was seen,
        self.latest = 0  # and the latest time of a load since then, which counts as given

    def restart(self):
        """What was notified is kept for the zones that have the same serial afterwards."""
        self.restarted = True

    def crash(self):
        self.restart()
        self.crashed = True
        self.lost += 1

    def lose(self):
        """What was, is not known any more, but what the names give alone."""
        self.highest, self.serials, self.seen, self.model = 0, {}, {}, Model()
        self.unknown, self.loose, self.crashed, self.lost = set(), set(), False, 0

    def load(self, model, zones, members, began, ended, waiting=frozenset()):
        """Takes the zones and the records of the catalog zones after a load that began and ended at
        times of the clock. The new serial is one for all zones that have changed; but those of the
        policies whose ids are WAITING have one before it, and then one after it."""
        notified = self.take_zones(model, zones)
        if model.catalogs:
            self.take_labels(model, members)
        loose, self.loose = self.loose | waiting, set(waiting)
        kept, free = {}, set(self.unknown)
        for policy in model.policies:
            if policy.authority == "zones":
                what = published(model, policy)
                kept |= {each: (what, self.kept_serial(each, what)) for each in policy.domains()}
                if policy.domain in loose:
                    free |= {*policy.domains()}
        self.latest = max(self.latest, ended) if self.lost else ended
        limits = Limits(self.highest, began, self.latest, loose or free, self.lost)
        fresh = 0
        for zone in model.zones.values():
            before = self.model.zones.get(zone.name)
            zone.notified = before.notified if before else 0
            zone.told = self.told.setdefault(zone.name, {0})
            if self.restarted:
                self.check_notified(zone, notified[zone.name])
            expected = kept[zone.domain][1] if zone.domain else self.of_catalog(model, zone)
            about = f"{zone.info()} after {before and before.info()}"
            if self.crashed:
                self.check_crashed(zone, expected, limits)
            elif expected is None and zone.domain in free:
                assert self.seen.get(zone.name, 0) < zone.serial <= limits.last, about
            else:
                if expected is None:
                    fresh = fresh or limits.check(zone.serial)
                    expected = fresh
                assert zone.serial == expected, about
            self.seen[zone.name] = zone.serial
        changed = {each for each, (_, serial) in kept.items() if serial is None}
        unsure = {*kept} if self.crashed else changed & free
        if changed - unsure:
            fresh = fresh or limits.first
        self.serials = {each: (what, serial or fresh) for each, (what, serial) in kept.items()}
        shown = {zone.domain: zone.serial for zone in model.zones.values() if zone.domain}
        for each in unsure:
            self.serials[each] = kept[each][0], shown.get(each)
        self.unknown = unsure - shown.keys()
        self.highest = max([self.highest, fresh, *(zone.serial for zone in model.zones.values())])
        self.model = model
        self.restarted = self.crashed = False
        self.lost = 0 if model.zones else self.lost

    def check_crashed(self, zone, expected, limits):
        """Nobody may have seen a serial with another content. It may be a higher one; but not one
        that leads far away from the clock."""
        least = self.seen.get(zone.name, 0)
        if expected is None and zone.name in self.seen:
            least += 1
        assert least <= zone.serial <= limits.last, f"{zone.info()} after a crash, {least}"

    def check_notified(self, zone, notified):
        """What was notified last is not forgotten, but for what was said just before a crash. Nothing
        counts as notified that was not."""
        assert notified in zone.told, f"{zone.info()} is notified of {notified}"
        if zone.notified == zone.serial and not self.crashed:
            assert notified == zone.serial
        zone.notified = notified

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
        return {name: listed[name]["notified_serial"] for name in model.zones}

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
