"""Which line belongs to which message, although queue ids come back."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import at, postfix, qmail, run, told

from mailscope.intake.files import expand


def messages(log: str) -> list[tuple[object, ...]]:
    """First and last instant and end of each message, in order."""
    rows = told(log).rows("messages", "first_time", "last_time", "ended")
    return sorted(tuple(row.values()) for row in rows)


def test_one_message_from_arrival_to_removal() -> None:
    log = postfix("""
        12:00:00 smtpd 4FA1B2C3D4: client=c.example.org[192.0.2.1]
        12:00:01 cleanup 4FA1B2C3D4: message-id=<a@example.org>
        12:00:01 qmgr 4FA1B2C3D4: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:00:05 smtp 4FA1B2C3D4: to=<r@example.org>, relay=r.example.org[192.0.2.9]:25, delay=5, delays=1/0/1/3, dsn=2.0.0, status=sent (250 ok)
        12:00:05 qmgr 4FA1B2C3D4: removed
    """)
    assert messages(log) == [(at("12:00:00"), at("12:00:05"), "removed")]


def test_an_id_that_is_used_again_at_once_is_another_message() -> None:
    log = postfix("""
        12:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]
        12:00:00 qmgr A1B2C3: removed
        12:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]
        12:00:01 qmgr A1B2C3: removed
        12:00:01 smtpd A1B2C3: client=c.example.org[192.0.2.1]
    """)
    assert messages(log) == [
        (at("12:00:00"), at("12:00:00"), "removed"),
        (at("12:00:00"), at("12:00:01"), "removed"),
        (at("12:00:01"), at("12:00:01"), None),
    ]


def test_an_acceptance_begins_a_message_even_if_no_end_was_logged() -> None:
    log = postfix("""
        12:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]
        12:00:01 qmgr A1B2C3: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:30:00 smtpd A1B2C3: client=d.example.org[192.0.2.2]
        12:30:01 qmgr A1B2C3: removed
    """)
    assert messages(log) == [
        (at("12:00:00"), at("12:00:01"), None), (at("12:30:00"), at("12:30:01"), "removed")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "cleanup A1B2C3: message-id=<b@example.org>",
        "qmgr A1B2C3: from=<>, size=2000, nrcpt=1 (queue active)",
    ],
)
def test_notifications_have_no_acceptance_line(line: str) -> None:
    """The id is free, so the Message-ID or size is that of another message."""
    log = postfix(f"""
        12:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]
        12:00:01 qmgr A1B2C3: removed
        12:00:01 {line}
        12:00:02 qmgr A1B2C3: removed
    """)
    assert messages(log) == [
        (at("12:00:00"), at("12:00:01"), "removed"), (at("12:00:01"), at("12:00:02"), "removed")
    ]  # fmt: skip


@pytest.mark.parametrize(("when", "joins"), [("12:00:01", True), ("12:05:00", True), ("12:05:01", False)])
def test_late_lines_join_the_message_for_five_minutes(when: str, joins: bool) -> None:
    log = postfix(f"""
        12:00:00 qmgr A1B2C3: removed
        {when} smtp A1B2C3: to=<r@example.org>, relay=none, delay=5, delays=1/0/1/3, dsn=4.4.1, status=deferred (late)
    """)
    assert len(messages(log)) == (1 if joins else 2)


def test_several_lines_that_come_too_late_are_one_message() -> None:
    late = "smtp A1B2C3: to=<r@example.org>, relay=none, delay=5, delays=1/0/1/3, dsn=4.4.1, status=deferred (late)"
    log = postfix(f"""
        12:00:00 qmgr A1B2C3: removed
        13:00:00 {late}
        14:00:00 {late}
        15:00:00 qmgr A1B2C3: removed
    """)
    assert messages(log) == [
        (at("12:00:00"), at("12:00:00"), "removed"), (at("13:00:00"), at("15:00:00"), "removed")
    ]  # fmt: skip


@pytest.mark.parametrize(("when", "count"), [("8.11:00:00", 1), ("8.13:00:00", 2)])
def test_an_id_that_was_silent_for_longer_than_mail_is_kept_is_free(when: str, count: int) -> None:
    log = postfix(f"""
        1.12:00:00 qmgr A1B2C3: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        {when} qmgr A1B2C3: from=<t@example.org>, size=800, nrcpt=1 (queue active)
    """)
    assert len(messages(log)) == count


def test_a_message_that_is_tried_for_a_week_stays_one() -> None:
    tries = "\n".join(
        f"{day}.12:00:00 smtp A1B2C3: to=<r@example.org>, relay=none, delay=5, delays=1/0/1/3, dsn=4.4.1,"
        " status=deferred (not now)"
        for day in range(1, 20, 3)
    )
    log = postfix(
        f"1.11:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]\n{tries}\n19.12:00:01 qmgr A1B2C3: removed"
    )
    assert messages(log) == [(at("11:00:00"), at("19.12:00:01"), "removed")]


@pytest.mark.parametrize(
    "refusal",
    [
        "milter-reject: END-OF-MESSAGE from c.example.org[192.0.2.1]: 5.7.1 no; from=<s@example.org> to=<r@example.org> proto=ESMTP helo=<c>",
        "reject: header Subject: x from c.example.org[192.0.2.1]; from=<s@example.org> to=<r@example.org> proto=ESMTP helo=<c>: 5.7.1 no",
        "discard: header Subject: x from c.example.org[192.0.2.1]; from=<s@example.org> to=<r@example.org> proto=ESMTP helo=<c>",
    ],
)
def test_the_message_id_of_a_message_just_turned_away_is_its_own(refusal: str) -> None:
    """cleanup checks headers one after the other: Message-ID may be logged after the verdict."""
    log = postfix(f"""
        12:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]
        12:00:01 cleanup A1B2C3: {refusal}
        12:00:01 cleanup A1B2C3: message-id=<a@example.org>
    """)
    assert [row["message_id"] for row in told(log).rows("messages")] == ["a@example.org"]
    # Later, the id is somebody else's.
    log += postfix("12:30:00 cleanup A1B2C3: message-id=<b@example.org>")
    assert sorted(row["message_id"] for row in told(log).rows("messages")) == [
        "a@example.org",
        "b@example.org",
    ]


def test_ids_of_two_hosts_are_not_mixed_up() -> None:
    log = postfix("""
        12:00:00 smtpd A1B2C3: client=c.example.org[192.0.2.1]
        12:00:02 qmgr A1B2C3: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:00:04 qmgr A1B2C3: removed
    """)
    other = log.replace("mx1", "mx2").replace(":0", ":1")
    both = "".join(sorted([*log.splitlines(keepends=True), *other.splitlines(keepends=True)]))
    assert sorted(row["host"] for row in told(both).rows("messages")) == ["mx1", "mx2"]
    assert all(row["ended"] == "removed" for row in told(both).rows("messages"))


def test_ids_of_postfix_and_qmail_on_one_host_are_not_mixed_up() -> None:
    log = postfix("12:00:00 smtpd 123456: client=c.example.org[192.0.2.1]") + qmail("12:00:01 new msg 123456")
    assert sorted(row["origin"] for row in told(log).rows("messages")) == ["qmail-send", "smtpd"]


def test_daemons_of_one_postfix_share_ids_whatever_they_are_called() -> None:
    """master.cf's syslog_name of a service, and a syslog that keeps only "postfix"."""
    log = postfix("""
        12:00:00 submission/smtpd 4FA1B2C3D4: client=c.example.org[192.0.2.1], sasl_method=PLAIN, sasl_username=u
        12:00:02 qmgr 4FA1B2C3D4: from=<s@example.org>, size=900, nrcpt=1 (queue active)
    """)
    log += f"{at('12:00:03').isoformat()}Z mx1 postfix[1]: 4FA1B2C3D4: removed\n"
    assert [row["ended"] for row in told(log).rows("messages")] == ["removed"]


def test_qmails_numbers_are_used_again_at_once() -> None:
    log = qmail("""
        12:00:00 new msg 18995
        12:00:00 info msg 18995: bytes 603 from <s@example.org> qp 26920 uid 0
        12:00:01 end msg 18995
        12:00:01 new msg 18995
        12:00:01 info msg 18995: bytes 800 from <t@example.org> qp 26930 uid 0
        12:00:02 end msg 18995
    """)
    assert sorted(row["size_bytes"] for row in told(log).rows("messages")) == [603, 800]


def test_a_message_in_two_files_of_a_multilog_directory(tmp_path: Path) -> None:
    """Lines without a host belong to the directory, not to the file that they stand in."""
    folder = tmp_path
    (folder / "lock").touch()
    (folder / "@400000006b0268933283b97c.s").write_text(
        "@400000006b02689221000000 new msg 7\n"
        "@400000006b02689222000000 info msg 7: bytes 603 from <s@example.org> qp 1 uid 0\n"
        "@400000006b02689223000000 starting delivery 1: msg 7 to local r@example.org\n"
    )
    (folder / "current").write_text(
        "@400000006b02689321000000 delivery 1: success: did_1+0+0/\n@400000006b02689322000000 end msg 7\n"
    )
    for chunk_bytes in (1, 1 << 20):
        done = run(expand([str(folder)]).sources, chunk_bytes=chunk_bytes)
        assert [(row["size_bytes"], row["ended"]) for row in done.rows("messages")] == [(603, "removed")]
        assert [row["fate"] for row in done.rows("recipients")] == ["sent"]
