"""tests/README.md names every file that helps to test, and none that is gone."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
SUFFIXES = {".py", ".c", ".h", ".sh", ".supp", ".ini"}


def named():
    """The words in the first column of its tables."""
    text = (TESTS / "README.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def there():
    """Each file, by its name and by that without the ending."""
    paths = [path for folder in (".", "e2e", "unit", "fuzz") for path in (TESTS / folder).iterdir()
             if path.suffix in SUFFIXES]
    return {path.name: path.stem.removeprefix("fuzz_") for path in paths}


def test_every_file_has_a_place_on_the_map():
    elsewhere = {"test_rooms.py", "test_page_compile.py", "test_map.py", "fuzz.h", "feed.c", "feed.h",
                 "memory_file.c", "memory_file.h", "replay.c"}
    missing = {name for name, stem in there().items() if not {name, stem} & named()}
    assert missing - elsewhere - {"run.sh"} == set()


def test_nothing_on_the_map_is_gone():
    assert {Path(name).name for name in named()} - there().keys() - set(there().values()) == set()
