"""The fate of each recipient."""

from __future__ import annotations

from typing import Any

import pytest
from running import postfix, qmail, told

BEGIN = """
    12:00:00 smtpd 4FA1B2C3D4: client=c.example.org[192.0.2.1]
    12:00:01 qmgr 4FA1B2C3D4: from=<s@example.org>, size=900, nrcpt=2 (queue active)
"""
REMOVED = "12:09:00 qmgr 4FA1B2C3D4: removed"
Fate = tuple[str | None, str, int, int]


def attempt(when: str, status: str, to: str = "a") -> str:
    return (
        f"{when} smtp 4FA1B2C3D4: to=<{to}@example.org>, relay=r.example.org[192.0.2.9]:25, delay=5,"
        f" delays=1/0/1/3, dsn=2.0.0, status={status} (words)\n"
    )


def fates(log: str) -> list[Fate]:
    """Recipient, fate, attempts, and how many recipients the row stands for."""
    rows: list[dict[str, Any]] = told(log).rows("recipients", "recipient", "fate", "attempts", "recipients")
    return sorted((tuple(row.values()) for row in rows), key=str)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        # Each recipient has a fate of its own.
        (attempt("12:00:02", "sent") + attempt("12:00:02", "bounced", "b") + REMOVED, [("a", "sent", 1), ("b", "bounced", 1)]),
        # The last attempt counts ...
        (attempt("12:00:02", "deferred") + attempt("12:05:00", "sent") + attempt("12:05:01", "sent", "b") + REMOVED, [("a", "sent", 2), ("b", "sent", 1)]),
        # ... but what was delivered stays delivered.
        (attempt("12:00:02", "sent") + attempt("12:00:03", "deferred") + attempt("12:05:01", "sent", "b") + REMOVED, [("a", "sent", 2), ("b", "sent", 1)]),
        # Put off, and tried again; not tried at all.
        (attempt("12:00:02", "deferred"), [("a", "deferred", 1), (None, "queued", 0)]),
        ("", [(None, "queued", 0, 2)]),
        # Given up.
        (attempt("12:00:02", "deferred") + "12:08:00 qmgr 4FA1B2C3D4: from=<s@example.org>, status=expired, returned to sender\n" + REMOVED, [("a", "expired", 1), (None, "expired", 0)]),
        # By hand.
        (attempt("12:00:02", "sent") + attempt("12:00:02", "deferred", "b") + "12:08:00 postsuper 4FA1B2C3D4: removed", [("a", "sent", 1), ("b", "deleted", 1)]),
        (attempt("12:00:02", "sent") + "12:08:00 postsuper 4FA1B2C3D4: removed", [("a", "sent", 1), (None, "deleted", 0)]),
        # postsuper -e only marks the message: the queue manager returns it later.
        (attempt("12:00:02", "deferred") + "12:08:00 postsuper 4FA1B2C3D4: expired", [("a", "deferred", 1), (None, "queued", 0)]),
        # Gone, and the log does not tell how.
        (attempt("12:00:02", "deferred") + REMOVED, [("a", "unknown", 1), (None, "unknown", 0)]),
        # Probes of an address (sendmail -bv).
        (attempt("12:00:02", "deliverable") + attempt("12:00:02", "undeliverable", "b") + REMOVED, [("a", "deliverable", 1), ("b", "undeliverable", 1)]),
        # An alias made more recipients than the message had.
        (attempt("12:00:02", "sent") + attempt("12:00:02", "sent", "b") + attempt("12:00:02", "sent", "c") + REMOVED, [("a", "sent", 1), ("b", "sent", 1), ("c", "sent", 1)]),
    ],
)  # fmt: skip
def test_fates(lines: str, wanted: list[Any]) -> None:
    expected = [
        (name and f"{name}@example.org", fate, tries, *(rest or [1])) for name, fate, tries, *rest in wanted
    ]
    assert fates(postfix(BEGIN + lines)) == sorted(expected, key=str)


def test_a_message_that_was_refused_has_no_recipients_to_account_for() -> None:
    log = BEGIN + (
        "12:00:02 cleanup 4FA1B2C3D4: milter-reject: END-OF-MESSAGE from c.example.org[192.0.2.1]: 5.7.1 no;"
        " from=<s@example.org> to=<a@example.org> proto=ESMTP helo=<c>"
    )
    assert fates(postfix(log)) == []


def test_a_requeued_message_hands_its_waiting_recipients_on() -> None:
    log = (
        BEGIN
        + attempt("12:00:02", "sent")
        + attempt("12:00:02", "deferred", "b")
        + """
        12:01:00 postsuper 4FA1B2C3D4: requeued
        12:01:01 pickup 4FA1B2C3FF: uid=0 from=<s@example.org> orig_id=4FA1B2C3D4
        12:01:02 qmgr 4FA1B2C3FF: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:01:03 smtp 4FA1B2C3FF: to=<b@example.org>, relay=none, delay=5, delays=1/0/1/3, dsn=2.0.0, status=sent (ok)
        12:01:03 qmgr 4FA1B2C3FF: removed
    """
    )
    assert fates(postfix(log)) == [("a@example.org", "sent", 1, 1), ("b@example.org", "sent", 1, 1)]


def test_recipients_of_two_messages_with_one_id_are_kept_apart() -> None:
    one = BEGIN + attempt("12:00:02", "deferred") + REMOVED
    two = BEGIN.replace("12:0", "13:0") + attempt("13:00:02", "sent") + REMOVED.replace("12:", "13:")
    assert fates(postfix(one + "\n" + two)) == [
        ("a@example.org", "sent", 1, 1), ("a@example.org", "unknown", 1, 1),
        (None, "unknown", 0, 1), (None, "unknown", 0, 1),
    ]  # fmt: skip


def test_qmail_tells_no_number_of_recipients() -> None:
    log = """
        12:00:00 new msg 7
        12:00:00 info msg 7: bytes 603 from <s@example.org> qp 26920 uid 0
        12:00:01 starting delivery 1: msg 7 to local a@example.net
        12:00:02 delivery 1: success: did_1+0+0/
        12:00:03 starting delivery 2: msg 7 to local b@example.net
    """
    assert fates(qmail(log)) == [("a@example.net", "sent", 1, 1)]


def test_qmail_puts_off_and_gives_up() -> None:
    log = """
        12:00:00 new msg 7
        12:00:00 info msg 7: bytes 603 from <s@example.org> qp 26920 uid 0
        12:00:01 starting delivery 1: msg 7 to remote a@example.net
        12:00:02 delivery 1: deferral: Connected_to_192.0.2.9_but_connection_died._(#4.4.2)/
        7.12:00:01 starting delivery 2: msg 7 to remote a@example.net
        7.12:00:02 delivery 2: failure: Connected_to_192.0.2.9_but_connection_died._(#4.4.2)/I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./
        7.12:00:02 bounce msg 7 qp 27001
        7.12:00:02 end msg 7
    """
    assert fates(qmail(log)) == [("a@example.net", "bounced", 2, 1)]
