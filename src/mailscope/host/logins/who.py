"""``who`` and ``users``: the records of a utmp or wtmp file as rows.

Columns and their widths are those of coreutils' who.c (9.1), with Debian's ``--ips``.  In: records.  Out:
rows, as text or as plain values.  Idle time and whether a terminal takes messages are asked of the machine
this runs on.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from mailscope.host.clock import MONTHS, Clock
from mailscope.host.layouts import addresses
from mailscope.host.layouts.utmp import (
    BOOT_TIME,
    DEAD_PROCESS,
    INIT_PROCESS,
    LOGIN_PROCESS,
    NEW_TIME,
    RUN_LVL,
    USER_PROCESS,
    Record,
)
from mailscope.host.machine import Machine
from mailscope.host.texts import as_text

DAY_S: Final = 86_400
_MAPPED: Final = bytes(10) + b"\xff\xff"
Form = Callable[["Record", "Asked", "Showing"], bytes]


@dataclass(frozen=True)
class Asked:
    """What a person asked ``who`` for.

    ``kinds``: types of records that have rows; ``short``: name, terminal, time and host only; ``iso``: times
    with the year; ``canonical``: the name that the DNS has for a host, or None.
    """

    kinds: frozenset[int]
    short: bool = False
    idle: bool = False
    messages: bool = False
    exits: bool = False
    heading: bool = False
    ips: bool = False
    iso: bool = True
    line: bytes | None = None
    canonical: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Showing:
    """What rows are made with: the clock, the machine, now and the last boot (None: not seen)."""

    clock: Clock
    machine: Machine
    now: int
    boot: int | None = None


# What who calls each type that it has rows for, in JSON.
KINDS: Final = {
    RUN_LVL: "run-level",
    BOOT_TIME: "boot",
    NEW_TIME: "clock",
    INIT_PROCESS: "process",
    LOGIN_PROCESS: "getty",
    USER_PROCESS: "login",
    DEAD_PROCESS: "dead",
}


def is_user(record: Record) -> bool:
    """Whether a record is of somebody who is logged in."""
    return record.type == USER_PROCESS and bool(record.user)


def wanted(records: Iterable[Record], asked: Asked) -> Iterator[tuple[Record, int | None]]:
    """The records that have rows, each with the last boot before it."""
    boot = None
    for record in records:
        mine = asked.line is None or record.line == asked.line
        if mine and record.type in asked.kinds and (record.type != USER_PROCESS or record.user):
            yield record, boot
        if record.type == BOOT_TIME:
            boot = record.seconds


def text(records: Iterable[Record], asked: Asked, showing: Showing) -> Iterator[bytes]:
    """The rows as ``who`` writes them."""
    if asked.heading:
        yield _line(asked, b"NAME", b" ", b"LINE", b"TIME", b"IDLE", b"PID", b"COMMENT", b"EXIT")
    for record, boot in wanted(records, asked):
        here = Showing(showing.clock, showing.machine, showing.now, boot)
        yield _FORMS[record.type](record, asked, here)


def counted(records: Iterable[Record]) -> bytes:
    """``who -q``: all names, and how many there are."""
    names = [record.user.rstrip(b" ") for record in records if is_user(record)]
    return b" ".join(names) + b"\n# users=%d\n" % len(names)


def names(records: Iterable[Record]) -> bytes:
    """``users``: all names in order, on one line; nothing where there is none."""
    found = sorted(record.user.rstrip(b" ") for record in records if is_user(record))
    return b" ".join(found) + b"\n" if found else b""


def values(records: Iterable[Record], asked: Asked, showing: Showing) -> Iterator[dict[str, Any]]:
    """The rows as plain values."""
    for record, _boot_s in wanted(records, asked):
        status = showing.machine.terminal(record.line) if record.type == USER_PROCESS else None
        idle = None if status is None else max(showing.now - int(status.st_atime), 0)
        yield {
            "kind": KINDS[record.type],
            "user": as_text(record.user),
            "tty": as_text(record.line),
            "host": as_text(record.host) or None,
            "address": addresses.given(record.address),
            "pid": record.pid,
            "time": showing.clock.iso_one(record.seconds, record.microseconds),
            "idle_s": idle,
            "takes_messages": None if status is None else showing.machine.takes_messages(status),
            "run_level": chr(record.pid & 255)
            if record.type == RUN_LVL and 32 < record.pid & 255 < 127
            else None,
            "termination": record.termination if record.type == DEAD_PROCESS else None,
            "exit_status": record.exit if record.type == DEAD_PROCESS else None,
        }


NAMES: Final = (
    "kind", "user", "tty", "host", "address", "pid", "time", "idle_s", "takes_messages", "run_level",
    "termination", "exit_status",
)  # fmt: skip


def _line(
    asked: Asked,
    user: bytes,
    state: bytes,
    line: bytes,
    time: bytes,
    idle: bytes = b"",
    pid: bytes = b"",
    comment: bytes = b"",
    ended: bytes = b"",
) -> bytes:
    """print_line() of who.c."""
    out = b"%-8b" % user
    out += b" %b" % state if asked.messages else b""
    out += b" %-12b %-*b" % (line, 16 if asked.iso else 12, time)
    out += b" %-6b" % idle if asked.idle and not asked.short and len(idle) < 7 else b""
    out += b" %10b" % pid if not asked.short and len(pid) < 12 else b""
    out += b" %-8b" % comment
    out += b" %-12b" % ended if asked.exits else b""
    return out.rstrip(b" ") + b"\n"


def _time(record: Record, asked: Asked, showing: Showing) -> bytes:
    when = showing.clock.at(record.seconds)
    if asked.iso:
        return f"{when:%Y-%m-%d %H:%M}".encode()
    return f"{MONTHS[when.month - 1]} {when.day:2d} {when:%H:%M}".encode()


def _user(record: Record, asked: Asked, showing: Showing) -> bytes:
    status = showing.machine.terminal(record.line)
    state, idle = b"?", b"  ?"
    if status is not None:
        state = b"+" if showing.machine.takes_messages(status) else b"-"
        changed = int(status.st_atime)
        idle = _idle(changed, showing) if changed else b"  ?"
    return _line(
        asked, record.user, state, record.line, _time(record, asked, showing), idle, b"%d" % record.pid,
        _host(record, asked),
    )  # fmt: skip


def _idle(changed: int, showing: Showing) -> bytes:
    now = showing.now
    if (showing.boot is None or showing.boot < changed) and now - DAY_S < changed <= now:
        idle = now - changed
        return b"  .  " if idle < 60 else b"%02d:%02d" % (idle // 3600, idle % 3600 // 60)
    return b" old "


def _host(record: Record, asked: Asked) -> bytes:
    if asked.ips and any(record.address):
        return _ip(record.address, asked).encode()
    if not record.host:
        return b""
    host, colon, display = record.host.partition(b":")
    if host and asked.canonical:
        host = asked.canonical(host.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return b"(%b%b%b)" % (host, colon, display)


def _ip(address: bytes, asked: Asked) -> str:
    """Debian's --ips: an IPv6 address is one of the ranges that are in use, whatever the words say."""
    first = int.from_bytes(address[:2], "big")
    in_use = 0x2000 <= first <= 0x3FFF or 0xFC00 <= first <= 0xFDFF or 0xFEC0 <= first <= 0xFEFF
    if not in_use or address.startswith(_MAPPED) or not any(address[4:]):
        shown = socket.inet_ntop(socket.AF_INET, address[12:] if address.startswith(_MAPPED) else address[:4])
    else:
        shown = socket.inet_ntop(socket.AF_INET6, address)
    return asked.canonical(shown) if asked.canonical else shown


def _boot(record: Record, asked: Asked, showing: Showing) -> bytes:
    return _line(asked, b"", b" ", b"system boot", _time(record, asked, showing))


def _clock(record: Record, asked: Asked, showing: Showing) -> bytes:
    return _line(asked, b"", b" ", b"clock change", _time(record, asked, showing))


def _level(record: Record, asked: Asked, showing: Showing) -> bytes:
    # In C, the number of a process divided by 256 goes towards zero.
    before = int(record.pid / 256) & 255
    level = record.pid - int(record.pid / 256) * 256 & 255
    shown = b"run-level " + (bytes([level]) if level else b"")
    comment = b"last=" + (b"S" if before == ord("N") else bytes([before])) if 32 <= before < 127 else b""
    return _line(asked, b"", b" ", shown, _time(record, asked, showing), comment=comment)


def _process(record: Record, asked: Asked, showing: Showing) -> bytes:
    return _line(
        asked,
        b"",
        b" ",
        record.line,
        _time(record, asked, showing),
        b"",
        b"%d" % record.pid,
        b"id=" + record.id,
    )


def _getty(record: Record, asked: Asked, showing: Showing) -> bytes:
    return _line(
        asked, b"LOGIN", b" ", record.line, _time(record, asked, showing), b"", b"%d" % record.pid,
        b"id=" + record.id,
    )  # fmt: skip


def _dead(record: Record, asked: Asked, showing: Showing) -> bytes:
    return _line(
        asked, b"", b" ", record.line, _time(record, asked, showing), b"", b"%d" % record.pid,
        b"id=" + record.id, b"term=%d exit=%d" % (record.termination, record.exit),
    )  # fmt: skip


_FORMS: Final[dict[int, Form]] = {
    USER_PROCESS: _user,
    RUN_LVL: _level,
    BOOT_TIME: _boot,
    NEW_TIME: _clock,
    INIT_PROCESS: _process,
    LOGIN_PROCESS: _getty,
    DEAD_PROCESS: _dead,
}
