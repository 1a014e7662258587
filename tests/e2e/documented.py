"""Configurations as the guides print them, so that what is printed is what the tests run."""

import re
from pathlib import Path

GUIDES = Path(__file__).resolve().parents[2] / "docs"


def documented(guide, heading, number=0):
    """A fenced block below a heading of a guide, by its number there."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    parts = re.split(rf"(?m)^##+ {re.escape(heading)}$", text)
    assert len(parts) == 2, f"{guide} must have the heading {heading} once"
    section = re.split(r"(?m)^##+ ", parts[1])[0]
    return re.findall(r"(?ms)^```\w*\n(.*?)^```$", section)[number]


def filled_in(text, values):
    """A configuration with other values for what stands in it; all of these must be there."""
    for old, new in values.items():
        assert old in text, f"{old!r} must stand in:\n{text}"
        text = text.replace(old, str(new))
    return text
