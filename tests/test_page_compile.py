"""Templates of the page are refused at the build, with file and line, if anything is wrong with them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

COMPILER = Path(__file__).resolve().parent.parent / "src/admin/page_compile.py"


def compile_page(directory, **files):
    paths = []
    for name, text in files.items():
        path = directory / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        paths.append(path.name)
    return subprocess.run([sys.executable, "-B", COMPILER, "out.c", *paths], cwd=directory,
                          capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("text, line, fault", [
    ("a\n{{#b}}\nc", 2, "the section b has no end"),
    ("{{#a}}{{#b}}{{/a}}{{/b}}", 1, "no section a has begun here"),
    ("a\n\n{{/b}}", 3, "no section b has begun here"),
    ("{{>nothing}}", 1, "there is no part nothing.html"),
    ("\n{{>page}}", 2, "the part page.html has itself in it"),
    ("{{{raw}}}", 1, "found {{{raw}}, expected a name, #, ^, /, > or !"),
    ("{{&raw}}", 1, "found {{&raw}}, expected a name, #, ^, /, > or !"),
    ("{{=<% %>=}}", 1, "found {{=<% %>=}}, expected a name, #, ^, /, > or !"),
    ("{{}}", 1, "found {{}}, expected a name, #, ^, /, > or !"),
    ("{{a..b}}", 1, "found {{a..b}}, expected a name, #, ^, /, > or !"),
    ("a\n{{b\n", 2, "a tag has no end"),
    ("{{a}}\n{{b}}{{c}\n{{c}}", 2, "found {{c}\n{{c}}, expected a name, #, ^, /, > or !"),
])
def test_what_is_no_template_is_refused_where_it_is(tmp_path, text, line, fault):
    done = compile_page(tmp_path, page=text)
    assert (done.returncode, done.stderr) == (1, f"page.html:{line}: {fault}\n")


def test_a_circle_of_parts_is_found(tmp_path):
    done = compile_page(tmp_path, a="{{>b}}", b="{{>c}}", c="\n{{>b}}")
    assert (done.returncode, done.stderr) == (1, "c.html:2: the part b.html has itself in it\n")


def test_any_text_is_a_template(tmp_path):
    text = "\"\\??/\n\0\x7fä{a}}\u2028" * 1000
    done = compile_page(tmp_path, page=text, empty="")
    assert (done.returncode, done.stderr) == (0, "")
    pieces = re.findall(r'PAGE_TEXT, "([^"]*)", (\d+)', (tmp_path / "out.c").read_text(encoding="ascii"))
    written = [re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), piece.encode())
               for piece, _ in pieces]
    assert b"".join(written).decode() == text
    assert [len(piece) for piece in written] == [int(length) for _, length in pieces]
