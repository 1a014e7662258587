"""What outlives a restart, and a state that cannot be written: nobody who asks notices."""

import contextlib
import functools
import http.client
import itertools
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from admin_client import Metrics, status
from http_client import exchange, get_request
from namespace import SmallDisk
from processes import DEADLINE, run_to_end, wait_until
from service import REFUSED, Service, run

ZONES = """\
zones: {nameservers: ns1.example.net, hostmaster: hostmaster.example.net, catalog: cat.example.net}
"""
POLICIES = """\
policies:
  - domain: example.net
    authority: zones
    mode: enforce
    mx: mail.example.net
    max_age: {max_age}
    announce_delay: {delay}
    policy_host: 192.0.2.{number}
    domains: [example.org, example.com]
"""
# More than a few pages.
MANY = "  - {domain: example.edu, mode: none, policy_host: 192.0.2.1, domain_files: more.list}\n"
FAILING = "cannot write the state"
AGAIN = "is written again"


def configure(service, number=40, max_age=86400, delay=0, more=""):
    text = ZONES + POLICIES.format(number=number, max_age=max_age, delay=delay)
    service.configure(text + more)


@pytest.fixture
def kept(service, ports):
    service.admin_port = ports.take()
    service.seen, service.enter = service.state, []
    configure(service)
    service.start()
    wait_written(service)
    return service


# Runs statements in a database, prints what the first gives, and waits for the end of its input.
SQL = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
print(*(database.execute(each).fetchone() for each in sys.argv[2:]), flush=True)
sys.stdin.read()
"""


def open_sql(service, *statements, name="state.db"):
    """In the service's namespace; the process holds what locks the statements took."""
    return subprocess.Popen(
        [*service.enter, sys.executable, "-c", SQL, service.seen / name, *statements],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def sql(service, *statements, name="state.db"):
    with open_sql(service, *statements, name=name) as process:
        return process.communicate()[0].strip()


def is_written(service):
    """Whether what is published is in the state: the highest serial is."""
    return sql(service, "SELECT highest FROM service") == f"({max(serials(service).values())},)"


def wait_written(service):
    wait_until(lambda: is_written(service), "the state to be written")


def wait_past(serials):
    """Until the clock has passed these serials, which may run ahead of it after several loads in a
    second. The service's clock is coarser, and some milliseconds behind."""
    wait_until(lambda: time.time() - 0.1 > max(serials.values()) + 1, "the clock to pass the serials")


def wait_next_second():
    """Serials are of the second, so the next ones differ."""
    begun = int(time.time())
    wait_until(lambda: int(time.time() - 0.1) > begun, "the next second")


def restart(service):
    service.stop()
    service.start()


def ask(service, method, **parameters):
    return exchange(service.port, get_request("/dns", method, parameters)).json()["result"]


def serials(service):
    """Those of all zones."""
    return {zone["zone"]: zone["serial"] for zone in ask(service, "getAllDomains")}


def address(service, domain="example.org"):
    return ask(service, "lookup", qname=f"mta-sts.{domain}.", qtype="A")[0]["content"]


def announced(service):
    """The id in the TXT record."""
    row = ask(service, "lookup", qname="_mta-sts.example.org.", qtype="TXT")[0]["content"]
    return re.search("id=(\\w+)", row).group(1)


def test_a_restart_changes_no_serial(kept):
    before = serials(kept)
    wait_next_second()
    restart(kept)
    assert serials(kept) == before
    configure(kept, number=41)
    restart(kept)
    after = serials(kept)
    assert all(after[zone] > before[zone] for zone in before if zone != "cat.example.net.")
    assert after["cat.example.net."] == before["cat.example.net."]


def test_a_domain_that_is_new_has_a_serial_of_its_own_after_a_restart_too(kept):
    before = serials(kept)
    configure(kept, more="    domain_files: more.list\n")
    (kept.directory / "more.list").write_text("new.example\n", encoding="ascii")
    kept.reload()
    after = serials(kept)
    assert after["mta-sts.new.example."] > before["mta-sts.example.net."]
    restart(kept)
    assert serials(kept) == after


def test_what_was_notified_is_so_after_a_restart(kept):
    zones = ask(kept, "getAllDomains")
    for left, zone in zip(reversed(range(len(zones))), zones):
        exchange(kept.port, get_request("/dns", "setNotified", zone))
        assert status(kept)["n_zones_to_notify"] == left
        if left % 3 == 0:
            restart(kept)
            assert status(kept)["n_zones_to_notify"] == left
    configure(kept, number=41)
    restart(kept)
    assert status(kept)["n_zones_to_notify"] == len(zones) - 1  # not the catalog


def test_a_zone_that_is_to_be_notified_again_is_the_only_one(kept):
    """PowerDNS may say late that it has notified a former serial."""
    zones = ask(kept, "getAllDomains")
    for zone in zones:
        exchange(kept.port, get_request("/dns", "setNotified", zone))
    restart(kept)
    assert status(kept)["n_zones_to_notify"] == 0
    exchange(kept.port, get_request("/dns", "setNotified", zones[2] | {"serial": 1}))
    for _ in range(2):
        restart(kept)
        assert [each["id"] for each in ask(kept, "getUpdatedMasters")] == [zones[2]["id"]]


def test_a_zone_is_notified_that_came_while_the_service_was_stopped(kept):
    """It has the serial of others that were notified."""
    certificate = kept.directory / "example.com.pem"
    for name in ("example.net", "example.org"):
        (kept.directory / f"{name}.pem").touch()
    configure(kept, more=f"    certificates: {kept.directory}/%d.pem\n")
    kept.reload()
    assert "_mta-sts.example.com." not in serials(kept)
    for zone in ask(kept, "getAllDomains"):
        exchange(kept.port, get_request("/dns", "setNotified", zone))
    kept.stop()
    certificate.touch()
    kept.start()
    for _ in range(2):
        shown = {each["zone"] for each in ask(kept, "getUpdatedMasters")}
        assert shown == {"_mta-sts.example.com.", "cat.example.net."}
        restart(kept)


def waiting(service):
    return status(service)["waiting"]


def test_an_id_waits_on_after_a_restart(kept):
    first = announced(kept)
    configure(kept, max_age=86401, delay=3600)
    kept.reload()
    (before,) = waiting(kept)
    wait_next_second()
    restart(kept)
    assert "1 id waits: example.net" in kept.log()
    (after,) = waiting(kept)
    assert {**after, "due": None} == {**before, "due": None}
    assert announced(kept) == first == before["announced"]
    apart = [time.mktime(time.strptime(each["due"], "%Y-%m-%dT%H:%M:%SZ")) for each in (before, after)]
    assert abs(apart[1] - apart[0]) <= 2
    configure(kept, max_age=86401, delay=0)
    restart(kept)
    assert waiting(kept) == [] and announced(kept) == before["next"]


def test_a_policy_that_changed_while_the_service_was_down_waits(kept):
    first = announced(kept)
    kept.stop()
    configure(kept, max_age=86401, delay=5)
    kept.start()
    assert announced(kept) == first
    wait_until(lambda: announced(kept) != first, "the id to be announced")


def history(service, domain="example.org"):
    return run("history", "-c", service.config, domain,
               env={**os.environ, "STATE_DIRECTORY": str(service.state)})


def test_history_tells_what_was_served_and_what_senders_may_hold(kept):
    configure(kept, max_age=172800)
    kept.reload()
    restart(kept)
    configure(kept, max_age=3)
    restart(kept)
    wait_written(kept)
    printed = history(kept)
    assert (printed.returncode, printed.stderr) == (0, "")
    times = re.findall(r"^\S+Z to (\S+): (.*?)(?: until \S+)?$", printed.stdout, re.M)
    assert [what for _, what in times] == ["served", "senders may hold it", "senders may hold it"]
    assert times[0][0] == "now"
    assert re.findall(r"max_age: (\d+)", printed.stdout) == ["3", "172800", "86400"]
    assert history(kept, "example.gov").returncode == 1


def test_own_zones_need_a_state(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        configure(service, more="state: none\n")
        checked = run("check", "-c", service.config)
        assert checked.returncode == 1
        assert "authority: zones needs a state, which keeps the serials" in checked.stderr


def traced(service, number):
    """Has strace kill the service at one of its writes to come."""
    rule = f"inject=pwrite64:signal=KILL:when={number}"
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(service.process.pid), "-e", "trace=pwrite64", "-e", rule],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert b"attached" in tracer.stderr.readline()
    return tracer


def test_a_kill_at_any_write_lowers_no_serial(kept):
    """The process dies before, while or after it writes what is published already. It comes back with
    the content that was published, or with the content before: serials are higher than those that
    could be seen."""
    seen, last = serials(kept)["mta-sts.example.org."], 40
    for number in itertools.count(1):
        content = last ^ 1
        configure(kept, number=content)
        tracer = traced(kept, number)
        kept.process.send_signal(signal.SIGHUP)
        try:
            wait_until(lambda: address(kept) == f"192.0.2.{content}", "the reload")
            seen = max(seen, serials(kept)["mta-sts.example.org."])
            wait_written(kept)
            survived = True
        except (AssertionError, OSError, http.client.HTTPException):
            kept.process.wait(DEADLINE)
            survived = False
        tracer.terminate()
        tracer.communicate()
        if survived:
            break
        kept.kill()
        if number % 2:
            configure(kept, number=last)
        else:
            last = content
        kept.start()
        assert "damaged" not in kept.log()
        now = serials(kept)["mta-sts.example.org."]
        assert now > seen, f"killed at write {number}"
        seen = now
        wait_written(kept)
    assert number > 5


def test_a_kill_at_any_write_of_the_first_start_leaves_what_starts(kept):
    kept.stop()
    for number in range(1, 60, 4):
        shutil.rmtree(kept.state)
        rule = f"inject=pwrite64:signal=KILL:when={number}"
        command = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", rule]
        with contextlib.suppress(AssertionError, OSError, http.client.HTTPException):
            kept.start(under=command)
            wait_written(kept)
        kept.kill()
        kept.start()
        wait_written(kept)
        assert "damaged" not in kept.log()
        kept.stop()


def test_two_that_are_first_both_get_the_state(make_directory, ports):
    """verify --save may come just as the service starts."""
    for _ in range(10):
        directory = make_directory()
        with Service(directory, ports.take()) as one, Service(directory, ports.take()) as other:
            other.log_path = directory / "other.log"
            for service in one, other:
                service.admin_port = ports.take()
                service.socket = directory / f"{service.port}.sock"
                service.config = directory / f"{service.port}.yaml"
                configure(service)
            one.start(wait=False)
            other.start()
            one.wait_log("info: serving")
            assert "cannot use the state" not in one.log() + other.log()


@pytest.fixture
def disk(make_directory):
    with SmallDisk(make_directory(), "size=4m,nr_inodes=64") as each:
        yield each


class Stored(Service):
    """A service with its state on a small disk, in whose namespace it runs."""

    def __init__(self, directory, port, disk):
        super().__init__(directory, port)
        self.disk = disk
        self.state = disk.path / "state"
        self.seen = disk.directory / "state"
        self.enter = disk.enter

    def start(self, under=(), wait=True, **options):
        options["env"] = {**os.environ, "STATE_DIRECTORY": str(self.seen)}
        return super().start([*self.enter, *under], wait, **options)


@pytest.fixture
def stored(make_directory, disk, ports):
    with Stored(make_directory(), ports.take(), disk) as service:
        service.admin_port = ports.take()
        configure(service)
        service.start()
        wait_written(service)
        yield service


class Faults:
    """Each breaks the state of a service, and says how to mend it."""

    @staticmethod
    def full(service, disk):
        filler = disk.path / "filler"
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        return filler.unlink

    @staticmethod
    def vanished(service, disk):
        service.state.rename(disk.path / "elsewhere")
        service.state.write_text("no directory", encoding="ascii")

        def mend():
            service.state.unlink()
            (disk.path / "elsewhere").rename(service.state)

        return mend

    @staticmethod
    def locked(service, disk):
        process = open_sql(service, "BEGIN IMMEDIATE")
        assert process.stdout.readline()
        return process.communicate

    @staticmethod
    def later(service, disk):
        """Of a later version, as after going back to an older program; it comes in place of ours."""
        path = service.state / "state.db"
        mine = path.with_suffix(".mine")
        path.rename(mine)
        sql(service, "PRAGMA user_version = 1000")
        return lambda: mine.replace(path)


FAULTS = [each for each in vars(Faults) if not each.startswith("_")]


@pytest.mark.parametrize("name", FAULTS)
def test_a_state_that_cannot_be_written_changes_no_answer(stored, disk, name):
    mend = getattr(Faults, name)(stored, disk)
    start = stored.log_size()
    configure(stored, number=41, more=MANY)
    names = "".join(f"member-{number}.example\n" for number in range(8000))
    (stored.directory / "more.list").write_text(names, encoding="ascii")
    stored.reload()
    assert address(stored) == "192.0.2.41"
    stored.wait_log(FAILING, start)
    shown = status(stored)["state"]
    assert shown["fault"] and shown["failed_since"]
    assert Metrics(stored).sum("state_failed") == 1
    configure(stored, number=42, more=MANY)
    stored.reload()
    assert address(stored) == "192.0.2.42"
    assert stored.log(start).count(FAILING) == 1
    last = serials(stored)
    mend()
    stored.wait_log(AGAIN, start)
    assert Metrics(stored).sum("state_failed") == 0
    assert "fault" not in status(stored)["state"]
    restart(stored)
    assert serials(stored) == last


def test_what_a_full_disk_did_not_take_binds_all_the_same(stored, disk):
    """Mode enforce that was there for a moment, while nothing could be written."""
    configure(stored)
    enforce = stored.config.read_text("ascii")
    testing = enforce.replace("mode: enforce", "mode: testing")
    stored.stop()
    (stored.state / "state.db").unlink()
    stored.config.write_text(testing, "ascii")
    stored.start()
    wait_written(stored)
    mend = Faults.full(stored, disk)
    start = stored.log_size()
    for text in (enforce.replace("domains: [", "domains: [late.example, "), testing):
        stored.config.write_text(text, "ascii")
        stored.reload()
        stored.wait_log(FAILING, start)
    mend()
    stored.wait_log(AGAIN, start)
    stored.config.write_text(testing.replace("example.org, ", ""), "ascii")
    stored.reload()
    assert "_mta-sts.example.org." in serials(stored)


def remount(disk, how):
    done = run_to_end([*disk.enter, "mount", "-o", f"remount,{how}", "none", disk.directory])
    assert done.returncode == 0, done.stdout


def break_state(service, disk, name):
    """Returns what mends it."""
    if name == "read-only":
        remount(disk, "ro")
        return functools.partial(remount, disk, "rw")
    return getattr(Faults, name)(service, disk)


READABLE = ["full", "locked", "read-only"]


@pytest.mark.parametrize("name", [*FAULTS, "read-only"])
def test_a_start_with_a_state_that_cannot_be_used_answers(stored, disk, name):
    """What can be read of it holds; else it is as if nothing had been published before, and the state
    is left alone until the next start."""
    last = serials(stored)
    stored.stop()
    wait_past(last)
    mend = break_state(stored, disk, name)
    start = stored.log_size()
    stored.start()
    now = serials(stored)
    assert all(now[zone] > last[zone] for zone in last)
    stored.wait_log(FAILING, start)
    expected = "can be read, but not written" if name in READABLE else "starting as if nothing"
    assert expected in stored.log(start)
    mend()
    if name in READABLE:
        stored.wait_log(AGAIN, start)
        restart(stored)
        assert serials(stored) == now
    else:
        wait_until(lambda: is_unread(stored), "the state to be found")
        restart(stored)
        assert all(serial > now[zone] for zone, serial in serials(stored).items())
        wait_written(stored)


def is_unread(service):
    """Whether the state has what the service has not read."""
    return "restart the service" in status(service)["state"].get("fault", "")


def test_a_state_that_appears_after_the_start_is_left_to_the_next_one(kept):
    """As when its directory is mounted late."""
    kept.config.write_text(kept.config.read_text("ascii").replace("example.org, ", ""), "ascii")
    kept.reload()
    wait_written(kept)
    before, retiring = serials(kept), "SELECT name, until FROM domains WHERE until > 0"
    assert "_mta-sts.example.org." in before
    until = sql(kept, retiring)
    kept.stop()
    under, mounted = kept.directory / "under", kept.directory / "mounted"
    kept.state.rename(mounted)
    kept.state.mkdir()
    kept.start()
    wait_written(kept)
    assert "_mta-sts.example.org." not in serials(kept)
    kept.state.rename(under)
    mounted.rename(kept.state)
    for number in 41, 42:
        configure(kept, number=number)
        kept.config.write_text(kept.config.read_text("ascii").replace("example.org, ", ""), "ascii")
        kept.reload()
    wait_until(lambda: is_unread(kept), "the state to be found")
    assert address(kept, "example.com") == "192.0.2.42"
    assert Metrics(kept).sum("state_failed") == 1
    now = serials(kept)
    restart(kept)
    assert sql(kept, retiring) == until
    after = serials(kept)
    assert "_mta-sts.example.org." in after
    assert all(serial > max(before.get(zone, 0), now.get(zone, 0)) for zone, serial in after.items())
    wait_written(kept)
    assert Metrics(kept).sum("state_failed") == 0
    assert sql(kept, retiring) == until


@pytest.mark.parametrize("name", READABLE)
def test_a_start_that_can_only_read_the_state_lets_nobody_go_early(stored, disk, name):
    configure(stored)
    stored.config.write_text(stored.config.read_text("ascii").replace("example.org, ", ""), "ascii")
    stored.reload()
    wait_written(stored)
    stored.stop()
    mend = break_state(stored, disk, name)
    start = stored.log_size()
    stored.start()
    assert "_mta-sts.example.org." in serials(stored)
    stored.wait_log(FAILING, start)
    mend()
    stored.wait_log(AGAIN, start)
    restart(stored)
    assert "_mta-sts.example.org." in serials(stored)


def test_a_database_or_directory_that_is_gone_is_made_again(kept):
    def remove_directory():
        """At once: it may be written."""
        shutil.rmtree(kept.state.rename(kept.directory / "gone"))

    for remove in (kept.state / "state.db").unlink, remove_directory:
        remove()
        start = kept.log_size()
        configure(kept, number=serials(kept)["mta-sts.example.org."] % 200 + 1)
        kept.reload()
        kept.wait_log("made a new state", start)
        wait_written(kept)
        last = serials(kept)
        restart(kept)
        assert serials(kept) == last


def damage_truncate(path, size):
    os.truncate(path, size // 2)


def damage_overwrite(path, size):
    with open(path, "r+b") as file:
        for offset in range(4096, size, 4096):
            file.seek(offset)
            file.write(os.urandom(4096))


def damage_begin(path, size):
    path.write_bytes(os.urandom(size))


DAMAGE = [damage_truncate, damage_overwrite, damage_begin]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("running", [False, True])
def test_a_damaged_state_is_set_aside(kept, damage, running):
    last = serials(kept)
    path = kept.state / "state.db"
    if not running:
        kept.stop()
    for more in "-wal", "-shm":
        with contextlib.suppress(FileNotFoundError):
            (kept.state / f"state.db{more}").unlink()
    start = kept.log_size()
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    damage(copy, path.stat().st_size)
    copy.replace(path)
    configure(kept, number=41)
    wait_past(last)
    if running:
        kept.reload()
    else:
        kept.start()
    kept.wait_log("damaged", start)
    assert [each for each in kept.state.iterdir() if "damaged" in each.name]
    assert address(kept) == "192.0.2.41"
    now = serials(kept)
    assert now["mta-sts.example.org."] > last["mta-sts.example.org."]
    wait_written(kept)
    assert FAILING not in kept.log(start)
    restart(kept)
    assert serials(kept) == now


def test_a_lost_state_takes_no_serial_back(kept):
    last = serials(kept)
    kept.stop()
    shutil.rmtree(kept.state)
    wait_past(last)
    kept.start()
    assert "is new: what was published before is not known" in kept.log()
    assert all(serial > last[zone] for zone, serial in serials(kept).items())


def test_a_start_that_fails_leaves_the_state_as_it_was(kept, make_directory, ports):
    last = serials(kept)
    kept.stop()
    with Service(make_directory(), kept.port) as other:
        other.configure("policies: [{domain: example.net, mode: none}]\n")
        other.start()
        with pytest.raises(AssertionError):
            kept.start()
    kept.start()
    assert serials(kept) == last


class Hangs:
    """Each says which thread makes which calls of which file that hang, and what it does that for."""

    @staticmethod
    def read(service):
        return "admin", "openat", service.state / "state.db", lambda: ask_metrics(service)

    @staticmethod
    def written(service):
        return "state", "fdatasync", service.state / "state.db-wal", lambda: change(service)

    @staticmethod
    def loaded(service):
        return "loads", "openat", service.config, lambda: service.process.send_signal(signal.SIGHUP)


def ask_metrics(service):
    """Returns what is to be closed: the answer does not come."""
    asked = socket.create_connection(("127.0.0.1", service.admin_port), DEADLINE)
    asked.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return asked


def change(service):
    configure(service, number=41)
    service.reload()


def state_of(directory):
    """The name and the state of a process or thread, by its directory in /proc."""
    name, _, rest = (directory / "stat").read_text("ascii").partition(" (")[2].rpartition(") ")
    return name, rest[0]


def is_held(service, name):
    """Whether the thread of this name is where strace has it wait."""
    tasks = Path(f"/proc/{service.process.pid}/task").iterdir()
    return (name, "t") in [state_of(task) for task in tasks]


@pytest.mark.parametrize("name", [each for each in vars(Hangs) if not each.startswith("_")])
def test_a_disk_that_hangs_does_not_keep_the_service_from_ending(kept, name):
    thread, call, path, use = getattr(Hangs, name)(kept)
    kept.stop()
    # A sanitizer cannot look for leaks in what strace traces.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    kept.start(env={**os.environ, "ASAN_OPTIONS": options})
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(kept.process.pid), "-P", path, "-e", f"trace={call}",
         "-e", f"inject={call}:delay_enter=600s"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert b"attached" in tracer.stderr.readline()
        used = use()
        wait_until(lambda: is_held(kept, thread), f"the thread {thread} to hang")
        assert address(kept)
        kept.process.send_signal(signal.SIGTERM)
        # strace lets nobody know before it goes that a thread of its has ended.
        wait_until(lambda: state_of(Path(f"/proc/{kept.process.pid}"))[1] == "Z", "the service to end")
        if used:
            used.close()
    finally:
        tracer.kill()
        tracer.communicate()
    kept.stop()
    kept.start()


def test_a_start_that_is_ended_leaves_the_state_as_it_was(kept):
    """Where the machine is so busy that the start ends first, or the load does not end in the time that
    the service waits for it, it is tried again."""
    names = "".join(f"member-{number}.example\n" for number in range(500000))
    (kept.directory / "more.list").write_text(names, encoding="ascii")

    def is_as_it_was():
        last = serials(kept)
        kept.stop()
        configure(kept, more=MANY)
        start = kept.log_size()
        kept.start(wait=False)
        wait_until(lambda: is_begun(kept), "the start to use the state")
        kept.stop()
        ended = "serving" not in kept.log(start)
        configure(kept)
        kept.start()
        return ended and serials(kept) == last

    assert any(is_as_it_was() for _ in range(10))


def is_begun(service):
    with contextlib.closing(sqlite3.connect(f"file:{service.state}/state.db?mode=ro", uri=True)) as database:
        return database.execute("SELECT ended FROM service").fetchone() == (0,)


def test_without_a_state_the_service_goes_on_in_one_process(service, ports):
    service.admin_port = ports.take()
    service.configure("policies: [{domain: example.net, mode: none, policy_host: 192.0.2.40}]\n",
                      more="state: none\n")
    service.start()
    assert "state" not in status(service)
    assert "state_failed" not in Metrics(service).text
    assert not list(service.state.iterdir())
    start = service.log_size()
    configure(service, more="state: none\n")
    service.reload(REFUSED)
    assert "authority: zones needs a state" in service.log(start)
