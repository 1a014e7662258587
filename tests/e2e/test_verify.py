"""verify, in an Internet of its own: what is found of each domain, and nothing else."""

import contextlib
import json
import os
import pprint
import re
import select
import signal
import sqlite3
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from internet import DOMAINS, MEMBERS, OWN, RESOLVER, Domain, Internet
from namespace import Namespace
from processes import DEADLINE
from service import Service, program, run


TOTAL = len(DOMAINS) + len(MEMBERS) + 2  # with example.net and OWN
PATIENCE = 300  # seconds for a run: a server that stalls gets two minutes


@pytest.fixture(scope="module")
def internet(make_directory):
    with Namespace() as namespace:
        resolv = make_directory() / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\n", encoding="ascii")
        namespace.put(resolv, "/etc/resolv.conf")
        with Internet(make_directory, namespace) as internet:
            yield internet


def verify(internet, *arguments):
    return run("verify", "-c", internet.service.config, "--ca-file",
               internet.certificates.authority.certificate, "--trust-anchor", internet.anchor,
               *arguments, timeout=PATIENCE)


def read_findings(done):
    """What a run found, as {domain: [(check, severity, what was found), …]}, and all of its JSON."""
    assert done.returncode in (0, 1) and done.stderr == "", done.stderr
    report = json.loads(done.stdout)
    found = {}
    for finding in report["findings"]:
        for domain in finding["domains"]:
            found.setdefault(domain, []).append(
                (finding["check"], finding["severity"], finding["found"]))
    return found, report


def kinds(findings):
    return {(check, severity) for check, severity, _ in findings}


def is_said(finding, findings):
    check, severity, text = finding
    return any((check, severity) == (each[0], each[1]) and text in each[2] for each in findings)


def findings(internet, *arguments):
    return read_findings(verify(internet, "--format", "json", *arguments))


def read_soon(fd):
    """What a terminal shows next."""
    assert select.select([fd], [], [], DEADLINE)[0], "nothing is shown"
    return os.read(fd, 4096).decode("ascii")


WHOLE = {  # runs over all domains, by what they are to show
    "roots": ["--format", "json"],
    "resolver": ["--format", "json", "--resolver", RESOLVER],
    "no-smtp": ["--format", "json", "--resolver", RESOLVER, "--no-smtp"],
    "text": ["--resolver", RESOLVER],
}


@pytest.fixture(scope="module")
def whole(internet):
    """All at once: what they do most of the time is to wait for servers that do not answer."""
    with ThreadPoolExecutor(len(WHOLE)) as pool:
        return dict(zip(WHOLE, pool.map(lambda how: verify(internet, *how), WHOLE.values())))


@pytest.mark.parametrize("how", ["roots", "resolver"])
def test_each_fault_is_found_for_its_domain_and_nothing_else(whole, how):
    found, report = read_findings(whole[how])
    wrong = {}
    for domain in DOMAINS:
        mine = found.pop(domain.name, [])
        missing = [finding for finding in domain.says if not is_said(finding, mine)]
        if missing or not domain.found <= kinds(mine) <= domain.found | domain.maybe:
            wrong[domain.name] = (mine, missing)
    assert not wrong, pprint.pformat(wrong, width=150)
    assert not found, pprint.pformat(found)
    assert report["domains"] == TOTAL
    same = [finding["domains"] for finding in report["findings"]
            if "the name of the policy host at 127.0.80.4" in finding["found"]]
    assert same == [["other-name-2.example", "other-name.example"]] or \
        same == [["other-name.example", "other-name-2.example"]], same


def query(domain, internet):
    """What mta-sts-query, a sender's own code, makes of a domain: VALID, NONE or another word."""
    done = subprocess.run(
        ["mta-sts-query", domain],
        env={**os.environ, "SSL_CERT_FILE": str(internet.certificates.authority.certificate)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False)
    found = re.match(r"\(<STSFetchResult\.(\w+): \d>", done.stdout)
    assert found, done.stdout + done.stderr
    return found[1]


# What keeps a sender from a policy, by the checks that must then have found something.
STOPPERS = {"txt", "dnssec", "policy-host", "https"}
# Where mta-sts-query and verify differ, and why.
LAXER = {
    "txt-id.example": "it fetches the policy whatever the id is",
    "common-name.example": "it lets a common name count",
    "slow-web.example": "it waits less than 20 seconds",
    "ends-soon.example": "a certificate that ends soon is valid",
    "other-host.example": "it does not say why it cannot connect",
    "other-alias.example": "it cannot know where the policy host ought to lead",
    "one-address.example": "it uses the address that answers",
    "no-overlay.example": "there is no record, so there is no policy",
    "gzip.example": "it unpacks what it did not ask to be packed",
    "endless-body.example": "it reads on",
    "endless-header.example": "it reads on",
    "nsec.example": "what it asks for validates; what other resolvers need denied does not",
}


def test_a_senders_own_code_accepts_what_verify_accepts(internet, whole):
    found, _ = read_findings(whole["no-smtp"])
    asked = [domain.name for domain in DOMAINS  # unless chance decides who is asked
             if not domain.maybe and domain.name not in LAXER]
    stopped = {name: {check for check, severity, _ in found.get(name, ()) if severity == "error"} & STOPPERS
               for name in asked}

    def agrees(name):
        """Its patience ends before a busy machine has answered, so it may ask three times."""
        if stopped[name]:
            return query(name, internet) != "VALID"
        return any(query(name, internet) == "VALID" for _ in range(3))

    with ThreadPoolExecutor(4) as pool:
        wrong = [(name, sorted(stopped[name]))
                 for name, fine in zip(asked, pool.map(agrees, asked)) if not fine]
    assert not wrong, pprint.pformat(wrong)


def test_the_text_names_each_cause_once_and_prints_on_any_terminal(whole):
    done = whole["text"]
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert re.fullmatch(rf"{TOTAL} domains: \d+ ok, \d+ with warnings, \d+ with errors", lines[0])
    assert all(character.isprintable() for line in lines for character in line)
    assert r"\x1b[31m" in done.stdout
    causes = [re.sub(r", \d+ domains?: .*", "", block)
              for block in done.stdout.split("\n\n") if "    found " in block]
    assert len(causes) == len({cause.split("    do ")[0] for cause in causes}) > 30
    verdicts = [line for line in lines if line.startswith("policy ")]
    assert verdicts == [
        "policy testing-mx.example, in testing: 0 of 1 domain is ready for enforce; "
        "what keeps the others: mx (1)",
        "policy plain-testing.example, in testing: 0 of 1 domain is ready for enforce; "
        "what keeps the others: starttls (1)",
        "policy verdict.example, in testing: 2 of 4 domains are ready for enforce; "
        "what keeps the others: mx (2), starttls (1)",
    ]


def test_only_the_named_checks_and_domains_are_looked_at(internet):
    found, report = findings(internet, "--resolver", RESOLVER, "--check", "mx,txt",
                             "no-web.example", "no-mx.example", "txt-id.example")
    assert {domain: kinds(mine) for domain, mine in found.items()} == {
        "no-mx.example": {("mx", "error")}, "txt-id.example": {("txt", "error")}}
    assert (report["domains"], report["ok"], report["error"]) == (3, 1, 2)


@pytest.mark.parametrize("check", ["txt", "tls-ent", "tlsrpt", "servers", "dnssec", "policy-host",
                                   "https", "policy", "mx", "starttls"])
def test_a_check_that_cannot_look_up_what_it_needs_says_so(internet, check):
    found, _ = findings(internet, "--resolver", RESOLVER, "--check", check, "servfail.example")
    assert kinds(found["servfail.example"]) == {(check, "error")}
    assert all("SERVFAIL" in text for _, _, text in found["servfail.example"])


def test_what_fails_once_is_looked_at_again_before_it_counts(internet):
    """A SERVFAIL, a web server and a mail server that close one connection."""
    for once in internet.once.values():
        once.fails.set()
    done = verify(internet, "again.example")
    assert (done.returncode, done.stdout) == (0, "1 domain: 1 ok, 0 with warnings, 0 with errors\n")
    assert not any(once.fails.is_set() for once in internet.once.values())


def test_an_interrupted_run_prints_what_is_known_so_far_and_saves_nothing(internet, make_directory):
    """stderr is a terminal here, which a line shows how far the run is."""
    state = make_directory()
    config = internet.service.config.parent / "interrupted.yaml"
    text = internet.service.config.read_text(encoding="utf-8")
    config.write_text(f"state: {state}\n{text}", encoding="utf-8")
    ours, terminal = os.openpty()
    with subprocess.Popen(
            [program(), "verify", "-c", config, "--save", "--resolver", RESOLVER, "--ca-file",
             internet.certificates.authority.certificate, "--trust-anchor", internet.anchor,
             "good.example", "stall.example", "no-mx.example"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal, text=True) as running:
        os.close(terminal)
        shown = ""
        while not re.search(r"\r\x1b\[K2 of 3 domains, \d+/s, \d+ s left", shown):
            shown += read_soon(ours)
        running.send_signal(signal.SIGINT)
        stdout, _ = running.communicate(timeout=DEADLINE)
    with contextlib.suppress(OSError):  # the terminal's end
        while True:
            shown += read_soon(ours)
    os.close(ours)
    assert running.returncode == 1
    first, *rest = stdout.splitlines()
    assert first == ("2 domains: 1 ok, 0 with warnings, 1 with errors "
                     "(interrupted: not all were looked at)")
    assert [line for line in rest if line.startswith(("error", "warning"))] == [
        "error   mx, 1 domain: no-mx.example"]
    assert shown.endswith("\r\x1b[Kpdns-mta-sts: interrupted, so nothing was saved\r\n")
    assert not list(state.iterdir())


def test_nothing_wrong_is_exit_code_0(internet):
    done = verify(internet, "--resolver", RESOLVER, "good.example", "signed.example", OWN, *MEMBERS)
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "5 domains: 5 ok, 0 with warnings, 0 with errors\n", "")


def test_what_is_saved_is_shown_by_the_service(internet, make_directory):
    state = make_directory()
    config = internet.service.config.parent / "saving.yaml"
    text = internet.service.config.read_text(encoding="utf-8")
    config.write_text(f"state: {state}\n{text}", encoding="utf-8")
    done = run("verify", "-c", config, "--save", "--resolver", RESOLVER, "--trust-anchor", "none",
               "--ca-file", internet.certificates.authority.certificate, "--check", "mx",
               "good.example", "no-mx.example", "testing-mx.example")
    assert (done.returncode, done.stderr) == (1, "")
    with Service(make_directory(), 8153) as service:
        service.admin_port = 8154
        service.configure("policies:\n" + DOMAINS[0].policy(), more=f"state: {state}\n")
        service.start()
        with urllib.request.urlopen("http://127.0.0.1:8154/metrics", timeout=DEADLINE) as reply:
            lines = reply.read().decode("ascii").splitlines()
        with urllib.request.urlopen("http://127.0.0.1:8154/status", timeout=DEADLINE) as reply:
            shown = json.load(reply)["verify"]
    assert (shown["domains"], shown["ok"], shown["warning"], shown["error"]) == (3, 1, 1, 1)
    assert [line for line in lines if line.startswith("pdns_mta_sts_verified_domains{")] == [
        'pdns_mta_sts_verified_domains{result="ok"} 1',
        'pdns_mta_sts_verified_domains{result="warning"} 1',
        'pdns_mta_sts_verified_domains{result="error"} 1',
    ]
    (ended,) = [line.split()[1] for line in lines
                if line.startswith("pdns_mta_sts_verify_timestamp_seconds ")]
    assert abs(int(ended) - time.time()) < DEADLINE


def read_saved(state):
    """What a state has of the last run: the same as its JSON, but the domains sorted, and no times."""
    with contextlib.closing(sqlite3.connect(f"file:{state}/state.db?mode=ro", uri=True)) as database:
        ((run, *counts),) = database.execute(
            "SELECT id, domains, ok, warning, error FROM verify_runs ORDER BY id DESC LIMIT 1")
        findings = [
            {"check": check, "severity": "error" if error else "warning", "found": found,
             "expected": expected, "domains": [name for name, in database.execute(
                 "SELECT domain FROM finding_domains WHERE run = ? AND finding = ? ORDER BY domain",
                 (run, number))]}
            for number, check, error, found, expected in database.execute(
                "SELECT number, check_name, error, found, expected FROM findings"
                " WHERE run = ? AND n_domains > 0 ORDER BY error DESC, n_domains DESC, number", (run,))]
    return dict(zip(("domains", "ok", "warning", "error"), counts), findings=findings)


def of_json(report):
    """What a run printed, as read_saved has it."""
    report = {key: value for key, value in report.items() if key not in ("started", "ended")}
    for finding in report["findings"]:
        finding["domains"].sort()
    return report


def test_what_is_saved_is_what_is_printed_and_named_domains_correct_it(internet, make_directory):
    state = make_directory()
    config = internet.service.config.parent / "saved.yaml"
    text = f"state: {state}\n" + internet.service.config.read_text(encoding="utf-8")

    def save(*arguments):
        done = run("verify", "-c", config, "--save", "--format", "json", "--resolver", RESOLVER,
                   "--trust-anchor", internet.anchor, *arguments, timeout=PATIENCE)
        return of_json(read_findings(done)[1])

    config.write_text(text, encoding="utf-8")
    printed = save("--check", "txt,tlsrpt,mx")
    assert printed["domains"] == TOTAL
    assert read_saved(state) == printed

    policy = "domain: other-mx.example, mode: enforce, mx: "
    assert policy + "[mail.example.net]" in text
    config.write_text(text.replace(policy + "[mail.example.net]", policy + "[other.mail.example]"),
                      encoding="utf-8")
    mended = save("--check", "mx", "other-mx.example")
    assert (mended["domains"], mended["ok"], mended["findings"]) == (1, 1, [])
    for finding in printed["findings"]:
        if finding["check"] == "mx" and finding["severity"] == "error":
            finding["domains"] = [name for name in finding["domains"] if name != "other-mx.example"]
    printed["findings"] = [finding for finding in printed["findings"] if finding["domains"]]
    printed["error"] -= 1
    printed["warning"] += 1  # of an mx that none used, which one domain alone cannot tell
    assert read_saved(state) == printed


def test_without_a_state_nothing_is_saved(internet):
    config = internet.service.config.parent / "stateless.yaml"
    config.write_text("state: none\npolicies:\n" + DOMAINS[0].policy(), encoding="utf-8")
    done = run("verify", "-c", config, "--save", "--resolver", RESOLVER, "--trust-anchor", "none",
               "--check", "mx", "good.example")
    assert done.returncode == 1
    assert done.stderr == ("pdns-mta-sts: there is no state to save to; set the key state to a "
                           "directory\n")


def test_the_old_id_is_right_while_the_new_one_waits(internet, make_directory):
    """The service announces the old id for a while after a change; other servers than ours may still
    serve the old policy meanwhile."""
    policy = "policies:\n" + Domain("good.example", more=", announce_delay: 1h").policy()
    with Service(make_directory(), 8253) as service:
        service.admin_port = 8254
        service.configure(policy)
        service.start()
        arguments = ["--resolver", RESOLVER, "--check", "txt,servers,policy", "good.example"]
        config = ["-c", service.config, "--ca-file", internet.certificates.authority.certificate,
                  "--trust-anchor", internet.anchor]
        assert run("verify", *config, *arguments).returncode == 0
        service.configure(policy.replace("[mail.example.net]", "[mail.example.net, new.example.net]"))
        assert "1 id waits" in service.reload()
        done = run("verify", *config, *arguments)
        assert done.returncode == 0, done.stdout
        service.stop()
        done = run("verify", *config, *arguments)
        assert done.returncode == 1
        assert {line.split(",")[0] for line in done.stdout.splitlines() if line[:5] == "error"} == {
            "error   txt", "error   servers", "error   policy"}
