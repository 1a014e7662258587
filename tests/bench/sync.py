"""How fast sync asks, beside dnsperf with the same questions to the same name server in the same run, and what
memory it takes: NSD, with a zone of a million names that have MX records, and a list of a million zones.

Run by tests/bench/sync.sh.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from ports import Ports
from powerdns import answers
from processes import Program
from service import program
from zone_api import KEY, ZoneApi, listed

CONFIG = """\
state: {state}
sync:
  powerdns: {{url: "{url}", api_key_file: {key}}}
  nameserver: "127.0.0.1:{port}"
policies:
  - domain: hoster.example
    mode: enforce
    policy_host: 192.0.2.1
    mx: "*.mx.hoster.example"
    members: synced
"""

NSD = """\
server:
    ip-address: 127.0.0.1@{port}
    username: ""
    pidfile: ""
    xfrdir: "{directory}"
    zonelistfile: "{directory}/zone.list"
    xfrdfile: "{directory}/xfrd.state"
    zonesdir: "{directory}"
remote-control:
    control-enable: no
zone:
    name: example
    zonefile: customers.zone
"""


class Nsd(Program):
    """The name server. Nine names in ten have the hoster's mail servers."""

    def __init__(self, directory, port, names):
        super().__init__("nsd", directory / "nsd.log")
        self.port = port
        self.config = directory / "nsd.conf"
        self.config.write_text(NSD.format(port=port, directory=directory), encoding="ascii")
        with open(directory / "customers.zone", "w", encoding="ascii") as zone:
            zone.write("example. 3600 SOA ns1.hoster.example. root.hoster.example. 1 1 1 1 1\n"
                       "example. 3600 NS ns1.hoster.example.\n")
            for number, name in enumerate(names):
                host = "a.mx.hoster.example." if number % 10 else "mx.elsewhere.example."
                zone.write(f"{name}. 3600 MX 10 {host}\n")

    def start(self):
        self.launch(["/usr/sbin/nsd", "-d", "-c", self.config])
        self.wait_ready(lambda: answers(self.port))
        return self


# Runs a command and prints the memory that it took at most. A process begins with what its parent takes,
# so the parent is a small one.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(status, usage.ru_maxrss)
"""


def measure_sync(config):
    """Seconds of a run, and the memory that it took at most, in KiB."""
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-S", "-E", "-c", MEASURE, program() + "-sync", "sync", "-c",
                           config], stdout=subprocess.PIPE, text=True, check=True)
    status, memory = map(int, done.stdout.split())
    assert status == 0
    return time.monotonic() - begin, memory


def measure_dnsperf(queries, port):
    """Questions a second that dnsperf gets answered."""
    done = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-n", "1", "-c",
                           "1", "-q", "100"], capture_output=True, text=True, check=True)
    rate = re.search(r"Queries per second: +([0-9.]+)", done.stdout)
    lost = re.search(r"Queries lost: +(\d+)", done.stdout)
    assert lost.group(1) == "0", done.stdout
    return float(rate.group(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    names = [f"customer{number:07}.example" for number in range(options.names)]
    ports = Ports()
    with tempfile.TemporaryDirectory() as root:
        directory = Path(root)
        key, queries, state = directory / "key", directory / "queries", directory / "state"
        state.mkdir()
        key.write_text(KEY, encoding="ascii")
        key.chmod(0o640)
        queries.write_text("".join(f"{name} MX\n" for name in names), encoding="ascii")
        body = listed(names)
        api = ZoneApi(ports.take())
        api.reply = lambda handler: handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        with Nsd(directory, ports.take(), names).start() as nsd:
            config = directory / "config.yaml"
            config.write_text(CONFIG.format(state=state, url=api.url, key=key, port=nsd.port),
                              encoding="ascii")
            for _ in range(options.rounds):
                rate = measure_dnsperf(queries, nsd.port)
                seconds, memory = measure_sync(config)
                print(f"sync {len(names) / seconds:.0f} names/s ({seconds:.1f} s in all), {memory / 1024:.1f} MiB; "
                      f"dnsperf {rate:.0f} questions/s; ratio {len(names) / seconds / rate:.2f}", flush=True)
        api.stop()


main()
