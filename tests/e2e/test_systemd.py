"""What the service and its manager tell each other: readiness, reloads, signs of life, sockets."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from dns_tools import dig
from http_client import Connection, exchange, get_request
from powerdns import PowerDns
from processes import DEADLINE, Program, wait_until
from service import REFUSED, Service, listen, program

POLICIES = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
"""
LOOKUP = get_request("/dns", "lookup", {"qname": "mta-sts.example.net.", "qtype": "A"})
PRIMARY = "primary=yes\nonly-notify=\nxfr-cycle-interval=1\n"
RESTARTS = 4  # at least, under load
ACTIVATE = "/usr/bin/systemd-socket-activate"


class Manager:
    """The socket on which a service manager listens."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(DEADLINE)

    def receive(self):
        """The assignments of the next message."""
        text = self.socket.recv(4096).decode("utf-8")
        return dict(line.split("=", 1) for line in text.splitlines())

    def receive_until(self, key):
        while True:
            message = self.receive()
            if key in message:
                return message

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()


def launch(service, address, **environment):
    service.launch(
        [program(), "serve", "-c", service.config],
        env={**os.environ, "NOTIFY_SOCKET": address, **environment},
    )


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_readiness_reloads_and_the_end_are_told(service, abstract):
    address = str(service.directory / "notify")
    with Manager("\0" + address if abstract else address) as manager:
        service.configure(POLICIES)
        launch(service, "@" + address if abstract else address)
        ready = manager.receive()
        assert ready == {"READY": "1", "STATUS": "Serving 1 policy, 1 domain"}
        assert exchange(service.port, LOOKUP).status == 200
        service.configure(POLICIES + "    domains: example.org\n")
        service.reload()
        assert manager.receive()["RELOADING"] == "1"
        assert manager.receive() == {"READY": "1", "STATUS": "Serving 1 policy, 2 domains"}
        service.configure("policies: [{domain: example.net, mode: 5}]\n")
        service.reload(REFUSED)
        assert manager.receive()["RELOADING"] == "1"
        assert "refused" in manager.receive()["STATUS"]
        service.stop()
        assert manager.receive()["STOPPING"] == "1"


def test_a_service_that_does_not_start_is_never_ready(service):
    address = str(service.directory / "notify")
    with Manager(address) as manager:
        service.configure("policies: [{domain: example.net, mode: 5}]\n")
        launch(service, address)
        assert service.process.wait(DEADLINE) == 1
        service.kill()
        manager.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.receive()


def test_the_watchdog_hears_of_a_living_service(service):
    address = str(service.directory / "notify")
    with Manager(address) as manager:
        service.configure(POLICIES, more="threads: 3\n")
        launch(service, address, WATCHDOG_USEC="200000")
        for _ in range(3):
            assert manager.receive_until("WATCHDOG") == {"WATCHDOG": "1"}


def test_signs_of_life_go_on_while_the_configuration_is_read(service):
    """They stopped for as long as a load took, so the manager ended a service that answered."""
    address = str(service.directory / "notify")
    names = "".join(f"d{number}.example\n" for number in range(1000000))
    (service.directory / "long.list").write_text(names, encoding="ascii")
    with Manager(address) as manager:
        service.configure(POLICIES + "    domain_files: long.list\n")
        launch(service, address, WATCHDOG_USEC="100000")
        for _ in range(2):
            manager.receive_until("READY")
            service.process.send_signal(signal.SIGHUP)
            manager.receive_until("RELOADING")
            assert "WATCHDOG" in manager.receive()


def test_a_watchdog_of_another_process_hears_nothing(service):
    address = str(service.directory / "notify")
    with Manager(address) as manager:
        service.configure(POLICIES)
        launch(service, address, WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        assert "READY" in manager.receive()
        for _ in range(5):
            service.reload()
            assert "WATCHDOG" not in manager.receive() | manager.receive()


class Activated(Program):
    """The service behind sockets that systemd-socket-activate holds, which starts it for the first
    connection; when the service ends, so does the tool."""

    def __init__(self, service, ports):
        super().__init__("systemd-socket-activate", service.directory / "activate.log")
        self.service = service
        self.sockets = [f"--listen={address}" for address in ports.values()]
        self.names = ":".join(ports)

    def start(self):
        self.launch([ACTIVATE, *self.sockets, f"--fdname={self.names}",
                     program(), "serve", "-c", self.service.config])
        self.wait_log("Listening on ")
        return self


def test_every_listener_takes_the_socket_of_its_name(service, ports):
    numbers = {name: ports.take() for name in ("http", "policy", "admin")}
    other = ports.take()
    sockets = {name: f"127.0.0.1:{number}" for name, number in numbers.items()}
    sockets["unix"] = service.directory / "activated.sock"
    text = listen(other, "/dns", "no", service.socket, ports.take(), ports.take())
    service.config.write_text(text + "threads: 2\n" + POLICIES, encoding="utf-8")
    with Activated(service, sockets).start() as activated:
        assert exchange(numbers["http"], LOOKUP).status == 200
        for name in sockets:
            where = re.escape(str(sockets[name]))
            activated.wait_log(f"info: listening on (http://)?{where}\\S*, "
                               f"the socket named {name} of the service manager")
        assert b"200 OK" in ask(numbers["admin"], b"/healthz")
        assert b"404 Not Found" in ask(numbers["policy"], b"/healthz")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(sockets["unix"]))
            client.sendall(b'{"method":"initialize","parameters":{}}\n')
            assert json.loads(client.recv(4096)) == {"result": True}
        with pytest.raises(ConnectionRefusedError):
            exchange(other, LOOKUP)
        assert not service.socket.exists()
    assert sockets["unix"].exists()


def ask(port, path):
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").read()


CLOSED = "closed sockets of the service manager that cannot be used: "


@pytest.mark.parametrize("name,fault", [
    ("dns", "no listener of that name is configured"),
    ("policy", "no listener of that name is configured"),
    ("http", "there is another one of that name"),
])
def test_a_socket_that_no_listener_takes_is_named(service, ports, name, fault):
    """Of two with the same name the first one is taken."""
    service.configure(POLICIES)
    sockets = {"http": f"127.0.0.1:{ports.take()}", "other": f"127.0.0.1:{ports.take()}"}
    activated = Activated(service, sockets)
    activated.names = f"http:{name}"
    with activated.start():
        assert exchange(int(sockets["http"].split(":")[1]), LOOKUP).status == 200
        activated.wait_log(re.escape(f'warning: {CLOSED}"{name}" ({fault})'))
        with pytest.raises(ConnectionRefusedError):
            exchange(int(sockets["other"].split(":")[1]), LOOKUP)


def test_all_sockets_that_cannot_be_used_are_named_at_once(service, ports):
    service.configure(POLICIES)
    first = ports.take()
    addresses = [first] + [ports.take() for _ in range(18)]
    activated = Activated(service, {str(port): f"127.0.0.1:{port}" for port in addresses})
    activated.names = ":".join(["http", "http", "a\tb"] + ["c"] * 16)
    with activated.start():
        assert exchange(first, LOOKUP).status == 200
        log = activated.wait_log(f"warning: {CLOSED}")
    line = next(line for line in log.splitlines() if CLOSED in line)
    assert '"http" (there is another one of that name), "a\\x09b" (no listener' in line
    assert line.count('"c" (') == 13
    assert line.endswith(", 3 more (16 is the most)")


def test_a_socket_of_the_wrong_kind_is_refused(service):
    service.configure(POLICIES)
    path = service.directory / "http.sock"
    activated = Activated(service, {"http": path}).start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert activated.process.wait(DEADLINE) == 1
    activated.kill()
    assert f'error: {CLOSED}"http" (it is not a listening TCP socket)' in activated.log()


def test_a_shared_socket_has_all_places_whatever_thread_accepts(service, ports):
    """All threads accept from the one socket, and which of them does is chance."""
    count = 600  # of 1,024
    port = ports.take()
    service.configure(POLICIES, more="threads: 64\n")
    with Activated(service, {"http": f"127.0.0.1:{port}"}).start():
        assert exchange(port, LOOKUP).status == 200
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Connection(port)) for _ in range(count)]
            for part in (LOOKUP[:10], LOOKUP[10:]):
                for peer in peers:
                    peer.send(part)
            assert all(peer.read().status == 200 for peer in peers)


# A supervisor: starts the service again whenever it has ended, and keeps the socket meanwhile.
SUPERVISE = """\
while [ ! -e "$1" ]; do
    /bin/bash -c 'LISTEN_PID=$$ exec "$@"' bash "${@:2}"
done
"""


class Supervised(Program):
    """The service on a socket that systemd-socket-activate opened and a supervisor keeps."""

    def __init__(self, service):
        super().__init__("systemd-socket-activate", service.directory / "service.log")
        self.service = service
        self.no_more = service.directory / "no-more"

    def start(self):
        self.launch([ACTIVATE, f"--listen=127.0.0.1:{self.service.port}", "--fdname=http",
                     "/bin/bash", "-c", SUPERVISE, "bash", self.no_more,
                     program(), "serve", "-c", self.service.config])
        self.wait_log("Listening on ")
        return self

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def restart(self):
        """Ends the service; returns when the next one serves."""
        start = self.log_size()
        for pid in self.children():
            os.kill(pid, signal.SIGTERM)
        self.wait_log("info: serving ", start)

    def stop(self):
        self.no_more.touch()
        for pid in self.children():
            os.kill(pid, signal.SIGTERM)
        assert self.process.wait(DEADLINE) == 0
        self.kill()


@pytest.mark.parametrize("threads", [1, 3])
def test_restarts_lose_no_query_over_http(make_directory, ports, zones, threads):
    """dnsperf asks all the while; between the end of one service and the next, requests wait in
    the socket. PowerDNS itself drops queries that have waited 1.5 s, so few wait at a time, and
    those that did are answered before the next restart. What a primary asks waits, too: without
    an answer PowerDNS would end."""
    directory = make_directory()
    zones.load_empty("example.net")
    queries = directory / "queries"
    queries.write_text("mta-sts.example.net A\nabsent.example.net A\n", encoding="ascii")
    service = Service(make_directory(), ports.take())
    service.configure(POLICIES, more=f"threads: {threads}\n")
    with Supervised(service).start() as supervised:
        with PowerDns(make_directory(), ports.take(), zones, service, more=PRIMARY) as powerdns:
            powerdns.start()
            outputs = []
            restarts = 0
            while restarts < RESTARTS:
                with subprocess.Popen(
                    ["dnsperf", "-s", "127.0.0.1", "-p", str(powerdns.port), "-d", queries,
                     "-n", "250", "-Q", "250", "-q", "10", "-t", "30"],
                    stdout=subprocess.PIPE, text=True,
                ) as load:
                    while load.poll() is None:
                        supervised.restart()
                        for _ in range(10):
                            reply = dig(powerdns.port, "mta-sts.example.net", "A")
                            assert reply.rcode == "NOERROR"
                        restarts += 1
                    outputs.append(load.stdout.read())
            powerdns.check_alive()
            log = powerdns.log()
    for output in outputs:
        assert "Queries completed:    500 (100.00%)" in output
        assert "SERVFAIL" not in re.search(r"Response codes: +(.*)", output)[1], output + log
