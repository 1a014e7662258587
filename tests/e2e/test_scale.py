"""Ten thousand domains, in YAML and in list files."""

import pytest

from http_client import exchange, get_request

COUNT = 10000
SAMPLES = [0, 1, 4999, 5000, 9998, 9999]

POLICY = """\
policies:
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
"""


def name(number):
    return f"customer-{number}.example"


def lookup(service, owner):
    asked = get_request("/dns", "lookup", {"qname": f"{owner}.", "qtype": "ANY"})
    return exchange(service.port, asked).json()["result"]


def check_samples(service):
    for number in SAMPLES:
        rows = lookup(service, f"_mta-sts.{name(number)}")
        assert [row["content"] for row in rows] == ["_mta-sts.example.net"]
    assert lookup(service, f"_mta-sts.{name(COUNT)}") is False


def configure_inline(service):
    lines = "".join(f"      - {name(number)}\n" for number in range(COUNT))
    service.configure(POLICY + "    domains:\n" + lines)


def write_lists(service, end):
    """Ten files with comments, blanks, tabs, capitals and trailing dots."""
    directory = service.directory / "domains.d"
    directory.mkdir()
    for part in range(10):
        lines = [f"# part {part}", "", "\t", "   # an indented comment"]
        for number in range(part, COUNT, 10):
            domain = name(number)
            forms = [domain, f"  {domain.upper()}\t", f"{domain}. # customer"]
            lines += [forms[number % 3], ""] if number % 7 == 0 else [forms[number % 3]]
        text = end.join(lines) + (end if part % 2 else "")
        (directory / f"{part}.list").write_bytes(text.encode("ascii"))


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_list_files_of_every_shape_are_loaded(service, end):
    write_lists(service, end)
    service.configure(POLICY + "    domain_files: domains.d/*.list\n")
    service.start()
    assert f" {COUNT + 1} domains" in service.log()
    check_samples(service)


def test_domains_inline_in_yaml_are_loaded(service):
    configure_inline(service)
    service.start()
    assert f" {COUNT + 1} domains" in service.log()
    check_samples(service)


def test_a_reload_between_both_changes_nothing(service):
    configure_inline(service)
    service.start()
    write_lists(service, "\n")
    service.configure(POLICY + "    domain_files: domains.d/*.list\n")
    assert "(0 added, 0 removed)" in service.reload()
    check_samples(service)
