"""What is known of each message: arrival, sender, size, flags, and how it ended."""

from __future__ import annotations

from typing import Any

import pytest
from running import at, postfix, qmail, told

ACCEPTED = "12:00:00 smtpd 4FA1B2C3D4: client=c.example.org[192.0.2.1]\n"
IDENTIFIED = "12:00:01 cleanup 4FA1B2C3D4: message-id=<a@example.org>\n"
QUEUED = "12:00:01 qmgr 4FA1B2C3D4: from=<s@example.org>, size=900, nrcpt=2 (queue active)\n"
DEFERRED = "12:00:02 smtp 4FA1B2C3D4: to=<a@example.org>, relay=none, delay=2, delays=1/0/1/0, dsn=4.4.1, status=deferred (x)\n"
SENT = (
    "12:05:02 smtp 4FA1B2C3D4: to=<a@example.org>, relay=r.example.org[192.0.2.9]:25, delay=302, delays=1/300/1/0,"
    " dsn=2.0.0, status=sent (250 ok)\n"
)
REMOVED = "12:09:00 qmgr 4FA1B2C3D4: removed\n"
DELETED = "12:09:00 postsuper 4FA1B2C3D4: removed\n"
REFUSED = (
    "12:00:02 cleanup 4FA1B2C3D4: milter-reject: END-OF-MESSAGE from c.example.org[192.0.2.1]: 5.7.1 no;"
    " from=<s@example.org> to=<a@example.org> proto=ESMTP helo=<c>\n"
)
REFUSED_RCPT = (
    "12:00:00 smtpd 4FA1B2C3D4: reject: RCPT from c.example.org[192.0.2.1]: 550 5.1.1 <x@example.org>: Recipient"
    " address rejected: User unknown; from=<s@example.org> to=<x@example.org> proto=ESMTP helo=<c>\n"
)
DISCARDED = (
    "12:00:02 cleanup 4FA1B2C3D4: discard: header Subject: x from c.example.org[192.0.2.1]; from=<s@example.org>"
    " to=<a@example.org> proto=ESMTP helo=<c>\n"
)
EXPIRED = "12:08:00 qmgr 4FA1B2C3D4: from=<s@example.org>, status=expired, returned to sender\n"
HELD, RELEASED = (
    f"12:03:00 postsuper 4FA1B2C3D4: {what}\n" for what in ("placed on hold", "released from hold")
)


def message(log: str, **how: Any) -> dict[str, Any]:
    """The only message of a log."""
    (row,) = told(log, **how).rows("messages")
    return row


def test_everything_that_lines_tell() -> None:
    log = (
        ACCEPTED.strip() + ", sasl_method=PLAIN, sasl_username=carol\n" + IDENTIFIED + QUEUED + SENT + REMOVED
    )
    row = message(postfix(log))
    del row["trail"], row["key"]
    assert row == {
        "queue_id": "4FA1B2C3D4", "host": "mx1", "instance": "postfix", "program": "postfix/smtpd", "origin": "smtpd",
        "first_time": at("12:00:00"), "last_time": at("12:09:00"), "sender": "s@example.org", "size_bytes": 900,
        "recipient_count": 2, "message_id": "a@example.org", "client_host": "c.example.org", "client_ip": "192.0.2.1",
        "sasl_user": "carol", "qp": None, "ended": "removed", "gone": True, "expired": False, "held": False,
        "refused": False, "deferred": False, "filtered": False, "endless": False, "superseded": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("log", "origin"),
    [
        (ACCEPTED, "smtpd"),
        (ACCEPTED.replace("smtpd", "submission/smtpd"), "smtpd"),
        ("12:00:00 pickup 4FA1B2C3D4: uid=0 from=<root>", "pickup"),
        ("12:00:00 pickup 4FA1B2C3D4: uid=0 from=<root> orig_id=4FA1B2C3FF", "requeued"),
        ("12:00:00 qmqpd 4FA1B2C3D4: client=c.example.org[192.0.2.1]", "qmqpd"),
        # Notifications and forwarded mail.
        (IDENTIFIED, "internal"),
        # The log begins in the middle of things.
        (QUEUED, None),
        (DEFERRED, None),
    ],
)
def test_where_a_message_came_from(log: str, origin: str | None) -> None:
    rows = told(postfix(log + "\n")).rows("messages")
    assert [row["origin"] for row in rows if row["queue_id"] == "4FA1B2C3D4"] == [origin]


@pytest.mark.parametrize(
    ("lines", "ended"),
    [
        (QUEUED, None),
        (QUEUED + REMOVED, "removed"),
        (QUEUED + DELETED, "deleted"),
        (QUEUED + DELETED + REMOVED, "deleted"),
        (QUEUED + REMOVED + DELETED, "deleted"),
        (REFUSED, "refused"),
        (REFUSED + "12:00:02 cleanup 4FA1B2C3D4: removed (canceled)\n", "refused"),
        (REFUSED_RCPT + QUEUED, None),
        (DISCARDED, "discarded"),
        (DISCARDED + REMOVED.replace("12:09:00", "12:00:03"), "discarded"),
        (QUEUED + EXPIRED + REMOVED, "removed"),
    ],
)
def test_how_a_message_ended(lines: str, ended: str | None) -> None:
    """Whichever way the log is cut: of several ends, the one that says most counts."""
    assert message(postfix(ACCEPTED + lines))["ended"] == ended


@pytest.mark.parametrize(
    ("lines", "flags"),
    [
        (QUEUED, set()),
        (QUEUED + DEFERRED + SENT, {"deferred"}),
        (QUEUED + EXPIRED, {"expired"}),
        # A person has marked it to be given up; the queue manager has yet to do so.
        (QUEUED + "12:08:00 postsuper 4FA1B2C3D4: expired\n", set()),
        (QUEUED + HELD, {"held"}),
        (QUEUED + HELD + RELEASED, set()),
        (QUEUED + HELD + RELEASED + HELD, {"held"}),
        (QUEUED + RELEASED + HELD, {"held"}),
        (QUEUED + HELD + HELD + RELEASED, set()),
        (REFUSED, {"refused"}),
        (REFUSED_RCPT, set()),
        (QUEUED + DEFERRED + HELD + EXPIRED, {"deferred", "held", "expired"}),
    ],
)
def test_flags(lines: str, flags: set[str]) -> None:
    row = message(postfix(ACCEPTED + lines))
    assert {name for name in ("expired", "held", "refused", "deferred", "filtered") if row[name]} == flags


def test_the_first_size_counts_and_the_senders_domain_is_that_of_the_queue() -> None:
    """pickup logs the name that was given, the queue manager the whole address."""
    log = (
        "12:00:00 pickup 4FA1B2C3D4: uid=0 from=<root>\n"
        + QUEUED
        + QUEUED.replace("900", "950").replace(":01", ":09")
    )
    row = message(postfix(log))
    assert (row["sender"], row["size_bytes"]) == ("s@example.org", 900)


def test_an_attempt_is_told_what_was_known_by_then() -> None:
    """A log that begins in the middle: the first attempt comes before the line with sender and size."""
    log = DEFERRED + QUEUED.replace("12:00:01", "12:05:00") + SENT
    done = told(postfix(log))
    rows = sorted(done.rows("deliveries", "time", "sender", "size_bytes"), key=lambda row: row["time"])
    assert [(row["sender"], row["size_bytes"]) for row in rows] == [(None, None), ("s@example.org", 900)]


def test_a_clock_that_goes_back_does_not_shorten_a_message() -> None:
    """First and last are the earliest and the latest instant, whatever the order of the lines."""
    log = ACCEPTED + QUEUED.replace("12:00:01", "11:59:58") + SENT + REMOVED.replace("12:09", "12:04")
    row = message(postfix(log))
    assert (row["first_time"], row["last_time"]) == (at("11:59:58"), at("12:05:02"))


def test_two_message_ids_are_one_message() -> None:
    """A user sent it on: Resent-Message-ID is logged as well."""
    log = ACCEPTED + IDENTIFIED + "12:00:01 cleanup 4FA1B2C3D4: resent-message-id=<b@example.org>\n" + QUEUED
    assert message(postfix(log))["message_id"] == "a@example.org"


def test_requeued_messages_end_and_go_on_under_another_id() -> None:
    log = ACCEPTED + QUEUED + "12:03:00 postsuper 4FA1B2C3D4: requeued\n"
    assert message(postfix(log))["ended"] is None
    log += "12:03:01 pickup 4FA1B2C3FF: uid=0 from=<s@example.org> orig_id=4FA1B2C3D4\n"
    log += "12:03:02 qmgr 4FA1B2C3FF: from=<s@example.org>, size=900, nrcpt=2 (queue active)\n"
    rows = told(postfix(log)).rows("messages", "queue_id", "origin", "ended")
    assert sorted(tuple(row.values()) for row in rows) == [
        ("4FA1B2C3D4", "smtpd", "requeued"), ("4FA1B2C3FF", "requeued", None)
    ]  # fmt: skip


def test_qmails_bounces_and_triple_bounces() -> None:
    log = qmail("""
        12:00:00 new msg 7
        12:00:00 info msg 7: bytes 603 from <> qp 26920 uid 89
        12:00:01 starting delivery 1: msg 7 to remote gone@example.org
        12:00:02 delivery 1: failure: 192.0.2.9_does_not_like_recipient./Remote_host_said:_550_no/Giving_up_on_192.0.2.9./
        12:00:02 bounce msg 7 qp 26950
        12:00:02 end msg 7
        12:00:03 new msg 9
        12:00:03 info msg 9: bytes 903 from <#@[]> qp 26950 uid 89
        12:00:04 starting delivery 2: msg 9 to local postmaster@example.net
        12:00:05 delivery 2: failure: no_such_user/
        12:00:05 triple bounce: discarding bounce/9
        12:00:05 end msg 9
    """)
    rows = {row["queue_id"]: row for row in told(log).rows("messages")}
    assert [(rows[name]["sender"], rows[name]["qp"], rows[name]["ended"]) for name in ("7", "9")] == [
        ("", 26920, "removed"), ("#@[]", 26950, "discarded")
    ]  # fmt: skip
    fates = told(log).rows("recipients", "recipient", "fate")
    assert sorted(tuple(row.values()) for row in fates) == [
        ("gone@example.org", "bounced"), ("postmaster@example.net", "bounced")
    ]  # fmt: skip
