"""The course of things: configurations come and go, and the service is restarted, killed, robbed of
its state, and has its clock set. After each load is looked what it has made of that.

What it must have made of it, past.py and zone_history.py say. After a crash there are several pasts
from which it may have gone on: the one that was last known to be written, and those after it.
"""

import os
import re
import time

from lifetime import DAY, Lifetime
from model import Model, canonical
from past import NEAR, Moment, Observation, Past
from random_configuration import random_configuration
from zone_history import ZoneHistory

# What may happen after a load, and how often.
EVENTS = {
    "none": 75,
    "restart": 10,
    "crash": 5,  # when all is written
    "crash_at_once": 4,
    "crash_in_start": 2,
    "lose_state": 2,
    "jump": 2,
}
WHILE_STOPPED = 0.1  # of the configurations come while the service is stopped
WRITES_KILLED = 0.03  # of the reloads end at one of the writes that follow
WRITES_SEEN = 0.1  # of the reloads are known to be written before it goes on
HOPS = 9  # of a day each at most, to a moment
DAY_AT_MOST = DAY - 100  # a restart that takes longer than a day is not believed
YEAR = 366 * DAY


class Course:
    """A service and what must have become of it. Who derives from it has connect, disconnect and ask,
    which asks it questions over some transport."""

    def __init__(self, service):
        self.service = service
        self.life = Lifetime(service)
        self.history = ZoneHistory()
        self.configuration = None  # in force
        self.files = {}  # that were written last
        self.written = []  # their paths, without the main one's
        self.pasts = [Past()]  # what is published, by each of the pasts that it may have come from
        self.kept = [Past()]  # those of which one is in the state
        self.story = []  # what has happened, for people

    @property
    def model(self):
        return self.history.model

    def write(self, rng, configuration):
        """Writes its files, with any times."""
        self.files = configuration.files
        directory = self.service.directory
        for old in self.written:
            old.unlink()
        files = {name: text.replace("DIRECTORY", str(directory))
                 for name, text in self.files.items()}
        self.service.configure(files.pop("main"), keepalive="yes")
        self.written = [directory / name for name in files]
        for path, text in zip(self.written, files.values()):
            path.write_bytes(text.encode("utf-8"))
        for path in self.service.config, *self.written:
            modified = rng.randrange(2**32)
            os.utime(path, (modified, modified))

    def tell(self, *words):
        self.story.append(f"{self.life.now():.1f} " + " ".join(map(str, words)))

    # What happens

    def load(self, rng):
        """Has the service read a configuration, and live with it for a while."""
        configuration = random_configuration(rng, self.configuration, self.known())
        if self.configuration is None:
            self.write(rng, configuration)
            self.configuration = configuration
            self.start()
        elif configuration.error is None and rng.random() < WHILE_STOPPED:
            self.stop()
            self.write(rng, configuration)
            self.configuration = configuration
            self.live_on(rng)
        elif not self.reload(rng, configuration):
            return
        self.happen(rng)
        self.come_to_rest()

    def come_to_rest(self):
        """Has time pass until nothing changes by itself while questions are asked."""
        while any(past.is_restless(self.life.now()) for past in self.pasts):
            self.stop()
            self.life.pass_time(3 * NEAR)
            self.start()

    def known(self):
        """The domains that are listed or retire, or will: no catalog may have their names."""
        return frozenset(name for past in self.pasts for name in past.domains)

    def reload(self, rng, configuration):
        """Returns whether the configuration is in force."""
        if self.is_refused(configuration):
            self.write(rng, configuration)
            _, log = self.life.reload()
            assert "refused" in log, log
            assert (configuration.error or "removal_limit") in log
            return False
        if rng.random() < WRITES_KILLED:
            self.reload_and_kill(rng, configuration)
            return True
        self.write(rng, configuration)
        if rng.random() < WRITES_SEEN:
            self.life.step()
            log = self.reload_accepted(configuration)
            self.life.wait_written()
            self.kept = self.pasts
        else:
            log = self.reload_accepted(configuration)
        count = re.search(r"retiring: (\d+) domains?, until", log)
        assert int(count.group(1) if count else 0) == len(self.pasts[0].retiring()), log
        return True

    def reload_accepted(self, configuration):
        """Returns the log."""
        self.configuration = configuration
        self.tell("reload")
        when, log = self.life.reload()
        assert "refused" not in log, log
        self.take(when)
        return log

    def is_refused(self, configuration):
        before = self.configuration
        return configuration.error is not None or (
            before is not None and configuration.removes_too_many(before))

    def happen(self, rng):
        """Something happens, or nothing."""
        event = rng.choices([*EVENTS], EVENTS.values())[0]
        self.tell("then", event)
        getattr(self, "event_" + event)(rng)

    def event_none(self, rng):
        pass

    def event_restart(self, rng):
        self.stop()
        self.live_on(rng)

    def event_crash(self, rng):
        """The time of a start is written, too: it begins the day that a restart may take."""
        self.life.wait_written()
        self.crash()
        self.live_on(rng)

    def event_crash_at_once(self, rng):
        """After a change and a reload, before or while it is written."""
        configuration = random_configuration(rng, self.configuration, self.known())
        if self.is_refused(configuration):
            return
        self.settle_writing(rng)
        self.write(rng, configuration)
        self.configuration = configuration
        when, _ = self.life.reload()
        time.sleep(rng.choice([0, 0, 0.001, 0.005]))
        self.take_unseen(when)
        self.crash()
        self.live_on(rng)

    def event_crash_in_start(self, rng):
        self.stop()
        stopped, first = self.life.stopped, self.life.now()
        self.life.launch()
        time.sleep(rng.uniform(0, 0.05))
        self.take_unseen(Moment(first, self.life.now()), stopped)
        self.crash(connected=False)
        self.live_on(rng)

    def event_lose_state(self, rng):
        rng.choice([self.stop, self.crash])()
        self.life.forget()
        self.history.lose()
        self.pasts = self.kept = [Past()]
        log = self.service.log_size()
        self.live_on(rng)
        assert "is new: what was published before is not known" in self.service.log(log)

    def event_jump(self, rng):
        """The clock is set by years, or set right again, while the service runs or is stopped."""
        ahead = rng.choice([years * YEAR for years in (-20, -3, 2, 10, 25)] + [0, 0])
        if rng.random() < 0.5:
            self.life.jump(ahead)
            return
        self.stop()
        self.life.jump(ahead)
        self.live_on(rng)

    # How it happens

    def stop(self):
        """A service that ends well has written all."""
        self.tell("stop")
        self.disconnect()
        self.life.stop()
        self.history.restart()
        self.kept = self.pasts

    def crash(self, connected=True):
        if connected:
            self.disconnect()
        self.tell("kill")
        self.life.kill()
        self.history.crash()
        self.pasts = self.kept

    def settle_writing(self, rng):
        """All that is published is in the state."""
        if len(self.kept) == 1:
            return
        self.write(rng, self.configuration)  # the last one may have been refused
        self.life.step()
        self.reload_accepted(self.configuration)
        self.life.wait_written()
        self.kept = self.pasts

    def reload_and_kill(self, rng, configuration):
        """Has it killed at one of the writes that follow upon a reload, if there are so many."""
        self.settle_writing(rng)
        self.write(rng, configuration)
        self.configuration = configuration
        killed, when = self.life.reload_and_be_killed(rng.randint(1, 12))
        if not killed:
            self.take(when)
            return
        self.take_unseen(when)
        self.crash()
        self.live_on(rng)

    def live_on(self, rng):
        """The stopped service is started, at once or after some time."""
        for number, seconds in enumerate(self.choose_times(rng)):
            if number:
                self.stop()
            self.life.pass_time(seconds)
            self.tell("start after", seconds, "s")
            self.start()

    def choose_times(self, rng):
        """For how long the service is stopped, once or again and again."""
        way = rng.random()
        if way < 0.4:
            return [rng.choice([0, rng.randint(1, 60)])]
        if way < 0.7:
            return self.times_until(rng)
        if way < 0.95:
            return [int(DAY_AT_MOST ** rng.random())]
        return [rng.randint(2, 40) * DAY]

    def times_until(self, rng):
        """The time up to shortly before or after a moment at which something becomes another."""
        now = self.life.now()
        moments = [each for past in self.pasts for each in past.moments()]
        targets = [time for each in moments
                   for time in (each.first - 2 * NEAR, each.last + 2 * NEAR)
                   if now < time < now + HOPS * DAY_AT_MOST]
        if not targets:
            return [0]
        left, times = max(1, int(rng.choice(targets) - now)), []
        while left > 0:
            times.append(min(left, DAY_AT_MOST))
            left -= times[-1]
        return times

    def start(self):
        when, unknown = self.life.start()
        self.pasts = self.kept = [past.delayed(unknown) for past in self.pasts]
        self.connect()
        self.take(when, self.life.stopped)

    # What is seen

    def take(self, when, stopped=None):
        """Looks what the service has made of the past, and of which."""
        policies, settings = self.configuration.policies, self.configuration.zones
        seen = self.observe()
        pasts, models, faults = [], [], []
        for past in self.pasts:
            past = past.next(policies, when, stopped, seen)
            model = Model([*past.policies(settings)], settings)
            fault = seen.differs(model)
            if fault:
                faults.append(fault)
            else:
                pasts = Past.add(past, pasts)
                models.append(model)
        assert pasts, f"at {when}: {faults}"
        self.pasts = pasts
        self.keep(pasts)
        self.tell("seen", len(pasts), "pasts,", len(pasts[0].retiring()), "retiring,",
                  sum(bool(each.since) for each in pasts[0].served.values()), "waiting")
        self.take_zones(models[0], when)

    def take_unseen(self, when, stopped=None):
        """The same without a look: it may have come to be written."""
        policies = self.configuration.policies
        self.keep([past.next(policies, when, stopped) for past in self.pasts])

    def keep(self, pasts):
        """They are written, now or later."""
        for past in pasts:
            self.kept = Past.add(past, self.kept)

    def observe(self):
        names = self.configuration.domains().union(*(past.domains for past in self.pasts))
        return Observation(sorted(names), lambda questions: map(canonical, self.ask(questions)))

    def take_zones(self, model, when):
        catalogs = model.settings.catalogs() if model.settings else []
        zones, *members = self.ask([("getAllDomains", {}), *(
            ("list", {"zonename": f"{name}.", "domain_id": -1}) for name in catalogs)])
        waiting = {name for past in self.pasts for name, each in past.served.items() if each.since}
        ahead = self.life.ahead
        self.history.load(model, zones, members, when.first + ahead, when.last + ahead, waiting)
