"""The case tables of tests/data/answers, in the grammar that tests/README.md describes for all of them."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A question and what must come back."""

    place: str
    question: str
    kind: str
    rcode: str
    soa: list
    answer: list


def expand(field):
    r"""\xHH is an octet, \63{a} is 63 times a."""
    field = re.sub(r"\\x([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), field)
    return re.sub(r"\\(\d+)\{(.)\}", lambda match: int(match[1]) * match[2], field)


def parse_case(place, line, values):
    question, kind, rcode, soa, *records = map(expand, line.split(" | "))
    answer = sorted(record.format(**values) for record in records)
    return Case(place, question, kind, rcode, [] if soa == "-" else [soa], answer)


def read_cases(path: Path, values):
    """The cases of a file; {name} in an expected record stands for one of the values."""
    lines = path.read_text(encoding="ascii").splitlines()
    return [
        parse_case(f"{path.name}:{number}", line, values)
        for number, line in enumerate(lines, 1)
        if line and not line.startswith("#")
    ]
