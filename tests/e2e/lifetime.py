"""A service whose time passes by command, and that is stopped, killed and robbed of its state."""

import http.client
import shutil
import signal
import subprocess
import time

from admin_client import Metrics
from clock import Clock
from past import Moment
from processes import DEADLINE, wait_until
from service import REFUSED, RELOADED

DAY = 86400
NO_TIME_PASSED = "no time counts as passed"
CLOCK_SET = "the clock was set"


class Lifetime:
    """Time truly passes by pass_time; what jump does is no time, but a clock that is set."""

    def __init__(self, service):
        self.service = service
        self.clock = Clock(service)
        self.passed = self.ahead = 0
        self.ahead_known = 0  # as the service found the clock when it was started
        self.log_begin = 0
        self.stopped = None  # when
        self.since = None  # when the last load began, by its clock
        self.remembers = False  # it has a state
        self.passed_stopped = 0  # what has passed since then by command

    def now(self):
        """The true time."""
        return time.time() + self.passed

    def clock_now(self):
        """The time as the clock of the service says."""
        return self.now() + self.ahead

    def pass_time(self, seconds):
        self.passed += seconds
        self.passed_stopped += seconds
        self.clock.set(self.passed + self.ahead)

    def step(self):
        """Waits for the next second, so that the clock tells what is written from now on from what
        was written before."""
        second = int(self.clock_now())
        wait_until(lambda: int(self.clock_now()) > second, "the next second")

    def jump(self, seconds):
        """Sets the clock to so many seconds from the true time."""
        self.ahead = seconds
        self.clock.set(self.passed + self.ahead)

    def launch(self):
        """Starts it without waiting."""
        self.service.start(wait=False, env=self.clock.environment())

    def start(self):
        """Starts it. Returns when, and how much of the time that has passed it cannot know of."""
        first, self.since = self.now(), self.clock_now()
        self.service.start(env=self.clock.environment())
        unknown = self.passed_stopped if self.is_in_doubt() else 0
        if self.ahead != self.ahead_known and self.remembers:
            log = self.service.log(self.log_begin)
            assert NO_TIME_PASSED in log or CLOCK_SET in log
        self.ahead_known = self.ahead
        self.passed_stopped = 0
        self.log_begin = self.service.log_size()
        self.remembers = True
        return Moment(first, self.now()), unknown

    def is_in_doubt(self):
        return self.ahead != self.ahead_known or self.passed_stopped > DAY

    def reload(self):
        """Returns when, and the log."""
        first, self.since = self.now(), self.clock_now()
        log = self.service.reload(f"{REFUSED}|{RELOADED}")
        return Moment(first, self.now()), log

    def stop(self):
        self.stopped = self.now()
        self.service.stop()

    def kill(self):
        self.stopped = self.now()
        self.service.kill()

    def forget(self):
        """Has its state be lost, while it is stopped."""
        self.remembers = False
        shutil.rmtree(self.service.state)

    def wait_written(self):
        """Waits until the last load is written, before which there was a step of the clock."""
        def written():
            at = Metrics(self.service).sum("state_written_timestamp_seconds")
            return int(self.since) <= at <= self.clock_now() + 1

        wait_until(written, "the state to be written")

    def reload_and_be_killed(self, number):
        """Has it killed at one of the writes that follow upon a reload. Returns whether it was, and
        when the reload was, at the latest: its end may not have been logged."""
        self.step()
        tracer = self.trace(number)
        first, log = self.now(), self.service.log_size()
        self.since = self.clock_now()
        self.service.process.send_signal(signal.SIGHUP)
        try:
            self.service.wait_log(RELOADED, log)
            self.wait_written()
            killed = False
        except (OSError, http.client.HTTPException, AssertionError):
            killed = True
        tracer.kill()
        tracer.communicate()
        if killed:
            self.service.process.wait(DEADLINE)
        return killed, Moment(first, self.now())

    def trace(self, number):
        rule = f"inject=pwrite64,fdatasync:signal=KILL:when={number}"
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(self.service.process.pid), "-e", "trace=pwrite64,fdatasync",
             "-e", rule],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert b"attached" in tracer.stderr.readline()
        return tracer
