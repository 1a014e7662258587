"""NSD as a secondary of zones that are listed, as docs/secondaries.md configures it."""

import os

from documented import documented, filled_in
from powerdns import answers
from processes import Program, run_to_end


class Nsd(Program):
    """nsd on a port of 127.0.0.1; its primary is on another one."""

    def __init__(self, directory, port, primary_port):
        super().__init__("nsd", directory / "nsd.log")
        self.port = port
        self.primary_port = primary_port
        self.directory = directory
        self.config = directory / "nsd.conf"
        text = filled_in(documented("secondaries.md", "NSD"), {
            "    ip-address: 0.0.0.0\n    ip-address: ::0\n": f"    ip-address: 127.0.0.1@{port}\n",
            "server:\n": f'server:\n    username: ""\n    pidfile: ""\n    xfrdir: "{directory}"\n'
                         f'    zonelistfile: "{directory}/zone.list"\n'
                         f'    xfrdfile: "{directory}/xfrd.state"\n',
            "/var/lib/nsd": directory,
            "/run/nsd": directory,
            "AXFR 192.0.2.1": f"AXFR 127.0.0.1@{primary_port}",
            "allow-notify: 192.0.2.1": "allow-notify: 127.0.0.1",
        })
        self.config.write_text(text, encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/nsd", "-d", "-c", self.config])
        self.wait_ready(lambda: answers(self.port))
        return self

    def follow_catalog(self):
        """Runs the script of the guide that adds and deletes zones as the catalog zone says."""
        script = filled_in(documented("secondaries.md", "NSD", 1), {
            "dig @192.0.2.1": f"dig -r @127.0.0.1 -p {self.primary_port}",
            "nsd-control ": f"nsd-control -c {self.config} ",
        })
        done = run_to_end(["sh", "-c", script],
                          env={**os.environ, "PATH": f"/usr/sbin:{os.environ['PATH']}"})
        assert done.returncode == 0, done.stdout
