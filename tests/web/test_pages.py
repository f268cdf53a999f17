"""Every page over the real application: what it shows, where its numbers lead, and how it stands hostile text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, unquote
from zoneinfo import ZoneInfo

import pytest
from siting import Site, running

from mailscope.web.pages import PAGES, answering, pictures, span
from mailscope.web.people.viewer import Viewer

NOW = datetime.now(UTC).replace(microsecond=0)
EVIL = "<script>alert(1)</script></title>\u202egnp.exe\x1b[31m&\"'" + "=cmd|' /C calc'!A0"
LONG = "W" * 100_000


def at(minutes: int) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


def message(
    queue_id: str, minutes: int, to: str, status: str, reason: str, sender: str = "ann@example.org"
) -> list[str]:
    when = at(minutes)
    dsn = {"sent": "2.0.0", "deferred": "4.2.2", "bounced": "5.1.1"}[status]
    ended = [] if status == "deferred" else [f"{when} mx postfix/qmgr[7]: {queue_id}: removed"]
    return [
        f"{when} mx postfix/smtpd[900]: {queue_id}: client=host.example.org[192.0.2.7]",
        f"{when} mx postfix/cleanup[31]: {queue_id}: message-id=<{queue_id}@example.org>",
        f"{when} mx postfix/qmgr[7]: {queue_id}: from=<{sender}>, size=912, nrcpt=1 (queue active)",
        f"{when} mx postfix/smtp[44]: {queue_id}: to=<{to}>, relay=mx.example.net[198.51.100.2]:25, "
        f"delay=0.5, delays=0.1/0/0.2/0.2, dsn={dsn}, status={status} ({reason})",
        *ended,
    ]


LINES = [
    *message("4A11111111", 30, "bob@example.net", "sent", "250 2.0.0 Ok"),
    *message("4A22222222", 25, "full@example.net", "deferred", "host mx.example.net[198.51.100.2] said: 452 4.2.2 Mailbox full"),
    *message("4A33333333", 20, "none@example.com", "bounced", "host mx.example.com[198.51.100.3] said: 550 5.1.1 User unknown"),
    f"{at(15)} mx postfix/smtpd[900]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <x@example.org>: Relay access denied; "
    "from=<spam@example.com> to=<x@example.org> proto=ESMTP helo=<h>",
    *(f"{at(10)} mx sshd[9]: Failed password for root from 203.0.113.9 port 4{n} ssh2" for n in range(3)),
    f"{at(9)} mx sshd[9]: Accepted password for alice from 192.0.2.66 port 4242 ssh2",
    f"{at(8)} mx {EVIL}",
    f"{at(7)} mx postfix/smtpd[901]: NOQUEUE: reject: RCPT from unknown[203.0.113.10]: 550 5.1.1 <{EVIL}>: {EVIL}; "
    f"from=<{EVIL}> to=<v@example.org> proto=ESMTP helo=<{EVIL}>",
    *message("4A44444444", 5, f"{EVIL}@example.net", "bounced", f"host said: 550 {EVIL} {LONG}", EVIL),
]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("pages"), LINES) as found:
        yield found


class Reading(HTMLParser):
    """What a browser would make of it: tags, links, and text without markup."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def paths(site: Site) -> list[str]:
    trail = next(link for link in Reading(site.get("/messages")).links if link.startswith("/messages/"))
    made = {
        "/messages/{trail_id}": trail, "/domains/{domain}": "/domains/example.net",
        "/causes/{cause}": "/causes/mailbox_full", "/lines/around": f"/lines/around?at={at(10).replace('+', '%2B')}",
        "/about": "/about?subject=203.0.113.9",
    }  # fmt: skip
    left = {"/findings/{finding}", "/queue/plan", "/queue/done", "/search"}
    return [made.get(page.path, page.path) for page in PAGES if page.path not in left]


def test_every_page_is_there_and_hostile_text_is_text(site: Site) -> None:
    for path in paths(site):
        text = site.get(path)
        read = Reading(text)
        assert "\x1b" not in text, path
        assert "\u202e" not in text, path
        # One script of ours, no inline style, no handler.
        assert read.tags.count("script") == 1, path
        assert not {name for name in read.attributes if name.startswith("on") or name == "style"}, path
        assert "alert(1)" not in re.sub(
            "&lt;script&gt;alert\\(1\\)|%3Cscript%3Ealert%281%29", "", text, flags=re.IGNORECASE
        ), path
        assert len(text) < 500_000, path


def test_only_forms_of_pages_and_actions_that_roles_have(site: Site) -> None:
    from mailscope.web.people.roles import ACTIONS

    assert {page.action for page in PAGES} <= set(ACTIONS)
    assert len({page.name for page in PAGES}) == len(PAGES)


def test_a_number_leads_to_what_was_counted(site: Site) -> None:
    grid = json.loads(site.get("/domains?table=recipient_domains&format=json"))
    row = next(row for row in grid if row["domain"] == "example.net")
    assert (row["sent"], row["deferred"]) == (1, 1)
    links = [link for link in Reading(site.get("/domains")).links if "domain=example.net" in link]
    for status in ("sent", "deferred"):
        link = next(link for link in links if f"status={status}" in link)
        found = json.loads(site.get(f"{link}&table=deliveries&format=json"))
        assert len(found) == row[status], link
        assert {each["status"] for each in found} == {status}


def hour(link: str) -> bool:
    """Whether a link is of one hour: the legend's are of the whole span."""
    told = dict(parse_qsl(link.partition("?")[2]))
    return "from" in told and datetime.fromisoformat(told["to"]) - datetime.fromisoformat(
        told["from"]
    ) == timedelta(hours=1)


def test_bars_of_the_overview_lead_to_their_lists(site: Site) -> None:
    read = Reading(site.get("/?range=24h"))
    bars = [link for link in read.links if "status=bounced" in link and hour(link)]
    found = [each for link in bars for each in json.loads(site.get(f"{link}&table=deliveries&format=json"))]
    assert len(found) == 2
    refused = [
        link for link in read.links if link.startswith("/lines") and "event=rejected" in link and hour(link)
    ]
    assert sum(len(json.loads(site.get(f"{link}&table=lines&format=json"))) for link in refused) == 2


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@pytest.mark.parametrize("span", ["24h", "28d"])
def test_bars_of_logins_count_them_by_hours_and_by_days(site: Site, span: str, zone: str) -> None:
    """Days are counted by the tallies where the viewer's zone is the store's, otherwise by the lines."""
    text = site.ask(f"/logins?range={span}", headers={"cookie": f"{answering.ZONE}={zone}"}).text
    told = re.findall(r'aria-label="[^"]*: (\d+) (succeeded|failed)"', text)
    sums = {kind: sum(int(count) for count, each in told if each == kind) for _, kind in told}
    assert sums == {"succeeded": 1, "failed": 3}


@pytest.mark.parametrize("sought", ["FULL@Example.NET", "<full@example.net>", "full@example.net"])
def test_an_address_is_found_however_it_is_written(site: Site, sought: str) -> None:
    found = json.loads(site.get(f"/messages?q={sought}&table=messages&format=json"))
    assert [row["queue_id"] for row in found] == ["4A22222222"]


def test_a_message_is_told_with_its_raw_lines_and_those_around(site: Site) -> None:
    found = json.loads(site.get("/messages?q=full@example.net&table=messages&format=json"))
    assert [row["queue_id"] for row in found] == ["4A22222222"]
    link = next(
        each
        for each in Reading(site.get("/messages?q=full@example.net")).links
        if each.startswith("/messages/")
    )
    text = Reading(site.get(link)).text
    assert "full@example.net" in text
    assert "Mailbox full" in text
    assert "status=deferred" in text  # the line as logged
    around = next(each for each in Reading(site.get(link)).links if each.startswith("/lines/around"))
    lines = json.loads(site.get(f"{around}&table=around&format=json&n=200"))
    assert len(lines) == len(LINES)


@pytest.mark.parametrize(
    ("sought", "place"),
    [
        ("203.0.113.9", "/about?subject=203.0.113.9"),
        ("203.0.113.0/24", "/about?subject=203.0.113.0%2F24"),
        ("4A11111111", "/messages?q=4A11111111"),
        ("bob@example.net", "/messages?q=bob%40example.net"),
        ("hello world", "/lines?text=hello+world"),
    ],
)
def test_the_search_leads_to_what_tells_of_it(site: Site, sought: str, place: str) -> None:
    answer = site.ask(f"/search?q={sought}")
    assert answer.status == 303
    assert answer.headers["location"].startswith(place)


def test_csv_is_what_the_table_shows_and_runs_nothing(site: Site) -> None:
    text = site.get("/messages?table=messages&format=csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 4
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values() if value)
    assert site.ask("/messages?table=nothing&format=csv").status == 404


@pytest.mark.parametrize(
    "path",
    ["/?range=never", "/?from=yesterday", "/?from=2026-01-02&to=2026-01-01", "/causes/nosuch", "/messages/nosuch",
     "/lines/around?at=x", "/about?subject=x&kind=y", "/findings/ab", "/findings?state=lost", "/trends?of=x",
     "/messages?weekday=8&clock=99"],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_what_to_do(site: Site, path: str) -> None:
    answer = site.ask(path)
    assert answer.status == 400
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("language", ["it", "sv", "zh"])
def test_pages_speak_the_languages(site: Site, language: str) -> None:
    words = {"it": "Panoramica", "sv": "Översikt", "zh": "概览"}[language]
    text = site.ask("/", headers={"accept-language": f"{language},en;q=0.5"}).text
    assert words in text
    assert f'lang="{language}' in text


def test_times_are_of_the_viewers_zone_with_utc_beside(site: Site) -> None:
    text = site.ask("/lines", headers={"cookie": f"{answering.ZONE}=Asia/Kolkata"}).text
    local = (NOW - timedelta(minutes=9)).astimezone(ZoneInfo("Asia/Kolkata"))
    assert f"{local:%Y-%m-%d %H:%M:%S}" in text
    assert f'title="{NOW - timedelta(minutes=9):%Y-%m-%d %H:%M:%S} UTC"' in text


def test_a_finding_is_handled_and_a_mark_is_put(site: Site) -> None:
    assert site.post("/marks", "title=restart&details=why").status == 303
    assert "restart" in site.get("/")
    assert site.post("/marks", "title=").status == 400
    assert site.post("/findings/abcdef/handled", "action=acknowledged").status == 400


def test_who_may_not_see_a_page_is_told_so(site: Site) -> None:
    site.viewer = Viewer("help", "help desk")
    try:
        assert site.ask("/lines").status == 403
        assert site.ask("/security").status == 403
        text = site.get("/messages?q=full@example.net")
        link = next(each for each in Reading(text).links if each.startswith("/messages/"))
        assert "postfix/qmgr[7]" not in site.get(link)
        assert not [each for each in Reading(text).links if each.startswith(("/lines", "/settings"))]
    finally:
        site.viewer = None


def test_a_domain_owner_sees_the_own_domain_only(site: Site) -> None:
    link = next(
        each
        for each in Reading(site.get("/messages?q=none@example.com")).links
        if each.startswith("/messages/")
    )
    site.viewer = Viewer("owner", "domain owner", ("example.net",))
    try:
        assert site.ask("/").status == 403
        rows = json.loads(site.get("/domains?table=recipient_domains&format=json"))
        assert {row["domain"] for row in rows} == {"example.net"}
        assert site.ask("/domains/example.com").status == 400
        assert site.ask(link).status == 400
        assert site.ask("/about?subject=none@example.com").status == 400
        found = json.loads(site.get("/messages?table=messages&format=json"))
        assert {row["queue_id"] for row in found} == {"4A11111111", "4A22222222", "4A44444444"}
        assert "ann@example.org" not in unquote(site.get("/messages"))
    finally:
        site.viewer = None


def test_settings_show_no_secret(site: Site) -> None:
    assert "Settings" in site.get("/settings")


def test_files_are_ours_and_no_other(site: Site) -> None:
    for name, kind in (
        ("site.css", "text/css"),
        ("site.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ):
        answer = site.ask(f"/static/{name}")
        assert answer.headers["content-type"].startswith(kind)
    assert site.ask("/static/..%2fsite.py").status == 404


def test_spans_are_of_whole_hours_in_the_viewers_zone() -> None:
    now, zone = datetime(2026, 11, 27, 18, 20), ZoneInfo("Europe/Rome")
    assert span.named("today", zone, now) == span.Span(
        datetime(2026, 11, 26, 23), datetime(2026, 11, 27, 19), "today"
    )
    assert span.named("yesterday", zone, now).length == timedelta(days=1)
    found = span.read({"from": "2026-11-27T12:30", "to": "2026-11-27T14:00"}, zone, now)
    assert (found.since, found.until) == (datetime(2026, 11, 27, 11), datetime(2026, 11, 27, 13))
    # Summer time ends: the hour comes twice.
    week = span.Span(datetime(2026, 10, 24), datetime(2026, 10, 26))
    assert len(span.weekly(week, zone, 7, 2)) == 2


def test_charts_have_a_link_for_each_part_and_no_style() -> None:
    found = [
        pictures.Bar(
            "a", [pictures.Part(3, "sent", "three", "/x?a=1&b=2"), pictures.Part(0, "deferred", "none")]
        )
    ]
    drawn = str(pictures.bars("name", "told <b>", found))
    assert drawn.count("<a ") == 1
    assert 'href="/x?a=1&amp;b=2"' in drawn
    assert "told &lt;b&gt;" in drawn
    assert "style=" not in drawn
    assert not pictures.bars("name", "told", [pictures.Bar("a", [])])


def test_templates_hold_no_script_and_no_style() -> None:
    for path in (Path(answering.__file__).parents[1] / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|\|\s*safe\b|javascript:", text), (
            path.name
        )


def test_a_page_says_that_logs_are_still_being_read(tmp_path: Path) -> None:
    with running(tmp_path, LINES[:4]) as site:
        assert "still to be read" not in site.get("/settings")
        with (tmp_path / "mail.log").open("a") as log:
            log.write(f"{LINES[0]}\n" * (9_000_000 // len(LINES[0])))
        assert "MB of logs are still to be read" in site.get("/settings")
