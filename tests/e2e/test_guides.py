"""The guides lead where they say, and README's commands can be taken from it as they are."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def without_code(text):
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", text)


def anchors(path):
    """As GitHub and others make them of headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", without_code(path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_links_lead_to_files_and_headings_that_there_are(guide):
    for target in re.findall(r"\]\(([^)]+)\)", without_code(guide.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = guide.parent / name if name else guide
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("heading", ["Build the package", "Quick start on Debian", "Back out"])
def test_commands_of_the_readme_are_shell(heading):
    """tests/system.sh runs them, all of a section as one script."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"(?ms)^## {heading}$(.*?)^## ", readme)
    script = "".join(re.findall(r"(?ms)^```sh\n(.*?)^```$", section))
    assert script
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
