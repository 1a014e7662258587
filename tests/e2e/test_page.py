"""The page of the admin listener, in a real browser: each state of the service, made by the real service and verify,
is seen by people with any eyes, window and keyboard; nothing else runs, loads or shows through; and what
changes is seen without a reload of the page."""

import contextlib
import re
import sqlite3
import time

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from admin_client import status
from browser import LOOKS, Browser
from internet import DOMAINS, RESOLVER, Internet
from namespace import Namespace
from processes import wait_until
from service import REFUSED, Service, run

POLICIES = {domain.name: domain.policy() for domain in DOMAINS if not domain.primary}
MARKUP = '<script>alert("x")</script><b>&amp;'


@pytest.fixture(scope="module")
def network():
    """Nothing leads out of it."""
    with Namespace() as network:
        yield network


@pytest.fixture(scope="module")
def internet(make_directory, network):
    with Internet(make_directory, network) as internet:
        yield internet


@pytest.fixture(scope="module")
def browser(network):
    with Browser() as browser:
        yield browser


class Shown(Service):
    """A service whose page is looked at."""

    def __init__(self, directory, ports):
        super().__init__(directory, ports.take())
        self.admin_port = ports.take()
        self.verified = 0

    @property
    def page(self):
        return f"http://127.0.0.1:{self.admin_port}/"

    def configure(self, policies, keepalive="no", more=""):
        super().configure("policies:\n" + policies, keepalive, f"state: {self.state}\n" + more)

    def verify(self, internet):
        """Looks at all domains as senders do, and saves what is found, in another second than before."""
        wait_until(lambda: int(time.time()) > self.verified, "the next second")
        done = run("verify", "-c", self.config, "--save", "--resolver", RESOLVER, "--trust-anchor", "none",
                   "--ca-file", internet.certificates.authority.certificate)
        assert done.returncode in (0, 1) and done.stderr == "", done.stderr
        self.verified = int(time.time())


@pytest.fixture
def shown(make_directory, ports, network):
    with Shown(make_directory(), ports) as service:
        yield service


def look_at(browser, url, name, *texts, messages=()):
    """Opens a page in every look. It has these texts; a screen reader can read it; it fits into the window; the
    console is silent, and nothing is asked for elsewhere."""
    origin = url[:url.index("/", len("http://")) + 1]
    for scheme, width in LOOKS:
        browser.be(scheme, width)
        browser.forget()
        browser.open(url)
        browser.photograph(f"{name}-{scheme}-{width}")
        text = browser.text()
        assert [each for each in texts if each not in text] == [], text
        assert not browser.overflowing(), (scheme, width)
        assert browser.violations() == [], (scheme, width)
        assert [each for each in browser.messages() if not any(known in each for known in messages)] == []
        assert [each for each in browser.requests() if not each.startswith(origin)] == []


GOOD = ["good.example", "alias.example", "again.example"]


def good(service, n=len(GOOD)):
    service.configure("".join(POLICIES[name] for name in GOOD[:n]))


def look_at_numbers(browser, url, expected):
    """For those who do not see plots there is a table, which opens by the keyboard."""
    for scheme, width in LOOKS:
        browser.be(scheme, width)
        browser.open(url)
        for plot in browser.all("figure svg"):
            assert "below are the runs in numbers" in plot.get_attribute("aria-label")
        browser.one(".numbers summary").send_keys(Keys.ENTER)
        browser.photograph(f"numbers-{scheme}-{width}")
        assert [[each.text for each in row.find_elements("tag name", "td")]
                for row in browser.all(".numbers tbody tr")] == expected
        assert browser.violations() == [] and not browser.overflowing()


def test_all_is_well(browser, internet, shown):
    good(shown)
    shown.start()
    look_at(browser, shown.page, "never-verified", "something needs attention", "What senders see was never verified",
            "pdns-mta-sts verify --save")
    look_at(browser, f"{shown.page}?domain=good.example", "domain-unverified", "Verify has not looked at it yet")
    for number in range(len(GOOD)):
        good(shown, number + 1)
        shown.verify(internet)
    look_at(browser, shown.page, "well", "All is well", "Senders see what is configured", "3 ok",
            "0 with warnings", "good.example", "enforce", "Over time")
    look_at_numbers(browser, shown.page, [["3", "3", "0", "0"], ["3", "2", "0", "1"], ["3", "1", "0", "2"]])
    look_at(browser, f"{shown.page}?domain=good.example", "domain-well", "Senders see what is configured", "Verified ",
            "mta-sts.good.example. 5 IN A 127.0.80.1", "max_age: 604800", "History")


WRONG = ["expired.example", "other-name.example", "other-name-2.example", "txt-id.example", "no-mx.example",
         "testing-mx.example", "ends-soon.example", "markup.example"]


def test_what_senders_see_otherwise_is_shown_by_cause_with_what_to_do(browser, internet, shown):
    shown.configure("".join(POLICIES[name] for name in GOOD + WRONG))
    shown.start()
    shown.verify(internet)
    look_at(browser, shown.page, "findings", "Something is wrong", "Senders see errors in 6 of 11 domains",
            "a certificate that has expired", "2 domains", "Mend the web server or its certificate",
            "curl -v https://mta-sts.other-name-2.example/.well-known/mta-sts.txt",
            'found "v=STSv1; id=20200101"', MARKUP.replace('"', r'\"'))
    look_at(browser, f"{shown.page}?domain=txt-id.example", "domain-findings", "txt-id.example",
            "Senders see errors", 'found "v=STSv1; id=20200101"', "dig _mta-sts.txt-id.example TXT",
            "_mta-sts.txt-id.example. 5 IN TXT", "mode: enforce")
    look_at(browser, f"{shown.page}?domain=testing-mx.example", "domain-warnings", "There are warnings")
    look_at(browser, f"{shown.page}?domain=markup.example", "domain-markup", MARKUP.replace('"', r'\"'))


WIDE = [f"customer-{number}.example" for number in range(120)]
WIDE_POLICY = f"""\
  - {{domain: hoster.example, mode: testing, mx: mail.example.net, policy_host: 192.0.2.1, domains: [{", ".join(WIDE)}]}}
"""


def test_all_domains_of_a_finding_are_listed_until_verify_runs_again(browser, internet, shown):
    """None of these domains exists."""
    shown.configure(WIDE_POLICY)
    shown.start()
    shown.verify(internet)
    browser.be()
    browser.open(shown.page)
    title = browser.text("details.finding[open] .what")
    browser.one("details.finding[open] .names li:last-child a").click()
    browser.wait_text(title, "h1")
    page = browser.driver.current_url
    look_at(browser, page, "finding", title, "Domains 121", "customer-0.example", "Further domains")
    browser.open(page)
    assert rows_of_all_pages(browser) == sorted(["hoster.example", *WIDE])
    name = browser.text("tbody th")
    browser.one("tbody th a").click()
    browser.wait_text(name, "h1")
    last = WIDE[-1]
    shown.configure(WIDE_POLICY.replace(f", {last}", ""))
    shown.reload()
    browser.open(f"{page}&from={last}")
    assert "not in the configuration any more" in browser.text("tbody tr")
    shown.verify(internet)
    browser.wait_text("verify has run again", "main")
    look_at(browser, page, "finding-over", "No such finding", "verify has run again",
            messages=["Failed to load resource"])
    browser.one("main a").click()
    browser.wait_text("Policies", "#policies")


def test_a_refused_reload_is_shown_with_its_messages(browser, shown):
    good(shown)
    shown.start()
    name = "<i>customers<i>&amp;\"'.list"
    (shown.directory / name).write_text("exa mple.org\n", encoding="ascii")
    shown.configure(f"  - {{domain: good.example, mode: enforced, domain_files: {name!r}}}\n" .replace("\\'", "''"))
    shown.reload(REFUSED)
    look_at(browser, shown.page, "reload-refused", "Something is wrong", "The last reload was refused",
            'found "enforced"', "pdns-mta-sts check", "good.example", "again.example")


CERTIFIED = """\
  - domain: example.net
    mode: enforce
    mx: mail.example.net
    policy_host: 192.0.2.40
    certificates: {directory}/certs/%d.pem
    domains: [{members}]
"""


def test_domains_without_a_certificate_are_shown_as_held_back(browser, shown):
    members = [f"customer-{number}.example" for number in range(1, 8)]
    shown.configure(CERTIFIED.format(directory=shown.directory, members=", ".join(members)))
    shown.start()
    look_at(browser, shown.page, "held-back", "Held back until there is a certificate 8", "customer-1.example",
            "and 3 more")
    look_at(browser, f"{shown.page}?state=held_back", "search-held-back", "customer-7.example")
    look_at(browser, f"{shown.page}?domain=customer-1.example", "domain-held-back", "Held back",
            "The first reload after its certificate is there",
            f"{shown.directory}/certs/customer-1.example.pem")


LEAVING = """\
  - domain: example.net
    mode: enforce
    mx: [mail.example.net{mx}]
    max_age: 12h
    announce_delay: 5h
    policy_host: 192.0.2.40
    domains: [{members}]
"""


def test_ids_that_wait_and_domains_that_retire_are_under_way(browser, shown):
    shown.configure(LEAVING.format(mx="", members="example.org, example.com"))
    shown.start()
    old = status(shown)["policies"][0]["id"]
    shown.configure(LEAVING.format(mx=", new.example.net", members="example.com"))
    shown.reload()
    new = status(shown)["waiting"][0]["next"]
    look_at(browser, shown.page, "under-way", "New ids that wait to be announced 1", f"{old} → {new}",
            "in 5 hours", "Retiring: not listed any more 1", "in 13 hours", "example.org")
    look_at(browser, f"{shown.page}?domain=example.com", "domain-waiting", "a new id waits",
            f"{new} is announced in 5 hours", f"Until then senders see {old}")
    look_at(browser, f"{shown.page}?domain=example.org", "domain-retiring", "Retiring", "mode: none",
            "The domain is gone in 13 hours")


SYNCED = """\
  - {domain: one.example, mode: enforce, mx: mx1.hoster.example, policy_host: 192.0.2.1, members: synced}
"""


def test_a_refused_sync_is_shown(browser, shown):
    shown.configure(SYNCED, more="sync: {command: [/bin/false]}\n")
    shown.start()
    assert "sync: refused" in run("sync", "-c", shown.config).stderr
    look_at(browser, shown.page, "sync-refused", "The last sync was refused", "pdns-mta-sts sync --dry-run")
    shown.configure(SYNCED)
    shown.reload()
    wait_until(lambda: re.fullmatch("Needs attention What senders see was never verified .*", browser.text("#attention")),
               "the refused sync to be gone")


@contextlib.contextmanager
def locked(service):
    """A state that nobody else can write."""
    with contextlib.closing(sqlite3.connect(service.state / "state.db")) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


def test_a_state_that_cannot_be_written_is_shown_and_that_it_can_again(browser, shown):
    good(shown)
    shown.start()
    wait_until(lambda: status(shown)["state"]["written"], "the state to be written")
    with locked(shown):
        start = shown.log_size()
        shown.configure(POLICIES["good.example"])
        shown.reload()
        shown.wait_log("cannot write the state", start)
        look_at(browser, shown.page, "state-failed", "Something is wrong", "The state cannot be written",
                "database is locked")
    browser.wait_text("It works, but something needs attention")


OWN = """\
  - {domain: own.example, authority: zones, mode: enforce, mx: mail.example.net, policy_host: 192.0.2.1}
"""


def test_own_zones_are_counted_and_those_to_notify(browser, shown):
    shown.configure(OWN, more="zones: {nameservers: ns1.example.net, hostmaster: root.example.net}\n")
    shown.start()
    look_at(browser, shown.page, "own-zones", "Own zones 2", "2 to notify")
    look_at(browser, f"{shown.page}?domain=own.example", "domain-own-zones", "SOA", "NS")


NAMES = "".join(f"customer-{number}.example\n" for number in range(60))
LONG = ".".join(["a-rather-long-label-of-sixty-three-characters-as-some-people-have"[:63]] * 3 + ["example"])
MANY = f"""\
  - {{domain: example.net, mode: enforce, mx: mail.example.net, policy_host: 192.0.2.1, domain_files: names}}
  - {{domain: {LONG}, mode: testing, mx: "*.{LONG}", policy_host: 192.0.2.1}}
  - {{domain: reports.example, rua: "mailto:x@reports.example"}}
"""


@pytest.fixture(scope="module")
def many(make_directory, ports, network):
    """A service that no test changes."""
    with Shown(make_directory(), ports) as service:
        (service.directory / "names").write_text(NAMES, encoding="ascii")
        service.configure(MANY)
        service.start()
        yield service


def test_long_names_wrap(browser, many):
    for width in 320, 600, 800, 1000, 2560:
        browser.be(width=width)
        browser.open(many.page)
        browser.photograph(f"long-names-{width}")
        assert not browser.overflowing(), width
    look_at(browser, many.page, "long-names", LONG, "reports only")
    look_at(browser, f"{many.page}?domain={LONG}", "domain-long-name", f"_mta-sts.{LONG}.")


def rows_of_all_pages(browser):
    """The names in the first column of this page and all that follow it."""
    names = []
    while True:
        names += browser.run("return Array.from(document.querySelectorAll('tbody th'), (each) => each.textContent)")
        further = browser.all("a[rel=next]")
        if not further:
            return names
        browser.open(further[0].get_attribute("href"))


def test_a_search_is_paged(browser, many):
    look_at(browser, f"{many.page}?q=CUSTOMER-5", "search", "Domains with “CUSTOMER-5”", "customer-59.example")
    browser.open(f"{many.page}?q=customer")
    assert sorted(rows_of_all_pages(browser)) == sorted(NAMES.split())
    look_at(browser, f"{many.page}?q={'%3Cb%3E%22%26'}", "search-none", "Domains with “<b>\"&”", "There are none")


def test_policies_are_paged(browser, shown):
    shown.configure("".join(f"  - {{domain: policy-{number}.example, mode: none}}\n" for number in range(120)))
    shown.start()
    browser.be()
    browser.open(shown.page)
    assert rows_of_all_pages(browser) == [f"policy-{number}.example" for number in range(120)]
    browser.one("#policies .more a").click()
    browser.wait_text("policy-0.example", "#policies")


@pytest.mark.parametrize("name, query, text", [
    ("missing", "?domain=nosuch.example", "nosuch.example"),
    ("missing-markup", "?domain=%3Cscript%3Ealert(1)%3C/script%3E", "To the overview"),
    ("bad-state", "?state=no-such", "To the overview"),
    ("bad-number", "?policies=x", "To the overview"),
])
def test_what_is_not_there_is_refused_in_a_page(browser, many, name, query, text):
    look_at(browser, many.page + query, name, text, messages=["Failed to load resource"])
    browser.one("main a").click()
    browser.wait_text("Policies", "#policies")


# What the script does.


def looks(browser):
    """How often the page has been asked for again."""
    return browser.run("return performance.getEntriesByName(location.href, 'resource').length")


def add_policy(service, name, policies):
    """Reloads the service with one more policy."""
    service.configure(f"  - {{domain: {name}, mode: none}}\n{policies}")
    service.reload()


def test_a_reload_is_seen_at_the_next_look_and_disturbs_nothing_that_a_reader_does(browser, internet, shown):
    """A look is every 2 seconds."""
    policies = POLICIES["expired.example"] + POLICIES["ends-soon.example"]
    shown.configure(policies)
    shown.start()
    shown.verify(internet)
    policies += "".join(f"  - {{domain: policy-{number}.example, mode: none}}\n" for number in range(30))
    shown.configure(policies)
    shown.reload()
    browser.be()
    browser.open(shown.page)
    browser.run("window.isSame = true")
    error, warning = browser.all("details.finding")
    for each in error, warning:
        each.find_element("tag name", "summary").click()
    browser.one("#q").send_keys("unfinished")
    browser.press(Keys.ARROW_LEFT)
    browser.run("scrollTo(0, 300)")
    browser.run("""
        new MutationObserver((changes, observer) => {
            if (!document.querySelector("tr[data-key='first.example']"))
                return;
            window.looks = performance.getEntriesByName(location.href, "resource").length;
            observer.disconnect();
        }).observe(document.body, {subtree: true, childList: true});
    """)
    add_policy(shown, "first.example", policies)
    at = looks(browser)
    browser.wait_text("first.example", "#policies")
    assert browser.run("return window.looks") - at <= 2
    assert "Policies" in browser.run("return document.getElementById('news').textContent")
    assert browser.run("""
        const field = document.activeElement;
        return [isSame, field.id, field.value, field.selectionStart, scrollY];
    """) == [True, "q", "unfinished", len("unfinished") - 1, 300]
    assert [each.get_attribute("open") for each in (error, warning)] == [None, "true"]
    browser.run("getSelection().selectAllChildren(document.getElementById('verdict-title'))")
    selected = browser.run("return String(getSelection())")
    link = browser.one("tr[data-key='policy-29.example'] a")
    browser.run("arguments[0].focus()", link)
    add_policy(shown, "second.example", policies)
    browser.wait_text("second.example", "#policies")
    assert browser.text("#policies").count("first.example") == 0
    assert browser.focused() == link
    assert browser.run("return String(getSelection())") == selected != ""


def test_a_service_that_does_not_answer_is_said_and_when_it_does_again(browser, shown):
    good(shown)
    shown.start()
    browser.be()
    browser.open(shown.page)
    assert browser.text("#live") == "live"
    shown.stop()
    browser.wait_text("The service has not answered since", "#lost")
    for scheme, width in LOOKS:
        browser.be(scheme, width)
        browser.photograph(f"lost-{scheme}-{width}")
        assert browser.violations() == [] and not browser.overflowing()
    shown.start()
    wait_until(lambda: not browser.text("#lost"), "the service to be seen again")
    assert browser.text("#live") == "live"


@pytest.mark.parametrize("code, page", [(500, ""), (502, "<title>Bad gateway</title><h1>Bad gateway</h1>"),
                                        (200, "<h1>Who are you?</h1>")])
def test_what_is_no_page_of_the_service_does_not_take_the_place_of_one(browser, many, code, page):
    """A proxy may answer with its own, and a service without memory with nothing."""
    browser.be()
    browser.open(many.page)
    browser.run("""
        const [status, page] = arguments;
        window.itself = window.fetch;
        window.fetch = async () => new Response(page, {status, headers: {"Content-Type": "text/html"}});
    """, code, page)
    browser.wait_text("The service has not answered since", "#lost")
    assert "example.net" in browser.text("#policies")
    browser.run("window.fetch = window.itself")
    wait_until(lambda: not browser.text("#lost"), "the service to be seen again")
    assert browser.text("#live") == "live"


def test_a_hidden_tab_does_not_ask(browser, many):
    browser.be()
    browser.open(many.page)
    browser.run("""
        window.asked = [];
        document.addEventListener("visibilitychange", () => asked.push(
            performance.getEntriesByName(location.href, "resource").length));
    """)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    try:
        browser.open(many.page)
        asked = looks(browser)
        wait_until(lambda: looks(browser) >= asked + 3, "the tab that is seen to look three times")
    finally:
        browser.driver.close()
        browser.driver.switch_to.window(first)
    wait_until(lambda: browser.run("return asked.length") == 2, "the tab to be seen again")
    hidden, seen = browser.run("return asked")
    assert seen - hidden <= 1  # the look that was due next
    browser.run("performance.clearResourceTimings()")
    wait_until(lambda: looks(browser) > 0, "the tab to look again")


def test_times_are_those_of_the_readers_zone_with_utc_on_hover(browser, many):
    browser.be()
    browser.order("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    try:
        browser.open(many.page)
        element = browser.one("footer time")
        started = status(many)["started"]
        assert element.get_attribute("datetime") == started
        assert element.get_attribute("title") == started.replace("T", " ").replace("Z", " UTC")
        assert element.text == browser.run("""
            return new Date(arguments[0]).toLocaleString("en-GB", {
                timeZone: "Asia/Kolkata", dateStyle: "medium", timeStyle: "short"});
        """, started)
        assert re.fullmatch(r"now|\d+ (second|minute)s? ago", browser.text(".facts time"))
    finally:
        browser.order("Emulation.setTimezoneOverride", timezoneId="")


def test_a_search_finds_as_one_types(browser, many):
    browser.be()
    browser.open(many.page)
    browser.forget()
    browser.one("#q").send_keys("customer-5")
    browser.wait_text("more than 10 domains", "#hits")
    browser.one("#q").send_keys("9")
    browser.wait_text("1 domain", "#hits")
    assert browser.run("return document.getElementById('n_hits').textContent") == "1 domain"
    for scheme, width in LOOKS:
        browser.be(scheme, width)
        browser.photograph(f"typing-{scheme}-{width}")
        assert browser.violations() == [] and not browser.overflowing()
    browser.one("#q").send_keys("<b>")
    browser.wait_text("no domains", "#hits")
    assert browser.messages() == []
    browser.press(Keys.ESCAPE)
    assert not browser.one("#hits").is_displayed()
    assert browser.run("return document.getElementById('n_hits').textContent") == ""


def test_a_search_finds_where_the_address_has_a_password(browser, many):
    """As for a web server in front."""
    browser.be()
    browser.open(many.page.replace("//", "//name:password@"))
    browser.one("#q").send_keys("customer-59")
    browser.wait_text("1 domain", "#hits")


def test_what_was_found_stays_until_a_click_on_it_is_complete(browser, many):
    """Links do not take the focus in each browser."""
    browser.be()
    browser.open(many.page)
    browser.one("#q").send_keys("customer-59")
    browser.wait_text("1 domain", "#hits")
    link = browser.one("#hits a")
    ActionChains(browser.driver).click_and_hold(link).perform()
    assert browser.focused() == browser.one("#q") and link.is_displayed()
    ActionChains(browser.driver).release().perform()
    browser.wait_text("customer-59.example", "h1")


TO_SEARCH = [Keys.TAB] * 3  # past the links to the content and to the overview


def test_everything_is_reached_by_the_keyboard_alone(browser, many):
    browser.be()
    browser.open(many.page)
    browser.press(Keys.TAB)
    assert browser.focused().text == "Skip to the content"
    browser.press(Keys.ENTER, Keys.TAB)
    assert browser.focused().text == "What senders see was never verified."
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    focused = browser.focused()
    browser.press("/")  # no single key does anything (WCAG 2.1.4)
    assert browser.focused() == focused
    browser.open(many.page)
    browser.press(*TO_SEARCH, "customer-5")
    browser.wait_text("All that match", "#hits")
    browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    name = browser.focused().text.split()[0]
    browser.press(Keys.ENTER)
    browser.wait_text(name, "h1")
    browser.press(*TO_SEARCH, "reports", Keys.ENTER)
    browser.wait_text("Domains with “reports”", "h1")


def test_a_site_that_has_its_name_lead_to_this_machine_shows_nothing(many):
    with Browser(["--host-resolver-rules=MAP evil.example 127.0.0.1"]) as browser:
        browser.driver.get(many.page.replace("127.0.0.1", "evil.example"))
        assert 'found the Host field "evil.example:' in browser.text()
        browser.open(many.page.replace("127.0.0.1", "localhost"))
        assert "example.net" in browser.text("#policies")


def test_other_machines_may_use_any_name(network, shown):
    network.run("ip", "address", "add", "192.0.2.9/32", "dev", "lo")
    good(shown)
    text = shown.config.read_text(encoding="utf-8")
    shown.config.write_text(text.replace(f"127.0.0.1:{shown.admin_port}", f"0.0.0.0:{shown.admin_port}"), encoding="utf-8")
    shown.start()
    with Browser(["--host-resolver-rules=MAP page.example 192.0.2.9"]) as browser:
        browser.open(shown.page.replace("127.0.0.1", "page.example"))
        assert "good.example" in browser.text("#policies")


@pytest.fixture
def scriptless(browser):
    browser.order("Emulation.setScriptExecutionDisabled", value=True)
    yield browser
    browser.order("Emulation.setScriptExecutionDisabled", value=False)


def test_all_works_without_the_script_but_for_the_search_as_one_types(scriptless, many):
    scriptless.be()
    scriptless.driver.get(many.page)
    assert "example.net" in scriptless.text("#policies")
    assert re.search(r"Configuration read \d{4}-\d\d-\d\d \d\d:\d\d UTC", scriptless.text(".facts"))
    scriptless.one("#q").send_keys("customer-59", Keys.ENTER)
    scriptless.wait_text("Domains with “customer-59”", "h1")
    scriptless.one("tbody th a").click()
    scriptless.wait_text("customer-59.example", "h1")
    scriptless.photograph("scriptless")


def test_a_printed_page_has_no_controls(browser, many):
    browser.be(width=794, media="print")
    browser.open(many.page)
    browser.photograph("print")
    assert not browser.one("#q").is_displayed()
    assert "example.net" in browser.text("#policies")


def test_a_domain_that_goes_while_it_is_looked_at_is_said_to_be_gone(browser, shown):
    shown.configure(POLICIES["good.example"] + "  - {domain: other.example, mode: none}\n")
    shown.start()
    browser.be()
    browser.open(f"{shown.page}?domain=other.example")
    shown.configure(POLICIES["good.example"])
    shown.reload()
    browser.wait_text("No such domain", "h1")
    wait_until(lambda: not browser.text("#live"), "the page not to be live any more")
