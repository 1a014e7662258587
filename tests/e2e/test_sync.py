"""sync: from PowerDNS's zones and their MX records to what is answered for them, and that nothing changes where
anything is wrong."""

import os
import pwd
import random
import re
import sqlite3
import subprocess

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from admin_client import Metrics, status
from dns_tools import dig_all
from hoster import APPLY, ROOT, SOA, Hoster
from mx_server import MxServer, failure, mx, silent, wire
from processes import DEADLINE, run_to_end
from service import program, run
from zone_api import KEY, ZoneApi, listed, send

POLICIES = """\
policies:
  - {domain: one.example, mode: enforce, mx: [mx1.hoster.example, "*.pool.hoster.example"],
     policy_host: 192.0.2.1, members: synced}
  - {domain: two.example, mode: testing, mx: [mx2.hoster.example, mx1.hoster.example], policy_host: 192.0.2.1,
     members: synced, domains: [kept-by-hand.example]}
  - {domain: three.example, mode: enforce, mx: "*.other.example", policy_host: 192.0.2.1, members: synced}
  - {domain: listed.example, mode: enforce, mx: mx1.hoster.example, policy_host: 192.0.2.1}
"""

# Which servers lead where: a policy, or none.
ONE = ["mx1.hoster.example", "a.pool.hoster.example", "B.Pool.Hoster.Example"]
TWO = ["mx2.hoster.example"]
THREE = ["x.other.example"]
NONE = ["a.b.pool.hoster.example", "pool.hoster.example", "mx.elsewhere.example", "y.x.other.example"]


@pytest.fixture
def hoster(make_directory, ports, zones, service):
    hoster = Hoster(make_directory(), ports, zones, service)
    yield hoster
    hoster.stop()


def expected_policy(hosts):
    """What RFC 8461 4.1 makes of the servers of a domain: the first policy that covers them all."""
    patterns = {"one.example": ONE, "two.example": TWO + ["mx1.hoster.example"], "three.example": THREE}
    for primary, covered in patterns.items():
        if hosts and all(host.lower() in [each.lower() for each in covered] for host in hosts):
            return primary
    return None


def random_hosts(source):
    """The servers of a domain: of one policy, of several, elsewhere, or none."""
    kind = source.randrange(10)
    if kind == 0:
        return []
    if kind == 1:
        return ["."]  # a null MX
    if kind == 2:
        return source.sample(ONE + TWO + THREE + NONE, source.randint(1, 3))
    return source.sample([ONE, TWO, THREE, NONE][kind % 4],
                         1 if kind % 4 in (1, 2) else source.randint(1, 2))


def model(zones):
    """The members of each policy."""
    members = {primary: [] for primary in ("one.example", "two.example", "three.example")}
    for name, hosts in sorted(zones.items()):
        primary = expected_policy(hosts)
        if primary and name != "kept-by-hand.example":
            members[primary].append(name)
    return members


def test_members_are_those_that_the_mx_records_say(hoster):
    """300 zones, whose records change from run to run. What is published is asked of PowerDNS, whose caches
    have their usual times. A domain that leaves an enforce policy retires; one that comes back is a member."""
    source = random.Random(8461)
    names = [f"customer{number}.example" for number in range(299)] + ["kept-by-hand.example"]
    hoster.configure(POLICIES)
    hoster.set_zones({})
    hoster.start()
    zones = {name: random_hosts(source) for name in names}
    enforced, before = set(), {}
    for _ in range(4):
        hoster.set_zones(zones)
        hoster.run_unit()
        expected = model(zones)
        assert {primary: hoster.members(primary) for primary in expected} == expected
        of = {name: primary for primary, members in expected.items() for name in members}
        of["kept-by-hand.example"] = "two.example"
        replies = dig_all(hoster.port, [(f"_mta-sts.{name}", "CNAME") for name in names])
        found = {name: reply.answer[0].split()[-1] if reply.answer else None
                 for name, reply in zip(names, replies)}
        assert found == {name: f"_mta-sts.{of[name]}." if name in of else None for name in names}
        left = [name for name in names if name not in of and before.get(name) in ("one.example", "three.example")]
        never = [name for name in names if name not in of and name not in enforced]
        replies = dig_all(hoster.port, [(f"_mta-sts.{name}", "TXT") for name in left + never])
        assert ["v=STSv1" in "".join(reply.answer) for reply in replies] == [True] * len(left) + [False] * len(never)
        enforced |= {name for name, primary in of.items() if primary != "two.example"}
        before = of
        for name in source.sample(names, 60):
            zones[name] = random_hosts(source)


# Without PowerDNS, for what it does not do: sources and name servers that fail.

ONE_POLICY = """\
policies:
  - {domain: one.example, mode: enforce, mx: mx1.hoster.example, policy_host: 192.0.2.1, members: synced}
"""
COVERED = ["mx1.hoster.example"]
ELSEWHERE = ["mx.elsewhere.example"]


class Bench:
    """sync between an API and a name server that the test plays."""

    def __init__(self, directory, ports):
        self.directory = directory
        self.api = ZoneApi(ports.take())
        self.dns = MxServer(ports.take())
        self.state = directory / "state"
        self.state.mkdir()
        self.key = directory / "powerdns.key"
        self.key.write_text(KEY + "\n", encoding="ascii")
        self.key.chmod(0o600)
        self.config = directory / "config.yaml"
        self.configure()

    def configure(self, source=None, policies=ONE_POLICY, nameserver=None, limit="10%"):
        source = source or f'powerdns: {{url: "{self.api.url}", api_key_file: {self.key}}}'
        self.config.write_text(
            f'state: {self.state}\nsync: {{{source}, nameserver: "127.0.0.1:{nameserver or self.dns.port}", '
            f"limit: {limit}}}\n{policies}", encoding="utf-8")

    def command(self, script):
        """Has a shell script print the names."""
        path = self.directory / "list domains"
        path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        path.chmod(0o755)
        self.configure(f'command: ["{path}"]')

    def run(self, *options):
        done = subprocess.run([program(), "sync", "-c", self.config, *options], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
        assert KEY not in done.stdout + done.stderr
        return done

    def names(self, *names, hosts=COVERED):
        """Makes these the zones, and gives the new ones these servers."""
        self.api.names = list(names)
        for name in names:
            self.dns.answers.setdefault(name, hosts)

    def members(self, primary="one.example"):
        text = (self.state / "synced" / f"{primary}.list").read_text(encoding="ascii")
        return [line for line in text.splitlines() if not line.startswith("#")]

    def on_disk(self):
        """What is on the disk, and which files they are."""
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
                for path in (self.state / "synced").iterdir()}

    def fill(self, n=5):
        """Finds some members."""
        self.names(*[f"customer{number:04}.example" for number in range(n)])
        done = self.run()
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert len(self.members()) == n

    def refuses(self, pattern, *options):
        """Runs it; it must change nothing and say why."""
        before = self.on_disk()
        done = self.run(*options)
        assert done.returncode == 1
        assert re.search(pattern, done.stderr), done.stderr
        assert self.on_disk() == before
        return done

    def stop(self):
        self.api.stop()
        self.dns.stop()


@pytest.fixture
def bench(make_directory, ports):
    bench = Bench(make_directory(), ports)
    yield bench
    bench.stop()


def chunks(handler, body, end=b"0\r\n\r\n"):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body) + end)


WHOLE = listed(["customer0000.example"])

BROKEN_REPLIES = {
    "nothing": (lambda handler: None, "Empty reply"),
    "cut in the middle": (lambda handler: send(handler, WHOLE[:-9], length=len(WHOLE)),
                          "(closed with 9 bytes|with 9 bytes missing)"),
    "cut without a length": (
        lambda handler: handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + WHOLE[:-1]), "cut short"),
    "chunks without an end": (lambda handler: chunks(handler, WHOLE, b""), "cannot read the list"),
    "JSON cut short": (lambda handler: send(handler, WHOLE[:-20]), "cut short"),
    "no JSON": (lambda handler: send(handler, b"<html>"), "no list of zones"),
    "another list": (lambda handler: send(handler, b'["a.example"]'), "no zone"),
    "more than a list": (lambda handler: send(handler, WHOLE + b"[]"), "after the end"),
    "an empty list": (lambda handler: send(handler, b"[]"), "no mail domain"),
    "an empty body": (lambda handler: send(handler, b""), "cut short"),
    "401": (lambda handler: send(handler, KEY.encode("ascii"), 401), "status 401: the key is another"),
    "404": (lambda handler: send(handler, b"Not Found", 404), "status 404: url or server"),
    "500": (lambda handler: send(handler, WHOLE, 500), "HTTP status 500"),
    "204": (lambda handler: send(handler, b"", 204), "HTTP status 204"),
    "a redirect": (lambda handler: send(handler, b"", 302, headers=[("Location", "/elsewhere")]),
                   "HTTP status 302"),
}


@pytest.mark.parametrize("reply, expected", BROKEN_REPLIES.values(), ids=BROKEN_REPLIES)
def test_a_source_that_breaks_changes_nothing(bench, reply, expected):
    bench.fill()
    bench.api.reply = reply
    bench.refuses(f"^sync: refused, nothing has changed: .*{expected}")
    assert {path for path, _ in bench.api.requests} == {"/api/v1/servers/localhost/zones?dnssec=false"}
    assert {key for _, key in bench.api.requests} == {KEY}


def test_a_source_that_is_gone_changes_nothing(bench):
    bench.fill()
    bench.configure(f'powerdns: {{url: "http://127.0.0.1:1", api_key_file: {bench.key}}}')
    bench.refuses("cannot read the list of zones .*connect")


def test_powerdns_refuses_a_wrong_key(hoster):
    hoster.configure(POLICIES)
    hoster.set_zones({"a.example": ONE[:1]})
    hoster.start()
    hoster.run_unit()
    before = hoster.lists()
    hoster.key.write_text("wrong", encoding="ascii")
    done = hoster.sync()
    assert (done.returncode, done.stdout) == (1, "")
    assert "answers with HTTP status 401: the key is another one than api-key of PowerDNS" in done.stderr
    assert hoster.lists() == before


@pytest.mark.parametrize("content", [b"", b"\n \n", b"two words", b"\xff\xfe", b"first\nsecond", b"x" * 2000])
def test_a_key_that_is_none_is_refused(bench, content):
    bench.fill()
    bench.key.write_bytes(content)
    said = bench.refuses("key of PowerDNS's API").stderr
    assert not content.strip() or content.decode("latin-1").strip() not in said


def test_a_key_that_is_missing_or_open_is_said(bench):
    bench.fill()
    bench.key.chmod(0o644)
    assert "warning: every user can read the key" in bench.run().stderr
    bench.key.unlink()
    bench.refuses("cannot read the key of PowerDNS's API, .*No such file")


COMMANDS = {
    "exit status": ("echo customer0000.example; exit 3\n", "ended with exit status 3"),
    "a signal": ("echo customer0000.example; kill -9 $$\n", "killed by signal 9"),
    "nothing": ("exit 0\n", "no mail domain"),
    "comments alone": ("echo '# none'\n", "no mail domain"),
    "several words": ("printf 'customer0000.example\\na.example b.example\\n'\n",
                      "line 2 of its output has several words"),
    "a NUL byte": ("printf 'a.example\\nb\\000.example\\n'\n", "line 2 of its output has a NUL"),
    "a long line": ("head -c 5000 /dev/zero | tr '\\0' a; echo\n", "line 1 of its output is longer"),
}


@pytest.mark.parametrize("script, expected", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_fails_changes_nothing(bench, script, expected):
    bench.fill()
    bench.command(script)
    bench.refuses(expected)


def test_the_exit_status_counts_though_whoever_started_sync_ignores_its_children(bench):
    bench.fill()
    bench.command("echo customer0000.example; exit 3\n")
    done = subprocess.run(["env", "--ignore-signal=CHLD", program(), "sync", "-c", bench.config], capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 1 and "ended with exit status 3" in done.stderr
    assert len(bench.members()) == 5


def test_the_command_does_not_inherit_that_a_broken_pipe_is_ignored(bench):
    bench.dns.otherwise = COVERED
    bench.command("yes a.example | head -n 1\n")
    done = bench.run()
    assert (done.returncode, done.stderr, bench.members()) == (0, "", ["a.example"])


def test_what_cannot_be_printed_is_not_done(bench):
    bench.fill()
    bench.names("a.example")
    before = bench.on_disk()
    reading, writing = os.pipe()
    os.close(reading)
    for stdout in (writing, os.open("/dev/full", os.O_WRONLY)):
        with open(stdout, "wb") as broken:
            done = subprocess.run([program(), "sync", "-c", bench.config], stdout=broken, stderr=subprocess.PIPE,
                                  text=True, timeout=DEADLINE, check=False)
        assert done.returncode == 1
        assert "sync: refused, nothing has changed: cannot print what was found" in done.stderr
        assert bench.on_disk() == before


def test_a_command_that_cannot_be_run_changes_nothing(bench):
    bench.fill()
    bench.configure('command: ["/nonexistent/program"]')
    bench.refuses("No such file or directory\nsync: refused, .*exit status 127")


def test_a_command_runs_without_a_shell_and_its_errors_are_passed_on(bench):
    bench.fill()
    bench.command("printf '%s\\n' \"$1\" 'B\u00fccher.EXAMPLE.' '# comment' '' other.example.\n"
                  "printf 'one \\033[31m\\ntwo' >&2\ncat\n")
    path = bench.directory / "list domains"
    bench.configure(f'command: ["{path}", "$HOME;x"]')
    bench.dns.otherwise = COVERED
    done = bench.run()
    assert done.returncode == 0
    assert done.stderr == f'"{path}": one \\x1b[31m\n"{path}": two\n'
    assert bench.members() == ["other.example", "xn--bcher-kva.example"]


def test_a_second_run_says_that_there_is_one_and_ends(bench):
    bench.fill()
    fifo = bench.directory / "fifo"
    os.mkfifo(fifo)
    bench.command(f"read line <'{fifo}'; echo customer0000.example\n")
    with subprocess.Popen([program(), "sync", "-c", bench.config], stdout=subprocess.DEVNULL) as first:
        with open(fifo, "w", encoding="ascii") as gate:
            bench.refuses("^sync: another run is under way$")
            gate.write("\n")
        assert first.wait(DEADLINE) == 0
    assert bench.members() == ["customer0000.example"]


# Name servers.

def test_a_name_server_that_is_dead_changes_nothing(bench, ports):
    bench.fill()
    bench.configure(nameserver=ports.take())
    bench.refuses("answers no question, first \"customer0000.example\": no answer")


def other_question(message, tcp):
    del tcp
    reply = mx(message, ELSEWHERE)
    reply.question[0].name = dns.name.from_text("other.example")
    return reply.to_wire()


def other_id(message, tcp):
    del tcp
    reply = mx(message, ELSEWHERE)
    reply.id ^= 1
    return reply.to_wire()


def truncated(message, tcp):
    if tcp:
        return None
    reply = mx(message, [])
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def cut(message, tcp):
    """With a part of the records, and whether over UDP or TCP it says so."""
    del tcp
    reply = mx(message, ELSEWHERE)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def referral(message, tcp):
    del tcp
    reply = dns.message.make_response(message)
    reply.authority.append(
        dns.rrset.from_text(message.question[0].name, 60, "IN", "NS", "ns.elsewhere.example."))
    return reply.to_wire()


LIES = {
    "SERVFAIL": (failure(dns.rcode.SERVFAIL), "SERVFAIL"),
    "REFUSED": (failure(dns.rcode.REFUSED), "REFUSED"),
    "cut short": (lambda message, tcp: mx(message, ELSEWHERE).to_wire()[:-3], "a malformed answer"),
    "a referral": (referral, "an answer that leads to other servers"),
    "cut short over TCP": (cut, "an answer that is cut short"),
}

# They take the time of several tries each, so they are looked at in one run.
SILENCE = [silent, other_question, other_id, lambda message, tcp: b"\xff" * 40, truncated]


@pytest.mark.parametrize("lie, expected", LIES.values(), ids=LIES)
def test_a_name_whose_look_up_fails_stays_where_it_was(bench, lie, expected):
    bench.fill()
    bench.dns.answers["customer0002.example"] = lie
    bench.dns.answers["customer0003.example"] = ELSEWHERE
    done = bench.run()
    assert (done.returncode, bench.members()) == (
        0, [f"customer000{number}.example" for number in (0, 1, 2, 4)])
    assert done.stderr == (f'warning: 1 look-up failed, first "customer0002.example": {expected}; such names stay '
                           "where they were\n")
    assert bench.dns.asked.count("customer0002.example") >= 3


def test_names_without_an_answer_stay_where_they_were(bench):
    bench.fill(12)
    for number, lie in enumerate(SILENCE, 1):
        bench.dns.answers[f"customer{number:04}.example"] = lie
        bench.names(*bench.api.names, f"new{number}.example", hosts=lie)
    bench.dns.answers["customer0000.example"] = ELSEWHERE
    done = bench.run()
    assert (done.returncode, bench.members()) == (0, [f"customer{number:04}.example" for number in range(1, 12)])
    assert re.match('warning: 10 look-ups failed, first "(customer000|new)[1-5].example": no answer;', done.stderr)


def test_more_failures_than_the_limit_change_nothing(bench):
    bench.fill(1010)
    for number in range(101):
        bench.dns.answers[f"customer{number:04}.example"] = failure(dns.rcode.SERVFAIL)
    bench.dns.answers["customer0999.example"] = ELSEWHERE
    bench.configure(limit="9%")
    bench.refuses("101 of 1010 look-ups at 127.0.0.1:[0-9]+ failed, more than sync.limit allows .9%.")
    bench.configure(limit="10%")
    assert bench.run().returncode == 0
    assert len(bench.members()) == 1009


def test_a_name_server_that_is_slow_is_waited_for(bench):
    bench.dns.delay = 0.02
    bench.fill(150)


def test_long_answers_come_over_tcp(bench):
    hosts = [f"mx{number}.hoster.example" for number in range(200)]

    def answer(message, tcp):
        reply = mx(message, hosts)
        return wire(reply) if tcp else truncated(message, tcp)

    bench.configure(policies=ONE_POLICY.replace("mx: mx1.hoster.example", 'mx: "*.hoster.example"'))
    bench.names("long.example", hosts=answer)
    assert bench.run().returncode == 0
    assert bench.members() == ["long.example"]


def alias(target, hosts=None):
    """A CNAME, and what is at its end if the server knows it."""
    def answer(message, tcp):
        del tcp
        reply = mx(message, hosts or [])
        reply.authority.clear()
        name = message.question[0].name
        reply.answer.insert(0, dns.rrset.from_text(name, 60, "IN", "CNAME", f"{target}."))
        for rrset in reply.answer[1:]:
            rrset.name = dns.name.from_text(target)
        return reply.to_wire()
    return answer


def test_aliases_are_followed(bench):
    bench.names("chain.example", hosts=alias("end.example", COVERED))
    bench.names("chain.example", "asked.example", hosts=alias("end.example"))
    bench.names("chain.example", "asked.example", "loop.example", hosts=alias("loop.example"))
    bench.names("chain.example", "asked.example", "loop.example", "nothing.example", hosts=alias("empty.example"))
    bench.dns.answers["end.example"] = COVERED
    done = bench.run()
    assert (done.returncode, bench.members()) == (0, ["asked.example", "chain.example"])
    assert re.match('warning: 1 look-up failed, first "loop.example": .*leads to other', done.stderr)


# Which names, and how many.

def test_a_mail_server_counts_once_for_a_name(bench):
    bench.names("a.example", "b.example", hosts=ELSEWHERE)
    bench.dns.answers["a.example"] = repeated
    assert "  mx.elsewhere.example: 2 names\n" in bench.run().stdout


def repeated(message, tcp):
    """A server with two preferences."""
    del tcp
    reply = mx(message, ELSEWHERE)
    reply.answer[0] += dns.rrset.from_text(reply.answer[0].name, 60, "IN", "MX", "20 mx.elsewhere.example.")
    return reply.to_wire()


def test_the_servers_that_are_shown_are_covered_by_no_policy_at_all(bench):
    bench.configure(policies=ONE_POLICY + ONE_POLICY.split("\n", 1)[1].replace("one", "two").replace("mx1", "mx2")
                    .replace(", members: synced", ""))
    for name in ("a.example", "b.example"):
        bench.names(*bench.api.names, name, hosts=["mx2.hoster.example", *ELSEWHERE])
    assert bench.run().stdout.endswith(
        "other mail servers: 2, no mail server: 0, look-up failed: 0\n"
        "listed in the configuration: 0, no mail domain: 0\n"
        "mail servers that no policy covers:\n  mx.elsewhere.example: 2 names\n")


def test_a_dry_run_names_all_mail_servers_and_others_the_widest(bench):
    for number in range(25):
        bench.names(*bench.api.names, f"d{number:02}.example", hosts=[f"mx{number:02}.elsewhere.example"])
    bench.dns.answers["d24.example"] = ["mx23.elsewhere.example"]
    shown = bench.run("--dry-run").stdout.split("mail servers that no policy covers:\n")[1]
    assert shown == "  mx23.elsewhere.example: 2 names\n" + "".join(
        f"  mx{number:02}.elsewhere.example: 1 name\n" for number in range(23))
    assert bench.run().stdout.endswith(
        "  mx18.elsewhere.example: 1 name\n  4 more: sync --dry-run names all\n")


CATALOG = "zones: {nameservers: ns1.hoster.example, hostmaster: hostmaster.hoster.example, catalog: %s}\n"


@pytest.mark.parametrize("before, names, expected", [
    (CATALOG % "catalog.hoster.example, catalog_parts: 2",
     ["catalog.hoster.example", "1.catalog.hoster.example", "x.catalog.hoster.example", "the-catalog.hoster.example"],
     ["the-catalog.hoster.example"]),
    (CATALOG % "mta-sts.two.example", ["two.example", "three.example"], ["three.example"]),
], ids=["below the catalog", "the catalog's domain"])
def test_no_zone_of_a_customer_has_the_configuration_refused(bench, before, names, expected):
    bench.configure(policies=before + ONE_POLICY.replace("members", "authority: zones, members"))
    bench.names(*names)
    assert bench.run().returncode == 0
    assert bench.members() == expected
    assert run("check", "-c", bench.config).returncode == 0


def test_a_domain_whose_policy_host_is_followed_is_no_member(bench):
    """Else the alias would lead back to itself, at once or over the other policy."""
    bench.configure(policies="""\
policies:
  - {domain: one.example, mode: enforce, mx: mx1.hoster.example, policy_host: mta-sts.hoster.example, members: synced}
  - {domain: two.example, mode: enforce, mx: mx2.hoster.example, policy_host: mta-sts.one.example, members: synced}
  - {domain: three.example, mode: enforce, mx: "*.hoster.example", policy_host: 192.0.2.1, members: synced}
""")
    bench.names("hoster.example", "a.example")
    for hosts in (COVERED, ["mx2.hoster.example"]):
        bench.dns.answers["hoster.example"] = hosts
        assert bench.run().returncode == 0
        assert (bench.members(), bench.members("three.example")) == (["a.example"], ["hoster.example"])
        assert run("check", "-c", bench.config).returncode == 0


def test_a_domain_whose_challenges_have_no_name_is_no_member(bench):
    """It would be too long. That it is below the policy host of another member refuses nothing."""
    challenge = "acme_challenge: '%d.mta-sts.customer.example'"
    bench.configure(policies=ONE_POLICY.replace("members", f"{challenge}, members"))
    room = 253 - len(".mta-sts.customer.example")
    longest, longer = ("".join(63 * letter + "." for letter in "abc") + (length - 3 * 64) * "x"
                       for length in (room, room + 1))
    bench.names("customer.example", longest, longer)
    for _ in range(2):
        assert bench.run().returncode == 0
        assert bench.members() == sorted(["customer.example", longest])
        assert run("check", "-c", bench.config).returncode == 0


def test_names_that_are_no_mail_domains_are_left_out(bench):
    bench.dns.otherwise = COVERED
    bench.configure(policies=ONE_POLICY + "  - {domain: by-hand.example, mode: none, domains: [also.example]}\n")
    bench.names("Good.Example", "xn--bcher-kva.example", "2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa",
                "_acme.good.example", "_mta-sts.good.example", "mta-sts.one.example", "mta-sts.also.example",
                "one.example", "also.example", "localdomain", "", "a\\.b.example", "a b.example", "*.example",
                "mta-sts.good.example")
    done = bench.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert bench.members() == ["good.example", "mta-sts.good.example", "xn--bcher-kva.example"]
    assert sorted(bench.dns.asked) == bench.members()
    assert "listed in the configuration: 2, no mail domain: 11\n" in done.stdout


def test_what_changes_is_printed_and_noted(bench):
    bench.configure(policies=ONE_POLICY + ONE_POLICY.split("\n", 1)[1].replace("one", "two").replace("mx1", "mx2"))
    bench.names("a.example", "b.example", "c.example")
    bench.names("a.example", "b.example", "c.example", "d.example", hosts=ELSEWHERE + ["mx9.elsewhere.example"])
    bench.names("a.example", "b.example", "c.example", "d.example", "e.example", hosts=[])
    bench.names("a.example", "b.example", "c.example", "d.example", "e.example", "f.example", hosts=ELSEWHERE)
    assert bench.run().stdout == (
        "added a.example to one.example\nadded b.example to one.example\nadded c.example to one.example\n"
        "members of one.example: 3\nmembers of two.example: 0\n"
        "added: 3, removed: 0, moved: 0\n"
        "other mail servers: 2, no mail server: 1, look-up failed: 0\n"
        "listed in the configuration: 0, no mail domain: 0\n"
        "mail servers that no policy covers:\n"
        "  mx.elsewhere.example: 2 names\n  mx9.elsewhere.example: 1 name\n")
    changed = bench.state / "synced" / "changed-domains"
    assert changed.read_text(encoding="ascii") == "a.example\nb.example\nc.example\n"
    changed.unlink()
    bench.names("a.example", "b.example", "d.example", "e.example", "f.example")
    bench.dns.answers["b.example"] = ["mx2.hoster.example"]
    assert bench.run().stdout.startswith(
        "moved b.example from one.example to two.example\nremoved c.example from one.example\n"
        "members of one.example: 1\nmembers of two.example: 1\n")
    bench.dns.answers["f.example"] = COVERED
    bench.run()
    assert changed.read_text(encoding="ascii") == "b.example\nc.example\nf.example\n"


def test_too_many_changes_are_noted_as_all(bench):
    bench.fill(2501)
    assert (bench.state / "synced" / "changed-domains").read_text(encoding="ascii") == ".\n"
    bench.names(*bench.api.names, "one-more.example")
    assert bench.run().returncode == 0
    assert (bench.state / "synced" / "changed-domains").read_text(encoding="ascii") == ".\n"


def test_lists_are_replaced_only_if_they_change(bench):
    bench.fill()
    before = bench.on_disk()
    assert bench.run().returncode == 0
    assert bench.on_disk() == before
    bench.names(*reversed(bench.api.names))
    assert bench.run().returncode == 0
    assert bench.on_disk() == before
    (bench.state / "synced" / "one.example.list").write_text("", encoding="ascii")
    assert bench.run().returncode == 0
    assert len(bench.members()) == 5


def test_the_limit_is_for_what_leaves_and_never_below_a_hundred(bench):
    bench.fill(1010)
    names = bench.api.names
    bench.configure(limit="0%")
    bench.names(*names[101:])
    bench.refuses("101 of 1010 members would leave their lists, more than sync.limit allows .0%.")
    dry = bench.refuses("101 of 1010 members", "--dry-run")
    assert dry.stdout.count("removed customer") == 101
    bench.names(*names[100:])
    assert bench.run().returncode == 0
    assert len(bench.members()) == 910
    bench.configure(limit="50%")
    bench.names(*names[555:])
    assert bench.run().returncode == 0
    assert len(bench.members()) == 455


def test_a_dry_run_changes_nothing(bench):
    bench.names("a.example")
    done = bench.run("--dry-run")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "added a.example to one.example")
    assert list(bench.state.iterdir()) == []


def test_what_keeps_it_from_running_is_said(bench):
    bench.configure(policies=ONE_POLICY.replace(", members: synced", ""))
    assert bench.run().stderr == "sync: no policy has members: synced\n"
    bench.config.write_text(f"state: {bench.state}\n{ONE_POLICY}", encoding="ascii")
    assert "no section sync" in bench.run().stderr
    bench.configure()
    bench.state.rmdir()
    assert re.search("^sync: cannot make the directory .*synced", bench.run().stderr)


def test_a_list_that_cannot_be_written_leaves_all_as_they_were(bench):
    bench.configure(policies=ONE_POLICY + ONE_POLICY.split("\n", 1)[1].replace("one", "two").replace("mx1", "mx2"))
    bench.fill()
    (bench.state / "synced" / "two.example.list~").mkdir()
    bench.dns.answers["customer0000.example"] = ["mx2.hoster.example"]
    before = {path: path.read_bytes() for path in (bench.state / "synced").iterdir() if path.is_file()}
    done = bench.run()
    assert done.returncode == 1
    assert re.search("nothing has changed: cannot write .*two.example.list~", done.stderr)
    assert {path: path.read_bytes() for path in (bench.state / "synced").iterdir() if path.is_file()} == before
    (bench.state / "synced" / "two.example.list~").rmdir()
    assert bench.run().returncode == 0
    assert (len(bench.members()), bench.members("two.example")) == (4, ["customer0000.example"])
    assert not list((bench.state / "synced").glob("*~"))


def test_what_root_leaves_belongs_to_the_owner_of_the_state(bench):
    """So that the unit, which runs as another user, can go on with it."""
    nobody = pwd.getpwnam("nobody")
    bench.state.mkdir(exist_ok=True)
    os.chown(bench.state, nobody.pw_uid, nobody.pw_gid)
    for directory in bench.directory, *bench.directory.parents:
        if directory.stat().st_mode & 0o001 == 0:
            directory.chmod(directory.stat().st_mode | 0o011)
    bench.key.chmod(0o640)
    os.chown(bench.key, 0, nobody.pw_gid)
    bench.fill()
    made = [each for each in bench.state.rglob("*") if not each.name.endswith(("-wal", "-shm"))]
    assert {each.name for each in made} >= {"synced", "one.example.list", "sync.lock", "state.db"}
    assert {each.stat().st_uid for each in made} == {nobody.pw_uid}


MOVING = ("policies:\n" + "".join(
    f"  - {{domain: {number}.example, mode: enforce, mx: mx{number}.hoster.example, policy_host: 192.0.2.1,\n"
    "     members: synced}\n" for number in (1, 2)))


def test_a_reload_that_meets_sync_misses_no_name_that_moves(hoster):
    """Sync takes its time between its renames."""
    hoster.configure(MOVING)
    hoster.set_zones({"a.example": ["mx1.hoster.example"], "b.example": ["mx2.hoster.example"]})
    hoster.start()
    hoster.run_unit()
    hoster.set_zones({"a.example": ["mx2.hoster.example"], "b.example": ["mx1.hoster.example"]})
    slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat,renameat2",
            "-e", "inject=rename,renameat,renameat2:delay_exit=300000"]
    # A sanitizer cannot look for leaks in what strace traces.
    environment = hoster.environment()
    environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    before = hoster.service.log_size()
    with subprocess.Popen([*slow, program(), "sync", "-c", hoster.service.config], env=environment,
                          stdout=subprocess.DEVNULL) as sync:
        while sync.poll() is None:
            hoster.service.reload()
        assert sync.returncode == 0
    hoster.service.reload()
    assert hoster.members("1.example") == ["b.example"] and hoster.members("2.example") == ["a.example"]
    assert "removed" in hoster.service.log(before)
    removed = re.findall(r"(\d+) removed\), in", hoster.service.log(before))
    assert removed and set(removed) == {"0"}, removed


def test_changed_domains_that_cannot_be_read_are_all(bench):
    bench.fill()
    changed = bench.state / "synced" / "changed-domains"
    changed.unlink()
    changed.symlink_to(changed)
    bench.names("more.example")
    assert bench.run().returncode == 0
    assert changed.read_text(encoding="ascii") == ".\n"


# What the service makes of it.

def test_the_service_shows_what_sync_came_to(hoster, ports):
    hoster.service.admin_port = ports.take()
    hoster.configure(POLICIES)
    hoster.set_zones({"a.example": ONE[:1], "b.example": ONE[:1], "c.example": TWO, "d.example": NONE[:1]})
    hoster.start()
    assert "sync" not in status(hoster.service)
    hoster.run_unit()
    shown = status(hoster.service)
    assert shown["sync"].items() >= {
        "refused": False, "names": 4, "members": 3, "uncovered": 1, "failed": 0}.items()
    assert shown["sync"]["succeeded"] == shown["sync"]["ended"] >= shown["sync"]["started"]
    assert [policy["synced"] for policy in shown["policies"]] == [2, 1, 0, 0]
    metrics = Metrics(hoster.service)
    assert metrics.sum("synced_domains", policy="one.example") == 2
    assert [metrics.sum(f"sync_{name}") for name in ("names", "members", "uncovered", "failed", "refused")] == [
        4, 3, 1, 0, 0]
    succeeded = metrics.sum("sync_timestamp_seconds")
    hoster.key.write_text("wrong", encoding="ascii")
    assert hoster.sync().returncode == 1
    metrics = Metrics(hoster.service)
    assert (metrics.sum("sync_refused"), metrics.sum("sync_timestamp_seconds")) == (1, succeeded)


@pytest.mark.parametrize("without", ["the section", "its policies"])
def test_a_refused_sync_is_over_when_the_configuration_has_sync_no_more(hoster, ports, without):
    hoster.service.admin_port = ports.take()
    hoster.configure(POLICIES)
    hoster.set_zones({"a.example": ONE[:1]})
    hoster.start()
    hoster.run_unit()
    hoster.key.write_text("wrong", encoding="ascii")
    assert hoster.sync().returncode == 1
    assert status(hoster.service)["sync"]["refused"]
    text = hoster.service.config.read_text(encoding="utf-8")
    if without == "the section":
        shorter = re.sub(r"(?m)^sync:.*\n", "", text)
    else:
        shorter = text.replace("members: synced", "members: listed")
    assert shorter != text
    hoster.service.config.write_text(shorter, encoding="utf-8")
    hoster.service.reload()
    assert "sync" not in status(hoster.service)
    metrics = Metrics(hoster.service)
    assert not [name for name, _ in metrics.samples if name.startswith("pdns_mta_sts_sync_")]
    assert metrics.sum("synced_domains") == (1 if without == "the section" else 0)
    hoster.service.config.write_text(text, encoding="utf-8")
    hoster.service.reload()
    assert status(hoster.service)["sync"]["refused"]


def test_check_says_how_many_members_there_are_and_of_when(bench):
    done = run("check", "-c", bench.config)
    assert "synced members of one.example: 0, no list yet\n" in done.stdout
    assert 'one.example.list" is missing, so the policy has no members from it: run pdns-mta-sts sync' in done.stderr
    bench.fill()
    os.utime(bench.state / "synced" / "one.example.list", (1700000000, 1700000000))
    done = run("check", "-c", bench.config)
    assert done.stderr == ""
    assert "synced members of one.example: 5, list of 2023-11-14T22:13:20Z\n" in done.stdout


def test_members_stay_while_the_lists_are_missing(hoster):
    """A state that is not mounted must not unpublish anything."""
    hoster.configure(POLICIES)
    hoster.set_zones({"a.example": ONE[:1]})
    hoster.start()
    hoster.run_unit()
    (hoster.state / "synced").rename(hoster.state / "away")
    for _ in range(2):
        log = hoster.service.reload()
        assert "one.example.list\" is missing: the 1 members from it stay until the service stops" in log
        assert dig_all(hoster.port, [("_mta-sts.a.example", "CNAME")])[0].answer
    hoster.service.stop()
    (hoster.state / "away").rename(hoster.state / "synced")
    hoster.service.start()
    assert "is missing" not in hoster.service.reload()
    assert dig_all(hoster.port, [("_mta-sts.a.example", "CNAME")])[0].answer


def test_nothing_is_reloaded_if_nothing_has_changed(hoster):
    hoster.configure(POLICIES)
    hoster.set_zones({"a.example": ONE[:1]})
    hoster.start()
    hoster.run_unit()
    size = hoster.service.log_size()
    hoster.run_unit()
    assert hoster.service.log(size) == ""


def test_what_a_failed_reload_leaves_is_applied_later(hoster):
    """The domains that changed are kept until a reload has been applied."""
    hoster.configure(POLICIES)
    hoster.set_zones({"a.example": ONE[:1]})
    hoster.start()
    assert hoster.sync().returncode == 0
    environment = hoster.environment()
    done = run_to_end([APPLY], env={**environment, "PDNS_MTA_STS_RELOAD": "false"})
    assert done.returncode == 1
    assert not dig_all(hoster.port, [("_mta-sts.a.example", "CNAME")])[0].answer
    hoster.run_unit()
    assert dig_all(hoster.port, [("_mta-sts.a.example", "CNAME")])[0].answer
    assert not (hoster.state / "synced" / "changed-domains").exists()


@pytest.mark.parametrize("domains, purged", [
    (["a.example"], "_mta-sts.a.example mta-sts.a.example _tls.a.example _smtp._tls.a.example"),
    (["."], ""),
    ([f"d{number}.example" for number in range(251)], "d0.example$"),
    ([f"d{number}.example" for number in range(2501)], ""),
    (["$(touch bad).example", "-x", "b.example"],
     "_mta-sts.b.example mta-sts.b.example _tls.b.example _smtp._tls.b.example"),
    (["-x", "_a.example"], None),
], ids=["few", "all", "many", "very many", "no domains", "no domain at all"])
def test_caches_are_cleared_as_exactly_as_the_number_allows(make_directory, domains, purged):
    directory = make_directory()
    control = directory / "control"
    control.write_text(f'#!/bin/sh\necho "$*" >>{directory}/calls\n', encoding="ascii")
    control.chmod(0o755)
    done = run_to_end([APPLY, *domains], cwd=directory, env={
        **os.environ, "PDNS_MTA_STS_RELOAD": "true", "PDNS_MTA_STS_CONTROL": str(control)})
    assert (done.returncode, done.stdout) == (0, "")
    calls = (directory / "calls").read_text(encoding="ascii").splitlines()
    assert calls[0] == "rediscover"
    assert (len(calls) == 1) == (purged is None)
    if purged is None:
        return
    assert calls[1].split()[0] == "purge" and " ".join(calls[1].split()[1:]).startswith(purged)
    assert (len(calls[1].split()) == 1) == (purged == "")
    assert sum(len(call.split()) - 1 for call in calls[1:]) == (
        0 if not purged else 251 if len(domains) == 251 else 4)
    assert [path.name for path in directory.iterdir() if path.name not in ("calls", "control")] == []


def test_sync_links_what_it_needs_and_the_service_nothing_of_it():
    def libraries(path):
        return run_to_end(["readelf", "-d", path]).stdout

    assert "libcurl" in libraries(f"{program()}-sync")
    assert "libunbound" not in libraries(f"{program()}-sync")
    for library in ("libcurl", "libunbound", "libssl", "libresolv"):
        assert library not in libraries(program())


# The guide.

TABLES = {
    "domains": ("name TEXT, type TEXT", [("a.example", "NATIVE"), ("b.example", "SLAVE")]),
    "domain": ("domain TEXT, backupmx INTEGER, active INTEGER",
               [("a.example", 0, 1), ("c.example", 1, 1), ("d.example", 0, 0)]),
    "alias_domain": ("alias_domain TEXT, target_domain TEXT, active INTEGER",
                     [("b.example", "a.example", 1), ("e.example", "a.example", 0)]),
    "mail_domain": ("domain TEXT, active TEXT", [("a.example", "y"), ("b.example", "y"), ("c.example", "n")]),
    "panel_domains": ("domain TEXT, isemaildomain INTEGER, deactivated INTEGER",
                      [("a.example", 1, 0), ("b.example", 1, 0), ("c.example", 0, 0), ("d.example", 1, 1)]),
}


def guide():
    return (ROOT / "docs" / "sync.md").read_text(encoding="utf-8")


def test_the_queries_of_the_guide_find_mail_domains(make_directory):
    """Over tables that have the columns of these programs' schemas, by sqlite3 as the guide runs it."""
    database = make_directory() / "database"
    with sqlite3.connect(database) as connection:
        for table, (columns, rows) in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
            connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)
    queries = re.findall(r"`(SELECT [^`]*)`", guide())
    assert len(queries) == 4
    for query in queries:
        done = run_to_end(["sh", "-c", 'exec sqlite3 "$DATABASE" "$QUERY"'],
                          env={**os.environ, "DATABASE": str(database), "QUERY": query})
        assert sorted(done.stdout.split()) == ["a.example", "b.example"], query


def guide_script(word):
    """The script of the guide that has a word in it."""
    scripts = re.findall(r"```sh\n(#!/bin/bash\n.*?)```", guide(), re.DOTALL)
    return next(script for script in scripts if word in script)


def test_the_script_for_postfix_finds_its_virtual_domains(make_directory):
    directory = make_directory()
    table = directory / "virtual_domains"
    table.write_text("a.example OK\nb.example  anything at all\n", encoding="ascii")
    assert run_to_end(["postmap", f"hash:{table}"]).returncode == 0
    script = guide_script("postmap").replace("/etc/postfix/virtual_domains", str(table))
    done = run_to_end(["bash", "-c", script])
    assert (done.returncode, sorted(done.stdout.split())) == (0, ["a.example", "b.example"])
    assert run_to_end(["bash", "-c", script.replace(str(table), "/nonexistent")]).returncode != 0


def test_the_script_for_catalog_zones_notices_a_failed_transfer(hoster):
    hoster.configure(POLICIES)
    with sqlite3.connect(hoster.zones.database) as database:
        database.execute("INSERT INTO domains (id, name, type) VALUES (1, 'catalog.example.net', 'NATIVE')")
        for name, kind, content in (
                ("", "SOA", SOA), ("", "NS", "invalid"), ("version.", "TXT", '"2"'),
                ("a.zones.", "PTR", "a.example"), ("b.zones.", "PTR", "b.example")):
            database.execute("INSERT INTO records (domain_id, name, type, content, prio, ttl, auth) "
                             "VALUES (1, ?, ?, ?, 0, 60, 1)", (f"{name}catalog.example.net", kind, content))
    hoster.start()
    script = guide_script("dig").replace("@192.0.2.53", f"-p {hoster.port} @127.0.0.1")
    done = run_to_end(["bash", "-c", script])
    assert (done.returncode, sorted(done.stdout.split())) == (0, ["a.example.", "b.example."])
    assert run_to_end(["bash", "-c", script.replace("catalog.", "none.")]).returncode != 0
