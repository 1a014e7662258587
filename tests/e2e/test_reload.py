"""Reloading: under load, with changes of every kind, and refused for every kind of error."""

import os
import re

import pytest

from dns_tools import dig
from http_client import exchange, get_request
from load import dns_load, http_load
from powerdns import PowerDns
from service import REFUSED, listen, run

POLICY = """\
policies:
  - domain: example.net
    mode: testing
    mx: mail.example.net
    id: {id}
    rua: mailto:postmaster@example.net
    policy_host: 192.0.2.40
    domain_files: "*.list"
"""
BEFORE = POLICY.format(id="old")
AFTER = POLICY.format(id="new")


def lookup(name, qtype="ANY"):
    return get_request("/dns", "lookup", {"qname": f"{name}.", "qtype": qtype})


def contents(service, name, qtype="ANY"):
    """What the service itself answers now."""
    result = exchange(service.port, lookup(name, qtype)).json()["result"]
    return [row["content"] for row in result] if result else result


def write_list(service, *domains):
    path = service.directory / "members.list"
    path.write_text("".join(f"{domain}\n" for domain in domains), encoding="ascii")


@pytest.fixture
def running(service):
    """The service with one policy and one member."""
    write_list(service, "example.org")
    service.configure(BEFORE)
    return service.start()


@pytest.fixture
def server(running, zones, make_directory, ports):
    zones.load_empty("example.net", "example.org", "example.com")
    with PowerDns(make_directory(), ports.take(), zones, running) as powerdns:
        yield powerdns.start()


def test_a_reload_adds_and_removes_domains(running):
    write_list(running, "example.com")
    log = running.reload()
    assert contents(running, "_mta-sts.example.org") is False
    assert contents(running, "_mta-sts.example.com")
    assert contents(running, "_mta-sts.example.net")
    line = next(line for line in log.splitlines() if "reload: " in line)
    assert re.search(r"\b1 polic", line)
    assert re.search(r"\b2 domains \(1 added, 1 removed\)", line)
    assert re.search(r"\bin \d+(\.\d+)? ms$", line)


def test_a_reload_that_removes_too_many_domains_is_refused_until_the_limit_is_raised(running):
    """Of 401 domains 101 go; with a list that is cut short nobody means it."""
    many = [f"member-{i}.example.org" for i in range(400)]
    write_list(running, *many)
    running.reload()
    write_list(running, *many[:299])
    log = running.reload(REFUSED)
    path = running.directory / "config.yaml"
    assert (f"{path}: the reload would remove 101 of 401 domains, and removal_limit is 20%: if they "
            "are to go, raise it for this reload, or restart the service") in log
    assert contents(running, f"_mta-sts.{many[-1]}")
    running.configure(BEFORE, more="removal_limit: 30%\n")
    assert "300 domains (0 added, 101 removed)" in running.reload()
    assert contents(running, f"_mta-sts.{many[-1]}") is False


def test_a_restart_removes_as_many_domains_as_it_finds_gone(running):
    many = [f"member-{i}.example.org" for i in range(400)]
    write_list(running, *many)
    running.reload()
    write_list(running, "example.org")
    running.reload(REFUSED)
    running.stop()
    running.start()
    assert contents(running, f"_mta-sts.{many[-1]}") is False


def test_a_warning_of_the_configuration_is_called_so_once(running):
    write_list(running, "example.org", "example.org")
    path = running.directory / "members.list"
    line = next(line for line in running.reload().splitlines() if "listed already" in line)
    assert line.endswith(f'warning: {path}:2:1: "example.org" is listed already at {path}:1:1')
    assert line.count("warning: ") == 1


def test_a_reload_logs_ids_old_and_new(running):
    running.configure(AFTER)
    assert "example.net old -> new" in running.reload()


def test_a_reload_of_the_same_changes_nothing(running):
    log = running.reload()
    assert re.search(r"\(0 added, 0 removed\)", log)
    assert "->" not in log
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=old"']


def test_no_query_fails_while_reloads_come_and_go(running, server):
    """Each answer is from the snapshot before or from the one behind, never a mixture."""
    ids = [('"v=STSv1; id=old"',), ('"v=STSv1; id=new"',)]
    member = [('"v=STSv1; id=old"', "_mta-sts.example.net."),
              ('"v=STSv1; id=new"', "_mta-sts.example.net."), ()]
    names = {
        ("_mta-sts.example.net", "TXT"): ids,
        ("mta-sts.example.net", "A"): [("192.0.2.40",)],
        ("_tls.example.net", "TXT"): [()],
        ("_mta-sts.example.org", "TXT"): member,
        ("_mta-sts.example.com", "TXT"): member,
        ("other.example.net", "A"): [()],
    }
    requests = {
        lookup("_mta-sts.example.net"): [list(each) for each in ids],
        lookup("_mta-sts.example.org"): [["_mta-sts.example.net"], False],
        lookup("_mta-sts.example.com"): [["_mta-sts.example.net"], False],
        lookup("_smtp._tls.example.net", "A"): [[]],
        lookup("other.example.net"): [False],
    }
    states = [(AFTER, "example.com"), (BEFORE, "example.org")]
    with dns_load(server.port, names) as queries, http_load(running.port, requests) as direct:
        for turn in range(20):
            policies, domain = states[turn % 2]
            write_list(running, domain)
            running.configure(policies)
            running.reload()
            queries.wait_for_more(30)
            direct.wait_for_more(30)
    queries.check()
    direct.check()


def test_hasty_signals_end_in_the_last_state(running):
    """A signal that comes during a reload is not lost."""
    for number in range(20):
        write_list(running, f"member{number}.example")
        os.kill(running.process.pid, 1)
    running.reload(until=r"reload: ")
    write_list(running, "last.example")
    running.reload(until=r"reload: ")
    running.reload(until=r"reload: ")
    assert contents(running, "_mta-sts.last.example")


def test_an_answer_through_powerdns_follows_the_reload(running, server):
    assert dig(server.port, "_mta-sts.example.com", "CNAME").rcode == "NXDOMAIN"
    write_list(running, "example.com")
    running.reload()
    assert dig(server.port, "_mta-sts.example.com", "CNAME").rcode == "NOERROR"
    assert dig(server.port, "_mta-sts.example.org", "CNAME").rcode == "NXDOMAIN"


def test_a_changed_listener_is_named_and_the_rest_applied(running, ports):
    other = ports.take()
    text = listen(other, "/elsewhere", "yes") + "threads: 2\n" + AFTER
    running.config.write_text(text, encoding="utf-8")
    log = running.reload()
    warning = next(line for line in log.splitlines() if "restart" in line)
    for key in ("listen.http.address", "listen.http.path", "listen.http.keepalive", "threads"):
        assert key in warning
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=new"']


def test_a_fixed_id_whose_body_changed_is_warned_of(running):
    running.configure(BEFORE.replace("mx: mail", "mx: other"))
    log = running.reload()
    warning = next(line for line in log.splitlines() if "warning" in line)
    assert "example.net" in warning
    assert "old" in warning
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=old"']


def test_a_fixed_id_that_changed_with_its_body_is_not_warned_of(running):
    running.configure(AFTER.replace("mx: mail", "mx: other"))
    assert "warning" not in running.reload()


# Everything that a configuration may have wrong: what to put in its place, and the line and column
# that must be named. Line 1 is the listener, the policy begins in line 3.
ERRORS = {
    "unknown key": (("mode: testing", "mood: enforce"), "4:5"),
    "unknown key at the top": (("policies:", "polices:"), "2:1"),
    "duplicate key": (("mx: mail", "mode: testing\n    mx: mail"), "5:5"),
    "wrong type": (("mode: testing", "mode: [enforce]"), "4:11"),
    "no value": (("mx: mail.example.net", "mx:"), "5:8"),
    "value that is no choice": (("mode: testing", "mode: strict"), "4:11"),
    "value out of range": (("id: old", "max_age: 31557601"), "6:14"),
    "duration that is none": (("id: old", "ttl: 1y"), "6:10"),
    "alias": (("mx: mail.example.net", "mx: *mail"), "5:9"),
    "anchor": (("mx: mail", "mx: &mail mail"), "5:9"),
    "syntax": (("mode: testing", "mode: [enforce"), r"\d+:\d+"),
    "mode without mx": (("mx: mail.example.net\n", "\n"), r"[34]:\d+"),
    "id with a plus": (("id: old", "id: a+b"), "6:9"),
    "underscore in a domain": (("domain: example.net", "domain: a_b.example"), "3:13"),
    "wildcard as a domain": (("domain: example.net", 'domain: "*.example.net"'), "3:13"),
    "address as a domain": (("domain: example.net", "domain: 192.0.2.1"), "3:13"),
    "domain that is too long": (("domain: example.net", f"domain: {'a.' * 122}aa"), "3:13"),
    "reporting address without scheme": (("rua: mailto:", "rua: "), "7:10"),
    "policy host of two kinds": (("192.0.2.40", "[192.0.2.40, a.example]"), r"8:\d+"),
}


def check_refused(service, place):
    """A reload of a broken file names the place and changes no answer; check says the same."""
    before = contents(service, "_mta-sts.example.net")
    log = service.reload(until=REFUSED)
    pattern = rf"{re.escape(place[0])}:{place[1]}: "
    assert re.search(pattern, log), log
    assert contents(service, "_mta-sts.example.net") == before
    assert contents(service, "_mta-sts.example.org")
    assert contents(service, "_mta-sts.example.com") is False
    done = run("check", "-c", service.config)
    assert done.returncode == 1
    assert re.search(rf"^{pattern}", done.stderr, re.MULTILINE), done.stderr


@pytest.mark.parametrize("change,place", ERRORS.values(), ids=ERRORS.keys())
def test_a_broken_file_changes_no_answer(running, change, place):
    write_list(running, "example.com")
    broken = BEFORE.replace(*change)
    assert broken != BEFORE
    running.configure(broken)
    check_refused(running, (str(running.config), place))


def test_a_domain_in_two_policies_names_both_places(running):
    running.configure(BEFORE + "  - domain: example.org\n    rua: mailto:a@example.org\n")
    path = running.directory
    check_refused(running, (f"{path}/config.yaml", "10:13"))
    errors = run("check", "-c", running.config).stderr
    assert f"{path}/members.list:1:1" in errors


@pytest.mark.parametrize("content,place", [
    ("example.com\nbad_name.example\n", "2:1"),
    ("example.com\n\n  *.example.org\n", "3:3"),
    ("example.com example.org\n", r"1:\d+"),
    ("# fine\n" + "a" * 64 + ".example\n", "2:1"),
])
def test_a_broken_list_file_changes_no_answer(running, content, place):
    path = running.directory / "members.list"
    path.write_text(content, encoding="ascii")
    check_refused(running, (str(path), place))


def test_an_unreadable_list_file_changes_no_answer(running):
    """A directory stands for a file without permission, which root could read."""
    write_list(running, "example.com")
    (running.directory / "more.list").mkdir()
    check_refused(running, (str(running.config), "9:19"))


def test_a_broken_included_file_changes_no_answer(running):
    path = running.directory / "more.yaml"
    path.write_text("threads: 2\n", encoding="ascii")
    running.configure(BEFORE, more="include: more.yaml\n")
    check_refused(running, (str(path), "1:1"))


def test_a_removed_file_changes_no_answer(running):
    running.config.unlink()
    log = running.reload(until=REFUSED)
    assert str(running.config) in log
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=old"']


NO_CONFIGURATION = ["", "# nothing\n", "---\n", "policies\n", "- a\n", "\0", "\xff\xfe"]


@pytest.mark.parametrize("text", NO_CONFIGURATION)
def test_a_file_that_is_no_configuration_changes_no_answer(running, text):
    running.config.write_bytes(text.encode("latin-1"))
    running.reload(until=REFUSED)
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=old"']


@pytest.mark.parametrize("text", ["listen:\n", "listen: {http: {}}\n", "policies: []\n", "include: '*.inc'\n"])
def test_a_file_that_was_cut_short_unpublishes_nothing(running, text):
    running.config.write_text(text, encoding="ascii")
    assert "found no policy" in running.reload(until=REFUSED)
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=old"']


def test_after_a_refusal_the_next_good_file_is_applied(running):
    running.configure("nonsense: 1\n")
    running.reload(until=REFUSED)
    running.configure(AFTER)
    running.reload()
    assert contents(running, "_mta-sts.example.net") == ['"v=STSv1; id=new"']
