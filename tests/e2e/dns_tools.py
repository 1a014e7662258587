"""dig and delv, as an operator runs them."""

import re
from dataclasses import dataclass

from processes import run_to_end

STATUS = re.compile(r"^;; ->>HEADER<<- .*status: (\w+)", re.MULTILINE)
GOT = re.compile(r"^;; Got answer:$", re.MULTILINE)
NAMES_IN_DATA = ("CNAME", "MX", "NS", "SOA")
SECTION = re.compile(r"^;; (ANSWER|AUTHORITY) SECTION:$")


@dataclass
class Reply:
    """What dig saw. Records are `name ttl type data`, sorted and their names in lower case, so
    that replies compare. `owners` are the names as they came."""

    rcode: str
    answer: list
    authority: list
    owners: set

    def soa(self):
        """The zones whose SOA stands in the authority section."""
        return [record.split()[0] for record in self.authority if record.split()[2] == "SOA"]


def run_tool(command):
    return run_to_end(command).stdout


def parse_record(line):
    name, ttl, _, kind, data = line.split(None, 4)
    if kind in NAMES_IN_DATA:
        data = data.lower()
    return f"{name.lower()} {ttl} {kind} {data}"


def parse_reply(output):
    """Reads what dig prints with +comments +answer +authority."""
    sections = {"ANSWER": [], "AUTHORITY": []}
    owners = set()
    current = None
    for line in output.splitlines():
        begin = SECTION.match(line)
        if begin:
            current = sections[begin.group(1)]
        elif not line or line.startswith(";"):
            current = None
        elif current is not None:
            current.append(parse_record(line))
            owners.add(line.split()[0])
    status = STATUS.search(output)
    assert status, f"no reply: {output}"
    answer, authority = sorted(sections["ANSWER"]), sorted(sections["AUTHORITY"])
    return Reply(status.group(1), answer, authority, owners)


def dig_all(port, questions):
    """Asks a server on 127.0.0.1 by one dig. A question is a name, a type, and options of dig's for it
    alone, such as +tcp. Returns a reply for each."""
    command = ["dig", "@127.0.0.1", "-p", port, "-r", "+norecurse", "+tries=1", "+time=30"]
    command += ["+noall", "+comments", "+answer", "+authority"]
    for name, kind, *options in questions:
        command += ["-q", name, "-t", kind, *options]
    output = run_tool(command)
    replies = GOT.split(output)[1:]
    assert len(replies) == len(questions), f"questions without a reply: {output}"
    return [parse_reply(reply) for reply in replies]


def dig(port, name, kind, *options):
    return dig_all(port, [(name, kind, *options)])[0]


def transfer(tool, port, zone):
    """What dig or kdig gets of a zone from a server on 127.0.0.1: the records as they come."""
    output = run_tool([tool, "@127.0.0.1", "-p", port, zone, "AXFR"])
    lines = (line for line in output.splitlines() if line and not line.startswith(";"))
    return [parse_record(line) for line in lines]


VALIDATED = ("; fully validated", "; negative response, fully validated")


def delv(port, anchors, zone, name, kind):
    """Validates an answer from a trust anchor at a zone; returns what delv prints."""
    where = ["@127.0.0.1", "-p", port, "-a", anchors, f"+root={zone}"]
    return run_tool(["delv", *where, name, kind])


def validates(output):
    """Whether delv found every part of its answer signed and right."""
    verdicts = [line for line in output.splitlines() if re.match(r"; .*(validated|unsigned)", line)]
    return bool(verdicts) and all(verdict in VALIDATED for verdict in verdicts)
