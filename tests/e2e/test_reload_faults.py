"""Whatever becomes of the files, and however often a reload is asked for: the answers stay right,
and the error names the file."""

import contextlib
import ctypes
import errno
import itertools
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from background import Background
from http_client import exchange, get_request
from load import http_load, unix_load
from namespace import SmallDisk
from processes import DEADLINE, wait_until
from service import REFUSED, RELOADED, Service, program, run

POLICY = """\
include: more.inc
policies:
  - domain: example.net
    mode: testing
    mx: mail.example.net
    id: {id}
    policy_host: {address}
    domain_files: members.list
"""
INCLUDED = "policies:\n  - {domain: example.com, rua: 'mailto:a@example.net'}\n"
GENERATIONS = [{"id": "a", "address": "192.0.2.1"}, {"id": "b", "address": "192.0.2.2"}]
FILES = {"configuration": "config.yaml", "included file": "more.inc", "list": "members.list"}
PR_CAPBSET_DROP = 24  # of prctl(2)
READING_ALL = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, see capabilities(7)


def give_up_reading_all():
    """Before the program starts: even root must not read what its mode forbids."""
    library = ctypes.CDLL(None)
    for capability in READING_ALL:
        library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def write_files(service):
    """Writes the files that the configuration names."""
    (service.directory / "more.inc").write_text(INCLUDED, encoding="ascii")
    (service.directory / "members.list").write_text("example.org\n", encoding="ascii")


def write(service, number):
    service.configure(POLICY.format(**GENERATIONS[number % 2]))


@pytest.fixture
def running(service):
    write_files(service)
    write(service, 0)
    return service.start(preexec_fn=give_up_reading_all)


def contents(service, name):
    asked = get_request("/dns", "lookup", {"qname": f"{name}.", "qtype": "ANY"})
    result = exchange(service.port, asked).json()["result"]
    return [row["content"] for row in result] if result else result


def check_answers(service):
    """All three files are in the answers, and all of the first generation."""
    assert contents(service, "_mta-sts.example.net") == ['"v=STSv1; id=a"']
    assert contents(service, "_mta-sts.example.org") == ["_mta-sts.example.net"]
    assert contents(service, "_smtp._tls.example.com") == ['"v=TLSRPTv1; rua=mailto:a@example.net"']
    assert contents(service, "mta-sts.example.net") == ["192.0.2.1"]


def as_link_to(target):
    def spoil(path):
        path.unlink()
        path.symlink_to(target)

    return spoil


def as_directory(path):
    path.unlink()
    path.mkdir()


def as_fifo(path):
    """That nobody ever writes to: opening it must not wait."""
    path.unlink()
    os.mkfifo(path)


def as_socket(path):
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def as_gibibytes(path):
    """Without a line end, and without taking room."""
    path.unlink()
    path.touch()
    os.truncate(path, 2 << 30)


def as_rubbish(path):
    path.write_bytes(bytes(range(256)) * 1000)


# What may happen to any of the files.
FAULTS = {
    "deleted": lambda path: path.unlink(),
    "unreadable": lambda path: path.chmod(0),
    "a directory": as_directory,
    "a FIFO": as_fifo,
    "a socket": as_socket,
    "a device": as_link_to("/dev/zero"),
    "a link to nowhere": as_link_to("/nonexistent/file"),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
    "2 GiB of NUL bytes": as_gibibytes,
    "rubbish": as_rubbish,
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_named_and_changes_nothing(running, fault, file):
    path = running.directory / FILES[file]
    FAULTS[fault](path)
    assert FILES[file] in running.reload(until=REFUSED)
    check_answers(running)
    if path.is_dir():
        path.rmdir()
    elif path.is_symlink() or path.exists():
        path.unlink()
    write_files(running)
    write(running, 1)
    assert "a -> b" in running.reload()


# What is dangerous in YAML alone.
BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi")
)
BOMBS = {
    "aliases": BILLION_LAUGHS,
    "a merge of itself": "a: &a\n  <<: *a\n",
    "flow depth": "policies: " + "[" * 200000,
    "block depth": "".join(" " * depth + "a:\n" for depth in range(1500)),
    "indicators": "- " * 100000,
    "keys of keys": "? " * 100000,
    "one endless scalar": 'a: "' + "x" * 5000000,
    "many documents": "---\n" * 100000,
    "tag directives": "".join(f"%TAG !{number}! x\n" for number in range(200000)) + "---\na: b\n",
    "half a file": POLICY.format(**GENERATIONS[1])[:60],
    "an empty file": "",
}


@pytest.mark.parametrize("file", ["configuration", "included file"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_yaml_bomb_is_refused_and_the_file_named(running, bomb, file):
    (running.directory / FILES[file]).write_text(BOMBS[bomb], encoding="ascii")
    assert FILES[file] in running.reload(until=REFUSED)
    check_answers(running)


def test_a_directory_that_is_not_mounted_takes_no_domains_away(running):
    lists = running.directory / "disk"
    lists.mkdir()
    (lists / "a.list").write_text("example.info\n", encoding="ascii")
    running.configure(POLICY.format(**GENERATIONS[0]).replace("members.list", "'disk/*.list'"))
    running.reload()
    (lists / "a.list").rename(running.directory / "a.list")
    for _ in range(2):
        log = running.reload(until=REFUSED)
        assert f'{running.config}:9:19: "disk/*.list" matched files at the last load' in log
        assert contents(running, "_mta-sts.example.info")
    (running.directory / "a.list").rename(lists / "a.list")
    assert "(0 added, 0 removed)" in running.reload()
    (lists / "a.list").unlink()
    running.stop()
    running.start()
    assert contents(running, "_mta-sts.example.info") is False


def write_too_many_domains(directory):
    """The same one again and again."""
    (directory / "members.list").write_text("a\n" * (2**24 + 1), encoding="ascii")


def write_too_many_bytes(directory):
    """In files that take no room."""
    lists = [f"{number}.list" for number in range(3)]
    for name in lists:
        (directory / name).touch()
        os.truncate(directory / name, 400 << 20)
    (directory / "more.inc").write_text(
        INCLUDED.replace("}", f", domain_files: [{', '.join(lists)}]}}"), encoding="ascii")


def write_too_many_values(directory):
    (directory / "more.inc").write_text("policies: [" + "a," * (31 << 20) + "a]", encoding="ascii")


BOUNDS = {
    "more than 16777216 domains": write_too_many_domains,
    "more than 1073741824 bytes in all files": write_too_many_bytes,
    "takes more than 512 MiB of memory": write_too_many_values,
}


@pytest.mark.parametrize("found", BOUNDS)
def test_what_a_reload_can_cost_has_a_bound(running, found):
    BOUNDS[found](running.directory)
    assert found in running.reload(until=REFUSED)
    check_answers(running)


class Writer(Background):
    """Appends to a file without pause, in pieces that end anywhere."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.written = 0

    def run(self):
        with open(self.path, "ab", buffering=0) as file:
            while not self.ending.is_set():
                text = f"member-{self.written}.example\n".encode("ascii")
                for part in (text[:5], text[5:]):
                    file.write(part)
                self.written += 1


def test_a_file_that_grows_while_it_is_read_is_read_to_an_end(running):
    """Half a line may be found at the end; that is a domain, or an error and no change."""
    with Writer(running.directory / "members.list") as writer:
        for _ in range(5):
            count = writer.written
            running.reload(f"{REFUSED}|{RELOADED}")
            check_answers(running)
            wait_until(lambda: writer.written > count, "the file to grow")
    running.reload()
    assert contents(running, f"_mta-sts.member-{writer.written - 1}.example")


def test_a_storm_of_reloads_spoils_no_answer(running, request):
    """SIGHUP each 10 ms, while the files change and are asked for."""
    possible = [[generation["address"]] for generation in GENERATIONS]
    asked = get_request("/dns", "lookup", {"qname": "mta-sts.example.net.", "qtype": "ANY"})
    http = http_load(running.port, {asked: possible})
    unix = unix_load(running.socket, {"mta-sts.example.net": possible})
    number = 0
    end = time.monotonic() + request.config.getoption("storm")
    with http, unix:
        while time.monotonic() < end:
            write(running, number)
            running.process.send_signal(signal.SIGHUP)
            number += 1
            time.sleep(0.01)  # the interval between signals, not a wait for anything
        http.wait_for_more()
        unix.wait_for_more()
    http.check()
    unix.check()
    write(running, 1)
    running.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=b"'],
        "the last configuration to be in force",
    )


def test_a_log_on_a_full_disk_keeps_nobody_from_being_answered(make_directory, ports):
    """Writing to the device /dev/full fails as on a full disk."""
    service = Service(make_directory(), ports.take())
    write_files(service)
    write(service, 0)
    service.log_path = service.directory / "log"
    service.log_path.symlink_to("/dev/full")
    service.launch([program(), "serve", "-c", service.config])
    service.log_path = Path(os.devnull)  # /dev/full reads as NUL bytes without end
    with service:
        wait_until(lambda: service.check_alive() or answers(service), "the first answer")
        write(service, 1)
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: contents(service, "mta-sts.example.net") == ["192.0.2.2"], "the reload")


def answers(service):
    try:
        return contents(service, "mta-sts.example.net") == ["192.0.2.1"]
    except ConnectionRefusedError:
        return False


@pytest.fixture
def disk(make_directory):
    with SmallDisk(make_directory(), "size=64k,nr_inodes=32") as each:
        yield each


@pytest.fixture
def stored(disk, make_directory, ports):
    """A service, not started yet, with all its files but the state on the small disk."""
    with Service(disk.path, ports.take()) as service:
        service.state = make_directory() / "state"
        write_files(service)
        write(service, 0)
        yield service


def fill(disk):
    """Writes until there is no room left; returns the file that takes it."""
    path = disk.path / "filler"
    with open(path, "wb", buffering=0) as file, pytest.raises(OSError) as error:
        while True:
            file.write(bytes(4096))
    assert error.value.errno == errno.ENOSPC
    return path


def use_up_files(disk):
    """Makes files until there can be no more."""
    with pytest.raises(OSError) as error:
        for number in itertools.count():
            (disk.path / f"file-{number}").touch()
    assert error.value.errno == errno.ENOSPC


@pytest.mark.parametrize("file", ["configuration", "included file"])
def test_a_file_that_a_full_disk_cuts_short_is_refused(disk, stored, file):
    """It is written over the old one. Flow style shows where it is cut; a list of lines would not."""
    stored.start()
    filler = fill(disk)
    path = stored.directory / FILES[file]
    text = path.read_text(encoding="ascii").replace("id: a", "id: b")
    members = ", ".join(f"member-{number}.example" for number in range(400))
    text += f"  - {{domain: example.edu, rua: 'mailto:a@example.net', domains: [{members}]}}\n"
    with pytest.raises(OSError):
        path.write_text(text, encoding="ascii")
    assert 0 < path.stat().st_size < len(text)
    assert FILES[file] in stored.reload(until=REFUSED)
    check_answers(stored)
    filler.unlink()
    path.write_text(text, encoding="ascii")
    stored.reload()
    assert contents(stored, "_smtp._tls.member-399.example") == ["_smtp._tls.example.edu"]


def test_a_file_that_finds_no_room_beside_the_old_one_changes_nothing(disk, stored):
    """This is how files should be replaced."""
    stored.start()
    fill(disk)
    new = stored.directory / "members.new"
    with pytest.raises(OSError):
        new.write_text("example.edu\n", encoding="ascii")
    assert "0 changed" in stored.reload()
    check_answers(stored)


def test_a_log_on_a_disk_that_fills_up_goes_on_with_whole_lines(disk, service):
    """The line that did not fit is cut. Later ones are lost, and when there is room again they are
    lines of their own. The log is alone on its disk: what else is written there could leave it room,
    as a reload shows in the answers before it does in the log."""
    write_files(service)
    write(service, 0)
    service.log_path = disk.path / "log"
    service.start()
    filler = fill(disk)
    size = service.log_size()
    while size % 4096:
        write(service, 1)
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: contents(service, "mta-sts.example.net") == ["192.0.2.2"], "the reload")
        write(service, 0)
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: contents(service, "mta-sts.example.net") == ["192.0.2.1"], "the reload")
        size = service.log_size()
    filler.unlink()
    write(service, 1)
    service.reload(until=f"^info: {RELOADED}.*a -> b")
    for line in service.log().splitlines():
        if line.startswith("warning: the state in"):
            continue
        assert "info: ".startswith(line[:6]) and line.count("info: ") <= 1, line


def test_a_socket_needs_no_room_on_a_full_disk(disk, stored):
    stored.log_path = Path(os.devnull)
    fill(disk)
    stored.launch([program(), "serve", "-c", stored.config])
    wait_until(lambda: stored.check_alive() or answers(stored), "the first answer")
    with unix_load(stored.socket, {"mta-sts.example.net": [["192.0.2.1"]]}) as load:
        load.wait_for_more()
    load.check()


def test_a_socket_without_a_place_in_its_directory_is_a_clear_error(disk, stored):
    use_up_files(disk)
    ended = run("serve", "-c", stored.config)
    assert ended.returncode == 1
    assert f"{stored.socket}: No space left on device" in ended.stderr
    (disk.path / "file-0").unlink()
    stored.log_path = Path(os.devnull)
    stored.launch([program(), "serve", "-c", stored.config])
    wait_until(lambda: stored.check_alive() or answers(stored), "the first answer")


LONG_LOAD = """\
zones: {nameservers: ns1.example.net, hostmaster: root.example.net}
policies:
  - {domain: example.net, authority: zones, mode: none, policy_host: 192.0.2.1, domain_files: long.list}
"""


def configure_long_load(service):
    """Writes a configuration that takes some seconds to load."""
    service.configure(LONG_LOAD)
    names = "".join(f"d{number}.example\n" for number in range(1000000))
    (service.directory / "long.list").write_text(names, encoding="ascii")


def wait_until_loading(service):
    """Waits until the service has the list open."""
    path = str(service.directory / "long.list")
    descriptors = Path(f"/proc/{service.process.pid}/fd")

    def is_open():
        for descriptor in descriptors.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(descriptor) == path:
                    return True
        return False

    wait_until(is_open, "the list to be read")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_takes_long_is_ended_by_a_signal(service, number):
    """It was obeyed only once everything was loaded, after 25 s with five million own zones."""
    configure_long_load(service)
    service.launch([program(), "serve", "-c", service.config])
    wait_until_loading(service)
    service.process.send_signal(number)
    assert service.process.wait(DEADLINE) == 0
    service.stop()
    assert "info: stopping on " in service.log()
    assert "info: serving " not in service.log()


def test_a_reload_that_takes_long_is_ended_by_sigterm(service):
    service.configure("policies: [{domain: example.net, mode: none, policy_host: 192.0.2.1}]\n")
    service.start()
    configure_long_load(service)
    service.process.send_signal(signal.SIGHUP)
    wait_until_loading(service)
    service.stop()
    assert "info: stopping on " in service.log()
    assert not re.search(RELOADED, service.log())


def test_orders_to_reload_do_not_keep_sigterm_waiting(service):
    """The system hands out SIGHUP before SIGTERM. While one came every 50 ms, and each reload took
    longer than that, SIGTERM was obeyed after 14 s."""
    service.configure("policies:\n" + "".join(
        f"  - {{domain: d{number}.example, mode: none, policy_host: 192.0.2.1}}\n"
        for number in range(60000)))
    service.start()

    def flood(sent):
        """Orders reloads until the service has ended, or has made three more of them."""
        start = service.log_size()
        while service.process.poll() is None and len(re.findall(RELOADED, service.log(start))) < sent:
            service.process.send_signal(signal.SIGHUP)
            time.sleep(0.05)

    flood(1)
    service.process.send_signal(signal.SIGTERM)
    flood(3)
    assert service.process.poll() == 0
    service.stop()
