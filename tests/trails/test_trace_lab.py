"""Real logs: trace and the tracker of every report agree on every message."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from tracing import SHARED, library, links, only, sources, told

from mailscope.intake.sources import Sources, utc_now
from mailscope.pipeline import Pipeline

LAB: Final = SHARED / "lab"
LIGHTMETER: Final = SHARED / "corpora/lightmeter/raw/test_files/postfix_logs/individual_files"
KEYS: Final = ("queue_id", "host", "instance", "first_time", "sender", "size_bytes", "message_id", "ended")
EACH: Final = 40

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the lab's logs are not here")


def tracked(path: Path) -> dict[str, list[Any]]:
    """Messages by queue id with their recipients, as a whole run over the log tells them."""
    messages: list[dict[str, Any]] = []
    recipients: dict[int, list[Any]] = defaultdict(list)
    pipeline = Pipeline(Sources(sources([path]), ZoneInfo("UTC"), utc_now()), library())
    for _, outcome in pipeline.follow():
        messages += outcome.messages.to_dicts()
        for row in outcome.recipients.to_dicts():
            recipients[row["trail"]].append((row["recipient"], row["fate"], row["attempts"]))
    out: dict[str, list[Any]] = defaultdict(list)
    for message in messages:
        fates = sorted(recipients[message["trail"]], key=str)
        out[message["queue_id"]].append((*(message[key] for key in KEYS), fates))
    return out


def traced(queue_id: str, path: Path) -> list[Any]:
    out = []
    for story in told(queue_id, path, kind="queue-id", limit=1000).stories:
        for trail in story.trails:
            if trail.matched:
                # Recipients that were refused, or whose delivery has not ended, are trace's alone.
                fates = sorted(
                    (
                        (each.recipient, each.status, len(each.attempts))
                        for each in trail.recipients
                        if each.status != "rejected" and not (each.recipient and not each.attempts)
                    ),
                    key=str,
                )
                out.append((*(getattr(trail, key) for key in KEYS), fates))
    return out


@pytest.mark.parametrize(
    "path",
    [
        LAB / "postfix/full-run.mail.log.bsd",
        LAB / "postfix/mail.log.rfc3339",
        LAB / "qmail/splogger.log.bsd",
        LAB / "qmail/multilog-all.tai64n",
        LAB / "qmail/multilog",
        LIGHTMETER / "14_reuse_of_queueid.log",
    ],
    ids=lambda path: path.name,
)
def test_trace_and_report_agree(path: Path) -> None:
    if not path.exists():
        pytest.skip("not here")
    wanted = tracked(path)
    names = sorted(wanted)
    for name in names[:: max(1, len(names) // EACH)]:
        assert sorted(traced(name, path), key=str) == sorted(wanted[name], key=str)


def test_ids_that_are_used_again_are_stories_of_their_own() -> None:
    path = LAB / "qmail/splogger.log.bsd"
    wanted = tracked(path)
    again = [name for name, messages in wanted.items() if len(messages) > 1]
    assert again
    for name in again:
        matched = [t for story in told(name, path).stories for t in story.trails if t.matched]
        assert len(matched) == len(wanted[name])


def test_two_hosts_logs_make_one_story() -> None:
    paths = sorted(LIGHTMETER.glob("29_inbound_relayed_message_server_?.log"))
    if not paths:
        pytest.skip("not here")
    story = only("670FCA58C8", *paths)
    assert links(story) == [("670FCA58C8", "relayed", "F27E789349", "certain")]
    assert len({trail.host for trail in story.trails}) == 2


def test_two_passes_through_filters_make_one_story() -> None:
    path = LIGHTMETER / "5_zimbra_amavisd.log"
    if not path.exists():
        pytest.skip("not here")
    story = only("218BEDC28EC", path)
    assert [(here, kind, there) for here, kind, there, _ in links(story)] == [
        ("E8759DC24C3", "filtered", "218BEDC28EC"),
        ("218BEDC28EC", "filtered", "33DE0DC24C3"),
    ]
