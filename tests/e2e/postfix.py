"""Debian's Postfix."""

import shutil
import socket
from pathlib import Path

from processes import Program, run_to_end


class Postfix(Program):
    """Debian's Postfix with an smtpd at each of some addresses: {address: options}."""

    def __init__(self, directory, key, services):
        super().__init__("postfix", directory / "postfix.log")
        self.directory = directory
        self.addresses = list(services)
        config, queue, data = (directory / name for name in ("config", "queue", "data"))
        for path in (config, queue, data):
            path.mkdir()
        for path in (directory, directory.parent):
            path.chmod(0o755)  # Postfix works as a user of its own
        shutil.chown(data, "postfix", "postfix")
        for name in ("postfix-files", "postfix-script", "post-install", "dynamicmaps.cf"):
            path = Path("/etc/postfix", name)
            if path.exists():  # Debian 13 has the scripts elsewhere
                shutil.copy(path, config)
        (config / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = /dev/stdout
myhostname = mail.example.net
mydestination =
inet_protocols = all
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_peername_lookup = no
alias_maps =
""", encoding="ascii")
        lines = ["postlog unix-dgram n - n - 1 postlogd", "tlsmgr unix - - n 1000? 1 tlsmgr",
                 "anvil unix - - n - 1 anvil", "proxymap unix - - n - - proxymap", "rewrite unix - - n - - trivial-rewrite",
                 "cleanup unix n - n - 0 cleanup"]
        for address, options in services.items():
            lines.append(f"{address}:25 inet n - n - - smtpd")
            lines += [f"    -o {option}" for option in options]
        (config / "master.cf").write_text("\n".join(lines) + "\n", encoding="ascii")
        self.config = config

    def start(self):
        run_to_end(["postfix", "-c", self.config, "set-permissions"])
        self.launch(["/usr/sbin/postfix", "-c", self.config, "start-fg"])
        self.wait_ready(lambda: all(
            listens(address.strip("[]"), 25) for address in self.addresses))
        return self


def listens(address, port):
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True
