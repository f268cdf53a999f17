"""Sessions: one client's connection or login, put together from the lines of all programs that serve it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples, run, source
from tracing import SHARED, only

from mailscope.trails.narrative.record import record
from mailscope.trails.narrative.session import facts
from mailscope.trails.sessions.kinds import EVENTS, KINDS
from mailscope.trails.sessions.tracker import TABLE, SessionTracker
from mailscope.vocabulary.events import EVENTS as ALL_EVENTS

needs_lab = pytest.mark.skipif(not (SHARED / "lab").exists(), reason="the lab's logs are not here")


def sessions(*paths: Path, chunk_bytes: int = 1 << 20, chunks_a_batch: int = 1) -> pl.DataFrame:
    found = run(
        [source(path) for path in paths], chunk_bytes=chunk_bytes, chunks_a_batch=chunks_a_batch, keep=True
    )
    tracker = SessionTracker()
    frames = [tracker.feed(batch) for batch in found.batches]
    return pl.concat([*frames, tracker.finish()]).sort("session")


def told(text: str, tmp_path: Path, *columns: str) -> list[tuple[Any, ...]]:
    log = tmp_path / "mail.log"
    log.write_text(text)
    return sessions(log).select(columns).rows()


POSTFIX: Final = """\
Nov 22 03:45:10 mail postfix/submission/smtpd[70]: connect from client.example.net[192.0.2.9]
Nov 22 03:45:10 mail postfix/smtpd[71]: connect from unknown[203.0.113.5]
Nov 22 03:45:10 mail postfix/submission/smtpd[70]: Anonymous TLS connection established from \
client.example.net[192.0.2.9]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Nov 22 03:45:11 mail postfix/smtpd[71]: warning: unknown[203.0.113.5]: SASL LOGIN authentication failed: \
UGFzc3dvcmQ6, sasl_username=root
Nov 22 03:45:11 mail postfix/submission/smtpd[70]: 6E79B178018: client=client.example.net[192.0.2.9], \
sasl_method=PLAIN, sasl_username=alice@example.org
Nov 22 03:45:12 mail postfix/smtpd[71]: warning: unknown[203.0.113.5]: SASL LOGIN authentication failed: \
UGFzc3dvcmQ6, sasl_username=admin
Nov 22 03:45:12 mail postfix/smtpd[71]: lost connection after AUTH from unknown[203.0.113.5]
Nov 22 03:45:12 mail postfix/smtpd[71]: disconnect from unknown[203.0.113.5] ehlo=1 auth=0/2 commands=1/3
Nov 22 03:45:13 mail postfix/submission/smtpd[70]: 7F79B178019: client=client.example.net[192.0.2.9], \
sasl_method=PLAIN, sasl_username=alice@example.org
Nov 22 03:45:13 mail postfix/submission/smtpd[70]: disconnect from client.example.net[192.0.2.9] ehlo=2 \
starttls=1 auth=1 mail=2 rcpt=2 data=2 quit=1 commands=11
Nov 22 03:45:14 mail postfix/smtpd[71]: connect from mx.example.net[192.0.2.7]
Nov 22 03:45:14 mail postfix/smtpd[71]: NOQUEUE: reject: RCPT from mx.example.net[192.0.2.7]: 550 5.1.1 \
<no@example.org>: Recipient address rejected: User unknown; from=<a@example.net> to=<no@example.org> \
proto=ESMTP helo=<mx.example.net>
"""


def test_postfix_by_process(tmp_path: Path) -> None:
    """A process serves one client after the other; what is not over when the log ends has no end."""
    columns = (
        "pid",
        "client_ip",
        "user",
        "result",
        "logins",
        "login_failures",
        "queue_ids",
        "ended",
        "reason",
    )
    assert told(POSTFIX, tmp_path, *columns) == [
        (
            70,
            "192.0.2.9",
            "alice@example.org",
            "accepted",
            2,
            0,
            ["6E79B178018", "7F79B178019"],
            "closed",
            None,
        ),
        (71, "203.0.113.5", "root", "login_failed", 0, 2, [], "lost", "AUTH"),
        (71, "192.0.2.7", None, "rejected", 0, 0, [], None, None),
    ]
    spans = told(POSTFIX, tmp_path, "start", "end", "tls_protocol", "mechanism")
    assert [(start.second, end and end.second, *rest) for start, end, *rest in spans] == [
        (10, 13, "TLSv1.3", "PLAIN"),
        (10, 12, None, "LOGIN"),
        (14, None, None, None),
    ]


TCPSERVER: Final = """\
tcpserver: pid 590 from 192.0.2.7
tcpserver: ok 590 mx.example.org:192.0.2.60:25 mx.example.net:192.0.2.7::41234
rblsmtpd: 192.0.2.7 pid 590: 451 https://bl.example.org/192.0.2.7
tcpserver: pid 591 from 203.0.113.5
tcpserver: deny 591 mx.example.org:192.0.2.60:25 :203.0.113.5::40714
tcpserver: end 591 status 25600
tcpserver: end 590 status 0
tcpserver: pid 590 from 198.51.100.4
tcpserver: ok 590 mx.example.org:192.0.2.60:110 :198.51.100.4::3173
qmail-pop3d: user alice logged in from 198.51.100.4:3173
tcpserver: end 590 status 0
"""


def test_ucspi_by_process_or_peer(tmp_path: Path) -> None:
    """rblsmtpd is tcpserver's child itself; qmail-pop3d's wrapper tells only address and port."""
    columns = ("service", "pid", "client_ip", "client_port", "user", "result", "refusals", "ended")
    assert told(TCPSERVER, tmp_path, *columns) == [
        ("smtp", 590, "192.0.2.7", 41234, None, "rejected", 1, "closed"),
        ("smtp", 591, "203.0.113.5", 40714, None, "denied", 0, "denied"),
        ("qmail-pop3d", 590, "198.51.100.4", 3173, "alice", "logged_in", 0, "closed"),
    ]


DOVECOT: Final = """\
Nov 22 04:30:21 mail dovecot: auth: pam(alice,192.0.2.9,<2Adx79VgKt9>): unknown user
Nov 22 04:30:21 mail dovecot: auth: passwd-file(alice,192.0.2.9,<2Adx79VgKt9>): Password mismatch
Nov 22 04:30:23 mail dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.25, \
mpid=11506, TLS, session=<2Adx79VgKt9>
Nov 22 04:30:24 mail dovecot: imap(alice)<11506><2Adx79VgKt9>: Disconnected: Logged out in=152 out=1191
Nov 22 04:30:30 mail dovecot: auth: passwd-file(root,203.0.113.5,<JP5z79VgPN9>): unknown user
Nov 22 04:30:34 mail dovecot: imap-login: Disconnected: Connection closed (auth failed, 3 attempts in 9 secs): \
user=<root>, method=PLAIN, rip=203.0.113.5, lip=192.0.2.25, session=<JP5z79VgPN9>
Nov 22 04:30:40 mail dovecot: pop3-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.25, mpid=77
Nov 22 04:30:41 mail dovecot: pop3(bob)<77><>: Disconnected: Logged out top=0/0, retr=0/0, del=0/0, size=0
Nov 22 04:30:50 mail dovecot: imap(carol): Disconnected: Logged out in=1 out=2
"""


def test_dovecot_by_handle_or_process(tmp_path: Path) -> None:
    """The auth process asks two databases at one try; a line that nothing ties to others stands alone."""
    columns = ("service", "pid", "client_ip", "user", "result", "login_failures", "bytes_out", "ended")
    assert told(DOVECOT, tmp_path, *columns) == [
        ("imap", 11506, "192.0.2.9", "alice", "logged_in", 1, 1191, "closed"),
        ("imap", None, "203.0.113.5", "root", "login_failed", 3, None, "closed"),
        ("pop3", 77, "192.0.2.9", "bob", "logged_in", 0, None, "closed"),
        ("imap", None, None, "carol", "nothing", 0, 2, "closed"),
    ]
    # A refused client's nine seconds began before its only line of the login process.
    assert [start.second for (start,) in told(DOVECOT, tmp_path, "start")] == [21, 25, 40, 50]


def test_another_client_is_another_session(tmp_path: Path) -> None:
    """Where the log misses lines, a process id that is used again does not mix two clients."""
    text = "".join(line for line in POSTFIX.splitlines(True) if "connect from" not in line)
    assert told(text, tmp_path, "pid", "client_ip", "result") == [
        (70, "192.0.2.9", "accepted"),
        (71, "203.0.113.5", "login_failed"),
        (71, "192.0.2.7", "rejected"),
    ]


@needs_lab
def test_lab_postfix() -> None:
    """As many sessions as clients connected, as many messages as were taken in by smtpd."""
    path = SHARED / "lab/postfix/full-run.mail.log.bsd"
    text = path.read_text(errors="replace")
    found = sessions(path).filter(pl.col("kind") == "postfix")
    lines = [line for line in text.splitlines() if re.search(r"smtpd\[[0-9]+\]: ", line)]
    assert len(found) == sum(bool(re.search(r"\]: connect from ", line)) for line in lines)
    assert found["end"].count() == sum("disconnect from" in line for line in lines)
    assert found["messages"].sum() == sum(bool(re.search(r": client=", line)) for line in lines)
    assert found["login_failures"].sum() == sum(
        bool(re.search("SASL [A-Z0-9-]+ authentication failed", line)) for line in lines
    )


@needs_lab
def test_lab_dovecot_and_courier() -> None:
    """One session for each login and failed login; the tries are those that the login process counted."""
    dovecot = sessions(SHARED / "lab/imap/dovecot.log.bsd").filter(pl.col("kind") == "dovecot")
    assert (dovecot["result"] == "login_failed").sum() == 10
    assert dovecot.filter(pl.col("result") == "login_failed")["login_failures"].sum() == 13
    assert dovecot.filter(pl.col("logins") > 0)["end"].null_count() == 0
    courier = sessions(SHARED / "lab/imap/courier.log.bsd")
    text = (SHARED / "lab/imap/courier.log.bsd").read_text()
    assert len(courier) == len(set(re.findall(r"Connection, (ip=\S+, port=\S+)", text)))
    assert courier["logins"].sum() == len(re.findall(r": LOGIN, ", text))


@needs_lab
def test_lab_tcpserver() -> None:
    path = SHARED / "lab/imap/tcpserver-smtpd.raw.log"
    found = sessions(path)
    text = path.read_text()
    assert len(found) == text.count("tcpserver: pid ")
    assert (found["result"] == "denied").sum() == text.count("tcpserver: deny ")


MIXED: Final = [*POSTFIX.splitlines(), *TCPSERVER.splitlines(), *DOVECOT.splitlines()]


@given(st.data())
@settings(max_examples=examples(25), deadline=None)
def test_the_cut_into_batches_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any lines of these programs in any order, some missing, some again."""
    chosen = data.draw(st.lists(st.sampled_from(MIXED), min_size=1, max_size=40))
    log = tmp_path_factory.mktemp("sessions") / "mail.log"
    log.write_text("\n".join(chosen) + "\n")
    whole = sessions(log)
    for chunk_bytes, chunks in ((1, 1), (200, 1), (300, 2)):
        parts = sessions(log, chunk_bytes=chunk_bytes, chunks_a_batch=chunks)
        assert parts.to_dicts() == whole.to_dicts()


def test_memory_is_that_of_the_sessions_under_way(tmp_path: Path) -> None:
    """Sessions that are over, and those that nothing was heard of for long, are not kept."""
    log = tmp_path / "mail.log"
    begun = "".join(
        f"Nov {day:2} 03:45:10 mail postfix/smtpd[{day}]: connect from a[192.0.2.9]\n" for day in range(1, 20)
    )
    log.write_text(begun)
    tracker = SessionTracker()
    for batch in run([source(log)], chunk_bytes=1, chunks_a_batch=1, keep=True).batches:
        tracker.feed(batch)
        assert len(tracker.open) <= 2


def test_the_registry() -> None:
    assert set(EVENTS) <= set(ALL_EVENTS)
    for kind in KINDS:
        assert kind.begins | kind.ends <= set(EVENTS)
    assert list(SessionTracker().finish().schema.items()) == list(pl.DataFrame(schema=TABLE).schema.items())


def test_a_message_has_the_session_that_it_came_in_by(tmp_path: Path) -> None:
    """The session is told whole, with what it did for other messages; their lines are not shown."""
    log = tmp_path / "mail.log"
    log.write_text(POSTFIX)
    (trail,) = only("6E79B178018", log).trails
    assert trail.session is not None
    assert trail.session["queue_ids"] == ["6E79B178018", "7F79B178019"]
    assert (trail.session["user"], trail.session["ended"]) == ("alice@example.org", "closed")
    assert not any("7F79B178019" in step.text for step in trail.steps)
    assert record(trail)["session"]["end"] == "2026-11-22T03:45:13.000000Z"
    assert [str(fact) for fact in facts(trail.session)] == [
        "smtpd session of client.example.net [192.0.2.9]",
        "3 s",
        "logged in as alice@example.org",
        "TLSv1.3",
        "2 messages taken in",
    ]
