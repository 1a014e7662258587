"""The build keeps the rooms apart: a source finds the headers of its own room and of those below it, and
no others. Which rooms there are, and what each may use, is read from the commands of the build."""

import functools
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ["BUILD_ROOT"])


def seen_by(entry):
    """The rooms whose headers a source finds."""
    return set(re.findall(r"-I\S*/rooms/(\w+)", entry["command"]))


class Room:
    """A folder of backend/ or src/, and how its sources are compiled."""

    def __init__(self, path):
        self.path = path
        self.name = path.name
        self.entries = {}  # by source

    @property
    def sees(self):
        """What all its sources see: a program of its own may be made of one and of further rooms."""
        return set.intersection(*map(seen_by, self.entries.values()))

    def header(self):
        return f"{self.name}/{min(self.path.glob('*.h')).name}"

    def compiles(self, source):
        entry = min(self.entries.values(), key=lambda entry: len(seen_by(entry)))
        words = shlex.split(entry["command"])
        done = subprocess.run([*words[: words.index("-MD")], "-fsyntax-only", "-x", "c", "-"],
                              input=source, text=True, cwd=entry["directory"], capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0 or re.search("(No such file|not found)", done.stderr), done.stderr
        return done.returncode == 0


@functools.cache
def rooms():
    entries = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    found = {}
    for entry in entries:
        source = (BUILD / entry["file"]).resolve()
        path = source.parent
        if path.parent in (ROOT / "backend", ROOT / "src"):
            found.setdefault(path.name, Room(path)).entries[source] = entry
    return found


def test_every_folder_is_a_room():
    folders = {path for parent in ("backend", "src") for path in (ROOT / parent).iterdir()
               if path.is_dir()}
    assert {room.path for room in rooms().values()} == folders


def test_rooms_see_themselves_and_those_below():
    for room in rooms().values():
        assert room.name in room.sees
        for below in room.sees - {room.name}:
            assert room.name not in rooms()[below].sees, f"{room.name} and {below} use each other"
            assert rooms()[below].sees <= room.sees


def test_the_backend_sees_nothing_of_the_program():
    backend = {room.name for room in rooms().values() if room.path.parent.name == "backend"}
    for name in backend:
        assert rooms()[name].sees <= backend


def test_connections_and_configuration_do_not_know_each_other():
    assert "config" not in rooms()["net"].sees
    assert "net" not in rooms()["config"].sees


@pytest.mark.parametrize("name", rooms())
def test_only_what_a_room_sees_compiles_in_it(name):
    room = rooms()[name]
    unseen = sorted(rooms().keys() - room.sees)
    headers = [rooms()[other].header() for other in unseen]
    assert room.compiles("".join(
        [f'#include "{rooms()[other].header()}"\n' for other in sorted(room.sees)]
        + [f'#if __has_include("{header}")\n#error {header}\n#endif\n' for header in headers]))
    assert not headers or not room.compiles(f'#include "{headers[0]}"\n')


@pytest.mark.parametrize("name", rooms())
def test_includes_name_the_room(name):
    """No path leads around the build's search paths."""
    room = rooms()[name]
    for source in sorted(room.path.glob("*.[ch]")):
        sees = seen_by(room.entries[source]) if source.suffix == ".c" else room.sees
        for included in re.findall(r'^ *# *include *"(.*)"', source.read_text(encoding="utf-8"),
                                   re.MULTILINE):
            assert included.split("/")[0] in sees, f"{source.name}: {included}"
            assert included.count("/") == 1, f"{source.name}: {included}"
