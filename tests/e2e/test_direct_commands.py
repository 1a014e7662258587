"""Orders that come through PowerDNS: `pdnsutil backend-cmd remote COMMAND`, over every connection."""

import time

import pytest

from admin_client import Metrics
from dns_tools import run_tool
from powerdns import TIMEOUT, TRANSPORTS
from processes import wait_until
from service import REFUSED, RELOADED
from unix_client import Stream, lookup

POLICY = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: {id}
    policy_host: 192.0.2.40
    domains: [example.org]
"""
BEFORE = POLICY.format(id="old")
AFTER = POLICY.format(id="new")


@pytest.fixture(params=TRANSPORTS, ids=lambda transport: transport.name)
def order(request, service, make_directory):
    """Gives the service an order through PowerDNS, and returns what it has to say."""
    service.configure(BEFORE)
    service.start()
    directory = make_directory()
    connection = f"{request.param.connection(service)},timeout={TIMEOUT}"
    (directory / "pdns.conf").write_text(
        f"launch=remote\nremote-connection-string={connection}\n", encoding="ascii"
    )

    def give(command):
        output = run_tool(["pdnsutil", f"--config-dir={directory}", "backend-cmd", "remote", command])
        return output.replace(f"== {command}\n", "")

    return give


def test_lookup_shows_what_is_answered(order):
    answer = order("lookup _mta-sts.example.net TXT")
    assert answer.split() == ["_mta-sts.example.net.", "3600", "IN", "TXT", '"v=STSv1;', 'id=old"']
    assert order("lookup www.example.net A") == "not a name of this service\n"


def test_status_counts_policies_and_domains(order):
    assert order("status").startswith("policies: 1\ndomains: 2\nheld back: 0\n")


def test_help_lists_the_commands_and_so_does_what_is_none(order):
    commands = [line.split()[0] for line in order("help").splitlines()]
    assert commands == ["status", "reload", "lookup", "help"]
    assert order("no such thing").endswith(order("help"))


def test_reload_answers_at_once_and_has_the_configuration_read(order, service):
    service.configure(AFTER)
    start = service.log_size()
    assert order("reload") == "reload ordered; the log has its result\n"
    service.wait_log(RELOADED, start)
    assert '"v=STSv1; id=new"' in order("lookup _mta-sts.example.net TXT")


ORDER = b'{"method":"directBackendCmd","parameters":{"query":"reload"}}\n'


def test_reloads_that_are_ordered_without_end_come_once_a_second(service, ports):
    """And the last order is never lost."""
    service.admin_port = ports.take()
    service.configure(BEFORE)
    service.start()
    begin = time.monotonic()

    def announced():
        stream.send(lookup("_mta-sts.example.net", "TXT"))
        return stream.contents()

    with Stream(service.socket) as stream:
        for number in range(500):
            if number == 499:
                service.configure(AFTER)
            stream.send(ORDER)
            stream.reply()
        wait_until(lambda: announced() == ['"v=STSv1; id=new"'], "the last order to be carried out")
    reloads = Metrics(service).sum("reloads_total")
    assert 1 <= reloads <= 1 + (time.monotonic() - begin)


def test_a_refused_reload_changes_nothing(order, service):
    service.configure("policies: [}\n")
    start = service.log_size()
    order("reload")
    service.wait_log(REFUSED, start)
    assert '"v=STSv1; id=old"' in order("lookup _mta-sts.example.net TXT")
