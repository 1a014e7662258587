"""dnsdist with contrib/dnsdist.conf.example, of which only the addresses are changed."""

import re
from pathlib import Path

from processes import Program, run_to_end

EXAMPLE = Path(__file__).resolve().parents[2] / "contrib/dnsdist.conf.example"
COMMAND = ["/usr/bin/dnsdist", "--supervised", "--disable-syslog"]


def lua_list(words):
    return "{" + ", ".join(f'"{word}"' for word in words) + "}"


def with_settings(text, settings):
    """The example with other values for some of its `local NAME = VALUE` lines."""
    for name, value in settings.items():
        text, count = re.subn(rf"(?m)^local {name} = .*$", f"local {name} = {value}", text)
        assert count == 1, f"{EXAMPLE.name} must set {name} once"
    return text


def check_config(path):
    """What dnsdist says of a configuration, as exit code and text."""
    done = run_to_end(["/usr/bin/dnsdist", "--check-config", "-C", path])
    return done.returncode, done.stdout


class Dnsdist(Program):
    """dnsdist on a port of 127.0.0.1, before a main PowerDNS and one with the overlay. `more`
    stands for lines of the example, such as peers, that a test wants otherwise."""

    def __init__(self, directory, port, main, overlay, alive, **more):
        super().__init__("dnsdist", directory / "dnsdist.log")
        self.port = port
        self.config = directory / "dnsdist.conf"
        settings = {
            "listen": lua_list([f"127.0.0.1:{port}"]),
            "main": f'"127.0.0.1:{main.port}"',
            "overlay": f'"127.0.0.1:{overlay.port}"',
            "alive": f'"{alive}."',
        }
        text = EXAMPLE.read_text(encoding="ascii")
        self.config.write_text(with_settings(text, {**settings, **more}), encoding="ascii")

    def start(self):
        self.launch([*COMMAND, "-C", self.config])
        self.wait_ready(lambda: self.state("main") == self.state("overlay") == "up")
        return self

    def state(self, server):
        """What dnsdist last said of a server: up, down, or None as long as it said nothing."""
        marks = re.findall(rf"Marking downstream {server} \(.*\) as '(\w+)'", self.log())
        return marks[-1] if marks else None
