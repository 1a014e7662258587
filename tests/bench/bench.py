"""What the service costs a PowerDNS that asks it, and how fast and small it is itself.

Everything is measured in one run and in turns, round after round, so that a change in the machine's
mood meets all rows alike; each figure is the median of its rounds. The figures to look at are
the ratios.
"""

import argparse
import os
import random
import re
import statistics
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from background import Background  # noqa: E402
from dnsdist import Dnsdist  # noqa: E402
from ports import Ports  # noqa: E402
from powerdns import PowerDns, Transport, Zones  # noqa: E402
from processes import Program, running  # noqa: E402
from service import RELOADED, Service  # noqa: E402

ZONE = "example.net"
ZONE_FILE = f"""\
$ORIGIN {ZONE}.
$TTL 3600
@ SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 60
@ NS ns
@ MX 10 mail
ns A 192.0.2.1
mail A 192.0.2.2
"""
POLICIES = f"""\
policies:
  - domain: {ZONE}
    mode: enforce
    mx: mail.{ZONE}
    policy_host: 192.0.2.40
    rua: mailto:postmaster@{ZONE}
"""
OURS = f"mta-sts.{ZONE}"
OUR_RESULT = f'[{{"qtype":"A","qname":"{OURS}","content":"192.0.2.40","ttl":3600}}]'
MILLION = 1_000_000
CACHES_OFF = ""
CACHES_DEFAULT = "cache-ttl=20\nquery-cache-ttl=20\nnegquery-cache-ttl=60\n"
QUERIES_PER_SECOND = re.compile(r"Queries per second:\s+([\d.]+)")
RESPONSES = re.compile(r"Response codes:\s+(.*)")


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")


class Constant(Program):
    """The responder that does nothing, in one of its kinds."""

    def __init__(self, program, directory, kind, port, result):
        super().__init__("constant", directory / "constant.log")
        self.program, self.kind, self.port, self.result = program, kind, port, result
        self.url = f"http://127.0.0.1:{port}/dns"
        self.socket = directory / "constant.sock"

    def start(self):
        where = self.socket if self.kind == "unix" else self.port
        self.launch([self.program, self.kind, where, self.result])
        self.wait_ready(lambda: f":{self.port:04X}" in tcp_listeners() or self.socket.exists())
        return self


def tcp_listeners():
    return Path("/proc/net/tcp").read_text(encoding="ascii")


class Questions:
    """Files of questions for dnsperf. Names that do not exist are never asked twice, or PowerDNS's
    caches would know them."""

    def __init__(self, directory):
        self.directory = directory
        self.source = random.Random(1)
        self.ours = directory / "ours"
        self.ours.write_text(f"{OURS} A\n", encoding="ascii")

    def missing(self, n):
        path = self.directory / "missing"
        letters = string.ascii_lowercase
        with open(path, "w", encoding="ascii") as file:
            for _ in range(n):
                file.write("".join(self.source.choices(letters, k=12)) + f".{ZONE} A\n")
        return path


class Row:
    """One name server on a port, and what was measured of it."""

    def __init__(self, name, port):
        self.name, self.port = name, port
        self.rates = []

    @property
    def rate(self):
        return statistics.median(self.rates)

    def measure(self, questions, expected, seconds):
        """Queries per second that it answers, all of them as expected."""
        done = subprocess.run(
            ["dnsperf", "-s", "127.0.0.1", "-p", str(self.port), "-d", str(questions)]
            + ["-l", str(seconds), "-c", "4", "-q", "64", "-t", "5"],
            capture_output=True,
            text=True,
            check=True,
        )
        codes = RESPONSES.search(done.stdout).group(1)
        if not re.fullmatch(rf"{expected} \d+ \(100\.00%\)", codes.strip()):
            raise RuntimeError(f"{self.name}: {codes}")
        self.rates.append(float(QUERIES_PER_SECOND.search(done.stdout).group(1)))


class Bench:
    def __init__(self, directory, tools):
        self.directory, self.tools = directory, tools
        self.ports = Ports()
        self.numbers = iter(range(sys.maxsize))
        self.zones = Zones(self.make())
        zone_file = directory / "zone"
        zone_file.write_text(ZONE_FILE, encoding="ascii")
        self.zones.load(ZONE, zone_file)
        self.questions = Questions(directory)

    def make(self):
        directory = self.directory / str(next(self.numbers))
        directory.mkdir()
        return directory

    def powerdns(self, backend=None, unix=False, caches=CACHES_OFF):
        """A PowerDNS with a backend behind it, over HTTP GET or the unix socket."""
        if unix:
            transport = Transport("unix", lambda backend: f"unix:path={backend.socket}")
        else:
            transport = Transport("get", lambda backend: f"http:url={backend.url}")
        server = PowerDns(self.make(), self.ports.take(), self.zones, backend, transport)
        config = server.directory / "pdns.conf"
        config.write_text(config.read_text(encoding="ascii") + caches, encoding="ascii")
        return server.start()

    def service(self, more="", keepalive="no", policies=POLICIES):
        service = Service(self.make(), self.ports.take())
        service.configure(policies, keepalive=keepalive, more=more)
        return service.start()

    def responder(self, kind, result):
        tool = self.tools / "constant"
        return Constant(tool, self.make(), kind, self.ports.take(), result).start()

    def ask(self, kind, where, connections, seconds, names):
        """Asks a listener directly; returns requests, failed ones, p50, p99, max (microseconds)."""
        command = [self.tools / "ask", kind, where, connections, seconds, names]
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            check=True,
        )
        requests, failed, *times = done.stdout.split()
        return [int(requests), int(failed), *map(float, times)]


def connector_rows(bench, result, caches):
    """Each way to PowerDNS's answer, with the responder that does nothing beside the service."""
    one, two = bench.service(), bench.service(more="threads: 2\n")
    keeping = bench.service(keepalive="yes")
    servers = {
        "no overlay": bench.powerdns(caches=caches),
        "unix, constant": bench.powerdns(bench.responder("unix", result), True, caches),
        "unix, service": bench.powerdns(one, True, caches),
        "unix, service, 2 threads": bench.powerdns(two, True, caches),
        "HTTP, constant": bench.powerdns(bench.responder("http", result), False, caches),
        "HTTP, service": bench.powerdns(one, False, caches),
        "HTTP, service, 2 threads": bench.powerdns(two, False, caches),
        "keep-alive, constant": bench.powerdns(
            bench.responder("http-keepalive", result), False, caches
        ),
        "keep-alive, service": bench.powerdns(keeping, False, caches),
    }
    rows = [Row(name, server.port) for name, server in servers.items()]
    proxy = Dnsdist(
        bench.make(),
        bench.ports.take(),
        main=servers["no overlay"],
        overlay=servers["unix, service"],
        alive=ZONE,
    )
    return [*rows, Row("dnsdist before both", proxy.start().port)]


def ratio(rows, above, below):
    rates = {row.name: row.rates for row in rows}
    each = [a / b for a, b in zip(rates[above], rates[below])]
    print(f"  {above} : {below}  {statistics.median(each):.2f}")


def stop_all():
    for program in list(running):
        program.kill()


def compare_connectors(bench, rounds, seconds, ours, caches):
    result, expected = (OUR_RESULT, "NOERROR") if ours else ("false", "NXDOMAIN")
    rows = connector_rows(bench, result, caches)
    for _ in range(rounds):
        for row in rows:
            # Without an overlay our name does not exist either.
            code = "NXDOMAIN" if ours and row.name == "no overlay" else expected
            questions = bench.questions.ours if ours else bench.questions.missing(45000 * seconds)
            row.measure(questions, code, seconds)
    for row in rows:
        spread = f"{min(row.rates):,.0f} .. {max(row.rates):,.0f}"
        print(f"  {row.name:26} {row.rate:9,.0f}   {spread}")
    ratio(rows, "unix, service", "unix, constant")
    ratio(rows, "HTTP, service", "HTTP, constant")
    ratio(rows, "HTTP, service", "keep-alive, service")
    ratio(rows, "unix, service, 2 threads", "unix, service")
    ratio(rows, "HTTP, service, 2 threads", "HTTP, service")
    ratio(rows, "dnsdist before both", "no overlay")
    stop_all()


def connectors(bench, rounds, seconds):
    for ours in (False, True):
        for caches, name in ((CACHES_OFF, "off"), (CACHES_DEFAULT, "at their defaults")):
            kind = "one name of ours" if ours else "names that do not exist"
            heading(f"(a) Through pdns_server, {kind}, caches {name}: queries/s, median, range")
            compare_connectors(bench, rounds, seconds, ours, caches)


def direct(bench, rounds, seconds):
    heading("(b) Each listener asked directly, 4 connections: requests/s, p50, p99 in microseconds")
    names = bench.directory / "names"
    names.write_text(f"{OURS}\nwww.{ZONE}\n", encoding="ascii")
    service = bench.service()
    for kind, where in (("unix", service.socket), ("http", service.port)):
        each = [bench.ask(kind, where, 4, seconds, names) for _ in range(rounds)]
        assert all(failed == 0 for _, failed, *_ in each)
        rate, _, p50, p99, _ = map(statistics.median, zip(*each))
        print(f"  {kind:5} {rate / seconds:9,.0f}  {p50:6.1f}  {p99:6.1f}")
    service.stop()


def million_names(seed):
    """As hosters have them: of different lengths, under a few endings."""
    source = random.Random(seed)
    stems = ("shop", "mail-", "customer", "web", "firma-", "xy")
    ends = ("example", "com", "net", "org", "co.uk", "de")
    return [f"{source.choice(stems)}{i}.{source.choice(ends)}" for i in range(MILLION)]


def write_list(path, names):
    path.write_text("\n".join(names) + "\n", encoding="ascii")


def resident(service):
    status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def loaded(log):
    """Seconds until it serves, as the service says."""
    return float(re.search(r"serving .* after (\d+) ms", log).group(1)) / 1000


def with_list(bench, names):
    """A service, not started, whose only policy has a list file."""
    service = Service(bench.make(), bench.ports.take())
    write_list(service.directory / "domains.list", names)
    service.configure(POLICIES + "    domain_files: domains.list\n")
    return service


def sort_seconds(path):
    start = time.monotonic()
    subprocess.run(
        ["sort", "-u", str(path)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
        check=True,
    )
    return time.monotonic() - start


def loading(bench, rounds, names):
    heading("(c) Loading 1,000,000 domains from a list file, and LC_ALL=C sort -u of it: seconds")
    for order, listed in (("in no order", names), ("sorted", sorted(names))):
        service = with_list(bench, listed)
        loads, sorts = [], []
        for _ in range(rounds):
            start = service.log_size()
            service.start()
            loads.append(loaded(service.log(start)))
            service.stop()
            sorts.append(sort_seconds(service.directory / "domains.list"))
        load, sort = statistics.median(loads), statistics.median(sorts)
        print(f"  {order:12} load {load:.3f}  sort -u {sort:.3f}  ratio {load / sort:.2f}")
    service = with_list(bench, names[:10000])
    service.start()
    print(f"  10,000 domains: {loaded(service.log()) * 1000:.0f} ms")
    service.stop()


def sizes(bench, names):
    heading("(d) Resident size")
    empty = bench.service(policies="policies: [{domain: a.example}]\n")
    base = resident(empty)
    print(f"  one domain       {base / 1024:9,.0f} kB")
    empty.stop()
    for n in (10000, MILLION):
        service = with_list(bench, names[:n])
        service.start()
        print_size(f"{n:,} domains", resident(service), base, n)
        for _ in range(10):
            service.reload()
        print_size("  after 10 reloads", resident(service), base, n)
        service.stop()


def print_size(name, size, base, n):
    print(f"  {name:18} {size / 1024:9,.0f} kB  {(size - base) / n:6.1f} bytes a domain")


def lookups(bench, rounds, seconds, names):
    heading("(e) Look-ups by number of domains")
    print("  asked over the unix socket, names of ours: requests/s; in one process: ns for a")
    print("  whole request for a name of ours, for one that does not exist, for the table alone")
    counts = (10, 1000, MILLION)
    services = [with_list(bench, names[:n]).start() for n in counts]
    rates = {n: [] for n in counts}
    for n in counts:
        sample = random.Random(2).sample(names[:n], min(n, 100000))
        write_list(bench.directory / f"ours-{n}", [f"_mta-sts.{name}" for name in sample])
    for _ in range(rounds):
        for n, service in zip(counts, services):
            path = bench.directory / f"ours-{n}"
            rates[n].append(bench.ask("unix", service.socket, 4, seconds, path)[0] / seconds)
    for n in counts:
        ours, missing, find, _ = subprocess.run(
            [str(bench.tools / "lookup"), str(n)], capture_output=True, text=True, check=True
        ).stdout.split()
        rate = statistics.median(rates[n])
        print(f"  {n:9,} domains  {rate:9,.0f}/s   {ours:>5} ns  {missing:>5} ns  {find:>4} ns")
    slower = [a / b for a, b in zip(rates[10], rates[MILLION])]
    print(f"  time at 1,000,000 : time at 10, over the socket  {statistics.median(slower):.2f}")
    stop_all()


class Reloads(Background):
    """Reloads one after another, as long as something else is measured."""

    def __init__(self, service):
        super().__init__()
        self.service, self.count = service, 0

    def run(self):
        while not self.ending.is_set():
            self.service.reload(RELOADED)
            self.count += 1


def reloading(bench, rounds, seconds, names):
    heading("(f) Answer times before and while 1,000,000 domains are reloaded: microseconds")
    service = with_list(bench, names).start()
    path = bench.directory / "ours-of-a-million"
    write_list(path, [f"_mta-sts.{name}" for name in random.Random(2).sample(names, 100000)])
    for kind, where in (("unix", service.socket), ("http", service.port)):
        before, during, count = [], [], 0
        for _ in range(rounds):
            before.append(bench.ask(kind, where, 1, seconds, path))
            with Reloads(service) as reloads:
                during.append(bench.ask(kind, where, 1, seconds, path))
            count += reloads.count
        for name, each in (("before", before), ("during", during)):
            requests, failed, p50, p99, longest = map(statistics.median, zip(*each))
            total = sum(row[1] for row in each)
            print(
                f"  {kind:5} {name}  p50 {p50:7.1f}  p99 {p99:7.1f}  max {longest:8.1f}"
                f"  {requests / seconds:8,.0f}/s  failed {total}"
            )
        ratios = [b[3] / a[3] for a, b in zip(before, during)]
        print(f"  {kind:5} p99 during : before  {statistics.median(ratios):.2f}  ({count} reloads)")
    service.stop()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=Path, required=True, help="where the C programs are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--only", default="abcdef", help="which parts, by their letters")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    rounds, seconds = arguments.rounds, arguments.seconds
    version = subprocess.run(["pdns_server", "--version"], capture_output=True, text=True).stderr
    number = re.search(r"Server (\S+)", version).group(1)
    print(f"{os.cpu_count()} cores, PowerDNS {number}; {rounds} rounds of {seconds} s, in turns")
    with tempfile.TemporaryDirectory(prefix="pdns-mta-sts-bench-") as directory:
        bench = Bench(Path(directory), arguments.tools)
        names = million_names(1)
        random.Random(1).shuffle(names)
        parts = {
            "a": lambda: connectors(bench, rounds, seconds),
            "b": lambda: direct(bench, rounds, seconds),
            "c": lambda: loading(bench, rounds, names),
            "d": lambda: sizes(bench, names),
            "e": lambda: lookups(bench, rounds, seconds, names),
            "f": lambda: reloading(bench, rounds, seconds, names),
        }
        try:
            for letter in arguments.only:
                parts[letter]()
        finally:
            stop_all()
            bench.ports.close()


if __name__ == "__main__":
    main()
