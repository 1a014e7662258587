"""Apache with a file of `export apache`."""

import os
import signal
import socket
from pathlib import Path

from processes import DEADLINE, Program

MODULES = Path("/usr/lib/apache2/modules")
# Those that Debian turns on, and those that the guide does.
LOADED = ["mpm_event", "authz_core", "alias", "ssl", "socache_shmcb", "md", "macro", "proxy",
          "proxy_http"]
CONFIG = """\
ServerRoot {directory}
{modules}
User www-data
Group www-data
Listen 80
Listen 443
ServerName localhost
PidFile {directory}/pid
DefaultRuntimeDir {directory}
Mutex file:{directory} default
ErrorLog {directory}/apache.log
LogLevel notice md:info
SSLSessionCache none
{more}
Include {directory}/site.conf
"""


class Apache(Program):
    """MORE are further lines of its configuration."""

    def __init__(self, directory, site, more=""):
        super().__init__("apache2", directory / "apache.log")
        self.directory = directory
        self.store = directory / "md" / "domains"
        directory.chmod(0o755)
        self.configure(site, more)

    def configure(self, site, more=""):
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED)
        (self.directory / "apache2.conf").write_text(
            CONFIG.format(directory=self.directory, modules=modules, more=more), encoding="ascii")
        (self.directory / "site.conf").write_text(site, encoding="ascii")

    def start(self, **environment):
        self.launch(["apache2", "-DFOREGROUND", "-f", self.directory / "apache2.conf"],
                    env={**os.environ, **environment})
        self.wait_ready(lambda: " configured -- resuming normal operations" in self.log() and
                        listens(443))
        return self

    def reload(self, deadline=DEADLINE):
        """As `apachectl graceful`; returns what was logged."""
        start = self.log_size()
        self.process.send_signal(signal.SIGUSR1)
        return self.wait_log(" configured -- resuming normal operations", start, deadline)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
