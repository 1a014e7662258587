"""How quick the page of the admin listener is with ten domains and with a million, 300,000 of them with findings of
verify, then all with the same one; and what it does meanwhile to the times of answers to PowerDNS. All in one run, in
turns.

Run by tests/bench/page.sh.
"""

import argparse
import contextlib
import http.client
import itertools
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from background import Background  # noqa: E402
from ports import Ports  # noqa: E402
from processes import wait_until  # noqa: E402
from service import Service  # noqa: E402

PRIMARY = "hoster.example"
POLICIES = f"""\
policies:
  - domain: {PRIMARY}
    mode: enforce
    mx: mail.{PRIMARY}
    policy_host: 192.0.2.40
    rua: mailto:postmaster@{PRIMARY}
    domain_files: domains.list
"""
WRITES_EVERY = 0.05  # seconds


class Hosting:
    """A service with so many domains, which has written its state."""

    def __init__(self, directory, ports, n):
        directory.mkdir()
        self.n = n
        self.names = [f"customer{number:07}.example" for number in range(n)]
        self.list = directory / "domains.list"
        self.list.write_text("".join(f"{name}\n" for name in self.names), encoding="ascii")
        self.service = Service(directory, ports.take())
        self.service.admin_port = ports.take()
        self.service.configure(POLICIES)
        self.service.start()
        wait_until(lambda: b'"state":{"written":"' in self.get("/status"), 120)
        some = self.names[n // 2]
        self.paths = {
            "the overview": "/",
            "a domain's page": f"/?domain={some}",
            "a domain as JSON": f"/domain/{some}",
            "the first domains": "/domains",
            "the last domains": f"/domains?from={n - 5}",
            "a search that finds at once": "/?q=customer",
            "a search for the last one": f"/?q={self.names[-1]}",
            "a search that finds nothing": "/?q=nowhere",
        }
        self.questions = directory / "questions"
        self.questions.write_text(
            "".join(f"_mta-sts.{name}\n" for name in self.names[::max(1, n // 100000)]), encoding="ascii")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.admin_port, timeout=60)
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        assert reply.status == 200, (path, reply.status)
        return body

    def measure(self, path):
        begin = time.monotonic()
        size = len(self.get(path))
        return (time.monotonic() - begin) * 1000, size


class Writer(Background):
    """Another process's writing, as often as the service's at most: how long each had to wait."""

    def __init__(self, state):
        super().__init__()
        self.path, self.waits = state / "state.db", []

    def run(self):
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        while not self.ending.wait(WRITES_EVERY):
            begin = time.monotonic()
            database.execute("BEGIN IMMEDIATE")
            self.waits.append((time.monotonic() - begin) * 1000)
            database.execute("COMMIT")
        database.close()


class Readers(Background):
    """People and panels that ask for something without pause."""

    def __init__(self, hosting, paths):
        super().__init__()
        self.hosting, self.paths, self.n = hosting, paths, 0

    def run(self):
        for path in itertools.cycle(self.paths):
            if self.ending.is_set():
                return
            self.hosting.get(path)
            self.n += 1


def save_verified(tools, hosting, found, kinds):
    """Saves what verify might have found; prints how long that takes, and how long others wait."""
    with Writer(hosting.service.state) as writer:
        done = subprocess.run(
            [tools / "verified", hosting.service.state, hosting.list, PRIMARY, str(found), str(kinds)],
            stdout=subprocess.PIPE, text=True, check=True)
    waits = sorted(writer.waits) or [0]
    print(f"{hosting.n:9,} domains: saving what verify found took {float(done.stdout):.2f} s; {len(waits)} writes "
          f"of another process waited {statistics.median(waits):.1f} ms (median), {waits[-1]:.0f} ms at most",
          flush=True)


def finding_paths(hosting):
    """The pages of the finding that all domains have."""
    with contextlib.closing(sqlite3.connect(hosting.service.state / "state.db")) as database:
        ((run,),) = database.execute("SELECT max(id) FROM verify_runs")
    return {
        "the first domains of a finding": f"/?finding={run}-0",
        "the last domains of a finding": f"/?finding={run}-0&from={hosting.names[-min(50, hosting.n)]}",
        "the last ones as JSON": f"/domains?finding={run}-0&from={hosting.names[-min(50, hosting.n)]}",
    }


def measure(hostings, paths, rounds):
    """Prints, for each thing that there is to ask for, how long that takes, in turns."""
    for what in paths[0]:
        times = [[hosting.measure(each[what]) for hosting, each in zip(hostings, paths)] for _ in range(rounds)]
        row = [f"{statistics.median(ms for ms, _ in column):7.2f} ms {column[-1][1]:7,} bytes"
               for column in zip(*times)]
        print(f"{what:31} {'   '.join(row)}", flush=True)


def ask(tools, hosting, seconds):
    """The median and 99th percentile of the times of answers over the unix socket, in microseconds."""
    done = subprocess.run([tools / "ask", "unix", hosting.service.socket, "1", str(seconds), hosting.questions],
                          stdout=subprocess.PIPE, text=True, check=True)
    _, failed, median, late, _ = map(float, done.stdout.split())
    assert failed == 0
    return median, late


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=Path, required=True, help="where the C programs are")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        ports = Ports()
        small = Hosting(Path(root) / "small", ports, 10)
        large = Hosting(Path(root) / "large", ports, 1_000_000)
        save_verified(options.tools, small, 3, 3)
        for _ in range(2):  # the second takes the place of the first
            save_verified(options.tools, large, 300_000, 30)
        hostings = [small, large]
        measure(hostings, [hosting.paths for hosting in hostings], options.rounds)
        paths = list(large.paths.values())
        rounds = {"quiet": [], "page": []}
        asked = 0
        for _ in range(max(3, options.rounds // 5)):
            rounds["quiet"].append(ask(options.tools, large, options.seconds))
            with Readers(large, paths) as readers:
                rounds["page"].append(ask(options.tools, large, options.seconds))
            asked += readers.n
        for name, each in rounds.items():
            median, late = (statistics.median(column) for column in zip(*each))
            print(f"answers, {name}: {median:.0f} us median, {late:.0f} us 99th percentile", flush=True)
        print(f"requests for the page meanwhile: {asked}")
        for hosting in hostings:
            save_verified(options.tools, hosting, hosting.n, 1)
        measure(hostings, [finding_paths(hosting) for hosting in hostings], options.rounds)
        small.service.stop()
        large.service.stop()


main()
