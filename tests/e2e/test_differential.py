"""The service against a model of it: random configurations, and random questions about each.

    pytest test_differential.py --configurations 5000 --seed 42

The seed is part of each test's name, and with it all that is asked comes again.
"""

import json
import random

import pytest

from http_client import ENCODERS, Connection
from model import Model, canonical
from random_configuration import random_configuration, random_question
from service import REFUSED, RELOADED, Service
from unix_client import Stream

QUESTIONS = 200  # about each configuration


class Http:
    """Asks over one kept connection, in one of the encodings."""

    def __init__(self, service, encoding):
        self.connection = Connection(service.port)
        self.encode = ENCODERS[encoding]

    def ask(self, questions):
        self.connection.send(b"".join(self.encode("/dns", "lookup", each) for each in questions))
        replies = [self.connection.read() for _ in questions]
        assert all(reply.status == 200 for reply in replies)
        return [reply.json()["result"] for reply in replies]

    def close(self):
        self.connection.socket.close()


class Unix:
    def __init__(self, service):
        self.stream = Stream(service.socket)

    def ask(self, questions):
        requests = [{"method": "lookup", "parameters": each} for each in questions]
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


@pytest.fixture
def configured(make_directory, ports):
    with Service(make_directory(), ports.take()) as service:
        service.configure("policies: []\n", keepalive="yes")
        yield service.start()


def write(service, configuration):
    for old in [*service.directory.glob("*.list"), *service.directory.glob("*.inc")]:
        old.unlink()
    for name, text in configuration.files.items():
        if name != "main":
            (service.directory / name).write_bytes(text.encode("utf-8"))
    service.configure(configuration.files["main"], keepalive="yes")


def compare(client, model, questions, circumstances):
    asked = [{"qname": qname, "qtype": qtype, "zone-id": 1} for qname, qtype in questions]
    for (qname, qtype), rows in zip(questions, client.ask(asked)):
        found = rows and sorted(canonical(row) for row in rows)
        expected = model.answer(qname, qtype)
        assert found == expected, f"{qname} {qtype} {circumstances}"


def test_the_service_answers_as_the_model_does(configured, client_name, request):
    """A configuration that must be refused leaves the answers of the one before."""
    seed = request.config.getoption("seed")
    policies = []
    client = CLIENTS[client_name](configured)
    for number in range(request.config.getoption("configurations")):
        rng = random.Random(f"{seed} {client_name} {number}")
        configuration = random_configuration(rng)
        write(configured, configuration)
        refused = configuration.policies is None
        log = configured.reload(f"{REFUSED}|{RELOADED}")
        assert ("refused" in log) == refused, f"{log}\n{configuration.files}"
        policies = policies if refused else configuration.policies
        questions = [random_question(rng, policies) for _ in range(QUESTIONS)]
        circumstances = f"in configuration {number}: {configuration.files}"
        compare(client, Model(policies), questions, circumstances)
    client.close()
