"""``mailscope queue``: what a person sees and may ask, on a queue of a real Postfix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailscope.cli import queue_listing
from mailscope.cli.queue_listing import Listing, written
from mailscope.cli.queue_options import Asked
from mailscope.cli.queue_text import bytes_of, retry, span
from mailscope.cli.queue_watch import Course, Picture
from mailscope.queues.entry import DEFERRED, QueueEntry, Recipient, Spool
from mailscope.queues.registry import BY_NAME
from mailscope.queues.selection import Selection, seconds, size
from mailscope.vocabulary.errors import InputError, UsageError

NOW = "2026-11-22T03:55:55Z"


def ran(lab: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [
            sys.executable, "-m", "mailscope", "queue", *words, "--spool", str(lab / "spool"),
            "--now", NOW, "--tz", "UTC",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def test_list(lab: Path) -> None:
    lines = ran(lab, "list", "--sort", "age").splitlines()
    assert lines[0].split() == ["QUEUE", "ID", "SIZE", "AGE", "TRIES", "RETRY", "SENDER", "RECIPIENT", "WHY"]
    assert lines[-1].startswith("83 messages, ")
    row = next(line for line in lines if "1EF68178027" in line)
    assert row.split()[:9] == (
        [
            "deferred",
            "1EF68178027",
            "359",
            "10m",
            "~3",
            "49m",
            "alice@lab.example",
            "user@grey.example",
            "host",
        ]
    )
    mixed = ran(lab, "list", "4jXFbq3XyNzCb7Y", "--all").splitlines()
    assert sum("[connection_refused]" in line for line in mixed) == 3


def test_json_begins_as_postqueue_does(lab: Path) -> None:
    theirs = {
        told["queue_id"]: told
        for told in map(json.loads, (lab / "golden/postqueue-j.json").read_text().splitlines())
    }
    ours = [json.loads(line) for line in ran(lab, "list", "--format", "json").splitlines()]
    assert {told["queue_id"] for told in ours} == theirs.keys()
    for told in ours:
        expected = theirs[told["queue_id"]]
        same = ("queue_name", "queue_id", "arrival_time", "message_size", "forced_expire")
        assert {name: told[name] for name in same} == {name: expected[name] for name in same}
        # What is delivered is listed by us, and marked as such.
        waiting = [each for each in told["recipients"] if each["status"] != "done"]
        reasons = sorted(each.get("delay_reason", "") for each in waiting)
        assert reasons == sorted(each.get("delay_reason", "") for each in expected["recipients"])


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--queue", "hold"), 12),
        (("--sender", "<>"), 0),
        (("--sender", "ALICE@*", "--queue", "incoming"), 5),
        (("--domain", "grey.example"), 4),
        (("--domain", "*.example", "--queue", "maildrop"), 1),
        (("--recipient", "odd addr@*"), 1),
        (("--cause", "greylisted"), 8),
        (("--reason", "connection REFUSED"), 5),
        (("--reason", "connection refused", "--domain", "grey.example"), 0),
        (("--larger-than", "8k"), 1),
        (("--older-than", "9m", "--queue", "active"), 1),
    ],
)
def test_filters(lab: Path, words: tuple[str, ...], count: int) -> None:
    assert len(ran(lab, "list", "--format", "json", *words).splitlines()) == count


def test_two_processes_write_what_one_does(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listing(form: str, selection: Selection) -> list[str]:
        troubles: list[str] = []
        spool = Spool(lab / "spool", 1795319755.0, troubles.append, (), ZoneInfo("UTC"))
        queue = Asked(BY_NAME["postfix"], spool, troubles)
        return list(written(queue, selection, Listing(form, False, None, spool.now)))

    monkeypatch.setattr(queue_listing, "PART", 7)
    for form, selection in (("text", Selection()), ("json", Selection(causes=("greylisted",)))):
        alone = listing(form, selection)
        with monkeypatch.context() as shared:
            shared.setattr(queue_listing, "LONG", 1)
            assert listing(form, selection) == alone
        assert len(alone) >= 12


def test_show(lab: Path) -> None:
    told = ran(lab, "show", "4jXFbq3XyNzCb7Y")
    assert "done       m3@aol-like.example" in told
    assert "connection_refused: Connection refused" in told
    assert "Subject: mixed recipients" in told
    as_postcat = ran(lab, "show", "-q", "-h", "4jXFbq3XyNzCb7Y")
    assert as_postcat.startswith("Received: from ")
    corrupt = str(lab / "spool/corrupt/4jXFZZ0002zZ002")
    assert "the file ends within a record at byte 513" in ran(lab, "show", corrupt)
    assert "no such message" in ran(lab, "show", "NOSUCHID", code=1)
    assert "ends within a record" in ran(
        lab, "show", "-v", str(lab / "spool/corrupt/4jXFZZ0002zZ002"), code=1
    )


def test_causes(lab: Path) -> None:
    told = [json.loads(line) for line in ran(lab, "causes", "--format", "json", "--lang", "en").splitlines()]
    by_cause = {each["cause"]: each for each in told}
    assert by_cause["held"]["messages"] == 12
    assert by_cause["greylisted"]["domains"][0] == {
        "domain": "grey.example",
        "recipients": 6,
        "messages": 4,
        "oldest_time": by_cause["greylisted"]["domains"][0]["oldest_time"],
        "next_retry_time": 1795322749.0,
        "reason": "host mx.grey.example[127.0.0.14] said: 450 4.7.1 Greylisted, please try again in 300 seconds "
        "(in reply to RCPT TO command)",
    }
    listed = [json.loads(line) for line in ran(lab, "list", "--format", "json").splitlines()]
    waiting = [each for entry in listed for each in entry["recipients"] if each["status"] != "done"]
    assert sum(each["recipients"] for each in told) == len(waiting)
    assert "Colpa: di nessuno" in ran(lab, "causes", "--lang", "it")


def test_watch_draws_one_picture(lab: Path) -> None:
    told = ran(lab, "watch", "--once")
    assert "83 messages" in told
    assert "deferred         53" in told
    assert "there is none" in ran(lab, "watch", code=2)


def test_what_comes_and_leaves_is_seen() -> None:
    course = Course()
    for ids in ({"a", "b"}, {"b", "c", "d"}, set()):
        course.go_on(Picture(ids=ids))
    assert (course.came, course.left, course.bars()) == (0, 3, "▆█▁")


def test_hostile_text_drives_no_terminal(lab: Path, tmp_path: Path) -> None:
    original = (lab / "spool/deferred/E/E80DB178019").read_bytes()
    assert original.count(b"alice@lab.example") > 1
    path = tmp_path / "deferred" / "E80DB178019"
    path.parent.mkdir()
    path.write_bytes(original.replace(b"alice@lab.example", b"\x1b[2J\xff\x07\nx@y.z"[:17].ljust(17, b"x")))
    path.chmod(0o700)
    for words in (
        ("list",),
        ("list", "--all"),
        ("list", "--format", "json"),
        ("causes",),
        ("show", path.name),
    ):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mailscope",
                "queue",
                *words,
                "--spool",
                str(tmp_path),
                "--mta",
                "postfix",
            ],
            capture_output=True,
            check=True,
        )
        assert not set(done.stdout) & set(b"\x1b\x07\xff")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("list", "--queue", "x"), "has no queue 'x'"),
        (("list", "--older-than", "soon"), "no span of time"),
        (("list", "--larger-than", "big"), "no size"),
        (("list", "--cause", "x"), "there is no cause"),
        (("list", "--compat", "mailq"), "has no 'mailq'"),
        (("list", "--compat", "postqueue", "--domain", "x"), "leave the filters out"),
        (("hold", "--all", "--yes"), "not the queue of this host's Postfix"),
    ],
)
def test_what_is_wrong_is_said(lab: Path, words: tuple[str, ...], told: str) -> None:
    assert told in ran(lab, *words, code=2)


def test_a_directory_that_is_no_queue(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", "queue", "list", "--spool", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "it looks like no spool of postfix," in done.stderr


def test_spans_and_sizes() -> None:
    assert [seconds(text, "") for text in ("90", "90s", "5m", "2h", "3d", "1w")] == [
        90, 90, 300, 7200, 259_200, 604_800,
    ]  # fmt: skip
    assert [size(text, "") for text in ("10", "2k", "3M", "1gb")] == [10, 2048, 3 << 20, 1 << 30]
    assert [span(each) for each in (None, -5.0, 59.9, 61.0, 7200.0, 1e6)] == [
        "",
        "0s",
        "59s",
        "1m",
        "2h",
        "11d",
    ]
    assert [retry(None, 0), retry(90.0, 0), retry(0.0, 90)] == ["", "1m", "(1m)"]
    assert [bytes_of(each) for each in (0, 999, 1000, 10_300, 999_999, 5 << 30)] == [
        "0", "999", "1.0k", "10k", "977k", "5.0G",
    ]  # fmt: skip


def test_a_filter_means_one_and_the_same_recipient() -> None:
    entry = QueueEntry("deferred", "A", "", "a@b.c")
    entry.recipients = [
        Recipient("x@one.example", DEFERRED, "busy", cause="rate_limited"),
        Recipient("y@two.example", "done"),
    ]
    assert Selection(domains=("one.example",), reasons=("BUSY",)).takes(entry, 0)
    assert not Selection(domains=("two.example",)).takes(entry, 0)
    assert not Selection(older_than_s=1).takes(entry, 10)


def test_a_queue_is_told_by_its_directories(tmp_path: Path) -> None:
    from mailscope.queues.registry import choose

    for name in ("incoming", "active", "deferred"):
        (tmp_path / name).mkdir()
    assert choose(tmp_path, None)[0].name == "postfix"
    with pytest.raises(InputError):
        choose(tmp_path / "deferred", None)
    with pytest.raises(UsageError):
        BY_NAME["postfix"].lines("qmail-qread")
    assert os.access(tmp_path, os.R_OK)
