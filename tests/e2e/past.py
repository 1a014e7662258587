"""What the service must remember from load to load, over restarts, as its documentation says:

- which id a policy announces: a body that changes is announced announce_delay later;
- which domains retire, and until when (RFC 8461 8.3): a domain that loses its mode goes on with
  mode none until max_age and ttl have passed since enforce was last served for it.

This is written without a look at the program. Times are those that truly pass, in seconds, as
Moments: something happened, or must happen, between two times. They become wider where the service
may be late: after a restart that seems to have taken more than a day no time counts as passed.

A Past says what was published. From the next configuration follows the next Past. What was published
just before a crash may be forgotten, and nothing else: the service then goes on from one of several
Pasts, and test_differential.py looks from which.
"""

from dataclasses import dataclass, field, replace

from model import Policy, labels_of

LATE = 10  # seconds until the service must have noticed an end, if its clock was set right meanwhile
NEAR = 40  # seconds around a moment in which what is seen may change between two looks


@dataclass(frozen=True)
class Moment:
    first: float
    last: float

    def later(self, seconds, most=None):
        return Moment(self.first + seconds, self.last + (seconds if most is None else most))

    def is_over(self, now):
        """True or False, or None if both may be right."""
        if now.first > self.last:
            return True
        return None if now.last >= self.first else False

    def is_near(self, time):
        return abs(time - self.first) <= NEAR or abs(time - self.last) <= NEAR

    def joins(self, other):
        return self.first <= other.last + NEAR and other.first <= self.last + NEAR

    def joined(self, other):
        return Moment(min(self.first, other.first), max(self.last, other.last))


def latest(*moments):
    known = [each for each in moments if each]
    if not known:
        return None
    return Moment(max(each.first for each in known), max(each.last for each in known))


@dataclass
class Served:
    """A policy as it is published."""

    policy: Policy  # as configured
    announced: str  # the id, or None
    since: Moment = None  # from when on its id waits
    ttl: int = 0  # the longest under which this body was served

    def binds(self, domain):
        """Whether senders that look at a domain hold a policy with mode enforce from then on."""
        return self.policy.mode == "enforce" and domain not in self.policy.held


@dataclass(frozen=True)
class Former:
    """What a retiring domain keeps of its policy."""

    primary: str
    ttl: int
    zones: bool
    hosts: tuple
    challenge: str

    @classmethod
    def of(cls, policy):
        zones = policy.authority == "zones"
        hosts = tuple(policy.policy_host)
        return cls(policy.domain, policy.ttl, zones, hosts, policy.challenge_template())


@dataclass
class Domain:
    """A domain that is listed, or retires."""

    primary: str = None  # of the policy that lists it
    owed: Moment = None  # until when senders may hold what was served
    until: Moment = None  # it retires until then
    former: Former = None


def join_moments(one, other):
    """What is either of two moments that may be missing; raises Apart if that says too little."""
    if one is None and other is None:
        return None
    if one is None or other is None or not one.joins(other):
        raise Apart
    return one.joined(other)


class Apart(Exception):
    pass


def follow(former, configured):
    """The policy host is the one that the former policy has, as long as there is one."""
    policy = configured.get(former.primary)
    return Former.of(policy) if policy and policy.mode and policy.policy_host else former


class Past:
    def __init__(self, served=(), domains=()):
        self.served = dict(served)  # by primary
        self.domains = dict(domains)  # by name

    def retiring(self):
        return {name: each for name, each in self.domains.items() if each.until}

    def moments(self):
        """Those at which something becomes another without a load."""
        yield from (each.until for each in self.domains.values() if each.until)
        for served in self.served.values():
            if served.since:
                yield served.since.later(served.policy.announce_delay)

    def is_restless(self, time):
        return any(each.is_near(time) for each in self.moments())

    def __eq__(self, other):
        return (self.served, self.domains) == (other.served, other.domains)

    def joined(self, other):
        """What is either of two pasts that differ in moments alone, and little; or None."""
        try:
            served = {name: replace(each, since=join_moments(each.since, other.served[name].since))
                      for name, each in self.served.items()}
            domains = {name: replace(each, owed=join_moments(each.owed, other.domains[name].owed),
                                     until=join_moments(each.until, other.domains[name].until))
                       for name, each in self.domains.items()}
        except (Apart, KeyError):
            return None
        return Past(served, domains) if other.joins(served, domains) else None

    def joins(self, served, domains):
        """Whether all but the moments is the same."""
        return ({name: replace(each, since=None) for name, each in self.served.items()}
                == {name: replace(each, since=None) for name, each in served.items()}
                and {name: replace(each, owed=None, until=None)
                     for name, each in self.domains.items()}
                == {name: replace(each, owed=None, until=None) for name, each in domains.items()})

    def delayed(self, seconds):
        """What it becomes if the service does not know that so many seconds have passed."""
        def late(moment):
            return moment and moment.later(0, seconds)

        served = {name: replace(each, since=late(each.since)) for name, each in self.served.items()}
        domains = {name: replace(each, owed=late(each.owed), until=late(each.until))
                   for name, each in self.domains.items()}
        return Past(served, domains)

    @staticmethod
    def add(past, pasts):
        """A list of pasts with one more, joined with another one if they are nearly the same."""
        for number, each in enumerate(pasts):
            joined = each.joined(past)
            if joined:
                return [*pasts[:number], joined, *pasts[number + 1 :]]
        return [*pasts, past]

    def next(self, policies, now, stopped=None, seen=None):
        """What follows when policies are loaded. STOPPED is when the service was stopped before. Where
        the time leaves both open, SEEN, an Observation, decides."""
        until = Moment(stopped if stopped is not None else now.first, now.last)
        configured = {each.domain: each for each in policies}
        served = {name: self.serve(policy, now, seen) for name, policy in configured.items()}
        lists = {name: policy for policy in policies for name in policy.domains()}
        domains = {}
        for name in {**self.domains, **lists}:
            domain = self.follow_domain(name, lists.get(name), configured, until, now, seen)
            if domain:
                domains[name] = domain
            if domain and domain.owed and not domain.until:
                domain.owed = self.owes(name, until, self.longer_ttl(name, served))
        return Past(served, domains)

    def serve(self, policy, now, seen):
        """Decides which id is announced."""
        old, body = self.served.get(policy.domain), policy.body()
        loaded = (policy.id or policy.automatic_id()) if policy.mode else None
        same = old and old.announced and loaded and old.policy.body() == body
        ttl = max(policy.ttl, old.ttl) if same else policy.ttl
        if not old or not old.announced or not loaded or old.announced == loaded:
            return Served(policy, loaded, None, ttl)
        since = old.since if same else now
        if since and self.waits(since, policy, old.announced, now, seen):
            return Served(policy, old.announced, since, ttl)
        return Served(policy, loaded, None, ttl)

    @staticmethod
    def waits(since, policy, announced, now, seen):
        if policy.announce_delay == 0:
            return False
        over = since.later(policy.announce_delay).is_over(now)
        if over is None and seen:
            over = seen.announces(policy) != announced
        return not over

    def owes(self, name, until, ttl=0):
        """Until when senders may hold what was served for a domain, up to a moment. TTL may count,
        if it is longer than what its body was served under."""
        domain = self.domains[name]
        served = self.served.get(domain.primary)
        if domain.until or not served or not served.binds(name):
            return latest(domain.owed, domain.until)
        age = served.policy.max_age
        end = until.later(age + served.policy.ttl, age + max(served.ttl, ttl) + LATE)
        return latest(domain.owed, end)

    def longer_ttl(self, name, served):
        """The ttl under which the body that a domain had is served from now on. As the service makes
        a note of that first, it counts for a domain that leaves the policy in the same load, too."""
        primary = self.domains[name].primary
        old, new = self.served.get(primary), served.get(primary)
        return new.ttl if old and new and old.policy.body() == new.policy.body() else 0

    def follow_domain(self, name, policy, configured, until, now, seen):
        """POLICY is the one that lists the domain, or None."""
        old = self.domains.get(name)
        listed = Domain(policy.domain) if policy else None
        if not old:
            return listed
        owed = self.owes(name, until)
        if policy:
            listed.owed = owed
            if policy.mode:
                return listed
        former, end = self.retires(old, owed)
        if not former:
            return listed
        over = end.is_over(now)
        if over is None and seen:
            over = not seen.is_there(name)
        if over:
            return listed
        return Domain(policy and policy.domain, owed, end, follow(former, configured))

    def retires(self, old, owed):
        """What a domain that has no mode any more keeps, and until when; None: nothing."""
        if old.until:
            return old.former, old.until
        served = self.served.get(old.primary)
        if not served or not served.policy.mode or served.policy.retire == "no" or not owed:
            return None, None
        return Former.of(served.policy), owed

    def policies(self, settings):
        """What is published, as the model takes it."""
        retiring = self.retiring()
        for served in self.served.values():
            away = frozenset(name for name in retiring if name in served.policy.domains())
            yield replace(served.policy, id=served.announced, away=away)
        for name, domain in retiring.items():
            listed = self.served[domain.primary].policy if domain.primary else None
            yield retiring_policy(name, domain.former, listed, settings)


def retiring_policy(name, former, listed, settings):
    zones = settings and (listed.authority == "zones" if listed else former.zones)
    policy = Policy(name, mode="none", max_age=86400, records="direct", ttl=former.ttl,
                    policy_host=list(former.hosts), acme_challenge=former.challenge,
                    group=(former, listed and listed.domain))
    if zones:
        policy.authority = "zones"
        if any(kind == "CNAME" for kind, _ in policy.host_records()):
            policy.policy_host = []  # a host name cannot be at the apex of a zone
    if listed:
        policy.rua = listed.rua
        policy.acme_challenge = listed.acme_challenge or former.challenge
    return policy


def without_serial(rows):
    return [(*name_and_kind, "" if name_and_kind[1] == "SOA" else data, ttl)
            for *name_and_kind, data, ttl in rows]


class Observation:
    """What the service answers at the names of the domains that a Past decides about."""

    def __init__(self, domains, ask):
        """ASK makes a list of answers, as the model has them, from one of questions."""
        owners = [prefix + name for name in domains for prefix in ("_mta-sts.", "mta-sts.")]
        questions = [("lookup", {"qname": f"{owner}.", "qtype": "ANY", "zone-id": -1})
                     for owner in owners]
        self.answers = {owner: without_serial(rows or [])
                        for owner, rows in zip(owners, ask(questions))}

    def txt(self, domain):
        rows = self.answers.get(f"_mta-sts.{domain}", ())
        return next((data for _, kind, data, _ in rows if kind == "TXT"), None)

    def is_there(self, domain):
        return bool(self.answers.get(f"_mta-sts.{domain}"))

    def announces(self, policy):
        """The id of a policy, if any of its domains shows it."""
        shown = next((self.txt(name) for name in policy.domains() if self.txt(name)), "")
        return shown.removeprefix("v=STSv1; id=")

    def differs(self, model):
        """What the first owner is for which a model says something else, or None."""
        for owner, found in self.answers.items():
            expected = without_serial(sorted(model.at(labels_of(owner)) or []))
            if found != expected:
                return f"{owner}: found {found}, expected {expected}"
        return None
