"""The live page in a browser: people log in, look, follow a number to its lines, and change the queue.

Debian's Chromium through Playwright; axe-core looks for what keeps people out (WCAG 2.2 AA).
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from mta import Postfix, free_port, require_postfix, running_postfix
from serving import Daemon, append, message_lines

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (Debian: chromium)"),
]
AXE = Path(axe.__file__).with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PASSWORD = "a horse that eats 17 staples"
# What a browser says of what its policy kept it from is an error of ours.
WRONG = re.compile("Content Security Policy|Uncaught", re.IGNORECASE)
PATIENCE_MS = 60_000


def traffic() -> list[str]:
    """Mail of the last hours: sent, put off and refused, and attacks on logins."""
    now = datetime.now(UTC)
    lines = []
    for number in range(40):
        lines += message_lines(1, number, 3, now - timedelta(minutes=200 - 5 * number))
    for number in range(6):
        at = (now - timedelta(minutes=30 - number)).isoformat(timespec="microseconds")
        queue_id = f"4D{number:09X}"
        lines += [
            f"{at} mx postfix/smtpd[9]: {queue_id}: client=host.example.org[192.0.2.7]",
            f"{at} mx postfix/qmgr[7]: {queue_id}: from=<ann@example.org>, size=912, nrcpt=1 (queue active)",
            f"{at} mx postfix/smtp[44]: {queue_id}: to=<full@example.com>, relay=mx.example.com[198.51.100.3]:25, "
            "delay=0.5, delays=0.1/0/0.2/0.2, dsn=4.2.2, status=deferred (host mx.example.com[198.51.100.3] said: "
            "452 4.2.2 Mailbox full (in reply to RCPT TO command))",
            f"{at} mx sshd[9]: Failed password for root from 203.0.113.9 port 4242 ssh2",
        ]
    return lines


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """A Postfix in whose queue two messages wait."""
    require_postfix()
    # Everybody may enter it, as Postfix' programs give up their rights.
    with TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        with running_postfix(Path(made)) as running:
            for number in range(2):
                running.send(f"{number}@example.org", "ann@example.org", [f"defer{number}@example.net"])
            running.settle(2)
            yield running


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, postfix: Postfix) -> Iterator[Daemon]:
    place = tmp_path_factory.mktemp("browser")
    port = free_port()
    with Daemon(place) as running:
        more = f'[web]\nenabled = true\nport = {port}\nspool = "{postfix.config}"\n'
        running.config.write_text(running.config.read_text() + more)
        running.port = port  # type: ignore[attr-defined]
        lines = traffic()
        append(running.log, lines)
        running.start()
        running.wait_for(len(lines))
        yield running
        running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def state(daemon: Daemon, browser: Any) -> Any:
    """The first admin follows the link on the terminal and chooses a password; cookies of the session."""
    daemon.wait_for_words("/welcome?key=")
    link = re.search(r"http://\S+/welcome\?key=\S+", daemon.errors.read_text())
    assert link is not None
    context = browser.new_context()
    page = context.new_page()
    page.goto(link[0])
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("form button").last.click()
    page.wait_for_function("!document.querySelector('input[name=again]') || document.querySelector('.wrong')")
    assert "/welcome" not in page.url, page.inner_text("body")
    if "/login" in page.url:
        page.fill("input[name=name]", "admin")
        page.fill("input[name=password]", PASSWORD)
        page.locator("form button").last.click()
        page.wait_for_url(lambda url: "/login" not in url, timeout=PATIENCE_MS)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def page(daemon: Daemon, browser: Any, state: Any) -> Iterator[Any]:
    base = f"http://127.0.0.1:{daemon.port}"  # type: ignore[attr-defined]
    context = browser.new_context(storage_state=state, base_url=base)
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda told: said.append(told.text))
    opened.on("pageerror", lambda error: said.append(f"Uncaught {error}"))
    yield opened
    assert not [words for words in said if WRONG.search(words)]
    context.close()


def test_nobody_sees_anything_before_logging_in(daemon: Daemon, browser: Any) -> None:
    context = browser.new_context(base_url=f"http://127.0.0.1:{daemon.port}")  # type: ignore[attr-defined]
    try:
        page = context.new_page()
        for path in ("/", "/messages", "/queue", "/live/stream"):
            page.goto(path)
            assert (
                "/login" in page.url
                or page.locator("input[name=password]").count()
                or "not logged in" in page.content()
            )
            assert "example.com" not in page.content()
    finally:
        context.close()


def test_a_message_is_searched_with_the_keyboard_and_followed_to_its_lines(page: Any) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("full@example.com")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/messages"))
    assert page.locator("#messages tbody tr").count() == 6
    page.locator("#messages td.time a").first.click()
    page.wait_for_url(re.compile("/messages/[0-9a-f]+"))
    assert "full@example.com" in page.locator("#recipients").inner_text()
    page.locator("ol.steps details summary").last.click()
    assert "status=deferred" in page.locator("ol.steps details[open]").inner_text()
    page.locator("ol.steps a").first.click()
    page.wait_for_url(re.compile("/lines/around"))
    assert "postfix/smtp[44]" in page.locator("#around").inner_text()


def test_a_bar_leads_to_what_it_counts(page: Any) -> None:
    page.goto("/?range=24h")
    bar = page.locator("svg.chart a[href*='status=deferred']").last
    told = bar.get_attribute("aria-label")
    assert told is not None
    count = int(re.search(r": ([0-9,]+) ", told)[1])  # type: ignore[index]
    page.goto(bar.get_attribute("href"))
    assert page.locator("#deliveries tbody tr").count() == count
    page.locator("#deliveries td.status a").first.click()
    page.wait_for_url(re.compile("/messages/[0-9a-f]+"))


def shows(page: Any, place: str, wanted: Callable[[str], bool]) -> None:
    """Until a place of the page shows something, without loading it again."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while not wanted(page.locator(place).first.inner_text()):
        assert time.monotonic() < until
        page.wait_for_timeout(200)


def test_figures_and_lines_come_while_one_looks(daemon: Daemon, page: Any) -> None:
    page.goto("/live")
    append(daemon.log, message_lines(1, 9_001, 5))
    shows(page, "#rows", lambda text: "a9001@example.org" in text)
    page.goto("/?range=24h")
    before = page.locator(".tile strong").first.inner_text()
    append(daemon.log, message_lines(3, 9_100, 5))
    shows(page, ".tile strong", lambda text: text != before)


def test_the_queue_is_changed_after_it_was_confirmed(daemon: Daemon, page: Any, postfix: Postfix) -> None:
    page.goto("/queue")
    rows = page.locator("#queue tbody tr")
    assert rows.count() == 2
    gone = rows.first.locator("td").nth(1).inner_text().strip()
    kept = rows.last.locator("td").nth(1).inner_text().strip()
    rows.first.locator("input[type=checkbox]").check()
    page.locator("button[value=delete]").click()
    page.wait_for_url(re.compile("/queue/plan"))
    # Nothing is done before it is confirmed, and what is confirmed is what is shown.
    assert postfix.queued() == {gone, kept}
    assert page.locator("#plan tbody tr").count() == 1
    assert gone in page.locator("#plan").inner_text()
    page.locator("main form button").click()
    page.wait_for_url(re.compile("/queue/done"))
    assert postfix.queued() == {kept}
    assert "queue delete" in (daemon.store / "audit.jsonl").read_text()
    page.goto("/queue")
    assert page.locator("#queue tbody tr").count() == 1


PAGES = ("/", "/messages", "/domains", "/causes", "/security", "/logins", "/queue", "/trends", "/host", "/live",
         "/findings", "/lines", "/settings", "/audit", "/about?subject=203.0.113.9", "/domains/example.com",
         "/causes/mailbox_full", "/account")  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_used_by_everybody(daemon: Daemon, browser: Any, state: Any, scheme: str) -> None:
    base = f"http://127.0.0.1:{daemon.port}"  # type: ignore[attr-defined]
    context = browser.new_context(
        storage_state=state, base_url=base, color_scheme=scheme, viewport={"width": 390, "height": 800}
    )
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        # The pages of one scheme each, so that all are looked at and half the time is taken.
        for path in PAGES[scheme == "dark" :: 2]:
            page.goto(path, wait_until="load")
            page.evaluate(AXE.read_text() + "\n;0")
            found = page.evaluate(
                "async tags => (await axe.run(document, {runOnly: tags})).violations.map(each =>"
                " [each.id, each.impact, each.nodes[0].html])",
                TAGS,
            )
            serious = [each for each in found if each[1] in ("serious", "critical")]
            assert not serious, (path, json.dumps(serious)[:1000])
            # On a telephone nothing is wider than the screen.
            assert page.evaluate("document.documentElement.scrollWidth") <= 391, path
    finally:
        context.close()


def test_pages_work_without_scripts(daemon: Daemon, browser: Any, state: Any) -> None:
    base = f"http://127.0.0.1:{daemon.port}"  # type: ignore[attr-defined]
    context = browser.new_context(storage_state=state, base_url=base, java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto("/messages?q=full@example.com")
        assert page.locator("#messages tbody tr").count() == 6
        page.goto("/")
        page.locator("details summary").click()
        page.fill("input[name=title]", "a note")
        page.locator("details button").click()
        page.wait_for_url(re.compile("/"))
        until = time.monotonic() + 30
        while "a note" not in page.content():
            assert time.monotonic() < until
            page.reload()
    finally:
        context.close()
