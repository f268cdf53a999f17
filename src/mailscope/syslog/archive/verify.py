"""Verifying an archive: which lines are as they were stored, and what was done to the others.

In: an archive and its first key (or a key from which it begins).  Out: a verdict: lines proved, and faults in
order, the first of them first.  Days are verified one after the other; a day that is as it was is read as a
stream, and only where it is not are its lines compared one by one.

Found are lines that were changed, removed, inserted or moved, batches and days that are missing, at the end,
too (the present key knows how many there were), and seals that were changed.  Not found: that somebody
removed the last lines *and* the key; for that, the head is kept elsewhere (``Head``).
"""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from mailscope.language.phrase import Phrase
from mailscope.syslog.archive import keys
from mailscope.syslog.archive.alignment import Fault, align
from mailscope.syslog.archive.days import Contents, days, lines_file, records, seals_file
from mailscope.syslog.archive.seals import Record, seal_of, split, tag
from mailscope.vocabulary.errors import InputError

# Bytes of a day that are looked at, beyond those that were stored: what is more was certainly inserted.
MORE_BYTES: Final = 64 << 20
# Batches that a number in a seal may run ahead: more is a lie, and would take hours of key evolution.
MOST_AHEAD: Final = 10_000_000


class Head(NamedTuple):
    """A head that was kept elsewhere: after so many batches, this hash."""

    batches: int
    hash: bytes


class Place(NamedTuple):
    """A fault and where it is: the day, and from when (of the seal) if that is known."""

    day: str
    time: str
    fault: Fault


@dataclass
class Verdict:
    """What came of it.

    ``first``, ``last``: numbers of the lines that the seals know, 0 where there are none; ``proved``: lines
    that are as they were; ``notes``: what is wrong with the archive as a whole; ``head``: the one computed.
    """

    first: int = 0
    last: int = 0
    proved: int = 0
    faults: list[Place] = field(default_factory=list)
    notes: list[Phrase] = field(default_factory=list)
    head: Head = field(default_factory=lambda: Head(0, keys.NO_HEAD))

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and not self.notes


class Sealed(NamedTuple):
    """A record with the key of its lines."""

    record: Record
    lines_key: bytes


class Expectation:
    """The lines of some batches."""

    def __init__(self, batches: Sequence[Sealed]) -> None:
        self._batches = batches
        self._starts = [0]
        for each in batches:
            self._starts.append(self._starts[-1] + each.record.lines)

    def __len__(self) -> int:
        return self._starts[-1]

    def _at(self, place: int) -> tuple[Sealed, int]:
        index = bisect_right(self._starts, place) - 1
        return self._batches[index], place - self._starts[index]

    def number(self, place: int) -> int:
        """The number of a line; of the place behind the last, the number that would follow."""
        if place == len(self):
            last = self._batches[-1].record
            return last.line + last.lines
        batch, inside = self._at(place)
        return batch.record.line + inside

    def fits(self, place: int, text: bytes) -> bool:
        """Whether a text is the line of a place."""
        batch, inside = self._at(place)
        record = batch.record
        if len(text) > record.size:
            return False  # not worth hashing: a bomb may be one line
        return hmac.compare_digest(tag(batch.lines_key, record.line + inside, text), record.tag(inside))


def verify(directory: Path, key: bytes, heads: Sequence[Head] = ()) -> Verdict:
    """Verify an archive.  Raises InputError where it cannot be read."""
    present = directory / keys.FILE
    if not present.exists() and not days(directory):
        raise InputError("there is no archive", str(directory), "see 'mailscope archive begin'")
    if not _is_of(directory, key):
        what_to_do = "give the key that 'archive begin' showed; if it is that one, all lines were replaced"
        raise InputError("no seal is by this key", str(directory), what_to_do)
    return _Verification(directory, key, heads).run()


def _is_of(directory: Path, key: bytes) -> bool:
    """Whether a key is of an archive: some seal is by it, or the present key follows from it."""
    batch = 0
    for record in (each for day in days(directory) for each in records(seals_file(directory, day))):
        if record is None or not batch <= record.batch < batch + MOST_AHEAD:
            continue
        while batch < record.batch:
            key, batch = keys.following(key), batch + 1
        if hmac.compare_digest(seal_of(record, keys.working(key)), record.seal):
            return True
    try:
        present = keys.read(directory / keys.FILE)
    except InputError:
        return False
    while present is not None and batch < present.batch < MOST_AHEAD:
        key, batch = keys.following(key), batch + 1
    return present is not None and hmac.compare_digest(key, present.key)


class _Verification:
    def __init__(self, directory: Path, key: bytes, heads: Sequence[Head]) -> None:
        self.directory = directory
        self.verdict = Verdict()
        self._gaps: list[Fault] = []
        self.at = keys.Present(0, 1, keys.NO_HEAD, key)
        self.heads = {head.batches: head.hash for head in heads}

    def run(self) -> Verdict:
        for day in days(self.directory):
            self._day(day)
        self._end()
        verdict = self.verdict
        verdict.faults.sort(key=lambda place: place.fault.number)
        verdict.head = Head(self.at.batch, self.at.head)
        verdict.last = self.at.line - 1
        for batches in self.heads:
            note = Phrase("the head of {n} batches is not one of this archive: it ends before", n=batches)
            verdict.notes.append(note)
        return verdict

    def _day(self, day: str) -> None:
        self._gaps = []
        batches = list(self._sealed(day))
        faults = self._lines(day, batches)
        times = [(each.record.line, each.record.time) for each in batches]
        for fault in (*self._told_gaps(faults), *faults):
            place = bisect_right(times, (fault.number, "\x7f")) - 1
            self._fault(day, fault, times[place][1] if place >= 0 else "")

    def _told_gaps(self, faults: list[Fault]) -> list[Fault]:
        """Seals that are missing: with their lines, or without, which then stand there as inserted ones."""
        told = []
        for gap in self._gaps:
            there = Fault("inserted", gap.number + gap.lines, gap.lines, b"")
            for fault in faults:
                if fault._replace(text=b"") == there:
                    faults.remove(fault)
                    gap = gap._replace(kind="unsealed", text=fault.text)
                    break
            if not self._known_unsealed(gap):
                told.append(gap)
        return told

    def _known_unsealed(self, gap: Fault) -> bool:
        """Whether the lines were met behind the last seal of a day already."""
        wanted = ("unsealed", gap.number, gap.lines)
        return any(place.fault[:3] == wanted for place in self.verdict.faults)

    def _fault(self, day: str, fault: Fault, time: str = "") -> None:
        self.verdict.faults.append(Place(day, time, fault))

    def _sealed(self, day: str) -> Iterator[Sealed]:
        """The day's batches, in order, with what is wrong in their seals."""
        for record in records(seals_file(self.directory, day)):
            if record is None or not self._follows(record):
                self._fault(day, Fault("seal", self.at.line, 0, b""))
                continue
            missing = record.line - self.at.line
            if record.batch > self.at.batch and missing:
                self._gaps.append(Fault("removed", self.at.line, missing, b""))
            while self.at.batch < record.batch:
                self._head_passed()
                self.at = self.at.after(0, keys.NO_HEAD)
            self._head_passed()
            used = keys.working(self.at.key)
            if not hmac.compare_digest(seal_of(record, used), record.seal):
                self._fault(day, Fault("seal", record.line, record.lines, b""), record.time)
            self.at = keys.Present(
                record.batch + 1,
                record.line + record.lines,
                keys.head(self.at.head, record.seal),
                keys.following(self.at.key),
            )
            self.verdict.first = self.verdict.first or record.line
            yield Sealed(record, used.lines)

    def _follows(self, record: Record) -> bool:
        """Whether a record can be the next, or one behind some that are missing."""
        at = self.at
        if record.batch == at.batch:
            return record.line == at.line
        return at.batch < record.batch < at.batch + MOST_AHEAD and record.line >= at.line

    def _head_passed(self) -> None:
        wanted = self.heads.pop(self.at.batch, None)
        if wanted is not None and not hmac.compare_digest(wanted, self.at.head):
            at = self.at
            self.verdict.notes.append(
                Phrase(
                    "the head of {n} batches is another: something up to line {last} was replaced",
                    n=at.batch,
                    last=at.line - 1,
                )
            )

    def _lines(self, day: str, batches: Sequence[Sealed]) -> list[Fault]:
        """What is wrong with the day's lines."""
        unpacked = Contents(lines_file(self.directory, day))
        blocks = iter(unpacked)
        rest = b""
        for index, batch in enumerate(batches):
            size = batch.record.size
            parts = [rest]
            have = len(rest)
            while have < size and (block := next(blocks, b"")):
                parts.append(block)
                have += len(block)
            rest = b"".join(parts)
            if hashlib.sha256(rest[:size]).digest() != batch.record.digest or have < size:
                return self._compared(day, batches[index:], rest, blocks, unpacked)
            self.verdict.proved += batch.record.lines
            rest = rest[size:]
        return self._behind(day, rest, blocks, unpacked)

    def _compared(
        self, day: str, batches: Sequence[Sealed], begun: bytes, blocks: Iterator[bytes], unpacked: Contents
    ) -> list[Fault]:
        """Line by line, from the first batch that is not as it was."""
        left = sum(batch.record.size for batch in batches) + MORE_BYTES
        parts, have = [begun], len(begun)
        for block in blocks:
            parts.append(block)
            have += len(block)
            if have > left:
                self.verdict.notes.append(
                    Phrase("{day}: the file of lines is far longer than what was stored", day=day)
                )
                break
        self._damage(day, unpacked)
        done = align(split(b"".join(parts)), Expectation(batches))
        self.verdict.proved += done.proved
        return done.faults

    def _behind(self, day: str, rest: bytes, blocks: Iterator[bytes], unpacked: Contents) -> list[Fault]:
        """Lines behind the last seal of a day."""
        data = rest or next(blocks, b"")
        self._damage(day, unpacked)
        if not data:
            return []
        lines = split(data)
        return [Fault("unsealed", self.at.line, len(lines), lines[0])]

    def _damage(self, day: str, unpacked: Contents) -> None:
        if unpacked.damaged:
            self.verdict.notes.append(
                Phrase("{day}: the file of lines cannot be unpacked to its end", day=day)
            )

    def _end(self) -> None:
        """Whether the archive ends where its key says, and the key is one of it."""
        try:
            present = keys.read(self.directory / keys.FILE)
        except InputError:
            present = None
        if present is None:
            self.verdict.notes.append(
                Phrase("its key is gone or damaged: whether lines are missing at the end is not known")
            )
            return
        if self.at.batch < present.batch < self.at.batch + MOST_AHEAD:
            gap = Fault("removed", self.at.line, present.line - self.at.line, b"")
            if not self._known_unsealed(gap):
                self._fault("", gap)
        key, batch = self.at.key, self.at.batch
        while batch < present.batch < self.at.batch + MOST_AHEAD:
            key, batch = keys.following(key), batch + 1
        if batch != present.batch or not hmac.compare_digest(key, present.key):
            self.verdict.notes.append(Phrase("its present key does not follow from the first one"))
        self._head_passed()
