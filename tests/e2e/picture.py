"""Makes a picture of the page for the documentation: picture.py PATH [light|dark].

A real service over sample domains in an Internet of its own, what verify found there, and runs of verify before that, under a clock
that is set back. tests/screenshot.sh installs what it needs.
"""

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

from browser import Browser
from clock import preload
from internet import DOMAINS, RESOLVER, Domain, Internet, policies_of, web
from namespace import Namespace
from service import run

WORDS = """
    apiary atelier bakery bikeshop bistro bookshop brewery butcher cafe carpenter ceramics choir cinema clinic dairy
    dentist electric farm florist gallery garage gardens glassworks guesthouse hardware harbour hatmaker joinery kiosk
    library locksmith lutherie marina museum nursery orchard pharmacy potter press
""".split()
OTHER = {"bakery", "brewery", "cinema", "farm", "gallery", "harbour", "kiosk", "museum"}  # behind another mail server
MOVED = {"clinic", "locksmith"}  # to one that the policy does not know
LEAVING = ["potter.example", "press.example"]
PILOT = ["lab", "studio", "workshop", "yard"]
RUNS = 12  # before the last one, four days apart

# The picture has the same letters wherever it is made.
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include>/etc/fonts/fonts.conf</include>
<match><test name="family"><string>sans</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
<match><test name="family"><string>sans-serif</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
</fontconfig>
"""


def mail_server(word):
    if word in MOVED:
        return "plain.mail.example."
    return "other.mail.example." if word in OTHER else "mail.example.net."


def member(word, primary):
    return Domain(f"{word}.example", zone_mx=mail_server(word), primary=primary)


SAMPLE = [
    Domain("hoster.example", mx="mail.example.net, other.mail.example"),
    *(member(word, "hoster.example") for word in WORDS),
    Domain("pilot.example", mode="testing", more=", announce_delay: 15m, max_age: 1d"),
    *(member(word, "pilot.example") for word in PILOT),
    Domain("shop.example", host=web(13)),
    *(domain for domain in DOMAINS if domain.name == "signed.example"),
]


class Maker:
    """A directory after the other."""

    def __init__(self, root):
        self.root = Path(root)
        self.n = 0

    def __call__(self):
        self.n += 1
        path = self.root / str(self.n)
        path.mkdir()
        return path


def verify(internet, config, *options, **environment):
    done = run("verify", "-c", config, "--save", "--resolver", RESOLVER,
               "--ca-file", internet.certificates.authority.certificate, *options, timeout=300,
               env={**os.environ, "STATE_DIRECTORY": str(internet.service.state), **environment})
    assert done.returncode in (0, 1) and not done.stderr, done.stderr


def look_back(internet):
    """Runs of verify on former days, as domains came and the policy learned their mail servers."""
    config = internet.directory / "before.yaml"
    for number in range(RUNS):
        domains = SAMPLE[:len(SAMPLE) - 2 * (RUNS - number)]
        if number < RUNS / 2:
            domains[0] = Domain("hoster.example", mx="mail.example.net")
        config.write_text("policies:\n" + policies_of(domains), encoding="utf-8")
        verify(internet, config, "--check", "mx", "--trust-anchor", "none", **preload(), FAKETIME=f"-{(RUNS - number) * 4}d")


def let_happen(internet):
    """The service goes on with the state of before; two domains leave, and a policy changes."""
    internet.service.start()
    domains = [domain for domain in SAMPLE if domain.name not in LEAVING]
    internet.service.configure("policies:\n" + policies_of(domains).replace("max_age: 1d", "max_age: 2d"))
    internet.service.reload()
    verify(internet, internet.service.config, "--trust-anchor", internet.anchor)


def make(path, scheme, directory):
    (directory / "fonts.conf").write_text(FONTS, encoding="ascii")
    os.environ["FONTCONFIG_FILE"] = str(directory / "fonts.conf")
    with Namespace() as namespace:
        internet = Internet(Maker(directory), namespace, SAMPLE, policies="")
        internet.service.admin_port = 8054
        with internet, Browser() as browser:
            internet.service.stop()
            internet.service.state = internet.directory / "state"
            internet.service.state.mkdir()
            look_back(internet)
            let_happen(internet)
            browser.be(scheme, 1120)
            browser.open("http://127.0.0.1:8054/")
            picture = Image.open(browser.photograph("documentation"))
            # 256 colours, with the large areas as they are, make a small file.
            picture.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, kmeans=2).save(path, optimize=True)


def main():
    path, scheme = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "light"
    with tempfile.TemporaryDirectory(prefix="pdns-mta-sts-") as directory:
        make(path, scheme, Path(directory))


if __name__ == "__main__":
    main()
