"""How fast verify is, beside what the slowest part allows: the same servers get the same questions from
dnsperf, and the same handshakes from curl, in the same run. And how much memory it takes for one number of
domains and for another.

Run by tests/bench/verify.sh, as root.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from internet import NS1, WEB
from namespace import Namespace
from service import program
from test_verify_scale import NO_POLICY, World

QUESTIONS = ["_mta-sts TXT", "_tls TXT", "_smtp._tls TXT", "mta-sts A", "mta-sts AAAA"]


def peak_of(process):
    """The most memory that a program had resident, in KiB, once it has ended. Its parent's, which
    ru_maxrss counts too, has no part in it."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, TypeError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
        time.sleep(0.02)
    return peak


def measure_verify(world, directory, domains, *arguments):
    """Domains a second, and the memory that it took at most, in KiB."""
    begin = time.monotonic()
    with open(directory / "report", "w+", encoding="utf-8") as report:
        with subprocess.Popen(
                [program(), "verify", "-c", world.service.config, "--trust-anchor", "none", "--format",
                 "json", "--ca-file", world.certificates.authority.certificate, *arguments, *domains],
                stdout=report) as process:
            memory = peak_of(process)
        elapsed = time.monotonic() - begin
        report.seek(0)
        found = json.load(report)
    return found["domains"] / elapsed, memory


def measure_dns(directory, hosts):
    """Domains a second whose questions dnsperf gets answered: those of the resolver, and those to the name
    server itself."""
    queries = directory / "queries"
    lines = [f"{question.split()[0]}.{host} {question.split()[1]}\n"
             for host in hosts for question in QUESTIONS]
    lines += [f"{host} {kind}\n" for host in hosts for kind in ("MX", "SOA")]
    lines += [f"{question.split()[0]}.{host} {question.split()[1]}\n"
              for host in hosts for question in QUESTIONS if not question.startswith("_tls")]
    queries.write_text("".join(lines), encoding="ascii")
    done = subprocess.run(["dnsperf", "-s", NS1, "-d", queries, "-n", "1", "-c", "8", "-q", "64"],
                          capture_output=True, text=True, check=True)
    rate = next(float(line.split()[-1]) for line in done.stdout.splitlines()
                if "Queries per second" in line)
    return rate * len(hosts) / len(lines)


def measure_https(directory, hosts, authority):
    """Handshakes a second that curl makes, eight at a time as verify does."""
    config = directory / "curl"
    config.write_text("".join(
        f'url = "https://mta-sts.{host}/.well-known/mta-sts.txt"\noutput = /dev/null\n'
        for host in hosts), encoding="ascii")
    begin = time.monotonic()
    subprocess.run(["curl", "-s", "--parallel", "--parallel-max", "8", "--no-keepalive", "--cacert",
                    authority, "--connect-to", f"::{WEB}:443", "-K", config], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return len(hosts) / (time.monotonic() - begin)


def compare_speed(world, directory, hosts, rounds):
    for _ in range(rounds):
        verify, memory = measure_verify(world, directory, hosts)
        dns = measure_dns(directory, hosts)
        https = measure_https(directory, hosts, world.certificates.authority.certificate)
        print(f"verify {verify:.0f} domains/s, {memory / 1024:.1f} MiB; dnsperf allows {dns:.0f}, "
              f"curl {https:.0f}; ratio {verify / min(dns, https):.2f}", flush=True)


def compare_memory(world, directory, few, checks):
    """Memory for a few of the domains, and for all, over the same configuration."""
    options = ["--check", checks] if checks else []
    _, for_few = measure_verify(world, directory, world.names[1:few + 1], *options)
    rate, for_all = measure_verify(world, directory, [], *options)
    more = len(world.names) - few
    print(f"checks {checks or 'all'}: {few} domains {for_few / 1024:.1f} MiB, {len(world.names)} domains "
          f"{for_all / 1024:.1f} MiB ({rate:.0f} domains/s): {(for_all - for_few) * 1024 / more:.1f} bytes "
          "for each more", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", type=int, default=2000, help="of which the speed is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=10_000, help="domains of the configuration")
    parser.add_argument("--memory", type=int, metavar="FEW", help="compare FEW domains with all")
    parser.add_argument("--check", help="only these checks, for the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, Namespace() as namespace:
        numbers = iter(range(1000))

        def make_directory():
            path = Path(root) / str(next(numbers))
            path.mkdir()
            return path

        world = World(make_directory, namespace, slow=False, count=options.count)
        try:
            world.start()
            directory = make_directory()
            if options.memory:
                compare_memory(world, directory, options.memory, options.check)
            hosts = [name for name in world.names[1:] if not name.startswith(NO_POLICY)]
            hosts = hosts[-options.domains:]
            compare_speed(world, directory, hosts, options.rounds)
        finally:
            world.stop()


main()
