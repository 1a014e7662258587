"""dehydrated, which gets certificates by way of a web server, as docs/nginx.md has it."""

import os
import re
import shlex
from pathlib import Path

from documented import documented, filled_in
from pebble import URL
from processes import DEADLINE, run_to_end
from service import program

CONTRIB = Path(__file__).resolve().parents[2] / "contrib"
STATE = Path("/var/lib/dehydrated")
CERTIFICATES = STATE / "mta-sts" / "certs"


def make_state(make_directory, namespace):
    """Debian's directory of dehydrated's, empty, with the one that the guide makes in it."""
    namespace.put(make_directory(), STATE)
    for directory, mode in ((STATE, 0o755), (STATE / "acme-challenges", 0o755),
                            (STATE / "mta-sts", 0o711)):
        directory.mkdir(exist_ok=True)
        directory.chmod(mode)


def run_dehydrated(hosting, *arguments, options="", reload=None, patience=0):
    """Runs the command of the guide that exports the names, with some arguments, and gets certificates for them,
    with the configuration that it prints; returns what it says."""
    service = hosting.service
    config = hosting.directory / "dehydrated.conf"
    config.write_text(
        filled_in(documented("nginx.md", "Certificates"), {"/usr/local/lib/pdns-mta-sts": CONTRIB})
        + f"CA={URL}\nKEY_ALGO=prime256v1\n", encoding="ascii")
    crontab = documented("nginx.md", "Certificates", 2)
    command = filled_in(crontab.split("root  ")[1], {
        "pdns-mta-sts export dehydrated": shlex.join(map(str, [
            program(), "export", "dehydrated", *arguments, "-c", service.config])),
        "/etc/pdns-mta-sts/dehydrated.conf": f"{config} --accept-terms {options}",
        " > /dev/null": "",
    })
    done = run_to_end(
        ["sh", "-c", command],
        timeout=5 * DEADLINE + patience,
        env={**os.environ,
             "PATH": re.search("(?m)^PATH=(.*)$", crontab)[1],
             "CURL_CA_BUNDLE": str(hosting.authority.certificate),
             "PDNS_MTA_STS_RELOAD": reload or f"kill -HUP {service.process.pid}"},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
