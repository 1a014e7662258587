"""What is installed beside the program: manual pages, completion, units, alerts, the package."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from admin_client import Metrics
from processes import run_to_end
from service import program, run

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "contrib" / "prometheus"
COMPLETION = ROOT / "contrib" / "pdns-mta-sts.bash"
COMMON = ["--config", "--help", "--version"]


def call(*command, **options):
    """Runs a tool that must succeed; returns what it prints."""
    done = run_to_end(command, timeout=280, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout


# What the help says.


def commands():
    return re.findall(r"^  ([a-z]+) +\S", run("--help").stdout, re.MULTILINE)


def long_options(command):
    return re.findall(r"^ .*?(--[a-z-]+)", run(command, "--help").stdout, re.MULTILINE)


def choices(command, heading):
    """The words that may stand for an option or an operand."""
    lines = iter(run(command, "--help").stdout.splitlines())
    for line in lines:
        if re.match(rf"  .*{heading}\b", line):
            break
    found = []
    for line in lines:
        match = re.match(r" {20,}(\S+)", line)
        if not match:
            break
        found.append(match[1])
    return found


# The manual page.


def plain(page):
    """A page without the marks of scdoc."""
    return re.sub(r"[*_\\]", "", page)


def test_the_manual_page_has_the_usage_of_every_command():
    page = plain((ROOT / "docs" / "pdns-mta-sts.8.scd").read_text(encoding="utf-8"))
    usages = [run(name, "--help").stdout.splitlines()[0].removeprefix("Usage: ")
              for name in commands()]
    assert re.findall(r"^pdns-mta-sts [a-z]+ \[-c.*$", page, re.MULTILINE) == usages


def test_the_manual_page_has_every_option():
    page = plain((ROOT / "docs" / "pdns-mta-sts.8.scd").read_text(encoding="utf-8"))
    options = page[page.index("# OPTIONS") : page.index("# EXIT STATUS")]
    described = re.findall(r"^(?:-\w, )?(--[a-z-]+)", options, re.MULTILINE)
    assert sorted(described) == sorted({each for name in commands() for each in long_options(name)})


EXAMPLE = ROOT / "contrib" / "config.yaml.example"


def test_the_example_names_every_key_of_the_manual_page():
    page = (ROOT / "docs" / "pdns-mta-sts.yaml.5.scd").read_text(encoding="utf-8")
    keys = re.findall(r"^\*(?:\w+\.)*(\w+)\*$", page, re.MULTILINE)
    assert len(keys) > 25
    example = EXAMPLE.read_text(encoding="utf-8")
    assert set(keys) <= set(re.findall(r"^[ #-]*(\w+):", example, re.MULTILINE))


def test_the_example_starts_with_a_policy_that_stops_no_mail():
    example = EXAMPLE.read_text(encoding="utf-8")
    assert re.findall(r"^ *((?:mode|max_age): .*)$", example, re.MULTILINE) == [
        "mode: testing", "max_age: 1d"]
    assert re.findall(r"^\w+:", example, re.MULTILINE) == ["policies:"]


def test_the_example_is_right_with_every_key_in_force(make_directory):
    directory = make_directory()
    for name in ("domains.d/a.list", "policies.d/a.yaml"):
        (directory / name).parent.mkdir()
    (directory / "domains.d/a.list").write_text("list.example\n", encoding="ascii")
    (directory / "policies.d/a.yaml").write_text(
        "policies: [{domain: file.example, rua: 'mailto:a@file.example'}]\n", encoding="ascii")
    text, count = re.subn(r"(?m)^( *)#((?:  )*\w+:)", r"\1\2", EXAMPLE.read_text(encoding="utf-8"))
    assert count > 20
    text = text.replace("/run/pdns-mta-sts/", f"{directory}/")  # the package makes that directory
    (directory / "config.yaml").write_text(text, encoding="utf-8")
    checked = run("check", "-c", directory / "config.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")


# Completion.


def complete(*words):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); '
              '_pdns_mta_sts; printf "%s\\n" "${COMPREPLY[@]}"')
    return sorted(call("bash", "-c", script, "bash", COMPLETION, "pdns-mta-sts", *words).split())


def test_commands_are_completed():
    assert complete("") == sorted(commands() + COMMON)
    assert complete("-c", "FILE", "") == sorted(commands() + COMMON)
    assert complete("re") == ["records"]


def test_options_and_operands_of_each_command_are_completed():
    for name in commands():
        expected = long_options(name) + (choices(name, "KIND") if name == "export" else [])
        assert complete(name, "") == sorted(expected), name


VALUES = [("serve", "--log-level", "LEVEL"), ("serve", "-l", "LEVEL"),
          ("records", "--format", "FORMAT")]


@pytest.mark.parametrize("command, option, value", VALUES)
def test_values_are_completed(command, option, value):
    assert complete(command, option, "") == sorted(choices(command, value)) != []


def test_files_are_completed(make_directory):
    (make_directory() / "config.yaml").touch()
    directory = make_directory()
    (directory / "one.yaml").touch()
    assert complete("check", "-c", f"{directory}/o") == [f"{directory}/one.yaml"]


# Monitoring.


def test_promtool_accepts_the_alerts():
    assert "SUCCESS" in call("promtool", "check", "rules", PROMETHEUS / "alerts.yml")


# Two name servers with as many domains each: the same published for 20 minutes, then not, then again.
SERVERS_DIFFER = """\
rule_files: [{alerts}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: pdns_mta_sts_published_fingerprint{{instance="one"}}
        values: 9007199254740990x50
      - series: pdns_mta_sts_published_fingerprint{{instance="two"}}
        values: 9007199254740990x20 9007199254740991x20 9007199254740990x10
    alert_rule_test:
      - {{eval_time: 20m, alertname: MtaStsServersDiffer}}
      - {{eval_time: 30m, alertname: MtaStsServersDiffer}}
      - eval_time: 38m
        alertname: MtaStsServersDiffer
        exp_alerts: [{{exp_labels: {{severity: warning}}, exp_annotations: {annotations}}}]
      - {{eval_time: 45m, alertname: MtaStsServersDiffer}}
"""


def test_servers_that_publish_other_records_raise_an_alert(make_directory):
    alerts = PROMETHEUS / "alerts.yml"
    text = alerts.read_text(encoding="utf-8")
    summary = re.search(r"alert: MtaStsServersDiffer.*?summary: (.*?)\n", text, re.DOTALL).group(1)
    description = re.search(r"alert: MtaStsServersDiffer.*?description: >-\n(.*?)\n\n", text,
                            re.DOTALL).group(1)
    annotations = json.dumps({"summary": summary, "description": " ".join(description.split())})
    path = make_directory() / "test.yml"
    path.write_text(SERVERS_DIFFER.format(alerts=alerts, annotations=annotations), encoding="utf-8")
    assert "SUCCESS" in call("promtool", "test", "rules", path)


def test_alerts_and_dashboard_use_metrics_that_there_are(service, ports):
    service.admin_port = ports.take()
    service.configure("policies:\n  - {domain: example.net, mode: none, mx: mx.example.net, members: synced}\n",
                      more=f"state: {service.directory}\nsync: {{command: /bin/false}}\n")
    # A run of sync that is refused, beside the list of an earlier one.
    assert run("sync", "-c", service.config).returncode == 1
    (service.directory / "synced" / "example.net.list").write_text("example.org\n", encoding="ascii")
    # A look that has nothing to ask: the policy has no rua.
    saved = run("verify", "--save", "--check", "tls-ent", "-c", service.config, "example.net")
    assert (saved.returncode, saved.stdout) == (
        0, "1 domain: 1 ok, 0 with warnings, 0 with errors\n")
    service.start()
    there = {name for name, _ in Metrics(service).samples}
    used = {
        name
        for path in PROMETHEUS.iterdir()
        for name in re.findall(r"pdns_mta_sts_\w+", path.read_text(encoding="utf-8"))
    }
    assert len(used) > 10
    assert used <= there


# What meson installs.

INSTALLED = [
    "usr/bin/pdns-mta-sts",
    "usr/lib/systemd/system/pdns-mta-sts.service",
    "usr/lib/systemd/system/pdns-mta-sts-verify.service",
    "usr/lib/systemd/system/pdns-mta-sts-verify.timer",
    "usr/lib/systemd/system/pdns-mta-sts-http.socket",
    "usr/lib/systemd/system/pdns-mta-sts-unix.socket",
    "usr/lib/systemd/system/pdns-mta-sts-policy.socket",
    "usr/lib/systemd/system/pdns-mta-sts-admin.socket",
    "usr/lib/sysusers.d/pdns-mta-sts.conf",
    "usr/lib/systemd/system/pdns-mta-sts-sync.service",
    "usr/lib/systemd/system/pdns-mta-sts-sync.timer",
    "usr/libexec/pdns-mta-sts/pdns-mta-sts-apply",
    "usr/libexec/pdns-mta-sts/pdns-mta-sts-sync",
    "usr/libexec/pdns-mta-sts/pdns-mta-sts-verify",
    "usr/share/doc/pdns-mta-sts/sync.md",
    "usr/share/doc/pdns-mta-sts/verify.md",
    "usr/lib/tmpfiles.d/pdns-mta-sts.conf",
    "usr/share/bash-completion/completions/pdns-mta-sts",
    "usr/share/doc/pdns-mta-sts/README.md",
    "usr/share/doc/pdns-mta-sts/operations.md",
    "usr/share/doc/pdns-mta-sts/examples/alerts.yml",
    "usr/share/doc/pdns-mta-sts/examples/config.yaml.example",
    "usr/share/doc/pdns-mta-sts/examples/dashboard.json",
    "usr/share/doc/pdns-mta-sts/examples/dehydrated-hook.sh",
    "usr/share/doc/pdns-mta-sts/examples/pdns.d/zz-remote.conf",
    "usr/share/man/man5/pdns-mta-sts.yaml.5",
    "usr/share/man/man8/pdns-mta-sts.8",
]


@pytest.fixture(scope="module")
def installed(make_directory):
    """The tree of an installation below /usr/local, from the build that is tested."""
    directory = make_directory()
    call("meson", "install", "-C", os.environ["BUILD_ROOT"], "--no-rebuild",
         "--destdir", directory)
    return directory / "usr" / "local"


def test_meson_installs_everything(installed):
    there = {str(path.relative_to(installed)) for path in installed.rglob("*")}
    assert {path.removeprefix("usr/") for path in INSTALLED} <= there


def test_every_guide_and_every_example_is_installed(installed):
    documents = installed / "share" / "doc" / "pdns-mta-sts"
    guides = {path.name for path in (ROOT / "docs").glob("*.md")}
    examples = {path.name for path in (ROOT / "contrib").glob("*.example")}
    assert guides <= {path.name for path in documents.iterdir()}
    assert examples <= {path.name for path in (documents / "examples").iterdir()}


@pytest.mark.parametrize("section, name", [(8, "pdns-mta-sts"), (5, "pdns-mta-sts.yaml")])
def test_the_manual_pages_are_well_formed(installed, section, name):
    page = installed / "share" / "man" / f"man{section}" / f"{name}.{section}"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    assert call("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, env=environment)


def units_of(installed):
    return sorted((installed / "lib" / "systemd" / "system").iterdir())


def test_systemd_accepts_the_units(installed, make_directory):
    """With the path of the program as it will be."""
    directory = make_directory()
    for unit in units_of(installed):
        text = unit.read_text(encoding="utf-8").replace("/usr/local/", f"{installed}/")
        (directory / unit.name).write_text(text, encoding="utf-8")
    output = call("systemd-analyze", "verify", "--man=no", *directory.iterdir())
    assert "pdns-mta-sts" not in output


def test_the_service_is_exposed_no_more_than_it_must(installed):
    unit = installed / "lib" / "systemd" / "system" / "pdns-mta-sts.service"
    output = call("systemd-analyze", "security", "--no-pager", "--offline=true", unit)
    assert float(re.search(r"exposure level .*: ([\d.]+)", output)[1]) <= 1.5


def test_the_sockets_have_the_names_of_the_listeners(installed):
    names = {
        re.search(r"^FileDescriptorName=(.*)$", unit.read_text(), re.MULTILINE)[1]
        for unit in units_of(installed) if unit.suffix == ".socket"
    }
    assert names == {"http", "unix", "policy", "admin"}


# What has to be there to build it.


def packages_to_build():
    script = '. "$1"; printf "%s\\n" "${BUILD_PACKAGES[@]}"'
    return set(call("bash", "-c", script, "bash", ROOT / "contrib" / "packages.sh").split())


def test_the_package_is_built_with_the_same_packages():
    """Beside what each Debian package is built with, and what meson brings. Where a release lacks a
    package, another one is named beside it."""
    text = (ROOT / "debian" / "control").read_text(encoding="utf-8")
    lines = re.search(r"^Build-Depends:\n((?: .*\n)+)", text, re.MULTILINE)[1].splitlines()
    needed = [set(re.findall(r"(?:^|\|) ([a-z0-9+.-]+)", line)) for line in lines]
    listed = (packages_to_build() - {"gcc", "libc6-dev", "ninja-build"}
              | {"debhelper-compat", "python3", "systemd-dev"})
    assert listed <= set.union(*needed)
    assert [names for names in needed if len(names & listed) != 1] == []


def test_the_unix_socket_has_one_path(installed):
    """That of the unit is the default of the service, below the directory that both need."""
    units = installed / "lib" / "systemd" / "system"
    unit = (units / "pdns-mta-sts-unix.socket").read_text(encoding="utf-8")
    directory = (installed / "lib" / "tmpfiles.d" / "pdns-mta-sts.conf").read_text(encoding="utf-8")
    service = (units / "pdns-mta-sts.service").read_text(encoding="utf-8")
    path = re.search(r"^ListenStream=(.*)/(.*)$", unit, re.MULTILINE)
    page = plain((ROOT / "docs" / "pdns-mta-sts.yaml.5.scd").read_text(encoding="utf-8"))
    assert f"Default: {path[1]}/{path[2]}." in page
    assert f"\nd {path[1]} 2755 pdns-mta-sts pdns\n" in directory
    assert f"\nReadWritePaths=-{path[1]}\n" in service


# The Debian package.


def copy_sources(target):
    for path in ROOT.iterdir():
        if path.name.startswith((".", "build")) and path.name != ".gitignore":
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name,
                            ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, target)


@pytest.fixture(scope="module")
def sources(make_directory):
    """A repository with the sources."""
    directory = make_directory() / "pdns-mta-sts"
    directory.mkdir()
    copy_sources(directory)
    call("git", "init", "-q", cwd=directory)
    call("git", "add", ".", cwd=directory)
    return directory


@pytest.fixture(scope="module")
def package(sources):
    """A package that was built from the sources; the unit tests have had their turn elsewhere."""
    unwanted = ("CC", "CFLAGS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "DESTDIR")
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    call("dpkg-buildpackage", "-b", "-us", "-uc", "-Pnocheck", cwd=sources,
         env={**environment, "DEB_BUILD_OPTIONS": "nocheck"})
    (changes,) = sources.parent.glob("*.changes")
    (deb,) = sources.parent.glob("pdns-mta-sts_*.deb")
    return changes, deb


@pytest.mark.usefixtures("package")
def test_building_the_package_leaves_the_repository_as_it_was(sources):
    assert call("git", "diff", "--name-status", cwd=sources) == ""
    assert call("git", "ls-files", "--others", "--exclude-standard", cwd=sources) == ""


def test_lintian_has_nothing_to_say(package):
    """But that there is no script for other init systems: the service is run in the foreground by
    whatever there is. Newer versions do not say so, and refuse an override."""
    said = call("lintian", "--allow-root", "-EvIL", "+pedantic", "--fail-on", "error,warning",
                package[0])
    assert re.sub(r"I: .* package-supports-alternative-init-but-no-init.d-script .*\n", "", said) == ""


class Scratch:
    """A root directory of its own for dpkg."""

    def __init__(self, root):
        self.root = root
        database = root / "var" / "lib" / "dpkg"
        for name in ("info", "updates"):
            (database / name).mkdir(parents=True)
        for name in ("status", "available"):
            (database / name).touch()

    def dpkg(self, *arguments):
        fake = [] if os.geteuid() == 0 else ["fakeroot"]
        call(*fake, "dpkg", f"--root={self.root}", "--force-script-chrootless",
             "--force-depends", *arguments)

    def files(self):
        """All files but dpkg's own."""
        return {
            str(path.relative_to(self.root)) for path in self.root.rglob("*")
            if path.is_symlink() or path.is_file()
            if "var/lib/dpkg" not in str(path)
        }


# Where systemd-sysusers puts the user of the service, which outlives the package, as Debian's do.
USERS = {f"etc/{name}" for name in (".pwd.lock", "group", "gshadow", "passwd", "shadow")}


def test_the_package_is_installed_checks_and_leaves_a_user(package, make_directory):
    scratch = Scratch(make_directory())
    scratch.dpkg("--install", package[1])
    there = scratch.files()
    for path in INSTALLED:
        unit = path.replace("usr/lib/systemd", "lib/systemd")
        assert {path, unit, path + ".gz"} & there, path
    assert not any(path.startswith("etc/systemd") for path in there), "a unit is enabled"
    config = scratch.root / "etc" / "pdns-mta-sts" / "config.yaml"
    checked = call(scratch.root / "usr" / "bin" / "pdns-mta-sts", "check", "-c", config)
    assert re.search(r"^policies: [1-9]", checked, re.MULTILINE)
    config.write_text(config.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    scratch.dpkg("--remove", "pdns-mta-sts")
    assert {path for path in scratch.files() if path.startswith("etc/")} == USERS | {
        "etc/pdns-mta-sts/config.yaml"}
    scratch.dpkg("--purge", "pdns-mta-sts")
    assert scratch.files() == USERS
    assert not (scratch.root / "run" / "pdns-mta-sts").exists()


def test_an_upgrade_restarts_the_service_and_never_stops_a_socket(package, make_directory):
    control = make_directory() / "control"
    call("dpkg-deb", "--control", package[1], control)
    scripts = {path.name: path.read_text(encoding="utf-8") for path in control.iterdir()
               if path.name in ("preinst", "postinst", "prerm", "postrm")}
    assert "preinst" not in scripts
    actions = re.findall(r"deb-systemd-invoke (.*?) >", scripts["postinst"])
    assert actions == ["try-restart 'pdns-mta-sts.service'"]
    assert re.search(r'"\$1" = remove .*\n +deb-systemd-invoke stop', scripts["prerm"])


def test_the_program_of_the_tests_is_the_one_that_is_installed(installed):
    assert call(installed / "bin" / "pdns-mta-sts", "--version") == call(program(), "--version")
