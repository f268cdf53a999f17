"""The sealed archive: what is stored comes back, and what was done to it is found at the right line."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import zstandard
from running import examples

from mailscope.syslog.archive import keys
from mailscope.syslog.archive.days import Contents, days, export, lines_file, records, seals_file
from mailscope.syslog.archive.seals import made, parsed, split
from mailscope.syslog.archive.verify import Head, verify
from mailscope.syslog.archive.writer import Archive, begin
from mailscope.vocabulary.errors import InputError, OutputError, UsageError

DAYS, BATCHES, LINES = 3, 6, 9
EDITS = examples(1000)
ROUNDS = 8


def batch(number: int) -> bytes:
    first = number * LINES
    return b"".join(
        b"Nov 27 mx1 postfix/smtpd[%d]: line %d of %d\n" % (n % 7, n, n * n)
        for n in range(first, first + LINES)
    )


class Made(NamedTuple):
    directory: Path
    key: bytes
    stored: bytes


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Made:
    directory = tmp_path_factory.mktemp("archive") / "a"
    key = begin(directory)
    archive = Archive(directory)
    stored = []
    for number in range(DAYS * BATCHES):
        stored.append(batch(number))
        archive.add(stored[-1], datetime(2026, 11, 25 + number // BATCHES, tzinfo=UTC))
    archive.close()
    return Made(directory, key, b"".join(stored))


@pytest.fixture
def copy(whole: Made, tmp_path: Path) -> Made:
    shutil.copytree(whole.directory, tmp_path / "a")
    return whole._replace(directory=tmp_path / "a")


def contents(directory: Path, day: str) -> bytes:
    return b"".join(Contents(lines_file(directory, day)))


def replace(directory: Path, day: str, data: bytes) -> None:
    lines_file(directory, day).write_bytes(zstandard.compress(data))


def test_the_original_bytes_come_back(whole: Made) -> None:
    assert b"".join(export(whole.directory)) == whole.stored
    assert days(whole.directory) == ["2026-11-25", "2026-11-26", "2026-11-27"]
    one = b"".join(export(whole.directory, "2026-11-26", "2026-11-26"))
    assert one == b"".join(batch(number) for number in range(BATCHES, 2 * BATCHES))


def test_any_bytes_come_back(tmp_path: Path) -> None:
    key = begin(tmp_path / "a")
    given = [b"no line feed", b"\n\n\n", b"\0\xff\r\n", b"", b"x" * 3_000_000 + b"\n", b"a\nb", b"last"]
    for data in given:
        archive = Archive(tmp_path / "a")
        archive.add(data)
        archive.close()
    assert b"".join(export(tmp_path / "a")) == b"".join(given)
    verdict = verify(tmp_path / "a", key)
    assert verdict.good
    assert verdict.proved == verdict.last == 9


def test_an_archive_as_it_was_stored_is_proved_whole(whole: Made) -> None:
    verdict = verify(whole.directory, whole.key)
    assert verdict.good, verdict
    assert (verdict.first, verdict.last, verdict.proved) == (
        1,
        DAYS * BATCHES * LINES,
        DAYS * BATCHES * LINES,
    )


class Edit(NamedTuple):
    """What was done: to be told as ``kinds`` at ``number`` first; ``proved`` lines are left."""

    kinds: set[str]
    number: int
    proved: int


def edited(chooser: random.Random, lines: list[bytes], first: int) -> Edit:
    """Do one thing to the lines of a day, of which the first has that number."""
    at = chooser.randrange(len(lines))
    whole, number = DAYS * BATCHES * LINES, first + at
    kind = chooser.choice(("byte", "text", "remove", "several", "insert", "copy", "swap", "move", "truncate"))
    if kind == "byte":
        line = bytearray(lines[at])
        place = chooser.randrange(len(line) - 1)
        line[place] ^= 1 << chooser.randrange(8)
        if line[place] == 10:
            line[place] = 11
        lines[at] = bytes(line)
        return Edit({"changed"}, number, whole - 1)
    if kind == "text":
        lines[at] = b"somebody else was here\n"
        return Edit({"changed"}, number, whole - 1)
    if kind == "remove":
        del lines[at]
        return Edit({"removed"}, number, whole - 1)
    if kind == "several":
        count = min(chooser.randrange(2, 20), len(lines) - at)
        del lines[at : at + count]
        return Edit({"removed"}, number, whole - count)
    if kind == "insert":
        lines.insert(at, b"never was\n")
        return Edit({"inserted"}, number, whole)
    if kind == "copy":
        lines.insert(at, chooser.choice(lines))
        # A copy of a line beside it: which of the two is the copy cannot be said.
        return Edit({"inserted"}, number if lines[at] != lines[at + 1] else number + 1, whole)
    if kind == "truncate":
        count = len(lines) - at
        del lines[at:]
        return Edit({"removed"}, number, whole - count)
    to = chooser.randrange(len(lines))
    while to == at:
        to = chooser.randrange(len(lines))
    if kind == "swap":
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines.insert(to, lines.pop(at))
    return Edit({"moved"}, first + min(at, to), whole)


@pytest.mark.parametrize("part", range(ROUNDS))
def test_random_edits_are_found_at_the_right_line(part: int, copy: Made) -> None:
    for case in range(part, EDITS, ROUNDS):
        chooser = random.Random(f"edit {case}")
        place = chooser.randrange(DAYS)
        day = days(copy.directory)[place]
        before = contents(copy.directory, day)
        file, seals = lines_file(copy.directory, day), seals_file(copy.directory, day)
        kept, kept_seals = file.read_bytes(), seals.read_bytes()
        lines = split(before)
        edit = edited(chooser, lines, place * BATCHES * LINES + 1)
        replace(copy.directory, day, b"".join(lines))
        verdict = verify(copy.directory, copy.key)
        told = [found.fault for found in verdict.faults if found.fault.kind != "seal"]
        where = f"case {case}: {edit}, {verdict.faults}"
        assert {fault.kind for fault in told} == edit.kinds, where
        assert told[0].number == edit.number, where
        assert verdict.proved == edit.proved, where
        if chooser.random() < 0.3:
            # The seals are made again with the key of today: they are found false, and lines not proved.
            forge(copy.directory, day, b"".join(lines))
            verdict = verify(copy.directory, copy.key)
            where = f"case {case}, forged: {edit}, {verdict.faults}"
            assert any(found.fault.kind == "seal" for found in verdict.faults), where
            assert verdict.faults[0].fault.number <= edit.number, where
        file.write_bytes(kept)
        seals.write_bytes(kept_seals)
    assert verify(copy.directory, copy.key).good


def forge(directory: Path, day: str, data: bytes) -> None:
    """What an intruder can do who has the key of today: make a day's seals again with it."""
    present = keys.read(directory / keys.FILE)
    assert present is not None
    old = [record for record in records(seals_file(directory, day)) if record is not None]
    lines, out = split(data), []
    start = 0
    for record in old:
        count = record.lines if record is not old[-1] else len(lines) - start
        part = b"".join(lines[start : start + count])
        out.append(made(part, record.batch, record.line, record.time, keys.working(present.key)).written())
        start += count
    seals_file(directory, day).write_bytes(b"".join(out))


def test_several_edits_are_all_found(copy: Made) -> None:
    day = "2026-11-26"
    lines = split(contents(copy.directory, day))
    lines[3] = b"changed\n"
    del lines[20]
    lines.insert(30, b"inserted\n")
    lines.insert(40, lines.pop(45))
    replace(copy.directory, day, b"".join(lines))
    verdict = verify(copy.directory, copy.key)
    first = BATCHES * LINES + 1
    assert [(found.fault.kind, found.fault.number) for found in verdict.faults] == [
        ("changed", first + 3),
        ("removed", first + 20),
        ("inserted", first + 31),
        ("moved", first + 40),
    ]
    assert verdict.proved == DAYS * BATCHES * LINES - 2


def test_a_line_and_its_seal_changed_together(copy: Made) -> None:
    day = "2026-11-25"
    data = contents(copy.directory, day)
    lines = split(data)
    lines[12] = b"changed\n"
    replace(copy.directory, day, b"".join(lines))
    file = seals_file(copy.directory, day)
    old = file.read_bytes().splitlines(keepends=True)
    # Everything of the second batch that needs no key is made to fit.
    import hashlib
    from dataclasses import replace as changed

    record = parsed(old[1])
    assert record is not None
    part = b"".join(lines[LINES : 2 * LINES])
    old[1] = changed(record, digest=hashlib.sha256(part).digest(), size=len(part)).written()
    file.write_bytes(b"".join(old))
    verdict = verify(copy.directory, copy.key)
    assert ("seal", LINES + 1, LINES) in [found.fault[:3] for found in verdict.faults]


Act = Callable[[Path], None]


def remove_day(directory: Path) -> None:
    for path in (lines_file(directory, "2026-11-26"), seals_file(directory, "2026-11-26")):
        path.unlink()


def remove_lines_of_a_day(directory: Path) -> None:
    lines_file(directory, "2026-11-26").unlink()


def remove_seals_of_a_day(directory: Path) -> None:
    seals_file(directory, "2026-11-26").unlink()


def cut_the_end(directory: Path) -> None:
    file = seals_file(directory, "2026-11-27")
    kept = file.read_bytes().splitlines(keepends=True)[:-2]
    file.write_bytes(b"".join(kept))
    lines = split(contents(directory, "2026-11-27"))[: -2 * LINES]
    replace(directory, "2026-11-27", b"".join(lines))


def remove_a_seal(directory: Path) -> None:
    file = seals_file(directory, "2026-11-26")
    old = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*old[:2], *old[3:]]))


def batches_change_places(directory: Path) -> None:
    file = seals_file(directory, "2026-11-26")
    old = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([old[1], old[0], *old[2:]]))


def append_a_line(directory: Path) -> None:
    replace(directory, "2026-11-27", contents(directory, "2026-11-27") + b"never was\n")


SECOND, END = BATCHES * LINES + 1, DAYS * BATCHES * LINES


@pytest.mark.parametrize(
    ("act", "kind", "number", "lines"),
    [
        (remove_day, "removed", SECOND, BATCHES * LINES),
        (remove_lines_of_a_day, "removed", SECOND, BATCHES * LINES),
        (remove_seals_of_a_day, "unsealed", SECOND, BATCHES * LINES),
        (cut_the_end, "removed", END - 2 * LINES + 1, 2 * LINES),
        (remove_a_seal, "unsealed", SECOND + 2 * LINES, LINES),
        (batches_change_places, "unsealed", SECOND, LINES),
        (append_a_line, "unsealed", END + 1, 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whole_batches_and_days(copy: Made, act: Act, kind: str, number: int, lines: int) -> None:
    act(copy.directory)
    verdict = verify(copy.directory, copy.key)
    assert (kind, number, lines) in [found.fault[:3] for found in verdict.faults], verdict.faults
    assert verdict.faults[0].fault.number == number


@pytest.mark.parametrize("seed", range(30))
def test_damage_of_the_packed_file_is_found(copy: Made, seed: int) -> None:
    chooser = random.Random(f"damage {seed}")
    file = lines_file(copy.directory, "2026-11-26")
    data = bytearray(file.read_bytes())
    place = chooser.randrange(len(data))
    data[place] ^= 1 << chooser.randrange(8)
    file.write_bytes(data)
    verdict = verify(copy.directory, copy.key)
    if contents(copy.directory, "2026-11-26") == b"".join(batch(n) for n in range(BATCHES, 2 * BATCHES)):
        return  # a bit that means nothing, in a frame's header
    assert verdict.faults
    # The batches before the damaged one are proved.
    assert verdict.faults[0].fault.number >= SECOND


def test_todays_key_forges_nothing_of_before(copy: Made) -> None:
    """An intruder has the present key and writes a seal for an earlier batch."""
    forge(copy.directory, "2026-11-26", contents(copy.directory, "2026-11-26"))
    verdict = verify(copy.directory, copy.key)
    assert [found.fault[:3] for found in verdict.faults if found.fault.kind == "seal"] == [
        ("seal", SECOND + number * LINES, LINES) for number in range(BATCHES)
    ]


def test_earlier_keys_are_erased(tmp_path: Path) -> None:
    key = begin(tmp_path / "a")
    archive = Archive(tmp_path / "a")
    for number in range(3):
        assert key in (tmp_path / "a" / keys.FILE).read_bytes()
        archive.add(batch(number))
        assert key not in (tmp_path / "a" / keys.FILE).read_bytes()
        key = keys.following(key)
    archive.close()


def test_a_head_that_was_kept_elsewhere(whole: Made, copy: Made) -> None:
    present = keys.read(whole.directory / keys.FILE)
    assert present is not None
    head = Head(present.batch, present.head)
    assert verify(whole.directory, whole.key, [head]).good
    cut_the_end(copy.directory)
    (copy.directory / keys.FILE).unlink()
    verdict = verify(copy.directory, copy.key, [head])
    assert any("it ends before" in note for note in verdict.notes)
    wrong = verify(whole.directory, whole.key, [Head(3, bytes(32))])
    assert any("is another" in note for note in wrong.notes)


def test_a_wrong_key_is_told_as_such(whole: Made) -> None:
    with pytest.raises(InputError, match="no seal is by this key"):
        verify(whole.directory, bytes(32))


def test_a_bomb_does_not_fill_the_memory(copy: Made) -> None:
    with lines_file(copy.directory, "2026-11-26").open("wb") as out:
        packing = zstandard.ZstdCompressor().stream_writer(out)
        for _ in range(400):
            packing.write(bytes(1 << 20))
        packing.close()
    verdict = verify(copy.directory, copy.key)
    assert any("far longer" in note for note in verdict.notes)
    assert verdict.faults[0].fault.number == SECOND


def test_one_process_at_a_time(tmp_path: Path) -> None:
    begin(tmp_path / "a")
    archive = Archive(tmp_path / "a")
    with pytest.raises(OutputError, match="another process"):
        Archive(tmp_path / "a")
    archive.close()
    with pytest.raises(UsageError, match="there is an archive already"):
        begin(tmp_path / "a")
    with pytest.raises(InputError, match="there is no archive"):
        Archive(tmp_path / "b")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"batch":1}',
        b"\xff",
        b"[" * 100_000,
        b'{"batch":-1,"line":1,"lines":0,"size":0}',
    ],
)
def test_what_is_no_record(text: bytes) -> None:
    assert parsed(text) is None


def test_a_clock_that_was_set_back_stays_in_the_day(tmp_path: Path) -> None:
    key = begin(tmp_path / "a")
    archive = Archive(tmp_path / "a")
    for day in (27, 26, 27, 28):
        archive.add(b"on the %d\n" % day, datetime(2026, 11, day, tzinfo=UTC))
    archive.close()
    assert days(tmp_path / "a") == ["2026-11-27", "2026-11-28"]
    assert b"".join(export(tmp_path / "a")) == b"on the 27\non the 26\non the 27\non the 28\n"
    assert verify(tmp_path / "a", key).good


def test_edits_cover_every_kind() -> None:
    kinds = set(
        itertools.chain.from_iterable(edited(random.Random(n), split(batch(0)), 1).kinds for n in range(60))
    )
    assert kinds == {"changed", "removed", "inserted", "moved"}
