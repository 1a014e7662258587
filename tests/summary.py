"""Counts the results of one `meson test` and shows what failed.

Usage: summary.py BASE, where BASE.json and BASE.junit.xml are meson's logs.

The last line printed is "PASSED FAILED SKIPPED". The JUnit log counts each case of a TAP test; the
JSON log knows what else can go wrong with a test: a timeout, a crash, an exit code.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree

GOOD = ("OK", "EXPECTEDFAIL", "SKIP")


def read_suites(path):
    """The counts of each suite: passed, failed, skipped."""
    suites = {}
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        counts = [0, 0, 0]
        for case in suite.iter("testcase"):
            if case.find("skipped") is not None:
                counts[2] += 1
            elif case.find("failure") is not None or case.find("error") is not None:
                counts[1] += 1
            else:
                counts[0] += 1
        suites[suite.get("name").split(".")[-1]] = counts
    return suites


def failed_parts(output):
    """Of TAP, the failed cases and what belongs to them; of anything else, all."""
    lines = output.splitlines()
    if not any(line.startswith("not ok") for line in lines):
        return lines[-100:]
    parts, inside = [], False
    for line in lines:
        if not line.startswith("#"):
            inside = line.startswith("not ok")
        if inside:
            parts.append(line)
    return parts


def show_failure(test):
    print(f"--- {test['name']}: {test['result']}, exit code {test['returncode']}")
    for stream in ("stdout", "stderr"):
        for line in failed_parts(test.get(stream) or ""):
            print(f"    {line}")


def main(base):
    suites = read_suites(base + ".junit.xml")
    totals = [sum(column) for column in zip(*suites.values())] or [0, 0, 0]
    with open(base + ".json", encoding="utf-8") as file:
        tests = [json.loads(line) for line in file]
    for test in tests:
        if test["result"] in GOOD:
            continue
        show_failure(test)
        name = test["name"].split(" / ")[-1]
        if suites.get(name, [0, 0, 0])[1] == 0:
            totals[1] += 1  # the test as a whole, as none of its cases failed
    print(*totals)


main(sys.argv[1])
