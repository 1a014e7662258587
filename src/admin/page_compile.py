"""Makes C of the files that the admin listener shows (page/): page_compile.py OUTPUT FILE…

HTML files are templates in a strict subset of Mustache, which page_template.h describes; all others
are taken as they are. Each becomes a struct page_template, named asset_NAME_EXTENSION. What a template
can have wrong is an error here, with file and line, so that rendering one cannot fail but for memory.
"""

import re
import sys
from pathlib import Path

TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
NAME = re.compile(r"\.|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
PIECE = 2000  # characters of one string literal; C has a limit


def symbol(path):
    return "asset_" + re.sub(r"[^a-z0-9]", "_", path.name)


def literal(text):
    """A text as C writes it, and how many bytes it has."""
    data = text.encode("utf-8")
    plain = set(b" !#$%&'()*+,-./:;<=>@[]^_`{|}~") | set(b"0123456789") | {
        byte for byte in range(256) if chr(byte).isascii() and chr(byte).isalpha()}
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data) + '"', len(data)


class Template:
    """One file, and the operations that it comes to."""

    def __init__(self, path, parts):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        if path.suffix == ".html" and self.text.count("\n") == 1:
            self.text = self.text.rstrip("\n")
        self.parts = parts
        self.used = []
        self.operations = []
        self.open = []  # sections: (name, index of the operation, where)
        if path.suffix == ".html":
            self.compile()
        else:
            self.add_text(self.text)

    def fail(self, where, what):
        sys.exit(f"{self.path}:{self.text.count(chr(10), 0, where) + 1}: {what}")

    def add_text(self, text):
        for begin in range(0, len(text), PIECE):
            data, length = literal(text[begin:begin + PIECE])
            self.operations.append(["PAGE_TEXT", data, length, "NULL"])

    def compile(self):
        end = 0
        for tag in TAG.finditer(self.text):
            begin, after = self.extent(tag)
            self.add_text(self.text[end:max(begin, end)])
            self.add_tag(tag)
            end = after
        self.add_text(self.text[end:])
        if "{{" in self.text[end:]:
            self.fail(self.text.index("{{", end), "a tag has no end")
        for name, _, where in self.open:
            self.fail(where, f"the section {name} has no end")

    def extent(self, tag):
        """What a tag takes the place of: the whole line, if it prints nothing and is alone on it."""
        begin, end = tag.span()
        if tag[1][:1] not in ("#", "^", "/", ">", "!"):
            return begin, end
        line = self.text.rfind("\n", 0, begin) + 1
        rest = re.compile(r"[ \t]*(\n|$)").match(self.text, end)
        if self.text[line:begin].strip(" \t") or not rest:
            return begin, end
        return line, rest.end()

    def add_tag(self, tag):
        where = tag.start()
        kind, name = (tag[1][0], tag[1][1:].strip()) if tag[1][:1] in tuple("#^/>!") else ("", tag[1].strip())
        if kind == "!":
            return
        if kind == ">":
            self.add_part(name, where)
        elif not NAME.fullmatch(name):
            self.fail(where, f"found {{{{{tag[1]}}}}}, expected a name, #, ^, /, > or !")
        elif kind == "/":
            self.end_section(name, where)
        elif kind:
            self.open.append((name, len(self.operations), where))
            self.operations.append(["PAGE_SECTION" if kind == "#" else "PAGE_INVERTED", f'"{name}"', 0, "NULL"])
        else:
            self.operations.append(["PAGE_VALUE", f'"{name}"', 0, "NULL"])

    def add_part(self, name, where):
        path = self.path.parent / f"{name}.html"
        if path.name not in self.parts:
            self.fail(where, f"there is no part {path.name}")
        self.used.append((path.name, where))
        self.operations.append(["PAGE_PART", "NULL", 0, f"&{symbol(path)}"])

    def end_section(self, name, where):
        if not self.open or self.open[-1][0] != name:
            self.fail(where, f"no section {name} has begun here")
        self.operations[self.open.pop()[1]][2] = len(self.operations)

    def write(self):
        name = symbol(self.path)
        rows = "".join(f"    {{{kind}, {text}, {number}, {part}}},\n"
                       for kind, text, number, part in self.operations)
        rows = rows or '    {PAGE_TEXT, "", 0, NULL},\n'
        return (f"static const struct page_operation operations_{name}[] = {{\n{rows}}};\n"
                f"const struct page_template {name} = {{operations_{name}, {max(len(self.operations), 1)}}};\n\n")


def check_circles(templates, template, on_the_way=()):
    for name, where in template.used:
        if name in on_the_way:
            template.fail(where, f"the part {name} has itself in it")
        check_circles(templates, templates[name], (*on_the_way, name))


def main():
    output, *names = sys.argv[1:]
    paths = [Path(name) for name in names]
    parts = {path.name for path in paths if path.suffix == ".html"}
    templates = {path.name: Template(path, parts) for path in paths}
    for template in templates.values():
        check_circles(templates, template)
    Path(output).write_text(
        '#include "admin/page_template.h"\n\n'
        + "".join(f"extern const struct page_template {symbol(path)};\n" for path in paths) + "\n"
        + "".join(template.write() for template in templates.values()), encoding="ascii")


if __name__ == "__main__":
    main()
