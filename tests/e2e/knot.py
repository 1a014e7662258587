"""Knot DNS as a secondary that follows the catalog zone, as docs/secondaries.md configures it."""

import getpass
import re

from documented import documented, filled_in
from powerdns import answers
from processes import Program, run_to_end


class Knot(Program):
    """knotd on a port of 127.0.0.1; its primary is on another one."""

    def __init__(self, directory, port, primary_port, parts=1):
        super().__init__("knotd", directory / "knot.log")
        self.port = port
        self.config = directory / "knot.conf"
        text = filled_in(documented("secondaries.md", "Knot DNS"), {
            "0.0.0.0@53, ::@53": f"127.0.0.1@{port}",
            "knot:knot": getpass.getuser(),
            "/run/knot": directory,
            "/var/lib/knot": directory,
            "syslog": "stderr",
            "192.0.2.1@53": f"127.0.0.1@{primary_port}",
            "192.0.2.1\n": "127.0.0.1\n",
        })
        if parts > 1:
            first = documented("secondaries.md", "A catalog in parts")
            text = filled_in(text, {filled_in(first, {"0.catalog": "catalog"}): "".join(
                filled_in(first, {"0.catalog": f"{part}.catalog"}) for part in range(parts))})
        self.config.write_text(text, encoding="ascii")

    def zones(self):
        """The names of the zones that it has from catalog zones."""
        done = run_to_end(["/usr/sbin/knotc", "-c", self.config, "zone-status"], timeout=600)
        return set(re.findall(r"^\[(\S+)\.\] role: slave \| serial: \d+ \| catalog: \S+\.",
                              done.stdout, re.M))

    def start(self):
        self.launch(["/usr/sbin/knotd", "-c", self.config])
        self.wait_ready(lambda: answers(self.port))
        return self
