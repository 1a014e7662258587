"""Queries without pause beside a test, each of which must succeed."""

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from background import Background
from http_client import exchange
from processes import DEADLINE, wait_until
from unix_client import Stream, lookup


class Load(Background):
    """Asks again and again in a thread, and keeps what is not as it should be."""

    def __init__(self, ask, questions):
        super().__init__()
        self.ask = ask  # of a question; returns what is wrong, or None
        self.questions = questions
        self.count = 0
        self.failures = []

    def run(self):
        while not self.ending.is_set():
            for question in self.questions:
                self.count += 1
                try:
                    failure = self.ask(question)
                except Exception as error:  # whatever it is, the query failed
                    failure = repr(error)
                if failure:
                    self.failures.append((question, failure))

    def wait_for_more(self, queries=50):
        """Waits until so many further queries have been asked."""
        target = self.count + queries
        wait_until(lambda: self.count >= target, "queries to be answered")

    def check(self):
        assert self.count > 0
        assert not self.failures, f"{len(self.failures)} of {self.count}: {self.failures[:5]}"


def dns_load(port, expected):
    """Queries to a name server: expected maps (name, type) to the answers that may come, each a
    set of record data, of which () is NXDOMAIN."""

    def ask(question):
        message = dns.message.make_query(*question, flags=dns.flags.Flag(0))
        reply = dns.query.udp(message, "127.0.0.1", DEADLINE, port)
        data = [record.to_text() for rrset in reply.answer for record in rrset]
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return dns.rcode.to_text(reply.rcode())
        return None if tuple(sorted(data)) in expected[question] else data

    return Load(ask, list(expected))


def http_load(port, expected):
    """The same to the service itself: expected maps a request to the results that may come."""

    def ask(request):
        reply = exchange(port, request)
        if reply.status != 200:
            return reply.status
        result = reply.json()["result"]
        contents = [row["content"] for row in result] if result else result
        return None if contents in expected[request] else contents

    return Load(ask, list(expected))


def unix_load(path, expected):
    """The same over one connection to the unix socket: expected maps a name to the results that
    may come."""
    stream = Stream(path)

    def ask(name):
        stream.send(lookup(name))
        contents = stream.contents()
        return None if contents in expected[name] else contents

    return Load(ask, list(expected))
