"""The case tables of tests/data: one case a line, `#` begins a comment that fills its line."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A question and what must come back; see tests/data/answers/primary.cases."""

    place: str
    question: str
    kind: str
    rcode: str
    soa: list
    answer: list


def parse_case(place, line, values):
    columns = line.split(None, 4)
    question, kind, rcode, soa = columns[:4]
    records = columns[4].split("|") if len(columns) > 4 else []
    answer = sorted(record.strip().format(**values) for record in records)
    return Case(place, question, kind, rcode, [] if soa == "-" else [soa], answer)


def read_cases(path: Path, values):
    """The cases of a file; {name} in an expected record stands for one of the values."""
    lines = path.read_text(encoding="ascii").splitlines()
    return [
        parse_case(f"{path.name}:{number}", line, values)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]
