"""Which records of a wtmp file are a session's beginning and its end, as util-linux's ``last`` has it.

Read from the end of the file backwards (last.c, process_wtmp_file):

- a login ends with the nearest later login or logout on its line; between them must be no boot and no
  shutdown
- else with the nearest later boot (``crash``) or shutdown (``down``); else the user is logged in still, or
  ``gone`` where nobody saw the logout
- a boot ends with the nearest later shutdown, even where other boots lie between; a shutdown with the nearest
  later
  boot or shutdown; a run level with the next one, or a shutdown
- run levels 0 and 6 are shutdowns; a record of a user is a login whatever its type says, and one without a
  user a
  logout ("for stupid old applications")

In: a file.  Out: a table of what ``last`` has rows for, the last one first.  Everything is done for all
records at once; only boots, shutdowns and run levels, of which there are few, are gone through one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailscope.host.clock import Seconds
from mailscope.host.columns import c_texts
from mailscope.host.layouts.utmp import (
    BOOT_TIME,
    DEAD_PROCESS,
    NEW_TIME,
    OLD_TIME,
    RUN_LVL,
    USER_PROCESS,
)
from mailscope.host.logins.records import LoginFile, Records

SHUTDOWN_TIME: Final = 254  # last.c's own
_DOWN_LEVELS: Final = (ord("0"), ord("6"))


class Reason(IntEnum):
    """How what a row tells ended; of sessions that are open, nothing is known yet."""

    CRASH = 1
    DOWN = 2
    NORMAL = 3
    OPEN = 4
    REBOOT = 5
    TIME_CHANGE = 7


@dataclass(frozen=True)
class Span:
    """Which records count: from ``since`` to ``until``, seconds since 1970, both included; None: all."""

    since: int | None = None
    until: int | None = None

    def holds(self, seconds: Seconds) -> npt.NDArray[np.bool_]:
        """Whether each instant lies in it."""
        within = np.ones(len(seconds), dtype=np.bool_)
        if self.since:
            within &= seconds >= self.since
        if self.until:
            within &= seconds <= self.until
        return within


@dataclass(frozen=True)
class Paired:
    """Rows, the last one first: number of the record in the file, its kind, and its end.

    ``end``: seconds since 1970; 0 where a session is open; ``level``: of run levels, the character.
    """

    number: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    end: Seconds
    reason: npt.NDArray[np.uint8]
    level: npt.NDArray[np.uint8]


_COLUMNS: Final[tuple[type[Any], ...]] = (np.int32, np.uint8, np.int64, np.int32, np.uint8)


def pair(file: LoginFile, now: int, span: Span, *, extended: bool) -> Paired:
    """The rows.  ``extended``: shutdowns, run levels and clock changes have rows, too."""
    seen = _look(file, span)
    return _rows(seen, now, extended=extended)


@dataclass(frozen=True)
class _Seen:
    """The records that count, in the file's order; ``line``: a number for each distinct one, -1: none."""

    number: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    seconds: Seconds
    line: npt.NDArray[np.int32]
    level: npt.NDArray[np.uint8]


def _look(file: LoginFile, span: Span) -> _Seen:
    names: dict[bytes, int] = {}
    columns: list[list[Any]] = [[np.empty(0, dtype=kind)] for kind in _COLUMNS]
    start = 0
    for block in file.blocks():
        seconds = block["seconds"].astype(np.int64)
        chosen = np.flatnonzero(span.holds(seconds))
        part = block if len(chosen) == len(block) else block[chosen]
        if len(part):
            kind = kinds(part)
            found: tuple[npt.NDArray[Any], ...] = (
                start + chosen, kind, seconds[chosen], _lines(part, kind, names), part["pid"] & 255,
            )  # fmt: skip
            for column, values, type_ in zip(columns, found, _COLUMNS, strict=True):
                column.append(values.astype(type_))
        start += len(block)
    # One after the other, and let go of: there may be millions.
    joined: list[Any] = []
    for column in columns:
        joined.append(np.concatenate(column))
        column.clear()
    return _Seen(*joined)


def kinds(block: Records) -> npt.NDArray[np.uint8]:
    """What each record is, whatever its type says."""
    kind = block["type"].astype(np.uint8)
    line, user = _Bytes(block, "line"), _Bytes(block, "user")
    system = line.begins(b"~")
    logs_in = (kind != DEAD_PROCESS) & (user.first != 0) & (line.first != 0) & ~user.begins(b"LOGIN")
    kind[logs_in & ~system] = USER_PROCESS
    kind[(user.first == 0) & ~system] = DEAD_PROCESS
    date = user.begins(b"date")
    kind[date & line.begins(b"|")] = OLD_TIME
    kind[date & line.begins(b"{")] = NEW_TIME
    for word, meant in ((b"runlevel", RUN_LVL), (b"reboot", BOOT_TIME), (b"shutdown", SHUTDOWN_TIME)):
        kind[system & user.begins(word)] = meant
    return kind


class _Bytes:
    """A text of all records, looked at byte by byte where it lies."""

    def __init__(self, block: Records, name: str) -> None:
        fields = block.dtype.fields
        assert fields is not None
        self._at = fields[name][1]
        self._raw = np.ascontiguousarray(block).view(np.uint8).reshape(len(block), block.dtype.itemsize)
        self.first = self._raw[:, self._at]

    def begins(self, word: bytes) -> npt.NDArray[np.bool_]:
        """Which of them begin with a word."""
        out = np.asarray(self.first == word[0])
        if len(word) > 1:
            places = np.flatnonzero(out)
            rest = self._raw[places, self._at : self._at + len(word)]
            out[places] = (rest == np.frombuffer(word, dtype=np.uint8)).all(axis=1)
        return out


def _lines(block: Records, kind: npt.NDArray[np.uint8], names: dict[bytes, int]) -> npt.NDArray[np.int32]:
    """A number for each line that a session can be on."""
    out = np.full(len(block), -1, dtype=np.int32)
    on_line = _Bytes(block, "line").first != 0
    chosen = np.flatnonzero(((kind == USER_PROCESS) | (kind == DEAD_PROCESS)) & on_line)
    if len(chosen):
        line = block["line"]
        distinct, which = _distinct(c_texts(line if len(chosen) == len(line) else line[chosen]))
        numbers = [names.setdefault(bytes(name), len(names)) for name in distinct]
        out[chosen] = np.array(numbers, dtype=np.int32)[which]
    return out


def _distinct(texts: npt.NDArray[np.bytes_]) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.int64]]:
    """The distinct texts of 32 bytes and which of them each is: by a hash, as comparing texts takes long."""
    words = texts.view(np.uint64).reshape(len(texts), 4)
    factors = np.array(
        [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64
    )
    mixed = (words ^ (words >> np.uint64(29))) * factors
    _keys, first, which = np.unique(
        mixed.sum(axis=1, dtype=np.uint64), return_index=True, return_inverse=True
    )
    if np.array_equal(words, words[first][which]):
        return texts[first], which
    distinct, which = np.unique(texts, return_inverse=True)  # two texts with the same hash
    return distinct, which


def _rows(seen: _Seen, now: int, *, extended: bool) -> Paired:
    count = len(seen.kind)
    end = np.zeros(count, dtype=np.int64)
    reason = np.zeros(count, dtype=np.uint8)
    downs, whys = _system(seen, now, end, reason, extended=extended)
    _sessions(seen, downs, whys, end, reason)
    rows = np.flatnonzero(reason)[::-1].astype(np.int32)
    return Paired(seen.number[rows], seen.kind[rows], end[rows], reason[rows], seen.level[rows])


def _system(
    seen: _Seen, now: int, end: Seconds, reason: npt.NDArray[np.uint8], *, extended: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Rows of boots, shutdowns, run levels and clock changes; where all sessions end, and why."""
    places = np.flatnonzero(np.isin(seen.kind, (RUN_LVL, BOOT_TIME, NEW_TIME, OLD_TIME, SHUTDOWN_TIME)))
    last_boot, last_down, last_change = 0, now, now
    downs: list[int] = []
    whys: list[int] = []
    for place in places[::-1].tolist():
        kind, seconds, level = int(seen.kind[place]), int(seen.seconds[place]), int(seen.level[place])
        ended, why = 0, Reason.NORMAL
        if kind == BOOT_TIME:
            ended, why = last_down, Reason.REBOOT
        elif kind == SHUTDOWN_TIME:
            ended, last_down, last_change = last_boot, seconds, seconds
        elif kind == RUN_LVL:
            ended, last_change = last_change, seconds
        else:
            ended, why = last_down, Reason.TIME_CHANGE
        if extended or kind == BOOT_TIME:
            end[place], reason[place] = ended, why
        down = kind == SHUTDOWN_TIME or (kind == RUN_LVL and level in _DOWN_LEVELS)
        last_down = seconds if down else last_down
        if down or kind == BOOT_TIME:
            last_boot = seconds
            downs.append(place)
            whys.append(Reason.DOWN if down else Reason.CRASH)
    return np.array(downs[::-1], dtype=np.int64), np.array(whys[::-1], dtype=np.uint8)


def _sessions(
    seen: _Seen,
    downs: npt.NDArray[np.int64],
    whys: npt.NDArray[np.uint8],
    end: Seconds,
    reason: npt.NDArray[np.uint8],
) -> None:
    """Ends of logins: the nearest later record on their line before all sessions end, or that."""
    # Of which end of all sessions each record lies before: two records of one span have the same number.
    span = np.zeros(len(seen.kind) + 1, dtype=np.int32)
    span[downs + 1] = 1
    span = np.cumsum(span, dtype=np.int32)[:-1]
    after = _followers(seen, span)
    logins = seen.kind == USER_PROCESS
    ended = np.flatnonzero(logins & (after >= 0))
    end[ended] = seen.seconds[after[ended]]
    reason[ended] = Reason.NORMAL
    left = np.flatnonzero(logins & (after < 0))
    reason[left[span[left] == len(downs)]] = Reason.OPEN
    cut = left[span[left] < len(downs)]
    end[cut] = seen.seconds[downs[span[cut]]]
    reason[cut] = whys[span[cut]]


def _followers(seen: _Seen, span: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """For each record, the next one on its line in the same span; -1 where there is none."""
    after = np.full(len(seen.kind), -1, dtype=np.int32)
    placed = np.flatnonzero(seen.line >= 0).astype(np.int32)
    lines = seen.line[placed]
    # Numbers of 16 bits are sorted several times as fast.
    narrow = lines.astype(np.uint16) if len(lines) and lines.max() < 1 << 16 else lines
    order = placed[np.argsort(narrow, kind="stable")]
    del placed, lines, narrow
    one, two = order[:-1], order[1:]
    same = seen.line[one] == seen.line[two]
    same &= span[one] == span[two]
    after[one[same]] = two[same]
    return after
