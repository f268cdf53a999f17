"""``lastcomm``: the commands that ran, the last one first.

Columns are those of GNU acct's lastcomm.c (6.6.4): command, flags, user, terminal, seconds of the processor,
when it began.  Time is that of the processor, not of the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailscope.host.accounts import Accounts
from mailscope.host.clock import Clock, Texts
from mailscope.host.columns import Column, c_texts, rows
from mailscope.host.processes.devices import Devices
from mailscope.host.processes.records import (
    COMPATIBLE,
    DUMPED,
    FORKED,
    KILLED,
    SUPERUSER,
    AccountingFile,
    Numbers,
    Processes,
)
from mailscope.host.texts import as_text

FLAGS: Final = ((SUPERUSER, b"S"), (FORKED, b"F"), (COMPATIBLE, b"C"), (DUMPED, b"D"), (KILLED, b"X"))
_DASHES: Final = b"-" * 75
GNU_BLOCK: Final = 256


@dataclass(frozen=True)
class Asked:
    """What a person asked ``lastcomm`` for.

    ``names``: of commands, users or terminals, any of which; the others in their own category only.
    ``strict``: all that is given has to fit.
    """

    names: Sequence[bytes] = ()
    commands: Sequence[bytes] = ()
    users: Sequence[bytes] = ()
    ttys: Sequence[bytes] = ()
    strict: bool = False
    forwards: bool = False
    paging: bool = False
    pids: bool = False
    controls: bool = False
    debug: bool = False


@dataclass(frozen=True)
class Names:
    """Whose accounts, which devices and which clock records are told with."""

    accounts: Accounts
    devices: Devices
    clock: Clock
    iso: bool = False


def found(file: AccountingFile, asked: Asked, names: Names) -> Iterator[Processes]:
    """The records that are asked for, in the order that is."""
    for block in file.blocks() if asked.forwards else file.backwards():
        some = block.chosen(wanted(block, asked, names))
        if len(some):
            yield some


def wanted(block: Processes, asked: Asked, names: Names) -> npt.NDArray[np.bool_]:
    """Which of the records are asked for."""
    lists = (asked.names, asked.commands, asked.users, asked.ttys)
    if not any(lists):
        return np.ones(len(block), dtype=np.bool_)
    comm, user, tty = c_texts(block.comm), users(block.uid, names.accounts), names.devices.names(block.tty)
    in_own = (
        (asked.commands, comm), (asked.users, user), (asked.ttys, tty),
    )  # fmt: skip
    if asked.strict:
        fits = np.ones(len(block), dtype=np.bool_)
        for name in asked.names:
            fits &= (comm == name[:16]) | (user == name) | (tty == name)
        for given, column in in_own:
            fits &= np.isin(column, np.array(given, dtype=np.bytes_)) if given else True
        return fits
    fits = np.zeros(len(block), dtype=np.bool_)
    for name in asked.names:
        fits |= (comm == name[:16]) | (user == name) | (tty == name)
    for given, column in in_own:
        if given:
            fits |= np.isin(column, np.array(given, dtype=np.bytes_))
    return fits


def users(uids: npt.NDArray[np.uint32], accounts: Accounts) -> Texts:
    """The user of each number."""
    return _named(uids, accounts.name)


def groups(gids: npt.NDArray[np.uint32], accounts: Accounts) -> Texts:
    """The group of each number."""
    return _named(gids, accounts.group)


def text(some: Processes, asked: Asked, names: Names) -> bytes:
    """The rows as ``lastcomm`` writes them."""
    flags: list[Column | bytes] = [
        Column(np.where(some.flag & bit, letter, b" ").astype("S1"), 1) for bit, letter in FLAGS
    ]
    comm = c_texts(some.comm)
    columns: list[Column | bytes] = [
        Column(comm if asked.controls else printable(comm), 16),
        b" ",
        *flags,
        b" ",
    ]
    if asked.paging:
        for field, width, unit in (
            (some.minflt, 6, b"min"),
            (some.majflt, 6, b"maj"),
            (some.swaps, 4, b"swp"),
        ):
            columns += [Column(figures(field, b"%.0f"), width, right=True), unit, b" "]
    else:
        columns += [
            Column(users(some.uid, names.accounts), 8, 8),
            b" ",
            Column(names.devices.names(some.tty), 8, 8),
            b" ",
        ]
    began = names.clock.iso(some.btime) if names.iso else names.clock.minute(some.btime)
    columns += [Column(figures(some.cpu_s, b"%.2f"), 6, right=True), b" secs ", Column(began)]
    if asked.pids:
        told = some.version == 3
        both = (some.pid.astype(np.int32).tolist(), some.ppid.astype(np.int32).tolist())
        pids = [b" %d %d" % pair for pair in zip(*both, strict=True)]
        columns.append(Column(np.where(told, np.array(pids, dtype=np.bytes_), b"")))
    return rows(columns, len(some))


def debugged(file: AccountingFile, asked: Asked, names: Names) -> Iterator[bytes]:
    """Every record as GNU's --debug shows it, and the row of those that are asked for."""
    at = 0
    for block in file.blocks() if asked.forwards else file.backwards():
        fits = wanted(block, asked, names)
        for number in range(len(block)):
            if not asked.forwards and at % GNU_BLOCK == 0:
                yield _sought(file.count - at)
            at += 1
            one = block.chosen(slice(number, number + 1))
            yield _DASHES + b"\nCURRENT REC: " + dumped(one, names)
            if fits[number]:
                yield text(one, asked, names)


NAMES: Final = (
    "command", "user", "uid", "gid", "tty", "flags", "forked_without_exec", "superuser", "dumped_core",
    "killed", "exit_status", "signal", "pid", "ppid", "started", "elapsed_s", "user_s", "system_s",
    "memory_kib", "io_chars", "minor_faults", "major_faults", "swaps",
)  # fmt: skip


def values(some: Processes, names: Names) -> Iterator[dict[str, Any]]:
    """The rows as plain values."""
    comm, user, tty = c_texts(some.comm), users(some.uid, names.accounts), names.devices.names(some.tty)
    for number in range(len(some)):
        flag, status, ticks = int(some.flag[number]), int(some.exitcode[number]), float(some.ahz[number])
        told = some.version[number] in (3, 4)
        yield {
            "command": as_text(comm[number]),
            "user": as_text(user[number]),
            "uid": int(some.uid[number]),
            "gid": int(some.gid[number]),
            "tty": None if not some.tty[number] else as_text(tty[number]),
            "flags": "".join(letter.decode() for bit, letter in FLAGS if flag & bit),
            "forked_without_exec": bool(flag & FORKED),
            "superuser": bool(flag & SUPERUSER),
            "dumped_core": bool(flag & DUMPED),
            "killed": bool(flag & KILLED),
            "exit_status": status >> 8 & 0xFF,
            "signal": status & 0x7F or None,
            "pid": int(some.pid[number]) if told else None,
            "ppid": int(some.ppid[number]) if told else None,
            "started": names.clock.iso_one(int(some.btime[number])),
            "elapsed_s": round(float(some.etime[number]) / ticks, 2),
            "user_s": round(float(some.utime[number]) / ticks, 2),
            "system_s": round(float(some.stime[number]) / ticks, 2),
            "memory_kib": int(some.mem[number]),
            "io_chars": int(some.io[number]),
            "minor_faults": int(some.minflt[number]),
            "major_faults": int(some.majflt[number]),
            "swaps": int(some.swaps[number]),
        }


def dumped(one: Processes, names: Names) -> bytes:
    """print_pacct_record() of pacct_rd.c."""
    flags = b"".join(letter if one.flag[0] & bit else b" " for bit, letter in FLAGS)
    parts = (
        b"%-16b" % bytes(c_texts(one.comm)[0]), b"v%d" % one.version[0], b"%9.2f" % one.utime[0],
        b"%9.2f" % one.stime[0], b"%9.2f" % one.etime[0], b"%6d" % one.uid[0], b"%6d" % one.gid[0],
        b"%9.2f" % one.mem[0], b"%9.2f" % one.io[0], b"%8d" % one.pid[0], b"%8d" % one.ppid[0], flags,
        b"%8d" % (one.exitcode[0] >> 8), b"%-8.8b" % names.devices.name(int(one.tty[0])),
        bytes(names.clock.ctime(one.btime)[0]),
    )  # fmt: skip
    return b"|".join(parts) + b"\n"


def figures(numbers: Numbers, form: bytes) -> Texts:
    """Each number as printf writes it, each distinct one written once."""
    distinct, which = np.unique(numbers, return_inverse=True)
    return np.array([form % number for number in distinct.tolist()] or [b""], dtype=np.bytes_)[which]


def printable(texts: Texts) -> Texts:
    """Texts with question marks for what is no printable ASCII."""
    width = texts.dtype.itemsize
    matrix = texts.view(np.uint8).reshape(len(texts), width).copy()
    matrix[(matrix != 0) & ((matrix < 32) | (matrix > 126))] = ord("?")
    return matrix.reshape(-1).view(f"S{width}")


def _named(numbers: npt.NDArray[np.uint32], name: Callable[[int], bytes]) -> Texts:
    distinct, which = np.unique(numbers, return_inverse=True)
    return np.array([name(int(number)) for number in distinct] or [b""], dtype=np.bytes_)[which]


def _sought(left: int) -> bytes:
    """What GNU's reader says of each block that it reads backwards."""
    count = min(left, GNU_BLOCK)
    begin, end = (left - count) * 64, left * 64
    return b"Did seek in file %d --> %d\nGot %d records from file\n" % (end, begin, count)
