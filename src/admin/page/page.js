/* What the pages do beyond HTML: they stay up to date, tell times as the reader's clock does, and find domains as
 * one types. The service makes the HTML, which works without this script.
 *
 * Every other second the page is asked for again, with the tag of what is shown; mostly the answer is that
 * nothing changed. Else the new page is compared with this one, node by node, and only what differs is
 * replaced, so that focus, selection, scroll position, what is open and what is being typed stay. Elements
 * with data-script belong to this script. */
"use strict";

const PERIOD = 2000; // ms between two looks
const PATIENCE = 6000; // ms for an answer
const TYPING = 150; // ms without a key before a search
const MAX_HITS = 10;

const byId = (id) => document.getElementById(id);

/* Times. */

const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]; // in seconds

/* The largest unit of which there are at least two: 90 minutes are not 1 hour. */
function fromNow(date) {
    const seconds = (date - Date.now()) / 1000;
    const [unit, length] = UNITS.find((each) => Math.abs(seconds) >= 2 * each[1]) ?? ["second", 1];

    if (Math.abs(seconds) < 10)
        return "now";
    return relative.format(Math.round(seconds / length), unit);
}

function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

function tellTimes() {
    for (const element of document.querySelectorAll("time[datetime]")) {
        const date = new Date(element.dateTime);

        if (isNaN(date))
            continue;
        const utc = date.toISOString().replace("T", " ").replace(".000Z", " UTC");
        const isRelative = element.classList.contains("relative");

        setText(element, isRelative ? fromNow(date) : format.format(date));
        element.title = isRelative ? `${format.format(date)} (${utc})` : utc;
    }
}

/* Staying up to date. */

function keyOf(node) {
    return node.nodeType === Node.ELEMENT_NODE
        ? `${node.nodeName} ${node.id || node.dataset.key || ""}` : node.nodeName;
}

/* Makes a node what another one is, and adds what was touched to a set. */
function renew(mine, theirs, touched) {
    if (mine.nodeType !== Node.ELEMENT_NODE) {
        if (mine.nodeValue !== theirs.nodeValue) {
            mine.nodeValue = theirs.nodeValue;
            touched.add(mine.parentElement);
        }
        return;
    }
    if (mine.hasAttribute("data-script") || mine.nodeName === "INPUT")
        return;
    if (mine.nodeName === "TIME" && mine.dateTime === theirs.dateTime)
        return;
    renewAttributes(mine, theirs, touched);
    renewChildren(mine, theirs, touched);
}

function renewAttributes(mine, theirs, touched) {
    for (const { name, value } of theirs.attributes)
        if (name !== "open" && mine.getAttribute(name) !== value) {
            mine.setAttribute(name, value);
            touched.add(mine);
        }
    for (const { name } of [...mine.attributes])
        if (name !== "open" && !theirs.hasAttribute(name))
            mine.removeAttribute(name);
}

function renewChildren(mine, theirs, touched) {
    const wanted = new Set(Array.from(theirs.childNodes, keyOf));

    for (const child of [...mine.childNodes])
        if (!wanted.has(keyOf(child))) {
            child.remove();
            touched.add(mine);
        }
    let at = mine.firstChild;
    for (const child of theirs.childNodes) {
        let old = at;

        while (old && keyOf(old) !== keyOf(child))
            old = old.nextSibling;
        if (!old) {
            const added = document.importNode(child, true);

            mine.insertBefore(added, at);
            touched.add(added.nodeType === Node.ELEMENT_NODE ? added : mine);
            continue;
        }
        if (old === at)
            at = at.nextSibling;
        else
            mine.insertBefore(old, at);
        renew(old, child, touched);
    }
    while (at) {
        const next = at.nextSibling;

        at.remove();
        touched.add(mine);
        at = next;
    }
}

/* Shows and says what changed: a change of the verdict by its sentence, others by where they are. */
function tell(touched) {
    const headings = new Set();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

    for (const element of touched) {
        const section = element.closest("section[aria-labelledby]");
        const heading = section && byId(section.getAttribute("aria-labelledby"));
        const shown = element.closest("article, tr, li, dd, p, h1") ?? element;

        if (heading)
            headings.add(heading.textContent.replace(/\s+/g, " ").trim());
        if (!calm)
            shown.animate([{ opacity: 0.35 }, { opacity: 1 }], 700);
    }
    if (headings.size > 0)
        byId("news").textContent = `${clock.format(Date.now())}: changed: ${[...headings].join(", ")}`;
}

/* A proxy in front may answer with a page of its own, and who runs out of memory with an empty one. */
function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const touched = new Set();

    if (!fresh.getElementById("live"))
        throw new Error("not a page of the service");
    document.title = fresh.title;
    renew(document.body, fresh.body, touched);
    tellTimes();
    tell(touched);
}

let tag = ""; // of what is shown
let answered = Date.now(); // when the service last did
let misses = 0;
let timer = 0;

function showLost() {
    byId("live").classList.remove("on");
    setText(byId("live"), "no answer");
    setText(byId("lost"),
        `The service has not answered since ${clock.format(answered)}. What you see is from then.`);
}

function showLive() {
    misses = 0;
    answered = Date.now();
    byId("live").classList.add("on");
    setText(byId("live"), "live");
    setText(byId("lost"), "");
}

/* Asks for this page again, and shows what came. */
async function renewPage() {
    const reply = await fetch(location.href, {
        headers: { "If-None-Match": tag },
        signal: AbortSignal.timeout(PATIENCE),
    });

    if (reply.status === 304)
        return;
    if (!reply.headers.get("Content-Type")?.startsWith("text/html"))
        throw new Error("no page");
    show(await reply.text());
    tag = reply.headers.get("ETag") ?? "";
}

/* One miss is a restart, perhaps; two are told. A page that says what is wrong with its address, or that
 * the domain is gone, stays as it is: asking again would fill the console. */
async function look() {
    timer = -1;
    if (document.body.hasAttribute("data-still")) {
        byId("live").classList.remove("on");
        setText(byId("live"), "");
        return;
    }
    try {
        await renewPage();
        showLive();
    } catch {
        if (++misses > 1)
            showLost();
    }
    tellTimes();
    timer = document.hidden ? 0 : setTimeout(look, PERIOD);
}

document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer === 0)
        look();
});

/* The search. */

const field = byId("q");
const hits = byId("hits");
let typing = 0;
let search = new AbortController();

function element(name, className, text) {
    const made = document.createElement(name);

    made.className = className;
    made.textContent = text;
    return made;
}

function hitLink(hit) {
    const link = document.createElement("a");

    link.href = `?domain=${encodeURIComponent(hit.domain)}`;
    link.append(element("span", "", hit.domain),
        element("span", "note", hit.state === "published" ? hit.policy : hit.state.replace("_", " ")));
    return link;
}

function showHits(text, found) {
    const shown = found.domains.slice(0, MAX_HITS).map(hitLink);
    const isAll = found.next === null && found.domains.length <= MAX_HITS;

    if (!isAll) {
        const all = element("a", "all", "All that match");

        all.href = `?q=${encodeURIComponent(text)}`;
        shown.push(all);
    }
    const count = isAll ? found.domains.length : `more than ${MAX_HITS}`;
    const words = count === 1 ? "1 domain" : `${count || "no"} domains`;

    hits.replaceChildren(...shown, element("p", "", words));
    hits.lastChild.setAttribute("aria-hidden", "true");
    hits.hidden = false;
    setText(byId("n_hits"), words); // a screen reader says what changes in an element that was there before
}

function hideHits() {
    clearTimeout(typing);
    search.abort();
    hits.hidden = true;
    setText(byId("n_hits"), "");
}

async function find() {
    const text = field.value.trim();

    hideHits();
    if (!text)
        return;
    search = new AbortController();
    try {
        // Not by the base of the document, which keeps a password of the address: fetch refuses these.
        const url = new URL(`domains?q=${encodeURIComponent(text)}`, location.href);
        const reply = await fetch(url, { signal: search.signal });

        showHits(text, await reply.json());
    } catch {
        // A newer search, or no answer, which the page tells anyway.
    }
}

/* Arrows go from the field through what was found and back; Escape closes that. */
function step(event) {
    const places = [field, ...hits.querySelectorAll("a")];
    const at = places.indexOf(document.activeElement);
    const steps = { ArrowDown: 1, ArrowUp: -1 };

    if (event.key === "Escape" && !hits.hidden) {
        hideHits();
        field.focus();
    } else if (event.key in steps && at >= 0 && !hits.hidden) {
        places[Math.min(Math.max(at + steps[event.key], 0), places.length - 1)].focus();
    } else {
        return;
    }
    event.preventDefault();
}

field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(find, TYPING);
});
field.form.addEventListener("keydown", step);
field.form.addEventListener("focusout", (event) => {
    if (!field.form.contains(event.relatedTarget))
        hideHits();
});
/* Where a click gives a link no focus, as in Safari, the field would lose its own and hide the link before the
 * click is complete. */
hits.addEventListener("mousedown", (event) => event.preventDefault());

tellTimes();
look();
