"""Postfix, Exim, Sendmail, OpenSMTPD and Postfix in a chain (tests/data/chain, made by benchmarks/fivehosts)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from tracing import only

from mailscope.trails.narrative.trail import Story

CHAIN: Final = Path(__file__).parents[1] / "data" / "chain"
LOGS: Final = sorted(path for path in CHAIN.rglob("*") if path.is_file())


def way(story: Story) -> list[tuple[str | None, str, str]]:
    """Queue ids in the order of the story, and with what evidence each led to the next."""
    return [
        (trail.queue_id, link.kind, f"{link.evidence}, {link.confidence}")
        for trail in story.trails
        for link in trail.links
        if link.direction == "to"
    ]


def ends(story: Story) -> list[tuple[str | None, str | None, str]]:
    return [
        (trail.host, each.recipient, each.status)
        for trail in story.trails
        for each in trail.recipients
        if not any(each.recipient in link.recipients for link in trail.links if link.direction == "to")
    ]


@pytest.mark.parametrize("logs", [LOGS, LOGS[::-1]])
def test_each_mta_tells_the_id_in_its_own_words(logs: list[Path]) -> None:
    story = only("one.1@example.org", *logs)
    assert way(story) == [
        ("6A29426204D", "relayed", "queued as 1xWtl5-00000e-1n, certain"),
        ("1xWtl5-00000e-1n", "relayed", "queued as 6ARB4pCH000055, certain"),
        ("6ARB4pCH000055", "relayed", "queued as d8a3deae, certain"),
        ("d8a3deae", "relayed", "queued as F0583262060, certain"),
    ]
    assert ends(story) == [("last.example.org", "frank@example.net", "sent")]


def test_two_recipients_in_one_line_of_sendmails() -> None:
    story = only("two.1@example.org", *LOGS)
    assert [trail.queue_id for trail in story.trails] == [
        *("6F94726204F", "1xWtl5-00000f-1q", "6ARB4pfh000056", "e866b0a7", "07E0F26204D"),
    ]
    assert ends(story) == [
        ("last.example.org", "eve@example.net", "sent"),
        ("last.example.org", "frank@example.net", "sent"),
    ]


def test_a_bounce_at_the_end_of_the_chain() -> None:
    story = only("three.1@example.org", *LOGS)
    assert way(story)[-1] == (
        *("14E38262065", "bounced"),
        "sender non-delivery notification: 37095262060, certain",
    )
    assert ends(story) == [
        ("last.example.org", "gone@example.net", "bounced"),
        ("last.example.org", "alice@example.org", "bounced"),
    ]
