"""Reads what gcc -fanalyzer says on standard input; exits with 1 if there is a finding that the file
named as the argument does not know, or if it knows one that is not there.

A line of that file is: source file, function, kind of finding, and why it is wrong.
"""

import re
import sys

FUNCTION = re.compile(r"^(?:\.\./)*(\S+): In function '(\w+)':")
FINDING = re.compile(r"^(?:\.\./)*(\S+?):\d+:\d+: (?:warning|error): (.*\[-W(?:error=)?(analyzer-\S+)\])")


def read_known(path):
    with open(path, encoding="ascii") as file:
        lines = [line.split(None, 3) for line in file if line.strip() and line[0] != "#"]
    return {tuple(line[:3]) for line in lines}


def read_findings(lines):
    """Each finding: source file, function and kind, and the line that tells of it."""
    functions = {}
    for line in lines:
        if match := FUNCTION.match(line):
            functions[match.group(1)] = match.group(2)
        elif match := FINDING.match(line):
            source, _, kind = match.groups()
            yield (source, functions.get(source, "?"), kind), line


def main(path):
    known, seen, bad = read_known(path), set(), False
    for finding, line in read_findings(sys.stdin):
        seen.add(finding)
        if finding not in known:
            print(line, end="")
            bad = True
    for finding in sorted(known - seen):
        print(f"{path}: no such finding any more: {' '.join(finding)}")
        bad = True
    return bad


sys.exit(main(sys.argv[1]))
