"""What the mailbox program did is the last step of its message: folder, script, quota; with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from tracing import SHARED, links, only, told

from mailscope.trails.narrative.mailbox import outcome_of
from mailscope.trails.narrative.trail import Story

MTA: Final = """\
Nov 22 03:45:10 mail postfix/smtpd[70]: 6E79B178018: client=client.example.net[192.0.2.9]
Nov 22 03:45:10 mail postfix/cleanup[71]: 6E79B178018: message-id=<a1@example.net>
Nov 22 03:45:10 mail postfix/qmgr[72]: 6E79B178018: from=<bob@example.net>, size=912, nrcpt=3 (queue active)
Nov 22 03:45:12 mail postfix/lmtp[76]: 6E79B178018: to=<alice@example.org>, relay=store[private/dovecot-lmtp], \
delay=2, delays=2/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <alice@example.org> Lxh3J0hlAms0OAAAEj7eGA Saved)
Nov 22 03:45:12 mail postfix/lmtp[76]: 6E79B178018: to=<carol@example.org>, relay=store[private/dovecot-lmtp], \
delay=2, delays=2/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <carol@example.org> Lxh3J0hlAms0OAAAEj7eGA:2 Saved)
Nov 22 03:45:12 mail postfix/lmtp[76]: 6E79B178018: to=<dave@example.org>, relay=store[private/dovecot-lmtp], \
delay=2, delays=2/0/0/0, dsn=4.2.2, status=deferred (host store[private/dovecot-lmtp] said: 452 4.2.2 \
<dave@example.org> Quota exceeded (mailbox for user is full) (in reply to end of DATA command))
"""
DOVECOT: Final = """\
Nov 22 03:45:12 mail dovecot: lmtp(14388): Connect from local
Nov 22 03:45:12 mail dovecot: lmtp(alice)<14388><Lxh3J0hlAms0OAAAEj7eGA>: sieve: msgid=<a1@example.net>: \
fileinto action: stored mail into mailbox 'Lists/users'
Nov 22 03:45:12 mail dovecot: lmtp(alice)<14388><Lxh3J0hlAms0OAAAEj7eGA>: sieve: msgid=<a1@example.net>: \
sent vacation response to <bob@example.net>
Nov 22 03:45:12 mail dovecot: lmtp(c1)<14388><Lxh3J0hlAms0OAAAEj7eGA:2>: sieve: msgid=<a1@example.net>: \
forwarded to <carol@example.com>
Nov 22 03:45:12 mail dovecot: lmtp(dave)<14388><Lxh3J0hlAms0OAAAEj7eGA:3>: msgid=<a1@example.net>: \
save failed to INBOX: Quota exceeded (mailbox for user is full)
Nov 22 03:45:12 mail dovecot: lmtp(dave)<14388><Mxh3J0hlAms0OAAAEj7eGA>: msgid=<other@example.net>: \
saved mail to INBOX
"""
SENT_ON: Final = """\
Nov 22 03:45:13 mail postfix/pickup[80]: 7F79B178019: uid=5000 from=<bob@example.net>
Nov 22 03:45:13 mail postfix/cleanup[71]: 7F79B178019: message-id=<a1@example.net>
Nov 22 03:45:13 mail postfix/qmgr[72]: 7F79B178019: from=<bob@example.net>, size=999, nrcpt=1 (queue active)
Nov 22 03:45:14 mail postfix/smtp[99]: 7F79B178019: to=<carol@example.com>, relay=mx.example.com[192.0.2.77]:25, \
delay=1, delays=0/0/0.5/0.5, dsn=2.0.0, status=sent (250 ok)
Nov 22 03:45:14 mail postfix/qmgr[72]: 7F79B178019: removed
"""


def ends(story: Story) -> list[tuple[str | None, str | None, str | None, str | None]]:
    """Of each recipient of the first trail: what became of it in the mailbox, where, and how sure that is."""
    return [
        (each.recipient, outcome_of(step), step.fields.get("mailbox"), step.confidence)
        for each in story.trails[0].recipients
        for step in each.mailbox
    ]


@pytest.mark.parametrize("query", ["6E79B178018", "<a1@example.net>", "alice@example.org"])
def test_the_mailbox_is_the_last_step(tmp_path: Path, query: str) -> None:
    """By the session that the reply names, even for an account that is not named like the address."""
    log = tmp_path / "mail.log"
    log.write_text(MTA + DOVECOT + SENT_ON)
    story = only(query, log)
    assert ends(story) == [
        ("alice@example.org", "stored", "Lists/users", "certain"),
        ("alice@example.org", "answered", None, "certain"),
        ("carol@example.org", "forwarded", None, "certain"),
        ("dave@example.org", "over_quota", "INBOX", "certain"),
    ]
    assert links(story) == [("6E79B178018", "forwarded", "7F79B178019", "certain")]
    assert [(each.recipient, each.status, len(each.attempts)) for each in story.trails[0].recipients] == [
        ("alice@example.org", "sent", 1),
        ("carol@example.org", "sent", 1),
        ("dave@example.org", "deferred", 1),
    ]
    assert not any("other@example.net" in step.text for trail in story.trails for step in trail.steps)


def test_the_mailbox_on_another_host(tmp_path: Path) -> None:
    """Without a session in the reply (dave's), the account and the time tell: likely, as clocks differ."""
    mta, store = tmp_path / "mx.log", tmp_path / "store.log"
    mta.write_text(MTA)
    store.write_text(DOVECOT.replace(" mail dovecot", " store dovecot").replace("03:45:12", "03:44:50"))
    assert ends(only("6E79B178018", mta, store)) == [
        ("alice@example.org", "stored", "Lists/users", "certain"),
        ("alice@example.org", "answered", None, "certain"),
        ("carol@example.org", "forwarded", None, "certain"),
        ("dave@example.org", "over_quota", "INBOX", "likely"),
    ]
    late = DOVECOT.replace(" mail dovecot", " store dovecot").replace("03:45:12", "09:45:12")
    store.write_text("".join(line for line in late.splitlines(True) if "(dave)" in line))
    assert ends(only("6E79B178018", mta, store)) == []


def test_an_account_of_the_mailbox_finds_the_message(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(MTA + DOVECOT.replace("lmtp(c1)", "lmtp(c1@example.com)"))
    (story,) = told("c1@example.com", log).stories
    assert story.trails[0].queue_id == "6E79B178018"
    assert story.trails[0].matched


PIPE: Final = """\
Nov 22 03:45:10 mail postfix/pickup[70]: 6E79B178018: uid=1000 from=<bob>
Nov 22 03:45:10 mail postfix/cleanup[71]: 6E79B178018: message-id=<a1@example.net>
Nov 22 03:45:10 mail postfix/qmgr[72]: 6E79B178018: from=<bob@example.net>, size=912, nrcpt=1 (queue active)
Nov 22 03:45:12 mail {program}
Nov 22 03:45:12 mail postfix/{agent}, delay=2, delays=2/0/0/0, dsn=2.0.0, status=sent ({said})
Nov 22 03:45:12 mail postfix/qmgr[72]: 6E79B178018: removed
"""


@pytest.mark.parametrize(
    ("program", "agent", "said", "end"),
    [
        (
            "dovecot: lda(alice)<4711><Lxh3J0hlAms0OAAAEj7eGA>: sieve: msgid=<a1@example.net>: "
            "Marked message to be discarded if not explicitly delivered (discard action)",
            "pipe[9]: 6E79B178018: to=<alice+x@example.org>, relay=dovecot",
            "delivered via dovecot service",
            ("alice+x@example.org", "discarded", None, "certain"),
        ),
        (
            "dovecot: deliver(alice@example.org): msgid=<a1@example.net>: saved mail to INBOX",
            "local[9]: 6E79B178018: to=<alice@example.org>, relay=local",
            'delivered to command: /usr/lib/dovecot/deliver',
            ("alice@example.org", "stored", "INBOX", "certain"),
        ),
        (
            "cyrus/lmtpunix[77]: Delivered: <a1@example.net> to mailbox: user.alice.lists",
            "lmtp[9]: 6E79B178018: to=<alice@example.org>, relay=mail[/run/cyrus/lmtp]",
            "250 2.1.5 Ok SESSIONID=<mail-77-1-1>",
            ("alice@example.org", "stored", "user.alice.lists", "certain"),
        ),
        (
            "cyrus/lmtpunix[77]: dupelim: eliminated duplicate message to user.alice id <a1@example.net> (delivery)",
            "lmtp[9]: 6E79B178018: to=<alice@example.org>, relay=mail[/run/cyrus/lmtp]",
            "250 2.1.5 Ok",
            ("alice@example.org", "duplicate", "user.alice", "certain"),
        ),
    ],
)  # fmt: skip
def test_other_mailbox_programs(
    tmp_path: Path, program: str, agent: str, said: str, end: tuple[str | None, ...]
) -> None:
    log = tmp_path / "mail.log"
    log.write_text(PIPE.format(program=program, agent=agent, said=said))
    assert ends(only("6E79B178018", log)) == [end]


def test_a_delivery_without_its_message(tmp_path: Path) -> None:
    """Of a log that the MTA does not write to, the mailbox program's line tells what it can."""
    log = tmp_path / "dovecot.log"
    log.write_text(DOVECOT)
    (story,) = told("<other@example.net>", log).stories
    (recipient,) = story.trails[0].recipients
    assert (recipient.recipient, recipient.status) == ("dave", "sent")


@pytest.mark.skipif(not (SHARED / "lab").exists(), reason="the lab's logs are not here")
def test_lab_lmtp() -> None:
    """Postfix and Dovecot as they really log: each of the deliveries that Dovecot's reply names."""
    logs = SHARED / "lab/postfix/full-run.mail.log.bsd", SHARED / "lab/imap/dovecot-lmtp.log.bsd"
    found = {
        queue_id: ends(only(queue_id, *logs))
        for queue_id in ("6E79B178018", "4jXFRL6063zCb8D", "4jXFc167RvzCb7l")
    }
    assert found == {
        "6E79B178018": [("carol@lab.example", "stored", "INBOX", "certain")],
        "4jXFRL6063zCb8D": [("dave@lmtp.example", "stored", "INBOX", "certain")],
        "4jXFc167RvzCb7l": [("carol@lab.example", "stored", "INBOX", "certain")],
    }
