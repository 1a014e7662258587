"""verify, in an Internet of its own: what is found of each domain, and nothing else."""

import json
import pprint

import pytest

from internet import DOMAINS, MEMBERS, RESOLVER, Internet
from namespace import Namespace
from service import run


@pytest.fixture(scope="module")
def internet(make_directory):
    with Namespace() as namespace, Internet(make_directory, namespace) as internet:
        yield internet


def verify(internet, *arguments):
    return run("verify", "-c", internet.service.config, "--ca-file",
               internet.certificates.authority.certificate, "--trust-anchor", internet.anchor,
               *arguments)


def findings(internet, *arguments):
    """What verify finds, as {domain: {(check, severity), …}}, and all of its JSON."""
    done = verify(internet, "--format", "json", *arguments)
    assert done.returncode in (0, 1) and done.stderr == "", done.stderr
    report = json.loads(done.stdout)
    found = {}
    for finding in report["findings"]:
        for domain in finding["domains"]:
            found.setdefault(domain, set()).add((finding["check"], finding["severity"]))
    return found, report


@pytest.mark.parametrize("how", [[], ["--resolver", RESOLVER]], ids=["roots", "resolver"])
def test_each_fault_is_found_for_its_domain_and_nothing_else(internet, how):
    found, report = findings(internet, *how)
    wrong = {}
    for domain in DOMAINS:
        mine = found.pop(domain.name, set())
        if not domain.found <= mine <= domain.found | domain.maybe:
            wrong[domain.name] = (sorted(mine), sorted(domain.found), [
                (finding["check"], finding["found"], finding["expected"])
                for finding in report["findings"] if domain.name in finding["domains"]])
    assert not wrong, pprint.pformat(wrong, width=150)
    assert not found, pprint.pformat(found)
    assert report["domains"] == len(DOMAINS) + len(MEMBERS) + 1
