"""The service against a model of it: random configurations, what happens to a service, and random
questions about each.

    pytest test_differential.py --configurations 5000 --seed 42

The seed is the same in each run, unless --seed says another one. It is part of each test's name, and
with it all that is asked comes again.
"""

import json
import random
import socket

import pytest

from course import Course
from http_client import ENCODERS, Reply, request as http_request
from model import canonical, labels_of
from processes import DEADLINE
from random_question import random_host, random_questions
from service import Service
from unix_client import Stream

QUESTIONS = 120  # about each configuration
HOSTS = 15
METHODS_OF_ROWS = ("lookup", "list", "searchRecords")


class HttpStream:
    """Replies of any kind, one after the other, to requests that were sent at once."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = self.socket.makefile("rb")

    def exchange(self, requests):
        self.socket.sendall(b"".join(requests))
        return [self.read() for _ in requests]

    def read(self):
        status = int(self.received.readline().split()[1])
        lines = iter(self.received.readline, b"\r\n")
        headers = dict(line.decode("ascii").rstrip().lower().split(": ", 1) for line in lines)
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, headers, b"".join(iter(self.read_chunk, b"")))
        return Reply(status, headers, self.received.read(int(headers["content-length"])))

    def read_chunk(self):
        data = self.received.read(int(self.received.readline(), 16))
        assert self.received.readline() == b"\r\n"
        return data

    def close(self):
        self.received.close()
        self.socket.close()


class Http:
    """Asks over one kept connection, in one of the encodings."""

    def __init__(self, service, encoding):
        self.stream = HttpStream(service.port)
        self.encode = ENCODERS[encoding]

    def ask(self, questions):
        replies = self.stream.exchange([self.encode("/dns", *each) for each in questions])
        assert all(reply.status == 200 for reply in replies)
        return [reply.json()["result"] for reply in replies]

    def close(self):
        self.stream.close()


class Unix:
    def __init__(self, service):
        self.stream = Stream(service.socket)

    def ask(self, questions):
        requests = [{"method": method, "parameters": each} for method, each in questions]
        self.stream.send("".join(json.dumps(each) + "\n" for each in requests).encode("ascii"))
        return [self.stream.reply()["result"] for _ in questions]

    def close(self):
        self.stream.__exit__()


CLIENTS = {
    "get": lambda service: Http(service, "get"),
    "form": lambda service: Http(service, "form"),
    "json": lambda service: Http(service, "json"),
    "unix": Unix,
}


def pytest_generate_tests(metafunc):
    seed = metafunc.config.getoption("seed")
    names = [f"{name}-seed-{seed}" for name in CLIENTS]
    metafunc.parametrize("client_name", CLIENTS, ids=names)


class Comparison(Course):
    """The service and the model, from one configuration to the next, over one of the transports."""

    make_client = None

    def connect(self):
        self.client = self.make_client(self.service)

    def disconnect(self):
        self.client.close()

    def ask(self, questions):
        return self.client.ask(questions)

    def compare_answers(self, rng):
        questions = random_questions(rng, self.model, QUESTIONS)
        for question, result in zip(questions, self.ask(questions)):
            self.compare(*question, result)

    def compare(self, method, parameters, result):
        found, expected = canonical(result), self.model.answer(method, parameters)
        if method == "searchRecords":
            most = parameters["maxResults"]
            assert len(found) == min(len(expected), most), f"{parameters} {found} {expected}"
            if most < len(expected):
                expected = [each for each in expected if each in found]
        assert found == expected, f"{method} {parameters}"
        if method in METHODS_OF_ROWS:
            for row in result or []:
                self.check_domain_id(row)

    def check_domain_id(self, row):
        """The SOA record carries the id of its zone, and no row that of another."""
        zone = self.model.zone_at(labels_of(row["qname"]))
        assert "domain_id" in row or row["qtype"] != "SOA"
        assert "domain_id" not in row or row["domain_id"] == zone.id

    def ask_policy(self, requests):
        """Over a new connection: an old one may have been idle for too long."""
        stream = HttpStream(self.service.policy_port)
        replies = stream.exchange(requests)
        stream.close()
        return replies

    def compare_bodies(self, rng):
        """RFC 8461 3.3, asked as a web server in front does."""
        hosts = [random_host(rng, self.model) for _ in range(HOSTS)]
        plain = http_request("GET", "/.well-known/mta-sts.txt").decode("ascii")
        requests = [plain.replace("Host: 127.0.0.1", f"Host: {host}").encode() for host in hosts]
        for host, reply in zip(hosts, self.ask_policy(requests)):
            policy = self.model.policy_of(host)
            if policy is None:
                assert reply.status == 404, host
                continue
            assert (reply.status, reply.body) == (200, policy.body().encode("ascii")), host
            assert reply.headers["etag"] == f'"{policy.automatic_id()}"'
            assert reply.headers["content-type"] == "text/plain; charset=us-ascii"

    def compare_certificates(self, rng):
        """What a web server asks that gets certificates on demand."""
        names = [random_host(rng, self.model).partition(":")[0] for _ in range(HOSTS)]
        requests = [http_request("GET", f"/ask?domain={name}") for name in names]
        for name, reply in zip(names, self.ask_policy(requests)):
            assert reply.status == (200 if self.model.wants_certificate(name) else 404), name


@pytest.fixture
def comparison(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        service.policy_port, service.admin_port = ports.take(), ports.take()
        yield Comparison(service)


def test_the_service_answers_as_the_model_does(comparison, client_name, request):
    """A configuration that must be refused leaves the answers of the one before."""
    seed = request.config.getoption("seed")
    comparison.make_client = CLIENTS[client_name]
    for number in range(request.config.getoption("configurations")):
        rng = random.Random(f"{seed} {client_name} {number}")
        try:
            comparison.load(rng)
            comparison.compare_answers(rng)
            comparison.compare_bodies(rng)
            comparison.compare_certificates(rng)
        except BaseException:
            print(*comparison.story, sep="\n")
            print(f"configuration {number}: {comparison.files}")
            raise
    comparison.disconnect()
