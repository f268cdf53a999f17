"""Logging in with a second factor, and a domain owner who is shown the own domain only, in a browser."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mta import free_port
from serving import Daemon, append

from mailscope.web.people import second_factor

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (Debian: chromium)"),
]
PASSWORD = "a horse that eats 17 staples"
PATIENCE_MS = 60_000


def message(number: int, sender: str, recipient: str) -> list[str]:
    at = (datetime.now(UTC) - timedelta(minutes=10)).isoformat(timespec="microseconds")
    queue_id = f"4D{number:09X}"
    return [
        f"{at} mx postfix/smtpd[9]: {queue_id}: client=host.example.org[192.0.2.7]",
        f"{at} mx postfix/qmgr[7]: {queue_id}: from=<{sender}>, size=912, nrcpt=1 (queue active)",
        f"{at} mx postfix/smtp[44]: {queue_id}: to=<{recipient}>, relay=mx.example.com[198.51.100.3]:25, "
        "delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
        f"{at} mx postfix/qmgr[7]: {queue_id}: removed",
    ]


LINES = [
    *message(1, "ann@example.org", "full@example.com"),
    *message(2, "ann@example.org", "else@example.edu"),
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, str]]:
    """A daemon with one account, of the owner of example.com; and the link to its first password."""
    with Daemon(tmp_path_factory.mktemp("people")) as running:
        port = free_port()
        running.config.write_text(running.config.read_text() + f"[web]\nenabled = true\nport = {port}\n")
        append(running.log, LINES)
        running.start()
        running.wait_for(len(LINES))
        made = running.ask("people", "add", "carol", "--role", "domain-owner", "--domain", "example.com")
        link = re.search(r"/welcome\?key=\S+", made.stdout + made.stderr)
        assert link is not None, made
        yield running, f"http://127.0.0.1:{port}{link[0]}"
        running.stop()


@pytest.fixture(scope="module")
def page(daemon: tuple[Daemon, str]) -> Iterator[Any]:
    """The owner, logged in."""
    link = daemon[1]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=link.partition("/welcome")[0])
        context.set_default_timeout(PATIENCE_MS)
        opened = context.new_page()
        opened.goto(link)
        for field in opened.locator("input[type=password]").all():
            field.fill(PASSWORD)
        opened.locator("form button").last.click()
        opened.wait_for_url(lambda url: "/welcome" not in url)
        if "/login" in opened.url:
            log_in(opened)
            opened.wait_for_url(lambda url: "/login" not in url)
        yield opened
        browser.close()


def log_in(page: Any, code: str = "") -> None:
    page.goto("/login")
    page.fill("input[name=name]", "carol")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=code]", code)
    page.locator("main form button").last.click()


def test_a_domain_owner_sees_the_own_mail_with_others_masked(page: Any) -> None:
    page.goto("/messages?range=24h")
    text = page.locator("main").inner_text()
    assert "full@example.com" in text
    assert "***@example.org" in text
    page.goto("/domains?range=24h")
    assert "example.com" in page.locator("main").inner_text()
    for path in ("/messages?range=24h", "/messages?range=24h&q=else@example.edu", "/domains?range=24h"):
        page.goto(path)
        assert "else@" not in page.content().replace("q=else@", "").replace('value="else@', ""), path
        assert "ann@example.org" not in page.content(), path
    page.goto("/messages?range=24h")
    page.locator("a[href^='/messages/']").first.click()
    page.wait_for_url(re.compile("/messages/[0-9a-f]+"))
    assert "full@example.com" in page.locator("#recipients").inner_text()
    assert "ann@example.org" not in page.content()


@pytest.mark.parametrize(
    "path",
    ["/lines", "/live", "/logins", "/security", "/host", "/findings", "/queue", "/audit", "/settings",
     "/domains/example.edu", "/about?subject=example.edu", "/about?subject=else@example.edu",
     "/v1/about?subject=example.edu", "/v1/sql", "/v1/trace?query=else@example.edu"],
)  # fmt: skip
def test_no_url_shows_a_domain_owner_anything_else(page: Any, path: str) -> None:
    answer = page.request.get(path)
    if answer.status == 200:
        # A search of others' mail finds nothing.
        assert answer.json() == []
    else:
        assert answer.status in (400, 403, 404, 405)
    assert "else@example.edu" not in answer.text().replace(path.partition("=")[2], "")


def test_logging_in_asks_for_the_code_of_an_app(page: Any) -> None:
    page.goto("/account")
    page.locator("form[action='/account/second-factor'] button").click()
    secret = page.locator("input[name=secret]").get_attribute("value")
    step = int(time.time()) // second_factor.STEP_S
    page.fill("form[action='/account/second-factor'] input[name=code]", second_factor.code(secret, step))
    page.locator("form[action='/account/second-factor'] button").click()
    page.locator("form[action='/account/second-factor'] button.danger").wait_for()
    page.context.clear_cookies()
    # Neither without a code, nor with a wrong one, nor with the one that was used.
    wrong = f"{(int(second_factor.code(secret, step + 1)) + 1) % 1_000_000:06}"
    for code in ("", wrong, second_factor.code(secret, step)):
        log_in(page, code)
        page.locator(".wrong").wait_for()
        assert page.request.get("/messages", max_redirects=0).status in (303, 401)
    log_in(page, second_factor.code(secret, int(time.time()) // second_factor.STEP_S + 1))
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/messages?range=24h")
    assert "full@example.com" in page.locator("main").inner_text()
