"""Fixtures that every test here shares."""

import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

import processes
from ports import Ports
from powerdns import Zones
from service import Service

# Assertions in helpers tell as much as those in tests.
pytest.register_assert_rewrite("cases", "course", "dns_tools", "http_client", "lifetime", "model",
                              "zone_history")

pytest_plugins = ["tap_reporter"]

DATA = Path(__file__).resolve().parent.parent / "data"
SEED = 1  # each run asks the same, unless it is told another one
LOG_TAIL = 4000  # characters of each program's log that a failure shows


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=SEED,
                     help="what random configurations and questions come from")
    parser.addoption("--configurations", type=int, default=30,
                     help="how many random configurations over each transport")
    parser.addoption("--domains", type=int, default=200,
                     help="how many domains have own zones in a catalog in parts, or certificates from files")
    parser.addoption("--certificates", type=int, default=8,
                     help="how many domains get certificates, each of which takes about a second")
    parser.addoption("--soak", type=float, default=8, help="seconds of the long run")
    parser.addoption("--storm", type=float, default=3,
                     help="seconds of reloading each 10 ms")


@pytest.fixture(scope="session")
def ports():
    pool = Ports()
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def make_directory():
    """Makes empty directories; their paths are short enough for a socket."""
    root = Path(tempfile.mkdtemp(prefix="pdns-mta-sts-"))
    numbers = iter(range(sys.maxsize))

    def make():
        directory = root / str(next(numbers))
        directory.mkdir()
        return directory

    yield make
    shutil.rmtree(root)


@pytest.fixture
def service(make_directory, ports):
    """A service that the test configures and starts."""
    with Service(make_directory(), ports.take()) as each:
        yield each


@pytest.fixture
def zones(make_directory):
    return Zones(make_directory())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """Adds the logs of the programs under test to the report of a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for program in processes.running:
            if not program.log_path.exists():
                continue  # what comes after the end of the session's directories
            report.sections.append((f"log of {program.name}", program.log()[-LOG_TAIL:]))


def interrupt(*_):
    raise KeyboardInterrupt


def pytest_sessionstart():
    """A test runner that loses patience sends SIGTERM: time to stop what was started."""
    signal.signal(signal.SIGTERM, interrupt)


def pytest_sessionfinish():
    for program in list(processes.running):
        program.kill()
