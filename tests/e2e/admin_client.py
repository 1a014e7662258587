"""The admin listener, asked as monitoring asks it."""

import http.client
import json
import re

from processes import DEADLINE, wait_until

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


def get(service, path, verb="GET"):
    """Asks for a page; returns its status, headers and text."""
    connection = http.client.HTTPConnection("127.0.0.1", service.admin_port, timeout=DEADLINE)
    connection.request(verb, path)
    reply = connection.getresponse()
    text = reply.read().decode("utf-8")
    connection.close()
    return reply.status, dict(reply.getheaders()), text


def status(service):
    return json.loads(get(service, "/status")[2])


def parse_metrics(text):
    """The samples of a page: from (name, labels as a frozenset of pairs) to the value."""
    samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        samples[name, frozenset(LABEL.findall(labels or ""))] = float(value)
    return samples


class Metrics:
    def __init__(self, service):
        self.text = get(service, "/metrics")[2]
        self.samples = parse_metrics(self.text)

    def sum(self, name, **labels):
        """The sum of the samples of a name that have these labels."""
        wanted = set(labels.items())
        return sum(
            value
            for (sample, has), value in self.samples.items()
            if sample == "pdns_mta_sts_" + name and wanted <= has
        )

    def at_rest(self):
        """Whether each request is timed and no HTTP connection is left."""
        return self.sum("connections", listener="http") == 0 and all(
            self.sum("requests_total", transport=each)
            == self.sum("answer_duration_seconds_count", listener=each)
            for each in ("http", "unix")
        )


def metrics_at_rest(service):
    """The metrics when all that was asked is over: an answer is timed, and its connection ends, only
    after the asker has it."""

    def metrics():
        shown = Metrics(service)
        return shown if shown.at_rest() else None

    return wait_until(metrics, "each answer to be counted and its connection to end")
