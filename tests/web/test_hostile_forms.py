"""Hostile text on the pages that need something to be there first: a finding, a plan for the queue, what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from finding_rows import finding
from siting import ADMIN, Site, running

from mailscope.queues.actions import Result
from mailscope.queues.entry import QueueEntry, Recipient, Spool
from mailscope.web.pages import queue_act, queue_spool

NOW = datetime.now(UTC)
EVIL = "<script>alert(1)</script></title>\u202egnp.exe\x1b[31m&\"'" + "=cmd|' /C calc'!A0"
LONG = "W" * 100_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("forms"), [f"{NOW.isoformat()} mx thing: x"]) as found:
        yield found


class Reading(HTMLParser):
    """Scripts and handlers of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]


def is_text(page: str) -> None:
    """Whether nothing in a page acts, and what was hostile can be read."""
    read = Reading(page)
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert read.scripts == 1
    assert not read.handlers
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert len(page) < 500_000


def test_a_finding(site: Site) -> None:
    told = [["{words}", {"words": EVIL + LONG}], ["{words}", {"words": EVIL}]]
    row = finding("a", NOW.replace(tzinfo=None), {"title": EVIL, "phrases": json.dumps(told)})
    site.service.add("findings", row)
    for _ in range(3):
        site.service.step()
    is_text(site.get(f"/findings/{'a' * 16}"))


def entry() -> QueueEntry:
    """A message whose every word is somebody else's."""
    made = QueueEntry("deferred", "4A11111111", EVIL, EVIL + LONG, reason=EVIL, problems=[EVIL])
    made.recipients.append(Recipient(EVIL, reason=EVIL + LONG))
    return made


def test_a_plan_for_the_queue(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    performer = SimpleNamespace(ready=lambda action: None, queues={"hold": ("deferred",)})
    mta: Any = SimpleNamespace(name="postfix", performer=lambda spool, action: performer)

    def opened(*_: Any) -> queue_spool.Queue:
        spool = Spool(Path("/nowhere"), NOW.timestamp(), lambda words: None)
        return queue_spool.Queue(mta, spool, [entry()], [EVIL])

    monkeypatch.setattr(queue_spool, "opened", opened)
    is_text(site.get("/queue/plan?action=hold&id=4A11111111"))


def test_what_came_of_it(site: Site) -> None:
    results = tuple(Result(entry(), outcome, EVIL + LONG) for outcome in ("done", "failed"))
    kept = queue_act.Kept(ADMIN.signature, "hold", ("4A11111111",) * 2, time.monotonic() + 60, results)
    is_text(site.get(f"/queue/done?plan={queue_act.PLANS.put(kept)}"))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", "non c'è l'intervallo 'x'"),
        ("sv", "det finns inget tidsspann 'x'"),
        ("zh", "没有“x”这个时间段"),
    ],
)
def test_refusals_speak_the_languages(site: Site, language: str, words: str) -> None:
    answer = site.ask("/messages?range=x", headers={"accept-language": language})
    assert answer.status == 400
    assert words in answer.text.replace("&#39;", "'")
