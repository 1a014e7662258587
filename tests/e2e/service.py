"""pdns-mta-sts itself, and the configurations that tests give it."""

import atexit
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import tempfile

from processes import DEADLINE, Program, running

RELOADED = r"reload: \d+ polic"
REFUSED = r"reload.*refused"
SANITIZER_REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


def program():
    """The path of the program under test."""
    path = os.environ.get("PDNS_MTA_STS")
    if not path:
        raise RuntimeError("PDNS_MTA_STS must name the program to test")
    return path


@functools.cache
def program_for_others():
    """A copy of the program that any user may run, wherever the build is."""
    directory = tempfile.mkdtemp(prefix="pdns-mta-sts-")
    atexit.register(shutil.rmtree, directory)
    os.chmod(directory, 0o755)
    return shutil.copy2(program(), directory)


def program_for(options):
    """The program for a process with these options of subprocess's."""
    return program_for_others() if "user" in options else program()


def listen(port, path="/dns", keepalive="no", socket_path=None, policy_port=None,
           admin_port=None):
    """The first line of a configuration."""
    http = f'http: {{address: "127.0.0.1:{port}", path: {path}, keepalive: {keepalive}}}'
    unix = f', unix: {{path: {socket_path}, mode: "0666"}}' if socket_path else ""
    policy = f', policy: {{address: "127.0.0.1:{policy_port}"}}' if policy_port else ""
    admin = f', admin: {{address: "127.0.0.1:{admin_port}"}}' if admin_port else ""
    return f"listen: {{{http}{unix}{policy}{admin}}}\n"


def run_bytes(*arguments, **options):
    """Runs the program to its end."""
    return subprocess.run(
        [program_for(options), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        **{"timeout": DEADLINE, **options},
    )


def run(*arguments, **options):
    """Runs the program to its end, with its output as text."""
    return run_bytes(*arguments, text=True, **options)


class Service(Program):
    """`pdns-mta-sts serve` over one configuration file in a directory of its own."""

    def __init__(self, directory, port, path="/dns"):
        super().__init__("pdns-mta-sts", directory / "service.log")
        self.directory = directory
        self.port = port
        self.path = path
        self.policy_port = None  # set it to have policy bodies served
        self.admin_port = None  # set it to have metrics and status
        self.config = directory / "config.yaml"
        self.socket = directory / "pdns.sock"
        self.state = directory / "state"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def configure(self, policies, keepalive="no", more=""):
        """Writes a configuration: the listener in line 1, then what is given."""
        listeners = listen(self.port, self.path, keepalive, self.socket, self.policy_port,
                           self.admin_port)
        self.config.write_text(listeners + more + policies, encoding="utf-8")

    def start(self, under=(), wait=True, **options):
        """Starts it, maybe under another program, with a state that whoever it runs as may write."""
        start = self.log_size()
        with contextlib.suppress(OSError):
            self.state.mkdir(exist_ok=True)
            self.state.chmod(0o777)
        options["env"] = {"STATE_DIRECTORY": str(self.state), **(options.get("env") or os.environ)}
        self.launch([*under, program_for(options), "serve", "-c", self.config], **options)
        if wait:
            self.wait_ready(lambda: "info: serving " in self.log(start))
        return self

    def reload(self, until=RELOADED):
        """Sends SIGHUP; returns what was logged from then on, once a line matches."""
        start = self.log_size()
        self.process.send_signal(signal.SIGHUP)
        return self.wait_log(until, start)

    def is_sanitized(self):
        """Sanitizers reserve terabytes for their own use and keep what is freed, so that memory
        tells nothing; what leaks they report at the end."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            size = next(line.split()[1] for line in status if line.startswith("VmSize:"))
        return int(size) > 1 << 30  # kB

    def stop(self):
        """Ends it and checks that it ended well: code 0, and nothing that a sanitizer reports."""
        if self not in running:
            return
        code = self.terminate()
        log = self.log()
        assert code == 0, f"exit code {code} after SIGTERM:\n{log}"
        assert not any(report in log for report in SANITIZER_REPORTS), log

