"""Traces of messages that Exim, Sendmail and OpenSMTPD took in (tests/data/mtas)."""

from __future__ import annotations

from pathlib import Path

from tracing import told

DATA = Path(__file__).parents[1] / "data" / "mtas"


def fates(query: str, name: str) -> list[tuple[str | None, list[tuple[str | None, str]]]]:
    """Queue ids of a query's stories, each with its recipients and their fates."""
    return [
        (trail.queue_id, sorted((each.recipient, each.status) for each in trail.recipients))
        for story in told(query, DATA / name).stories
        for trail in story.trails
    ]


def links(query: str, name: str) -> set[tuple[str | None, str, str | None]]:
    return {
        (trail.queue_id, link.kind, link.queue_id)
        for story in told(query, DATA / name).stories
        for trail in story.trails
        for link in trail.links
        if link.direction == "to"
    }


def test_exim_by_id_with_its_bounce() -> None:
    assert fates("1xWhnz-00002t-07", "exim-mainlog") == [
        (
            "1xWhnz-00002t-07",
            [
                ("full@example.net", "deleted"),
                ("nobody@example.net", "bounced"),
                ("ok@example.net", "sent"),
                ("team@example.org", "sent"),
                ("two@example.net", "sent"),
                ("zed@example.com", "deleted"),
            ],
        ),
        ("1xWhnz-000032-1E", [("carol@example.com", "deferred")]),
    ]
    assert links("1xWhnz-00002t-07", "exim-mainlog") == {("1xWhnz-00002t-07", "bounced", "1xWhnz-000032-1E")}


def test_exim_by_address_finds_the_whole_message() -> None:
    [story] = [
        story
        for story in told("team@example.org", DATA / "exim-mainlog").stories
        if story.trails[0].queue_id == "1xWhnz-00002t-07"
    ]
    assert story.trails[0].message_id is not None
    assert story.trails[0].sender == "carol@example.com"


def test_sendmail_from_submission_to_delivery() -> None:
    assert fates("6AQMAaoj000281", "sendmail.log") == [
        ("6AQMAaoj000281", [("bob@example.org", "sent"), ("ok@example.net", "bounced")]),
        ("6AQMAaNm000282", [("bob@example.org", "sent"), ("ok@mail.example.org", "rejected")]),
        ("6AQMAaok000281", [("alice@example.org", "sent")]),
        ("6AQMAaNo000282", [("alice@example.org", "sent")]),
    ]
    assert links("6AQMAaoj000281", "sendmail.log") == {
        ("6AQMAaoj000281", "filtered", "6AQMAaNm000282"),
        ("6AQMAaoj000281", "bounced", "6AQMAaok000281"),
        ("6AQMAaok000281", "filtered", "6AQMAaNo000282"),
    }


def test_opensmtpd_by_msgid() -> None:
    assert fates("ebe83704", "opensmtpd.log") == [
        (
            "ebe83704",
            [
                ("full@example.net", "deferred"),
                ("nobody@example.net", "bounced"),
                ("ok@example.net", "sent"),
                ("team@example.org", "sent"),
                ("two@example.net", "sent"),
            ],
        )
    ]


def test_each_envelope_of_opensmtpd_is_told_as_one() -> None:
    [story] = told("ebe83704", DATA / "opensmtpd.log").stories
    words = [step.words for step in story.trails[0].steps if step.event == "queued"]
    assert words == ["A recipient of the message: it has an envelope in the queue"] * 5
