"""Caddy with a Caddyfile of `export caddy`."""

import os
import urllib.error
import urllib.request

from processes import DEADLINE, Program


class Caddy(Program):
    """Its certificates are in STORE, in a directory of the authority's name."""

    def __init__(self, directory, caddyfile):
        super().__init__("caddy", directory / "caddy.log")
        self.directory = directory
        self.store = directory / "caddy" / "certificates"
        self.caddyfile = directory / "Caddyfile"
        self.caddyfile.write_text(caddyfile, encoding="ascii")

    def start(self):
        self.launch(
            ["caddy", "run", "--config", self.caddyfile, "--adapter", "caddyfile"],
            env={**os.environ, "XDG_DATA_HOME": str(self.directory),
                 "XDG_CONFIG_HOME": str(self.directory)})
        self.wait_ready(self.answers)
        return self

    def answers(self):
        try:
            urllib.request.urlopen("http://127.0.0.1:2019/config/", timeout=DEADLINE).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
