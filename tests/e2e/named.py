"""BIND as a secondary that follows the catalog zone, as docs/secondaries.md configures it."""

from documented import documented, filled_in
from dns_tools import run_tool
from powerdns import answers
from processes import Program

# Where named would use files of the system's, and a port that may be taken.
OWN = """\
options {{
    pid-file none;
    session-keyfile none;{lock_file}
    listen-on port {port} {{ 127.0.0.1; }};
"""


def lock_file():
    """The option without which BIND 9.18 shares a lock with the system's, and which 9.20 lacks."""
    return "\n    lock-file none;" if "lock-file" in run_tool(["/usr/sbin/named", "-C"]) else ""


class Named(Program):
    """named on a port of 127.0.0.1; its primary is on another one."""

    def __init__(self, directory, port, primary_port):
        super().__init__("named", directory / "named.log")
        self.port = port
        self.config = directory / "named.conf"
        text = filled_in(documented("secondaries.md", "BIND"), {
            "options {\n": OWN.format(port=port, lock_file=lock_file()),
            "    listen-on { any; };\n    listen-on-v6 { any; };\n": "    listen-on-v6 { none; };\n",
            "/var/cache/bind": directory,
            "192.0.2.1;": f"127.0.0.1 port {primary_port};",
        })
        self.config.write_text(text + "controls { };\n", encoding="ascii")

    def start(self):
        self.launch(["/usr/sbin/named", "-g", "-c", self.config])
        self.wait_ready(lambda: answers(self.port))
        return self
