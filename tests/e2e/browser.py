"""Debian's chromium, as a reader of the admin listener's page has it, and what is looked for in every page."""

import base64
import json
import os
import tempfile
from pathlib import Path

from selenium.common.exceptions import (
    NoSuchElementException, StaleElementReferenceException, WebDriverException)
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By

from processes import DEADLINE, wait_until

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "build-axe" / "axe.min.js"
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (360, 1400)]
HEIGHT = 900

OPTIONS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--no-first-run",
    "--force-color-profile=srgb", "--lang=en-GB",
]

# Whether each frame of the page has been drawn, what it fetches at its start has come, and its script has run.
SHOWN = """
    return document.readyState === "complete"
        && document.getAnimations().length === 0
        && (document.body.hasAttribute("data-still") || document.getElementById("live").textContent !== "");
"""

# What the driver says of an element whose page is being replaced by another one.
GONE = "does not belong to the document"


class Browser:
    """One chromium for many tests, as a context manager. Screenshots go where the build keeps its logs."""

    def __init__(self, more=(), zone="UTC"):
        options = ChromeOptions()
        for option in [*OPTIONS, *more]:
            options.add_argument(option)
        self.profile = tempfile.TemporaryDirectory(prefix="pdns-mta-sts-chromium-")
        options.add_argument(f"--user-data-dir={self.profile.name}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        environment = {**os.environ, "TZ": zone}
        self.driver = Chrome(options=options, service=Driver("/usr/bin/chromedriver", env=environment))
        self.driver.set_page_load_timeout(DEADLINE)
        self.driver.set_script_timeout(DEADLINE)
        self.pictures = Path(os.environ.get("BUILD_ROOT", ROOT / "build"), "meson-logs", "page")
        self.pictures.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.driver.quit()
        self.profile.cleanup()

    def order(self, command, **arguments):
        """Gives an order of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def be(self, scheme="light", width=1400, media="screen"):
        """Takes a look: the colours of the system, and the width of the window."""
        self.order("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}])
        self.order("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT,
                   deviceScaleFactor=1, mobile=False)

    def open(self, url):
        self.driver.get(url)
        wait_until(lambda: self.run(SHOWN), f"{url} to be shown")

    # What is on the page.

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector="body"):
        """The text that a reader sees there, in one line; empty if there is none."""
        try:
            return " ".join(self.one(selector).text.split())
        except (NoSuchElementException, StaleElementReferenceException):
            return ""
        except WebDriverException as error:
            if GONE in str(error):
                return ""
            raise

    def wait_text(self, text, selector="body"):
        """Waits for a text, while the page renews itself."""
        wait_until(lambda: text in self.text(selector), f"{text!r} in {selector}")

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    # What must hold of every page.

    def forget(self):
        """Drops what was logged before."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def messages(self):
        """What the console says since then: errors, warnings, breaches of the policy of contents."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """The addresses that were asked for since then."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"]

    def overflowing(self):
        """Whether the page is wider than the window."""
        return self.run("return document.documentElement.scrollWidth > innerWidth")

    def violations(self):
        """What axe-core finds, shortly."""
        if not self.run("return typeof axe === 'object'"):
            self.run(axe())
        return self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            axe.run({resultTypes: ["violations"]}).then(
                (results) => done(results.violations.flatMap((each) => each.nodes.map(
                    (node) => `${each.id}: ${node.html}: ${node.failureSummary}`))),
                (error) => done([String(error)]));
        """)

    def photograph(self, name):
        """A picture of the whole page."""
        height = self.run("return Math.max(document.documentElement.scrollHeight, innerHeight)")
        width = self.run("return innerWidth")
        shot = self.order("Page.captureScreenshot", captureBeyondViewport=True,
                          clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        path = self.pictures / f"{name}.png"
        path.write_bytes(base64.b64decode(shot["data"]))
        return path


def axe():
    assert AXE.exists(), f"{AXE} is missing; tests/run.sh fetches it"
    return AXE.read_text(encoding="utf-8")
