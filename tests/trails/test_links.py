"""From one message to the next: a content filter gives mail back under another queue id."""

from __future__ import annotations

import pytest
from running import Run, postfix, told

FIRST = """
    12:00:00 smtpd 4FA1B2C3D4: client=c.example.org[192.0.2.1]
    12:00:01 qmgr 4FA1B2C3D4: from=<s@example.org>, size=900, nrcpt=1 (queue active)
"""
SECOND = """
    12:00:02 smtpd 4FA1B2C3FF: client=localhost[127.0.0.1]
    12:00:02 qmgr 4FA1B2C3FF: from=<s@example.org>, size=1100, nrcpt=1 (queue active)
"""
HANDED_ON = """
    12:00:03 smtp 4FA1B2C3D4: to=<a@example.org>, relay=127.0.0.1[127.0.0.1]:10024, delay=3, delays=1/0/1/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4FA1B2C3FF)
    12:00:03 qmgr 4FA1B2C3D4: removed
"""
DELIVERED = """
    12:00:04 smtp 4FA1B2C3FF: to=<a@example.org>, relay=r.example.net[192.0.2.9]:25, delay=2, delays=1/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77777777FF)
    12:00:04 qmgr 4FA1B2C3FF: removed
"""


def links(done: Run) -> list[tuple[str, str, str]]:
    """Queue ids at both ends, and what kind of link it is."""
    names = done.names
    rows = done.rows("links")
    return sorted((str(names[row["trail"]][1]), str(names[row["trail_to"]][1]), row["kind"]) for row in rows)


def filtered(done: Run) -> list[tuple[str, bool]]:
    return sorted((row["queue_id"], row["filtered"]) for row in done.rows("messages"))


def test_a_message_that_comes_back_from_a_filter() -> None:
    done = told(postfix(FIRST + SECOND + HANDED_ON + DELIVERED))
    assert links(done) == [("4FA1B2C3D4", "4FA1B2C3FF", "filtered")]
    assert filtered(done) == [("4FA1B2C3D4", False), ("4FA1B2C3FF", True)]


def test_the_second_pass_may_be_over_before_the_first() -> None:
    later = HANDED_ON.replace("12:00:03", "12:04:00")
    done = told(postfix(FIRST + SECOND + DELIVERED + later))
    assert links(done) == [("4FA1B2C3D4", "4FA1B2C3FF", "filtered")]
    # After five minutes the id may be anybody's.
    done = told(postfix(FIRST + SECOND + DELIVERED + HANDED_ON.replace("12:00:03", "12:05:05")))
    assert links(done) == []


def on_two_hosts(first: str, second: str) -> str:
    """Lines of mx1 and mx2, in order of time."""
    lines = [*postfix(first).splitlines(True), *postfix(second).replace(" mx1 ", " mx2 ").splitlines(True)]
    return "".join(sorted(lines, key=lambda line: line[:15]))


def test_an_id_of_another_host_is_a_hop_and_no_filter() -> None:
    done = told(on_two_hosts(FIRST + HANDED_ON, SECOND))
    assert links(done) == [("4FA1B2C3D4", "4FA1B2C3FF", "relayed")]
    assert not any(flag for _, flag in filtered(done))
    (row,) = done.rows("links")
    assert (row["evidence"], row["confidence"]) == ("queued as 4FA1B2C3FF", "certain")  # the sender


IDENTIFIED = "    12:00:01 cleanup {id}: message-id=<{message_id}@example.org>\n"


@pytest.mark.parametrize(
    ("one", "two", "sender", "client", "confidence"),
    [
        (None, None, "s", "localhost", "certain"),
        ("1", "1", "t", "localhost", "certain"),
        (None, None, "t", "localhost", "likely"),
        (None, None, "t", "mx1.example.org", "certain"),
        ("1", "2", "s", "mx1.example.org", "possible"),
        ("1", "2", "s", "localhost", None),
    ],
)
def test_how_sure_a_hop_is(
    one: str | None, two: str | None, sender: str, client: str, confidence: str | None
) -> None:
    first, second = FIRST, SECOND.replace("s@example", f"{sender}@example").replace("localhost", client)
    if one:
        first += IDENTIFIED.format(id="4FA1B2C3D4", message_id=one)
    if two:
        second += IDENTIFIED.format(id="4FA1B2C3FF", message_id=two)
    rows = told(on_two_hosts(first + HANDED_ON, second)).rows("links")
    assert [row["confidence"] for row in rows] == ([confidence] if confidence else [])


@pytest.mark.parametrize(
    ("began", "linked"),
    [("11:57:30", True), ("12:04:50", True), ("12:05:30", False), ("11:39:00", False)],
)
def test_the_other_host_may_have_another_clock(began: str, linked: bool) -> None:
    second = SECOND.replace("12:00:02", began)
    assert len(told(on_two_hosts(FIRST + HANDED_ON, second)).rows("links")) == linked


def test_a_hop_is_found_however_much_comes_before_it_is_looked_for() -> None:
    """The log goes on for an hour: by then both messages are over and forgotten."""
    later = FIRST.replace("12:0", "13:0").replace("D4", "E5")
    done = told(on_two_hosts(FIRST + HANDED_ON + later, SECOND + DELIVERED))
    assert links(done) == [("4FA1B2C3D4", "4FA1B2C3FF", "relayed")]


def test_notifications_and_forwarded_mail() -> None:
    bounced = (
        FIRST
        + """
    12:00:03 cleanup 5FA1B2C3FF: message-id=<b@example.org>
    12:00:03 bounce 4FA1B2C3D4: sender non-delivery notification: 5FA1B2C3FF
    12:00:04 cleanup 6FA1B2C3FF: message-id=<d@example.org>
    12:00:04 bounce 4FA1B2C3D4: sender delay notification: 6FA1B2C3FF
    12:00:05 cleanup 7FA1B2C3FF: message-id=<f@example.org>
    12:00:05 local 4FA1B2C3D4: to=<a@example.org>, relay=local, delay=3, delays=1/0/1/1, dsn=2.0.0, status=sent (forwarded as 7FA1B2C3FF)
"""
    )
    done = told(postfix(bounced))
    assert links(done) == [
        ("4FA1B2C3D4", "5FA1B2C3FF", "bounced"),
        ("4FA1B2C3D4", "6FA1B2C3FF", "notified"),
        ("4FA1B2C3D4", "7FA1B2C3FF", "forwarded"),
    ]
    assert [row["evidence"] for row in done.rows("links")] == [
        "forwarded as 7FA1B2C3FF",
        "sender non-delivery notification: 5FA1B2C3FF",
        "sender delay notification: 6FA1B2C3FF",
    ]
    assert not any(flag for _, flag in filtered(done))


def test_the_message_that_held_the_id_at_that_time() -> None:
    """The second pass's id was in use before and is in use again afterwards."""
    before = SECOND.replace("12:0", "11:0") + DELIVERED.replace("12:0", "11:0")
    after = SECOND.replace("12:0", "12:3")
    done = told(postfix(before + FIRST + SECOND + HANDED_ON + DELIVERED + after))
    assert links(done) == [("4FA1B2C3D4", "4FA1B2C3FF", "filtered")]
    (row,) = done.rows("links")
    assert done.names[row["trail_to"]][2].hour == 12
    assert [flag for _, flag in filtered(done)].count(True) == 1


def test_only_what_was_handed_on_is_linked() -> None:
    bounced = HANDED_ON.replace("status=sent", "status=bounced")
    assert links(told(postfix(FIRST + SECOND + bounced))) == []


def test_an_id_that_begins_to_be_used_later_is_not_meant() -> None:
    done = told(postfix(FIRST + HANDED_ON + SECOND.replace("12:00", "12:01")))
    assert links(done) == []


def test_one_message_that_is_handed_on_for_two_recipients() -> None:
    other = HANDED_ON.replace("a@", "b@")
    done = told(postfix(FIRST + SECOND + HANDED_ON + other))
    assert len(done.rows("links")) == 2
    assert filtered(done) == [("4FA1B2C3D4", False), ("4FA1B2C3FF", True)]
