"""The command line: what it prints where, and its exit codes."""

import collections
import contextlib
import itertools
import json
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from http_client import Connection
from powerdns import PowerDns
from processes import DEADLINE
from service import Service, listen, program, run, run_bytes

COMMANDS = Path(__file__).parent.parent / "data" / "commands"

GOOD = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    rua: mailto:postmaster@example.net
    policy_host: 192.0.2.40
    domains: [example.org, example.com]
"""

BROKEN = """\
listen: {http: {address: "127.0.0.1:8053"}}
policies:
  - domain: example.net
    mode: enforced
    mx: mail.example.net
    colour: red
  - domain: example.org
    rua: postmaster@example.org
    ttl: -1
"""
BROKEN_PLACES = [
    '4:11: found "enforced", expected enforce, testing or none',
    '6:5: unknown key "colour", expected domain, ',
    '8:10: found neither mailto: nor https: in "postmaster@example.org", expected ',
    '9:10: found "-1", expected 0 to ',
]


@pytest.fixture
def config(make_directory):
    """Writes a configuration; gives its path."""

    def write(text):
        path = make_directory() / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


HELP = [["--help"], ["-h"], ["--help", "serve"], ["check", "--help"]]


@pytest.mark.parametrize("arguments", HELP)
def test_help_goes_to_stdout(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: pdns-mta-sts")
    assert "--config FILE" in done.stdout


def case_file(case, name):
    path = COMMANDS / case / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.mark.parametrize("case", sorted(path.name for path in COMMANDS.iterdir() if path.is_dir()))
def test_a_command_prints_what_its_case_says(case):
    """A case is a folder: the arguments, and what comes out; a missing file is an empty one."""
    done = run(*shlex.split(case_file(case, "arguments")), cwd=COMMANDS)
    assert done.stdout == case_file(case, "stdout")
    assert done.stderr == case_file(case, "stderr")
    assert done.returncode == int(case_file(case, "exit") or 0)


def test_every_command_has_a_case():
    commands = re.findall(r"^  ([a-z]+) +\S", run("--help").stdout, re.MULTILINE)
    used = {word for path in COMMANDS.glob("*/arguments") for word in path.read_text().split()}
    assert set(commands) >= {"serve", "check"}
    assert set(commands) - {"serve"} <= used


def test_what_records_prints_is_what_lookup_prints():
    """Name by name and type by type, and no name has more."""
    config = ["-c", COMMANDS / "hoster.yaml"]
    zone = run("records", *config).stdout.splitlines(keepends=True)
    questions = {(line.split()[0], line.split()[3]) for line in zone}
    for name, kind in questions:
        expected = "".join(line for line in zone if line.split()[0::3][:2] == [name, kind])
        assert run("lookup", *config, name, kind).stdout == expected
    rows = json.loads(run("records", *config, "--format", "json").stdout)
    assert {(row["qname"] + ".", row["qtype"]) for row in rows if row["qtype"] != "ENT"} == questions


def test_lookup_prints_what_dig_prints(make_directory, ports, zones):
    """To the byte, of names of every length, of types that a name has and of others, and through
    CNAME records."""
    directory = make_directory()
    zones.load_empty("example.net", "example.org", "be", "example")
    policies = (COMMANDS / "hoster.yaml").read_text(encoding="utf-8")
    with Service(directory, ports.take()) as service:
        service.configure(policies)
        service.start()
        with PowerDns(make_directory(), ports.take(), zones, service) as powerdns:
            powerdns.start()
            records = run("records", "-c", service.config).stdout.splitlines()
            names = {line.split()[0] for line in records}
            for name, kind in itertools.product(names, ["TXT", "A", "AAAA", "CNAME"]):
                answer = subprocess.run(
                    ["dig", "@127.0.0.1", "-p", str(powerdns.port), "-r", "+noall", "+answer",
                     name, kind],
                    capture_output=True, text=True, check=True, timeout=60,
                ).stdout.splitlines()
                shown = run("lookup", "-c", service.config, name, kind).stdout.splitlines()
                assert sorted(shown) == sorted(answer)


def test_named_checkzone_accepts_the_records(make_directory):
    zone = make_directory() / "records.zone"
    soa = ". 3600 IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60\n"
    servers = ". 3600 IN NS ns.invalid.\nns.invalid. 3600 IN A 127.0.0.1\n"
    records = run("records", "-c", COMMANDS / "hoster.yaml").stdout
    zone.write_text(soa + servers + records, encoding="ascii")
    checked = subprocess.run(
        ["named-checkzone", "-i", "none", ".", zone], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "ignored" not in checked.stdout


def test_a_closed_output_is_an_error():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [program(), "records", "-c", COMMANDS / "hoster.yaml"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "could not be written" in done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["-V"], ["serve", "--version"]])
def test_version_is_one_line(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"pdns-mta-sts \d+\.\d+\.\d+\n", done.stdout)


WRONG_USAGE = [
    [],
    ["obey"],
    ["--obey"],
    ["serve", "--obey"],
    ["check", "-c"],
    ["check", "one", "two"],
    ["serve", "check"],
    [""],
    ["lookup"],
    ["lookup", "_tls.example.net"],
    ["lookup", "_tls.example.net", "A", "B"],
    ["lookup", "_tls.example.net", "127.0.0.1"],
    ["records", "--format"],
    ["records", "--format", "xml"],
    ["check", "--format", "zone"],
    ["export"],
    ["export", "xml"],
    ["export", "dehydrated", "--per-certificate", "0"],
    ["export", "dehydrated", "--per-certificate", "101"],
    ["export", "dehydrated", "--per-certificate", "1x"],
    ["export", "dehydrated", "--per-certificate", ""],
    ["export", "dehydrated", "--per-certificate", "4294967297"],
    ["policy"],
    ["policy", "example.net", "example.org"],
]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_told_with_exit_code_2(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--help" in done.stderr


def test_an_unknown_command_is_named():
    assert '"obey"' in run("obey").stderr


def test_check_prints_totals(config):
    done = run("check", "-c", config(GOOD))
    assert (done.returncode, done.stderr) == (0, "")
    totals = dict(line.split(": ") for line in done.stdout.splitlines())
    assert totals["policies"] == "1"
    assert totals["domains"] == "3"
    assert totals["warnings"] == "0"


def test_check_counts_the_records_that_records_prints(config):
    """Those of the catalog zone too."""
    zones = (COMMANDS / "zones.yaml").read_text(encoding="utf-8")
    path = config(zones.replace("zones:\n", "zones:\n  catalog: catalog.example\n", 1))
    printed = collections.Counter(
        line.split()[3] for line in run("records", "-c", path).stdout.splitlines())
    totals = re.findall(r"(\S+) records: (\d+)", run("check", "-c", path).stdout)
    assert {kind: int(n) for kind, n in totals if n != "0"} == printed
    assert {"SOA", "NS", "PTR"} < set(printed)


@pytest.mark.parametrize("option", ["-c", "--config"])
def test_the_option_may_stand_before_the_command(config, option):
    assert run(option, config(GOOD), "check").returncode == 0


def on_a_terminal(*command):
    """What a command writes to stderr where that is a terminal."""
    ours, theirs = os.openpty()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while more := os.read(ours, 4096):
                written += more
    os.close(ours)
    return written.decode("utf-8")


def test_a_terminal_too_gets_messages_alone(config):
    assert on_a_terminal(program(), "check", "-c", config(GOOD)) == ""
    assert run("check", "-c", config(GOOD)).stderr == ""


POLICY = "policies: [{domain: example.net, mode: none, policy_host: 192.0.2.40}]\n"

# Settings that this system cannot serve, the most files that a process may have open, and why not.
CANNOT_SERVE = [
    ("listen: {unix: {path: /nonexistent/pdns.sock}}", None,
     "cannot listen on /nonexistent/pdns.sock: No such file or directory"),
    ("listen: {unix: {path: /etc/hostname}}", None,
     "cannot listen on /etc/hostname: the file is not a socket"),
    ("listen: {unix: {path: /dev/null/pdns.sock}}", None,
     "cannot listen on /dev/null/pdns.sock: Not a directory"),
    ("listen: {unix: {group: no-such-group}}", None, '"no-such-group"'),
    ('listen: {admin: {address: "192.0.2.1:8054"}}', None,
     "cannot listen on 192.0.2.1:8054: Cannot assign requested address"),
    ('listen: {http: {address: "127.0.0.1:8054"}, admin: {}}', None,
     "found the address 127.0.0.1:8054, which overlaps with 127.0.0.1:8054 of listen.http"),
    ('listen: {http: {}, policy: {address: "0.0.0.0:8053"}}', None,
     "found the address 0.0.0.0:8053, which overlaps with 127.0.0.1:8053 of listen.http"),
    ("threads: 64\nlisten: {http: {}, policy: {}}", 500,
     "64 threads with these listeners need 608 open files, and the hard limit is 500"),
]


@pytest.mark.parametrize("settings, descriptors, reason", CANNOT_SERVE)
def test_check_refuses_what_serve_refuses(config, settings, descriptors, reason):
    path = config(f"{settings}\n{POLICY}")
    limit = descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors,) * 2))
    for command in ("check", "serve"):
        done = run(command, "-c", path, preexec_fn=limit)
        assert (done.returncode, done.stdout) == (1, "")
        assert reason in done.stderr


def test_check_lists_warnings_and_accepts(config):
    path = config("policies:\n  - {domain: example.net, mode: none}\n")
    done = run("check", "-c", path)
    assert done.returncode == 0
    assert re.search(rf"^{path}:2:\d+: warning: ", done.stderr, re.MULTILINE)
    assert re.search(r"^warnings: [1-9]", done.stdout, re.MULTILINE)


def test_check_lists_every_error_with_its_place(config):
    path = config(BROKEN)
    done = run("check", "-c", path)
    assert (done.returncode, done.stdout) == (1, "")
    for place in BROKEN_PLACES:
        assert f"\n{path}:{place}" in "\n" + done.stderr


def test_check_prints_50_errors_and_counts_the_rest(config):
    domains = "".join(f"      - bad_{number}.example\n" for number in range(70))
    policy = "policies:\n  - domain: example.net\n    rua: mailto:a@b.c\n    domains:\n"
    path = config(policy + domains)
    done = run("check", "-c", path)
    assert done.returncode == 1
    assert len(re.findall(rf"^{path}:\d+:\d+: found ", done.stderr, re.MULTILINE)) == 50
    assert re.search(r"\b20 more\b", done.stderr)


def test_check_of_a_missing_file_names_it(make_directory):
    path = make_directory() / "absent.yaml"
    done = run("check", "-c", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert str(path) in done.stderr
    assert "No such file" in done.stderr


def test_check_of_a_directory_names_it(make_directory):
    path = make_directory()
    done = run("check", "-c", path)
    assert done.returncode == 1
    assert str(path) in done.stderr


def test_serve_refuses_a_broken_configuration_with_every_error(config):
    path = config(BROKEN)
    done = run("serve", "-c", path)
    assert (done.returncode, done.stdout) == (1, "")
    for place in BROKEN_PLACES:
        assert f"{path}:{place}" in done.stderr


def test_a_taken_port_is_named(config, ports):
    port = ports.take()
    with socket.create_server(("127.0.0.1", port)):
        done = run("serve", "-c", config(listen(port) + GOOD))
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "in use" in done.stderr


def test_the_log_goes_to_stderr_alone(service):
    """stdout and stderr share the log file elsewhere, so this one looks at a process of its own."""
    service.configure(GOOD)
    with subprocess.Popen(
        [program(), "serve", "-c", service.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        line = process.stderr.readline()
        process.terminate()
        output, _ = process.communicate()
    assert line
    assert output == b""
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_promptly_with_connections_open(service, number):
    service.configure(GOOD, keepalive="yes")
    service.start()
    connections = [Connection(service.port) for _ in range(20)]
    for connection in connections[10:]:
        connection.send(b"POST /dns HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
    started = time.monotonic()
    service.process.send_signal(number)
    assert service.process.wait(20) == 0, service.log()
    assert time.monotonic() - started < 10
    assert all(connection.at_end() for connection in connections)


def test_it_starts_again_at_once_on_the_same_port(make_directory, ports):
    """Connections that it closed itself linger in TIME-WAIT."""
    port = ports.take()
    for _ in range(3):
        with Service(make_directory(), port) as service:
            service.configure(GOOD)
            service.start()
            with Connection(port) as connection:
                connection.send(b"GET /dns/getAllDomains HTTP/1.1\r\nHost: a\r\n\r\n")
                assert connection.read().json() == {"result": []}


@pytest.mark.parametrize("threads", [1, 4])
def test_any_number_of_threads_answers(service, threads):
    service.configure(GOOD, more=f"threads: {threads}\n")
    service.start()
    for _ in range(50):
        with Connection(service.port) as connection:
            connection.send(b"GET /dns/lookup/_tls.example.net/ANY HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.read().json()["result"][0]["qtype"] == "ENT"


# policy and export

POLICIES = """\
listen: {policy: {address: "127.0.0.1:18080"}}
policies:
  - domain: example.net
    mode: enforce
    mx: [mail.example.net, "*.mx.example.net"]
    max_age: 1d
    policy_host: 192.0.2.40
    domains: [a.example, b.example, c.example]
  - domain: reports.example
    rua: mailto:postmaster@example.net
    domains: d.example
  - domain: off.example
    mode: none
    max_age: 0
    domains: e.example
"""


@pytest.mark.parametrize("domain", ["example.net", "EXAMPLE.net.", "b.example"])
def test_policy_prints_the_body_byte_for_byte(config, domain):
    done = run_bytes("policy", domain, "-c", config(POLICIES))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (
        b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.net\r\nmx: *.mx.example.net\r\n"
        b"max_age: 86400\r\n"
    )


def test_policy_of_mode_none_has_no_mx(config):
    done = run_bytes("policy", "e.example", "-c", config(POLICIES))
    assert done.stdout == b"version: STSv1\r\nmode: none\r\nmax_age: 0\r\n"


def test_policy_keeps_the_order_of_100_mx(config):
    names = [f"mx{number * 37 % 100}.example.net" for number in range(100)]
    listed = ", ".join(names)
    text = f"policies: [{{domain: example.net, mode: testing, mx: [{listed}]}}]\n"
    lines = run_bytes("policy", "example.net", "-c", config(text)).stdout.split(b"\r\n")
    assert lines[2:-2] == [f"mx: {name}".encode("ascii") for name in names]


@pytest.mark.parametrize("domain", ["example.com", "reports.example", "d.example", "a_b", "mta-sts.a.example"])
def test_policy_of_what_has_none_is_refused(config, domain):
    done = run("policy", domain, "-c", config(POLICIES))
    assert (done.returncode, done.stdout) == (1, "")
    assert domain in done.stderr


def test_export_dehydrated_has_a_line_for_each_policy_host(config):
    done = run("export", "dehydrated", "-c", config(POLICIES))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "mta-sts.example.net", "mta-sts.a.example", "mta-sts.b.example", "mta-sts.c.example",
        "mta-sts.off.example", "mta-sts.e.example",
    ]


def test_certificates_of_several_names_stay_within_a_policy(config):
    done = run("export", "dehydrated", "--per-certificate", "3", "-c", config(POLICIES))
    assert done.stdout.splitlines() == [
        "mta-sts.example.net mta-sts.a.example mta-sts.b.example",
        "mta-sts.c.example",
        "mta-sts.off.example mta-sts.e.example",
    ]


@pytest.mark.parametrize("listener, server", [
    ("127.0.0.1:18080", "127.0.0.1:18080"),
    ("192.0.2.1", "192.0.2.1:8080"),
    ("0.0.0.0:81", "127.0.0.1:81"),
    ("[::]:81", "[::1]:81"),
    ("[2001:db8::1]", "[2001:db8::1]:8080"),
])
def test_export_nginx_leads_to_the_policy_listener(config, listener, server):
    text = POLICIES.replace("127.0.0.1:18080", listener)
    done = run("export", "nginx", "-c", config(text))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"    server {server};\n" in done.stdout


def test_export_nginx_without_the_listener_warns(config):
    text = POLICIES.partition("\n")[2]
    done = run("export", "nginx", "-c", config(text))
    assert done.returncode == 0
    assert "without listen.policy" in done.stderr
    assert "    server 127.0.0.1:8080;\n" in done.stdout


@pytest.mark.parametrize("kind, name", [("nginx", "nginx.conf.example"), ("caddy", "Caddyfile.example")])
def test_the_example_is_what_is_exported_without_further_ado(config, kind, name):
    example = Path(__file__).resolve().parent.parent.parent / "contrib" / name
    done = run("export", kind, "-c", config("listen: {policy: {}}\npolicies: [{domain: example.net}]\n"))
    assert done.stdout == example.read_text(encoding="ascii")


def test_nginx_listens_over_ipv6_where_the_machine_has_it(config):
    """A network without any address has none; nginx would not start."""
    path = config("listen: {policy: {}}\npolicies: [{domain: example.net}]\n")
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    here = run("export", "nginx", "-c", path).stdout
    without = subprocess.run(
        ["unshare", *rights, "--net", program(), "export", "nginx", "-c", path],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=True)
    lines = {"    listen [::]:443 ssl;", "    listen [::]:80;"}
    assert lines <= set(here.splitlines())
    assert without.stdout.splitlines() == [line for line in here.splitlines() if line not in lines]
