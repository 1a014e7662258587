"""Knot DNS as a secondary that follows the catalog zone, as docs/secondaries.md configures it."""

import getpass

from documented import documented, filled_in
from powerdns import answers
from processes import Program


class Knot(Program):
    """knotd on a port of 127.0.0.1; its primary is on another one."""

    def __init__(self, directory, port, primary_port):
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
        self.config.write_text(text, encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/knotd", "-c", self.config])
        self.wait_ready(lambda: answers(self.port))
        return self
