"""Whole calls of each process, out of the lines of one file: what was begun and resumed is joined.

In: a file.  Out: calls in the order in which they were over, and counts of what was damaged.
Times of -t, -tt and -ttt are taken as they are (a clock that passes midnight goes on); those of -r are added
up where the lines of all processes stand in one file.  Files of ``-ff`` have their process id in their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mailscope.intake.reader import ReadReport, Source, read_chunks
from mailscope.steps.strace.arguments import take_apart
from mailscope.steps.strace.lines import SUMMARY, Line, read_line
from mailscope.steps.way import Clock
from mailscope.vocabulary.errors import InputError

WANTED: Final = frozenset({
    "execve", "execveat", "clone", "clone2", "clone3", "fork", "vfork", "exit_group",
    "open", "openat", "openat2", "creat", "close", "fcntl", "fcntl64", "dup", "dup2", "dup3", "fchmod",
    "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat",
    "connect", "accept", "accept4", "getpeername",
    "read", "recv", "recvfrom", "recvmsg", "write", "writev", "send", "sendto", "sendmsg",
})  # fmt: skip
DAY_S: Final = 86_400
# strace -s writes long strings whole, but no call of a mail program is longer than this.
LONGEST: Final = 1 << 20
# Lines that cannot be read are named up to so many.
NAMED: Final = 5
_OF_FF: Final = re.compile(r"\.([0-9]{1,7})(?:\.(?:gz|xz|zst|bz2))?$")


@dataclass(slots=True)
class Call:
    """``time``, ``over``: when it began and was over; ``began_at``, ``over_at``: at which lines of the file.

    ``seam``: how often lines that are none of strace's came before it, more than one in a row: what a process
    was at before them need not be what it is at after them.
    """

    pid: int
    name: str
    arguments: list[str]
    result: str
    time: float | None
    over: float | None
    took_s: float | None
    began_at: int
    over_at: int
    seam: int


@dataclass
class Trace:
    """One file, read.

    ``damaged``: lines that are none of strace's, with the numbers of the first in ``where``; ``cut``: calls
    whose beginning stands before the file, or whose end after it.  ``ends``: how processes ended.
    """

    name: str
    number: int
    calls: list[Call] = field(default_factory=list)
    clock: Clock = "none"
    lines: int = 0
    damaged: int = 0
    where: list[int] = field(default_factory=list)
    cut: int = 0
    ends: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    # Whether lines of several processes may stand in it; otherwise -r's times of one file mean nothing.
    whole: bool = True
    problems: list[InputError] = field(default_factory=list)


def read_trace(source: Source, number: int) -> Trace:
    """Read one file.  Raises InputError for one that is no output of strace."""
    report = ReadReport()
    trace = Trace(source.name, number)
    own = _OF_FF.search(source.path)
    _Reading(trace, int(own[1]) if own else 0).take(_lines(source, report))
    trace.problems = list(report.problems)
    if trace.damaged == trace.lines and not trace.problems:
        raise InputError(
            "it holds no line of strace", trace.name, "write one with: strace -f -tt -o FILE ..."
        )
    return trace


def _lines(source: Source, report: ReadReport) -> Iterator[bytes]:
    for chunk in read_chunks(source, report=report):
        yield from chunk.data.split(b"\n")[: -1 if chunk.data.endswith(b"\n") else None]


class _Reading:
    """Goes through the lines of one file; what is under way is kept by process."""

    def __init__(self, trace: Trace, own_pid: int) -> None:
        self.trace = trace
        self.own_pid = own_pid
        self.begun: dict[int, tuple[Line, float | None, int]] = {}
        self.days = 0
        self.last: float | None = None
        self.passed = 0.0
        self.number = 0
        self.seams = 0
        self.in_a_row = 0
        trace.whole = False

    def take(self, lines: Iterable[bytes]) -> None:
        for raw in lines:
            self.number += 1
            if not raw.strip():
                continue
            self.trace.lines += 1
            text = raw.decode("utf-8", "replace").rstrip("\r") if len(raw) <= LONGEST else ""
            if SUMMARY.match(text):
                what = "it is a summary of calls (strace -c), which tells no order"
                raise InputError(what, self.trace.name, "trace again without -c")
            # Pages and word processors make blanks that do not break of some.
            line = read_line(text.replace("\u00a0", " "), WANTED)
            if line.kind == "damaged":
                self._damaged()
                self.in_a_row += 1
                self.seams += self.in_a_row == 2
            else:
                self.in_a_row = 0
                self._line(line)
        self.trace.cut += len(self.begun)

    def _damaged(self) -> None:
        self.trace.damaged += 1
        if len(self.trace.where) < NAMED:
            self.trace.where.append(self.number)

    def _line(self, line: Line) -> None:
        time = self._time(line)
        self.trace.whole |= line.pid is not None
        pid = line.pid if line.pid is not None else self.own_pid
        if line.comm:
            self.trace.names[pid] = line.comm
        at = self.number
        if line.kind == "exited":
            self.trace.ends[pid] = line.body
        elif line.kind == "call":
            self._call(line, pid, time, time, at)
        elif line.kind == "begun":
            self.begun[pid] = line, time, at
        elif line.kind == "resumed":
            start = self.begun.pop(pid, None)
            if start is None or start[0].name != line.name:
                self.trace.cut += 1
                return
            first, began, began_at = start
            line.body = first.body + line.body
            self._call(line, pid, began, time, began_at)

    def _call(self, line: Line, pid: int, began: float | None, over: float | None, began_at: int) -> None:
        found = take_apart(line.body)
        if found is None:
            self._damaged()
            return
        took = line.took_s
        if began is not None:
            if took is not None:
                over = began + took
            elif over is not None and over > began:
                took = over - began
        arguments, result = found
        call = Call(pid, line.name, arguments, result, began, over, took, began_at, self.number, self.seams)
        self.trace.calls.append(call)

    def _time(self, line: Line) -> float | None:
        """The instant of a line on the clock of the file."""
        if line.stamp is not None:
            self.trace.clock = "day" if line.of_day else "epoch"
            if line.of_day:
                # Lines of several processes may stand a little out of order; half a day back is midnight.
                if self.last is not None and line.stamp < self.last - DAY_S / 2:
                    self.days += 1
                self.last = line.stamp
                return line.stamp + self.days * DAY_S
            return line.stamp
        if line.since_last_s is not None:
            if self.trace.clock == "none":
                self.trace.clock = "span"
            self.passed += line.since_last_s
            return self.passed
        return None
