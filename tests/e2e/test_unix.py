"""The unix socket: its file, its stream of requests, and PowerDNS across a restart."""

import os
import shutil
import signal
import stat

import pytest

from conftest import DATA
from dns_tools import dig
from powerdns import TRANSPORTS, PowerDns
from processes import DEADLINE, running, wait_until
from service import listen, run
from unix_client import Stream, lookup

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    id: one
    policy_host: 192.0.2.40
"""
UNIX = next(transport for transport in TRANSPORTS if transport.name == "unix")


@pytest.fixture
def served(service):
    service.configure(POLICIES)
    return service.start()


def test_many_requests_at_once_are_answered_in_their_order(served):
    with Stream(served.socket) as stream:
        stream.send((lookup("mta-sts.example.net") + lookup("www.example.net")) * 1000)
        for _ in range(1000):
            assert stream.contents() == ["192.0.2.40"]
            assert stream.reply() == {"result": False}


def test_a_request_may_come_in_pieces(served):
    with Stream(served.socket) as stream:
        for byte in lookup("mta-sts.example.net"):
            stream.send(bytes([byte]))
        assert stream.contents() == ["192.0.2.40"]


def test_a_request_that_is_not_understood_is_an_error_and_the_next_one_is_answered(served):
    with Stream(served.socket) as stream:
        stream.send(b"nonsense\n" + lookup("mta-sts.example.net"))
        assert "result" not in stream.reply()
        assert stream.contents() == ["192.0.2.40"]


def test_a_request_without_end_is_cut_off(served):
    with Stream(served.socket) as stream:
        stream.send(b" " * (64 * 1024 + 1))
        assert "result" not in stream.reply()
        assert stream.received.readline() == b""


def test_a_peer_that_never_reads_keeps_nobody_waiting(served):
    with Stream(served.socket) as silent, Stream(served.socket) as other:
        silent.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                silent.socket.send(lookup("mta-sts.example.net") * 100)
        other.send(lookup("mta-sts.example.net"))
        assert other.contents() == ["192.0.2.40"]


def test_a_kept_connection_sees_a_reload(served):
    with Stream(served.socket) as stream:
        stream.send(lookup("_mta-sts.example.net"))
        assert stream.contents() == ['"v=STSv1; id=one"']
        served.configure(POLICIES.replace("id: one", "id: two"))
        served.reload()
        stream.send(lookup("_mta-sts.example.net"))
        assert stream.contents() == ['"v=STSv1; id=two"']


def test_the_socket_has_the_configured_mode_and_goes_with_the_service(served):
    assert stat.S_IMODE(os.stat(served.socket).st_mode) == 0o666
    served.stop()
    assert not served.socket.exists()


def test_a_socket_left_by_a_killed_service_is_replaced(served):
    served.process.send_signal(signal.SIGKILL)
    served.process.wait(DEADLINE)
    running.remove(served)
    assert served.socket.exists()
    served.start()
    with Stream(served.socket) as stream:
        stream.send(lookup("mta-sts.example.net"))
        assert stream.contents() == ["192.0.2.40"]


def test_a_second_service_is_refused_and_the_first_goes_on(served, ports, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        listen(ports.take(), socket_path=served.socket) + POLICIES, encoding="ascii"
    )
    done = run("serve", "-c", config)
    assert done.returncode == 1
    assert f"cannot listen on {served.socket}: another process listens there" in done.stderr
    with Stream(served.socket) as stream:
        stream.send(lookup("mta-sts.example.net"))
        assert stream.contents() == ["192.0.2.40"]


def test_a_group_that_the_service_is_not_in_is_named(service):
    """As a user without privileges, since root may give a file to any group."""
    os.chmod(service.directory.parent, 0o755)
    shutil.chown(service.directory, "nobody", "nogroup")
    service.config.write_text(
        f"listen: {{unix: {{path: {service.socket}, group: root}}}}\n" + POLICIES, encoding="ascii"
    )
    done = run("serve", "-c", service.config, user="nobody", group="nogroup", extra_groups=[])
    assert done.returncode == 1
    assert f"cannot give {service.socket} to the group root, of which the service must" in done.stderr
    assert not service.socket.exists()


def test_the_unix_listener_can_be_the_only_one(service):
    service.config.write_text(
        f"listen: {{unix: {{path: {service.socket}}}}}\n" + POLICIES, encoding="ascii"
    )
    service.start()
    assert "http" not in service.log()
    with Stream(service.socket) as stream:
        stream.send(lookup("mta-sts.example.net"))
        assert stream.contents() == ["192.0.2.40"]


def test_powerdns_answers_again_after_a_restart_of_the_service(
    served, zones, make_directory, ports
):
    zones.load("example.net", DATA / "answers/zones/plain.zone")
    with PowerDns(make_directory(), ports.take(), zones, served, UNIX) as powerdns:
        powerdns.start()
        assert dig(powerdns.port, "mta-sts.example.net", "A").rcode == "NOERROR"
        served.stop()
        assert dig(powerdns.port, "mta-sts.example.net", "A").rcode == "SERVFAIL"
        assert dig(powerdns.port, "example.net", "MX").rcode == "NOERROR"
        served.start()
        wait_until(
            lambda: dig(powerdns.port, "mta-sts.example.net", "A").rcode == "NOERROR",
            "PowerDNS to find the service again",
        )
