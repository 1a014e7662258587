"""Programs under test: their output goes to a file, and they are stopped by pid, come what may."""

import re
import signal
import subprocess
import time

DEADLINE = 60.0  # seconds; far beyond what is ever needed, sanitizers and slow machines included

running = []  # every program that was started and not stopped yet


def wait_until(condition, what, deadline=DEADLINE):
    """Returns the first true value of a condition; fails when the deadline has passed."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain for {what}")
        time.sleep(0.005)


def run_to_end(command, timeout=DEADLINE, **options):
    """Runs a tool; returns it as ended, with all that it printed as text in its stdout."""
    return subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )


class Program:
    def __init__(self, name, log_path):
        self.name = name
        self.log_path = log_path
        self.process = None

    def launch(self, command, **options):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **options,
            )
        running.append(self)

    def log(self, start=0):
        """What it has printed, from a byte of its log on."""
        with open(self.log_path, "rb") as file:
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def log_size(self):
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def wait_log(self, pattern, start=0, deadline=DEADLINE):
        """Waits until a line of the log matches; returns the log from there on."""
        expression = re.compile(pattern)

        def found():
            self.check_alive()
            lines = self.log(start).split("\n")[:-1]
            return any(expression.search(line) for line in lines)

        wait_until(found, f"{pattern!r} in the log of {self.name}", deadline)
        return self.log(start)

    def check_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"{self.name} has ended with {self.process.returncode}:\n{self.log()}"
            )

    def wait_ready(self, ready):
        """Waits for a program that was just launched; stops it if it never gets there."""

        def condition():
            self.check_alive()
            return ready()

        try:
            wait_until(condition, f"{self.name} to be ready")
        except BaseException:
            self.kill()
            raise

    def terminate(self):
        """Sends SIGTERM and returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DEADLINE)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self in running:
            running.remove(self)

    def stop(self):
        if self.process is not None and self in running:
            self.terminate()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()
