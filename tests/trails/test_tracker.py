"""Following messages from batch to batch: what is told when, what is kept, and that all of it is true."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from running import Run, at, light, pipeline, postfix, qmail, run, source, told

from mailscope.trails.tracker import Tracker

ROOT = Path(__file__).parents[2]


def messages(done: Run, *columns: str) -> list[tuple[Any, ...]]:
    rows = sorted(done.rows("messages"), key=lambda row: (row["first_time"], row["queue_id"]))
    return [tuple(row[name] for name in columns) for row in rows]


# What a log cannot tell


def test_a_log_that_begins_and_ends_in_the_middle_of_things() -> None:
    log = postfix("""
        12:00:00 smtp 4FA1B2C3D1: to=<a@example.org>, relay=r.example.org[192.0.2.9]:25, delay=9, delays=1/0/1/7, dsn=2.0.0, status=sent (250 ok)
        12:00:00 qmgr 4FA1B2C3D1: removed
        12:00:01 qmgr 4FA1B2C3D2: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:00:02 smtpd 4FA1B2C3D3: client=c.example.org[192.0.2.1]
    """)
    done = told(log)
    assert messages(done, "queue_id", "origin", "sender", "ended") == [
        ("4FA1B2C3D1", None, None, "removed"),
        ("4FA1B2C3D2", None, "s@example.org", None),
        ("4FA1B2C3D3", "smtpd", None, None),
    ]
    fates = done.rows("recipients", "recipient", "fate")
    assert sorted(map(tuple, (row.values() for row in fates)), key=str) == [
        ("a@example.org", "sent"),
        (None, "queued"),
    ]


def test_lines_in_any_order_never_raise() -> None:
    """Every line of a message, in the wrong order."""
    log = postfix("""
        12:00:00 qmgr 4FA1B2C3D1: removed
        12:00:00 qmgr 4FA1B2C3D1: from=<s@example.org>, status=expired, returned to sender
        12:00:00 smtp 4FA1B2C3D1: to=<a@example.org>, relay=none, delay=9, delays=1/0/1/7, dsn=4.0.0, status=deferred (x)
        12:00:00 postsuper 4FA1B2C3D1: released from hold
        12:00:00 qmgr 4FA1B2C3D1: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:00:00 cleanup 4FA1B2C3D1: message-id=<a@example.org>
        12:00:00 smtpd 4FA1B2C3D1: client=c.example.org[192.0.2.1]
    """)
    assert len(told(log).rows("messages")) == 3


def test_a_log_without_mail() -> None:
    log = postfix("12:00:00 anvil statistics: max cache size 1 at Nov 22 04:00:42")
    assert told(log).rows("messages") == []


def test_lines_without_any_stamp() -> None:
    done = told("new msg 7\ninfo msg 7: bytes 603 from <s@example.org> qp 1 uid 0\nend msg 7\nnew msg 7\n")
    assert sorted(row["size_bytes"] or 0 for row in done.rows("messages")) == [0, 603]


# What is told when


def test_messages_are_told_when_no_line_can_join_them_any_more(tmp_path: Path) -> None:
    hours = [
        f"{hour:02}:00:00 smtpd A{hour:05}: client=c.example.org[192.0.2.1]\n{hour:02}:00:01 qmgr A{hour:05}: removed\n"
        for hour in range(24)
    ]
    path = tmp_path / "mail.log"
    path.write_text(postfix("".join(hours)))
    flow = pipeline([source(path)], chunk_bytes=160)
    told_of, under_way = 0, []
    for _, outcome in flow.follow():
        told_of += len(outcome.messages)
        under_way.append(told_of)
    assert told_of == 24
    # Not all at the end: memory does not grow with the log.
    assert under_way[12] >= 10


def test_what_is_kept_does_not_grow_with_the_log(tmp_path: Path) -> None:
    path = generated(tmp_path, "long", 12_000, days=2)
    tracker = Tracker()
    most = 0
    for batch in pipeline([source(path, mtime=datetime(2026, 6, 1))], chunk_bytes=60_000).batches():
        outcome = tracker.feed(batch)
        assert not len(outcome.recipients) or len(outcome.messages)
        most = max(most, len(tracker.open))
    total = tracker.next_trail
    assert most < total / 2
    assert len(tracker.recipients.open) <= 3 * len(tracker.open)


def test_one_wrong_stamp_does_not_close_what_is_under_way(tmp_path: Path) -> None:
    """A host whose clock is years ahead: its line must not part other messages into two."""
    lines = postfix("""
        12:00:00 smtpd 4FA1B2C3D1: client=c.example.org[192.0.2.1]
        12:00:01 qmgr 4FA1B2C3D1: from=<s@example.org>, size=900, nrcpt=1 (queue active)
        12:30:00 smtp 4FA1B2C3D1: to=<a@example.org>, relay=none, delay=9, delays=1/0/1/7, dsn=4.0.0, status=deferred (x)
        12:30:01 qmgr 4FA1B2C3D1: removed
    """).splitlines(keepends=True)
    odd = "2031-01-01T00:00:00Z mx2 postfix/qmgr[1]: 4FA1B2C3FF: removed\n"
    path = tmp_path / "mail.log"
    path.write_text("".join([*lines[:2], odd, *lines[2:]]))
    done = run([source(path)])
    assert messages(done, "queue_id", "ended") == [("4FA1B2C3D1", "removed"), ("4FA1B2C3FF", "removed")]


def test_a_file_of_months_beside_one_of_days(tmp_path: Path) -> None:
    """Both begin together; a chunk of the quiet host reaches months ahead of the busy one."""
    busy = "".join(
        f"2026-03-01T{hour:02}:00:0{second}Z mx1 postfix/{text}\n"
        for hour in range(20)
        for second, text in (
            (0, f"smtpd[1]: A{hour:05}: client=c.example.org[192.0.2.1]"),
            (1, f"qmgr[1]: A{hour:05}: from=<s@example.org>, size=900, nrcpt=1 (queue active)"),
        )
    )
    busy += "".join(
        f"2026-03-02T{hour:02}:00:00Z mx1 postfix/qmgr[1]: A{hour:05}: removed\n" for hour in range(20)
    )
    quiet = "".join(
        f"2026-{month:02}-{day:02}T12:00:00Z mx2 postfix/qmgr[1]: B{month:03}{day:02}: removed\n"
        for month in range(3, 11)
        for day in range(1, 29)
    )
    (tmp_path / "busy").write_text(busy)
    (tmp_path / "quiet").write_text(quiet)
    for chunk_bytes in (300, 1 << 20):
        done = run([source(tmp_path / "busy"), source(tmp_path / "quiet")], chunk_bytes=chunk_bytes)
        rows = [row for row in done.rows("messages") if row["host"] == "mx1"]
        assert [row["ended"] for row in rows] == ["removed"] * 20


# That it is true


def generated(folder: Path, queue_ids: str, lines: int, days: float = 1, seed: int = 4) -> Path:
    """A log made by the benchmarks' generator, with the truth about it beside it."""
    path = folder / "mail.log"
    options = ["--lines", str(lines), "--queue-ids", queue_ids, "--days", str(days), "--seed", str(seed)]
    command = [sys.executable, str(ROOT / "benchmarks" / "generate.py"), *options]
    subprocess.run(
        [*command, "-o", str(path), "--truth", str(folder / "truth.json")], check=True, capture_output=True
    )
    return path


@pytest.mark.parametrize("needed", [None, light()], ids=["all fields", "needed fields"])
@pytest.mark.parametrize("queue_ids", ["short", "long"])
def test_a_generated_log_is_followed_exactly(tmp_path: Path, queue_ids: str, needed: Any) -> None:
    path = generated(tmp_path, queue_ids, 30_000)
    truth = json.loads((tmp_path / "truth.json").read_text())
    done = run([source(path, mtime=datetime(2026, 6, 1))], chunk_bytes=400_000, needed=needed)
    rows, recipients = done.rows("messages"), done.rows("recipients")
    deliveries = done.rows("deliveries")

    assert done.totals["read"] == done.totals["recognised"] == truth["lines"]
    queued = [row for row in rows if row["size_bytes"] is not None]
    assert len(queued) == truth["trails"]["queued"]
    assert sum(row["size_bytes"] for row in queued) == truth["trails"]["bytes_queued"]
    assert len([row for row in rows if row["ended"] == "removed"]) == truth["trails"]["removed"]
    assert len([row for row in rows if row["ended"] == "deleted"]) == truth["trails"]["deleted"]
    assert len([row for row in rows if row["expired"]]) == truth["trails"]["expired"]
    assert len([row for row in rows if row["refused"]]) == sum(truth["rejected_by_filter"].values())
    assert len([row for row in rows if row["filtered"]]) == truth["accepted"]["filter"]
    accepted = sum(len(frame) for frame in done.tables["arrivals"])
    assert accepted == sum(truth["accepted"].values())

    for status, count in truth["attempts"].items():
        assert len([row for row in deliveries if row["status"] == status]) == count
    assert sum(row["size_bytes"] or 0 for row in deliveries if row["status"] == "sent") == truth["bytes_sent"]

    fates: dict[str, int] = {}
    for row in recipients:
        fates[row["fate"]] = fates.get(row["fate"], 0) + row["recipients"]
    wanted = truth["recipients"]
    assert sum(fates.values()) == wanted["queued"]
    for fate in ("sent", "bounced", "expired", "deleted"):
        assert fates.get(fate, 0) == wanted[fate], fate
    assert fates.get("queued", 0) + fates.get("deferred", 0) == wanted["open"]

    senders: dict[str, int] = {}
    for row in queued:
        senders[row["sender"]] = senders.get(row["sender"], 0) + 1
    assert len(senders) == truth["distinct_senders"]
    assert all(senders[name] == count for name, count in truth["top_senders"])


def test_forwards_and_notifications_are_messages_of_their_own() -> None:
    log = postfix("""
        12:00:00 smtpd 4FA1B2C3D1: client=c.example.org[192.0.2.1]
        12:00:01 cleanup 4FA1B2C3D1: message-id=<a@example.org>
        12:00:01 qmgr 4FA1B2C3D1: from=<s@example.org>, size=900, nrcpt=2 (queue active)
        12:00:02 cleanup 4FA1B2C3D2: message-id=<a@example.org>
        12:00:02 local 4FA1B2C3D1: to=<fwd@example.org>, relay=local, delay=2, delays=1/0/1/0, dsn=2.0.0, status=sent (forwarded as 4FA1B2C3D2)
        12:00:02 qmgr 4FA1B2C3D2: from=<s@example.org>, size=1000, nrcpt=1 (queue active)
        12:00:03 smtp 4FA1B2C3D1: to=<gone@example.org>, relay=r.example.org[192.0.2.9]:25, delay=3, delays=1/0/1/1, dsn=5.1.1, status=bounced (no)
        12:00:03 cleanup 4FA1B2C3D3: message-id=<20260901120003.4FA1B2C3D3@mx1>
        12:00:03 bounce 4FA1B2C3D1: sender non-delivery notification: 4FA1B2C3D3
        12:00:03 qmgr 4FA1B2C3D3: from=<>, size=2000, nrcpt=1 (queue active)
        12:00:03 qmgr 4FA1B2C3D1: removed
    """)
    assert messages(told(log), "queue_id", "origin", "sender", "ended") == [
        ("4FA1B2C3D1", "smtpd", "s@example.org", "removed"),
        ("4FA1B2C3D2", "internal", "s@example.org", None),
        ("4FA1B2C3D3", "internal", "", None),
    ]


def test_a_day_of_qmail() -> None:
    log = qmail("""
        12:00:00 new msg 7
        12:00:00 info msg 7: bytes 603 from <s@example.org> qp 26920 uid 89
        12:00:01 starting delivery 1: msg 7 to local fwd@example.net
        12:00:01 status: local 1/10 remote 0/20
        12:00:02 new msg 9
        12:00:02 info msg 9: bytes 700 from <s@example.org> qp 26931 uid 89
        12:00:02 delivery 1: success: did_0+1+0/qp_26931/
        12:00:02 status: local 0/10 remote 0/20
        12:00:02 end msg 7
        12:00:03 starting delivery 2: msg 9 to remote r@example.org
        12:00:04 delivery 2: success: 192.0.2.9_accepted_message./Remote_host_said:_250_ok/
        12:00:04 end msg 9
    """)
    done = told(log)
    assert messages(done, "queue_id", "qp", "origin", "ended", "last_time") == [
        ("7", 26920, "qmail-send", "removed", at("12:00:02")),
        ("9", 26931, "qmail-send", "removed", at("12:00:04")),
    ]
    assert sorted(row["fate"] for row in done.rows("recipients")) == ["sent", "sent"]
