"""``last`` and ``lastb``: who logged in when, from where, and for how long; the last one first.

Rows and their text are those of util-linux' last (login-utils/last.c, 2.38), column by column.  In: files of
logins. Out: blocks of rows, as text or as plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailscope.host.clock import Clock, Seconds, Texts
from mailscope.host.columns import Column, c_texts, rows
from mailscope.host.layouts import addresses
from mailscope.host.layouts.utmp import BOOT_TIME, NEW_TIME, OLD_TIME, RUN_LVL
from mailscope.host.logins.pairing import SHUTDOWN_TIME, Paired, Reason, Span, pair
from mailscope.host.logins.records import BLOCK_RECORDS, LoginFile, Records
from mailscope.host.logins.wtmpdb import Database
from mailscope.host.machine import Machine
from mailscope.host.texts import as_text

NAME_COLUMNS: Final = 8
HOST_COLUMNS: Final = 16
GONE: Final = 6  # last.c's R_PHANTOM: open, and nobody is there
# Widths of the two instants in each form.
FORMS: Final = {"notime": (0, 0), "short": (16, 7), "full": (24, 26), "iso": (25, 27)}
_KINDS: Final = {
    BOOT_TIME: "boot",
    SHUTDOWN_TIME: "shutdown",
    RUN_LVL: "run-level",
    NEW_TIME: "clock",
    OLD_TIME: "clock",
}
_LINES: Final = {
    BOOT_TIME: b"system boot",
    SHUTDOWN_TIME: b"system down",
    NEW_TIME: b"new time",
    OLD_TIME: b"old time",
}
_STATES: Final[dict[int, str]] = {
    Reason.CRASH: "crash",
    Reason.DOWN: "down",
    Reason.NORMAL: "ended",
    Reason.OPEN: "logged in",
    Reason.REBOOT: "ended",
    GONE: "gone, no logout",
    Reason.TIME_CHANGE: "",
}
# More than any file holds.
MOST: Final = 1 << 62
_PLAIN: Final = bytes([10, *range(32, 127)])
Resolve = Callable[[bytes], str | None]


@dataclass(frozen=True)
class Asked:
    """What a person asked ``last`` for; instants are seconds since 1970.

    ``show``: names of users and terminals, any of which; ``form``: one of FORMS; ``names``: as ``resolve``
    tells them of an address, instead of the host that was recorded; ``refused``: as lastb, one row a record.
    """

    now: int
    span: Span = field(default_factory=Span)
    present: int | None = None
    show: Sequence[bytes] = ()
    most: int = 0
    form: str = "short"
    host_last: bool = False
    hosts: bool = True
    full_names: bool = False
    extended: bool = False
    refused: bool = False
    resolve: Resolve | None = None


@dataclass(frozen=True)
class Rows:
    """Some rows: a block of records and which of them, what they are called, and how they ended."""

    block: Records
    which: npt.NDArray[Any]
    line: Texts
    kind: npt.NDArray[np.uint8]
    start: Seconds
    end: Seconds
    reason: npt.NDArray[np.uint8]

    def field(self, name: str) -> npt.NDArray[Any]:
        """A field of the records."""
        return np.asarray(self.block[name][self.which])

    def chosen(self, places: npt.NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        if len(places) == len(self.which):
            return self
        columns = (getattr(self, name)[places] for name in list(Rows.__dataclass_fields__)[1:])
        return Rows(self.block, *columns)


def found(file: LoginFile | Database, asked: Asked, machine: Machine) -> Iterator[Rows]:
    """The rows of a file, the last one first, some at a time."""
    left = asked.most or MOST
    for every in _paired(file, asked) if isinstance(file, LoginFile) else _stored(file, asked):
        some = every.chosen(np.flatnonzero(_wanted(every, asked))[:left])
        left -= len(some.start)
        if len(some.start):
            yield _judged(some, machine)
        if not left:
            return


def begins(file: LoginFile | Database, otherwise: int) -> int:
    """When the file begins: its first record's second.  ``otherwise``: of an empty one."""
    if not isinstance(file, LoginFile):
        return int(file.seconds.min()) if len(file.seconds) else otherwise
    first = next(file.blocks(), None)
    return int(first["seconds"][0]) if first is not None and len(first) else otherwise


def text(some: Rows, asked: Asked, clock: Clock, *, tabs: bool = False) -> bytes:
    """The rows as ``last`` writes them.  ``tabs``: in full, apart by tabs, as newer ones do with -T."""
    if tabs:
        (end, length), host = _ended(some, asked, clock), _hosts(some, asked)
        cells = [c_texts(some.field("user")), some.line, *([host] if asked.hosts else [])]
        cells += [_started(some, asked, clock), end, length]
        columns: list[Column | bytes] = [Column(cells[0])]
        for cell in cells[1:]:
            columns += [b"\t", Column(cell)]
        return rows(columns, len(some.start))
    widths = FORMS[asked.form]
    start, (end, length) = _started(some, asked, clock), _ended(some, asked, clock)
    wide = 32 if asked.full_names else NAME_COLUMNS
    user = Column(c_texts(some.field("user"), wide), NAME_COLUMNS, wide)
    line = Column(some.line, 12, 12)
    host = _hosts(some, asked, None if asked.host_last or asked.full_names else HOST_COLUMNS)
    times: list[Column | bytes] = [
        Column(start, widths[0], widths[0]),
        b" ",
        Column(end, widths[1], widths[1]),
        b" ",
    ]
    if not asked.hosts:
        columns = [user, b" ", line, b" ", *times, Column(length)]
    elif asked.host_last:
        columns = [user, b" ", line, b" ", *times, Column(length, 12, 12), b" ", Column(host)]
    else:
        shown = Column(host, HOST_COLUMNS, 256 if asked.full_names else HOST_COLUMNS)
        columns = [user, b" ", line, b" ", shown, b" ", *times, Column(length)]
    return rows(columns, len(some.start), trim=True)


def careful(data: bytes, *, wide: bool) -> bytes:
    """Bytes as util-linux' fputs_careful writes them: control characters as ``*`` and a letter.

    ``wide``: the locale is one of UTF-8, in which its printable characters stay; else they are octal numbers.
    """
    if not data.translate(None, _PLAIN):
        return data
    text = data.decode("utf-8" if wide else "ascii", "surrogateescape")
    return b"".join([_careful(char) for char in text])


def _careful(char: str) -> bytes:
    code = ord(char)
    if 32 <= code < 127 or char in "\a\t\r\n":
        return bytes([code])
    if code < 128:
        return b"*" + bytes([code ^ 0x40])
    raw = char.encode("utf-8", "surrogateescape")
    return raw if char.isprintable() else b"".join(b"\\%3o" % byte for byte in raw)


def footer(name: str, begin: int, form: str, clock: Clock) -> bytes:
    """The line that says when the file begins; none where no times are shown."""
    if form == "notime":
        return b""
    instant = np.array([begin], dtype=np.int64)
    shown = {"short": clock.ctime, "full": clock.ctime, "iso": clock.iso}[form](instant)[0]
    return b"\n%s begins %s\n" % (name.encode("utf-8", "surrogateescape"), bytes(shown))


def values(some: Rows, asked: Asked, clock: Clock) -> Iterator[dict[str, Any]]:
    """The rows as plain values, instants in ISO form."""
    users, hosts = c_texts(some.field("user")), c_texts(some.field("host"))
    address, pids, micros = some.field("address"), some.field("pid"), some.field("microseconds")
    for number in range(len(some.start)):
        start, end, reason = int(some.start[number]), int(some.end[number]), int(some.reason[number])
        running = not asked.refused and end == asked.now and reason in (Reason.NORMAL, Reason.REBOOT)
        open_ = running or reason in (Reason.OPEN, GONE)
        kind = int(some.kind[number])
        state = "running" if running else _STATES[reason]
        yield {
            "kind": "refused" if asked.refused else _KINDS.get(kind, "login"),
            "user": as_text(users[number]),
            "tty": as_text(some.line[number]),
            "host": as_text(hosts[number]) or None,
            "address": addresses.given(bytes(address[number])),
            "pid": int(pids[number]),
            "started": clock.iso_one(start, int(micros[number])),
            "ended": None if open_ or reason == Reason.TIME_CHANGE else clock.iso_one(end),
            "duration_s": None if open_ or reason == Reason.TIME_CHANGE else end - start,
            "state": "refused" if asked.refused else state,
        }


def _every(file: LoginFile, span: Span) -> Paired:
    """A row for each record, as of refused logins."""
    numbers, ends, start = [np.empty(0, dtype=np.int32)], [np.empty(0, dtype=np.int64)], 0
    for block in file.blocks():
        seconds = block["seconds"].astype(np.int64)
        chosen = np.flatnonzero(span.holds(seconds))
        numbers.append((start + chosen).astype(np.int32))
        ends.append(seconds[chosen])
        start += len(block)
    number, end = np.concatenate(numbers)[::-1], np.concatenate(ends)[::-1]
    same = np.full(len(number), Reason.NORMAL, dtype=np.uint8)
    return Paired(
        number, np.zeros(len(number), dtype=np.uint8), end, same, np.zeros(len(number), dtype=np.uint8)
    )


def _stored(file: Database, asked: Asked) -> Iterator[Rows]:
    """The rows of a database."""
    paired = file.paired(asked.now)
    chosen = np.flatnonzero(asked.span.holds(file.seconds[paired.number]))
    for start in range(0, len(chosen), BLOCK_RECORDS):
        which = chosen[start : start + BLOCK_RECORDS]
        numbers, kind = paired.number[which], paired.kind[which]
        line = _called(c_texts(file.records["line"][numbers]), kind, paired.level[which], refused=False)
        seconds = file.seconds[numbers]
        yield Rows(file.records, numbers, line, kind, seconds, paired.end[which], paired.reason[which])


def _paired(file: LoginFile, asked: Asked) -> Iterator[Rows]:
    """The rows with their records, which are read backwards."""
    paired = (
        _every(file, asked.span)
        if asked.refused
        else pair(file, asked.now, asked.span, extended=asked.extended)
    )
    top = file.count
    at = 0
    for block in file.backwards():
        bottom = top - len(block)
        # They fall: those of this block are the ones that are not smaller than its first.
        upto = len(paired.number) - int(np.searchsorted(paired.number[::-1], bottom, side="left"))
        if upto > at:
            part = slice(at, upto)
            which = top - 1 - paired.number[part]
            kind = paired.kind[part]
            line = _called(c_texts(block["line"][which]), kind, paired.level[part], refused=asked.refused)
            start = block["seconds"][which].astype(np.int64)
            yield Rows(block, which, line, kind, start, paired.end[part], paired.reason[part])
            at = upto
        top = bottom


def _called(
    line: Texts, kind: npt.NDArray[np.uint8], level: npt.NDArray[np.uint8], *, refused: bool
) -> Texts:
    """What stands in the column of terminals: ``ftp`` and ``uucp`` without their process number."""
    line = line.copy()
    if not refused:
        for which, word in _LINES.items():
            line[kind == which] = word
        for number in np.flatnonzero(kind == RUN_LVL):
            line[number] = b"(to lvl %c)" % int(level[number]) if level[number] else b"(to lvl "
    matrix = line.view(np.uint8).reshape(len(line), -1)
    for word in (b"ftp", b"uucp"):
        size = len(word)
        digit = (matrix[:, size] >= ord("0")) & (matrix[:, size] <= ord("9"))
        matrix[digit & (line.astype(f"S{size}") == word), size:] = 0
    return line


def _wanted(some: Rows, asked: Asked) -> npt.NDArray[np.bool_]:
    wanted = np.ones(len(some.start), dtype=np.bool_)
    if asked.show:
        wanted[:] = False
        user = c_texts(some.field("user"))
        # "0" is tty0.
        short = np.where(some.line.astype("S3") == b"tty", some.line, b"")
        for name in asked.show:
            wanted |= (user == name[:32]) | (some.line == name) | (short == b"tty" + name)
    if asked.present:
        wanted &= (some.start <= asked.present) & ~((some.end > 0) & (some.end < asked.present))
    return wanted


def _judged(some: Rows, machine: Machine) -> Rows:
    """Open sessions of which nobody is left are gone."""
    reason = some.reason.copy()
    for number in np.flatnonzero(reason == Reason.OPEN):
        record = some.block[some.which[number]]
        user, line = (bytes(record[name]).partition(b"\0")[0] for name in ("user", "line"))
        if not machine.is_alive(user, int(record["pid"]), line, int(some.start[number])):
            reason[number] = GONE
    return Rows(some.block, some.which, some.line, some.kind, some.start, some.end, reason)


def _started(some: Rows, asked: Asked, clock: Clock) -> Texts:
    return {"notime": _none, "short": clock.minute, "full": clock.ctime, "iso": clock.iso}[asked.form](
        some.start
    )


def _none(seconds: Seconds) -> Texts:
    return np.zeros(len(seconds), dtype="S1")


def _ended(some: Rows, asked: Asked, clock: Clock) -> tuple[Texts, Texts]:
    """The end and the length of each row."""
    instant = {"notime": _none, "short": clock.hour_minute, "full": clock.ctime, "iso": clock.iso}[
        asked.form
    ](some.end)
    end = np.char.add(b"- ", instant).astype("S32")
    length = _lengths(some.end - some.start)
    long = asked.form in ("full", "iso")
    words = {  # for each way to end: what stands for its instant, and for its length
        Reason.CRASH: (b"- crash", None),
        Reason.DOWN: (b"- down ", None),
        Reason.OPEN: (b"  still logged in", b"") if long else (b"  still", b"logged in"),
        GONE: {"short": (b"   gone", b"- no logout"), "notime": (b"", b"no logout")}.get(
            asked.form, (b"  gone - no logout", b"")
        ),
        Reason.TIME_CHANGE: (b"", b""),
    }
    running = some.end == asked.now
    end[running], length[running] = (b"  still running", b"") if long else (b"  still", b"running")
    for reason, (instead, size) in words.items():
        which = some.reason == reason
        end[which] = instead
        if size is not None:
            length[which] = size
    return end, length


def _lengths(seconds: Seconds) -> Texts:
    """``(D+HH:MM)`` and `` (HH:MM)``, of negative lengths as last.c writes them."""
    # Two lengths with the same minutes and the same sign are written the same.
    keys = np.where(seconds < 0, -(-seconds // 60), seconds // 60) * 2 + (seconds < 0)
    distinct, first, which = np.unique(keys, return_index=True, return_inverse=True)
    texts = np.array([_length(int(seconds[place])) for place in first], dtype="S24")
    return texts[which] if len(distinct) else np.empty(0, dtype="S24")


def _length(seconds: int) -> bytes:
    sign, size = (-1 if seconds < 0 else 1), abs(seconds)
    days, hours, minutes = size // 86_400, size // 3600 % 24, size // 60 % 60
    if days:
        return b"(%d+%02d:%02d)" % (sign * days, hours, minutes)
    if hours:
        return b" (%02d:%02d)" % (sign * hours, minutes)
    return b" (%02d:%02d)" % (hours, minutes) if sign > 0 else b" (-00:%02d)" % minutes


def _hosts(some: Rows, asked: Asked, most: int | None = None) -> Texts:
    hosts = c_texts(some.field("host"), most)
    if asked.resolve is None:
        return hosts
    names: dict[bytes, str | None] = {}
    out = []
    for number, value in enumerate(some.field("address")):
        address = value.tobytes()
        if address not in names:
            names[address] = asked.resolve(address)
        name = names[address]
        out.append(bytes(hosts[number]) if name is None else name.encode())
    return np.array(out, dtype="S256")
