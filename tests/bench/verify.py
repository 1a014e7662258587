"""How fast verify is, beside what the slowest part allows: the same servers get the same questions from
dnsperf, and the same handshakes from curl, in the same run.

Run by tests/bench/verify.sh, as root.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from internet import NS1, WEB
from namespace import Namespace
from service import program
from test_verify_scale import NO_POLICY, World, names

QUESTIONS = ["_mta-sts TXT", "_tls TXT", "_smtp._tls TXT", "mta-sts A", "mta-sts AAAA"]


def measure_verify(world, domains):
    """Domains a second, and the memory that it took at most, in KiB."""
    begin = time.monotonic()
    done = subprocess.run(
        [program(), "verify", "-c", world.service.config, "--trust-anchor", "none", "--format",
         "json", "--ca-file", world.certificates.authority.certificate, *domains],
        capture_output=True, text=True, check=False)
    elapsed = time.monotonic() - begin
    report = json.loads(done.stdout)
    return report["domains"] / elapsed, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, Namespace() as namespace:
        numbers = iter(range(1000))

        def make_directory():
            path = Path(root) / str(next(numbers))
            path.mkdir()
            return path

        world = World(make_directory, namespace, slow=False)
        try:
            world.start()
            hosts = [name for name in names()[1:] if not name.startswith(NO_POLICY)]
            hosts = hosts[1000:1000 + options.domains]
            directory = make_directory()
            for _ in range(options.rounds):
                verify, memory = measure_verify(world, hosts)
                dns = measure_dns(directory, hosts)
                https = measure_https(directory, hosts, world.certificates.authority.certificate)
                print(f"verify {verify:.0f} domains/s, {memory / 1024:.1f} MiB; dnsperf allows {dns:.0f}, "
                      f"curl {https:.0f}; ratio {verify / min(dns, https):.2f}", flush=True)
        finally:
            world.stop()


main()
