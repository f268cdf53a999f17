"""The queue of a real notqmail 1.09: as its own programs print it, as entries, and damaged."""

from __future__ import annotations

import os
from math import isqrt
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from unpacking import by_id, mutated, spool, unpacked

from mailscope.cli.main import mailscope
from mailscope.queues.qmail import files, qread, qstat, reader, schedule
from mailscope.queues.registry import choose
from mailscope.vocabulary.errors import InputError, UsageError

CAME = 1795319946  # of most messages
NOW = CAME + 354.0


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return unpacked("qmail", tmp_path)


def read_all(place: Path, now: float = NOW) -> tuple[dict[str, reader.QueueEntry], list[str]]:
    told: list[str] = []
    return by_id(reader.read(spool(place, now, told=told))), told


def blocks(listing: bytes) -> list[bytes]:
    """Messages of qmail-qread's output, sorted: their order is that of the file system."""
    found: list[bytes] = []
    for line in listing.splitlines(keepends=True):
        if line[:1].isdigit() or line.startswith(b"warning"):
            found.append(line)
        else:
            found[-1] += line
    return sorted(found)


def test_qmail_qread_prints_the_same(lab: Path) -> None:
    ours = b"".join(line + b"\n" for line in qread.lines(spool(lab / "queue", NOW), ()))
    theirs = (lab / "qmail-qread.txt").read_bytes()
    assert blocks(ours) == blocks(theirs)
    assert len(ours) == len(theirs)


def test_qmail_qread_goes_through_the_directories_in_order(lab: Path) -> None:
    place = lab / "queue"
    wanted = [name for part in range(23) for name in os.listdir(place / "info" / str(part))]
    heads = [line for line in qread.lines(spool(place, NOW), ()) if b" GMT  #" in line]
    assert [head.partition(b"#")[2].partition(b" ")[0].decode() for head in heads] == wanted


def test_qmail_qstat_prints_the_same(lab: Path) -> None:
    ours = b"".join(line + b"\n" for line in qstat.lines(spool(lab / "queue", NOW), ()))
    assert ours == (lab / "qmail-qstat.txt").read_bytes()


def test_the_command(lab: Path) -> None:
    found = CliRunner().invoke(
        mailscope,
        ["queue", "list", "--spool", str(lab / "queue"), "--compat", "qmail-qstat"],
        catch_exceptions=False,
    )
    assert found.stdout_bytes == (lab / "qmail-qstat.txt").read_bytes()
    assert choose(lab / "queue", None)[0].name == "qmail"


def test_the_shape_of_it_is_not_told_as_an_empty_table(lab: Path) -> None:
    with pytest.raises(UsageError, match="this one is of qmail"):
        CliRunner().invoke(
            mailscope, ["queue", "shape", "--spool", str(lab / "queue")], catch_exceptions=False
        )


def test_every_message_is_read(lab: Path) -> None:
    entries, told = read_all(lab / "queue")
    assert len(entries) == 22
    assert not [each for entry in entries.values() for each in entry.problems]
    assert told == [
        f"{lab / 'queue' / 'mess'}: 22 messages are not named after their inode: qmail cannot run on such a copy"
    ]


def test_a_message_of_which_some_failed(lab: Path) -> None:
    entry = read_all(lab / "queue")[0]["1614552"]
    assert (entry.sender, entry.size_bytes, entry.arrival_time) == ("alice@qm.lab.example", 298, CAME)
    assert [(each.recipient, each.status) for each in entry.recipients] == [
        ("ok@partial.example", "done"),
        ("u550@partial.example", "failed"),
        ("t450@partial.example", "waiting"),
        ("f552@partial.example", "failed"),
    ]
    assert "550 5.1.1 <u550@partial.example>: Recipient address rejected" in entry.recipients[1].reason


@pytest.mark.parametrize(("queue_id", "skip"), [("1614552", 20), ("1614496", 10)])
def test_the_next_retry(lab: Path, queue_id: str, skip: int) -> None:
    for age in (0, 99, 100, 101, 399, 400, 5000, 600_000):
        found = read_all(lab / "queue")[0][queue_id].arrival_time
        assert found is not None
        entry = read_all(lab / "queue", found + age)[0][queue_id]
        assert entry.next_retry_time is not None
        # As qmail-send has it: it tries, and reckons from then; here until a try lies ahead.
        tried, tries = 0, 1
        while (isqrt(tried) + skip) ** 2 <= age:
            tried, tries = (isqrt(tried) + skip) ** 2, tries + 1
        assert entry.next_retry_time - found == (isqrt(tried) + skip) ** 2
        assert (entry.attempts, entry.attempts_estimated) == (tries, True)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(["local", "remote"]))
def test_a_retry_lies_ahead_and_spans_grow(came: int, age: int, channel: str) -> None:
    tries, retry = schedule.reckoned(came, came + age, channel)
    assert retry > came + age
    assert schedule.next_retry(came, retry, channel) - retry >= retry - (
        came + ((tries - 1) * schedule.SKIP[channel]) ** 2
    )


def test_what_qmail_send_wrote_when_it_ended_counts(lab: Path) -> None:
    os.utime(lab / "queue" / "remote" / "21" / "1614552", (CAME + 9000, CAME + 9000))
    assert read_all(lab / "queue")[0]["1614552"].next_retry_time == CAME + 9000


def test_the_last_try(lab: Path) -> None:
    control = lab / "control"
    control.mkdir()
    (control / "queuelifetime").write_text("300\n")
    assert read_all(lab / "queue")[0]["1614552"].reason == reader.LAST_TRY
    (control / "queuelifetime").write_text("rubbish\n")
    assert not read_all(lab / "queue")[0]["1614552"].reason


def test_mail_that_qmail_send_has_not_looked_at(lab: Path) -> None:
    place = lab / "queue"
    (place / "mess" / str(4000 % 23) / "4000").write_bytes(b"Subject: x\n\nx\n")
    (place / "todo" / "4000").write_bytes(b"u501\0p77\0Fbob@example.org\0Ta@example.org\0Tb@example.org\0")
    entry = read_all(place)[0]["4000"]
    assert (entry.queue, entry.sender, entry.size_bytes, entry.attempts) == ("todo", "bob@example.org", 14, 0)
    assert [each.recipient for each in entry.recipients] == ["a@example.org", "b@example.org"]
    assert list(qstat.lines(spool(place, NOW), ()))[1].endswith(b"preprocessed: 1")
    assert [each.queue_id for each in reader.read(spool(place, NOW, "todo"))] == ["4000"]


def test_what_does_not_fit_is_told(lab: Path) -> None:
    place = lab / "queue"
    (place / "mess" / "1" / "1614532").unlink()
    (place / "mess" / "2" / str(23 * 9 + 2)).write_bytes(b"x")  # nothing else belongs to it
    os.utime(place / "mess" / "2" / "209", (1, 1))
    (place / "mess" / "3" / str(23 * 9 + 3)).write_bytes(b"x")
    (place / "intd" / "210").write_bytes(b"u0\0")
    (place / "intd" / "77").write_bytes(b"u0\0")
    (place / "pid" / "123.456").write_bytes(b"")
    (place / "bounce" / "999").write_bytes(b"<a@example.org>:\nno\n\n")
    (place / "remote" / "5" / "5").write_bytes(b"Ta@example.org\0")
    (place / "todo" / "1614486").write_bytes(b"Fa@example.org\0")
    (place / "local" / "17" / "1614479").write_bytes(b"Tcut off")
    (place / "info" / "0" / "notes").write_bytes(b"")
    entries, told = read_all(place)
    words = "\n".join(told)
    assert entries["1614532"].problems == ["its message (mess) is missing"]
    assert entries["1614486"].problems == ["it is in todo still: qmail-send ended while it took it up"]
    assert entries["1614479"].problems == ["local ends within a recipient"]
    assert "mess/2/209: nothing else belongs to it; qmail-send cleans it up" in words
    assert "mess/3/210: qmail-queue is writing it, or was ended while it did (intd)" in words
    assert "intd/77: there is no such message (mess)" in words
    assert "pid/123.456: qmail-queue is beginning a message" in words
    assert "bounce/999: there is no such message (info)" in words
    assert "remote/5/5: there is no such message (info)" in words
    assert "info/0/notes: its name is no number" in words
    # qmail-qread warns of the missing one, in the words of error_str().
    assert b"warning: trouble with #1614532: file does not exist" in list(
        qread.lines(spool(place, NOW, told=[]), ())
    )


def test_hostile_bytes_are_underscores_as_in_qmail(lab: Path) -> None:
    (lab / "queue" / "info" / "1" / "1614532").write_bytes(
        b"F\x1b]0;x\x07\xe9@example.org\0Tearly@example.org\0"
    )
    listing = list(qread.lines(spool(lab / "queue", NOW), ()))
    (at,) = [number for number, line in enumerate(listing) if b"#1614532 " in line]
    assert b"<_]0;x__@example.org> " in listing[at]
    # What stands behind the sender is read as a recipient: so it is there.
    assert listing[at + 1] == b"\tremote\tearly@example.org"


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no directory 'mess'"):
        list(reader.read(spool(tmp_path, NOW)))
    with pytest.raises(UsageError, match="no queue 'hold'"):
        list(reader.read(spool(tmp_path, NOW, "hold")))


def test_damaged_files_are_read_as_far_as_they_go(lab: Path) -> None:
    samples = [path.read_bytes() for path in (lab / "queue").rglob("*") if path.is_file()]
    mutated(samples, lambda data: (files.envelope(data), files.bounced(data)))


def test_a_damaged_queue_is_read(lab: Path) -> None:
    for number, path in enumerate(sorted((lab / "queue").rglob("1614*"))):
        if path.is_file() and number % 3 == 0:
            path.write_bytes(path.read_bytes()[: number % 7] + b"\xff\0" * (number % 5))
    entries, _ = read_all(lab / "queue")
    assert len(entries) == 22
    assert list(qread.lines(spool(lab / "queue", NOW), ()))
