"""PowerDNS as Debian sets it up: pdns.conf names no backend, each one has a file in pdns.d, and the
service's is contrib/pdns.d/zz-remote.conf."""

from pathlib import Path

import pytest

from dns_tools import dig
from documented import filled_in
from powerdns import APEX, PowerDns
from processes import run_to_end

REMOTE = Path(__file__).resolve().parents[2] / "contrib" / "pdns.d" / "zz-remote.conf"
POLICIES = """\
policies:
  - domain: sqlite.example
    mode: enforce
    mx: mail.sqlite.example
    id: one
    domains: [bind.example]
    records: direct
"""


def bind_conf(directory):
    """As pdns-backend-bind installs it, with a zone."""
    (directory / "bind.example.zone").write_text(APEX, encoding="ascii")
    (directory / "named.conf").write_text(
        f'zone "bind.example" {{ type native; file "{directory}/bind.example.zone"; }};\n',
        encoding="ascii")
    return f"launch+=bind\nbind-config={directory}/named.conf\n"


@pytest.mark.parametrize("names", [("bind", "gsqlite3"), ("tinydns", "Zones")])
def test_the_service_is_asked_last_whatever_the_other_files_are_called(
        service, ports, zones, make_directory, names):
    """Their order is that of their names, whatever the case."""
    zones.load_empty("sqlite.example")
    service.configure(POLICIES)
    service.start()
    with PowerDns(make_directory(), ports.take(), None) as powerdns:
        included = powerdns.directory / "pdns.d"
        included.mkdir()
        files = [bind_conf(powerdns.directory), zones.launch_lines().replace("launch=", "launch+=")]
        for name, text in zip(names, files):
            (included / f"{name}.conf").write_text(text, encoding="ascii")
        (included / REMOTE.name).write_text(
            filled_in(REMOTE.read_text(encoding="ascii"), {":8053/": f":{service.port}/"}),
            encoding="ascii")
        powerdns.configure(f"launch=\ninclude-dir={included}\n")
        powerdns.start()
        for zone in ("sqlite.example", "bind.example"):
            assert dig(powerdns.port, f"_mta-sts.{zone}", "TXT").answer == [
                f'_mta-sts.{zone}. 3600 TXT "v=STSv1; id=one"']
            assert dig(powerdns.port, zone, "NS").rcode == "NOERROR"
        settings = run_to_end(["pdns_control", f"--socket-dir={powerdns.directory}",
                               "current-config"]).stdout
        assert "\nlaunch=bind, gsqlite3, remote\n" in settings
