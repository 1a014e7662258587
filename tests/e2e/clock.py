"""A clock for the service that a test can set: libfaketime's."""

import os
from pathlib import Path

FAKETIME = "faketime/libfaketimeMT.so.1"


def preload():
    """The environment of a program with another clock."""
    return {
        "LD_PRELOAD": str(next(Path("/usr/lib").glob("*/" + FAKETIME))),
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


class Clock:
    """What a service takes for the time. The clocks that only go forward stay as they are."""

    def __init__(self, service):
        self.path = service.directory / "clock"
        self.set(0)

    def set(self, seconds):
        """Sets it to so many seconds from now, by the file that libfaketime reads at each look."""
        new = self.path.with_suffix(".new")
        new.write_text(f"{seconds:+}", encoding="ascii")
        new.rename(self.path)

    def environment(self):
        return {
            **os.environ,
            **preload(),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_NO_CACHE": "1",
        }
