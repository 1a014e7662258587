"""A pytest plugin that prints the Test Anything Protocol, so that meson counts each case.

With --tap it takes the place of pytest's own terminal output.
"""

import pytest


class TapReporter:
    def __init__(self, writer):
        self.number = 0
        self._tw = writer  # where pytest looks when it explains an assertion

    def print(self, line):
        print(line, flush=True)

    def print_details(self, text):
        for line in text.splitlines():
            self.print(f"#   {line}")

    def print_result(self, ok, name, directive=""):
        self.number += 1
        # A "#" in a name would begin a directive.
        name = name.replace("#", "").encode("ascii", "backslashreplace").decode()
        self.print(f"{'ok' if ok else 'not ok'} {self.number} - {name}{directive}")

    def pytest_sessionfinish(self):
        """The plan comes last, since a failed teardown counts as one result more."""
        self.print(f"1..{self.number}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.print_details(report.longreprtext)
            self.print(f"Bail out! {report.nodeid or 'collection'} cannot be collected")

    def pytest_internalerror(self, excrepr):
        self.print_details(str(excrepr))
        self.print("Bail out! pytest failed")

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("::", 1)[-1]
        if report.failed:
            self.print_failure(report, name)
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self.print_result(True, name, f" # SKIP {reason}")
        elif report.when == "call":
            self.print_result(True, name)

    def print_failure(self, report, name):
        if report.when == "teardown":
            name = f"{name} (teardown)"
        self.print_result(False, name)
        self.print_details(report.longreprtext)
        for title, content in report.sections:
            self.print_details(f"--- {title}")
            self.print_details(content)


def pytest_addoption(parser):
    parser.addoption("--tap", action="store_true", help="print the Test Anything Protocol")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Comes last, when the reporter that it replaces is there."""
    if not config.getoption("--tap"):
        return
    reporter = TapReporter(config.get_terminal_writer())
    terminal = config.pluginmanager.getplugin("terminalreporter")
    config.pluginmanager.unregister(terminal)
    config.pluginmanager.register(reporter, "terminalreporter")
