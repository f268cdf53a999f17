"""``w``: who is logged in, since when, for how long idle, and what they run.

Columns are those of procps' w.c (4.0.2).  Processes, terminals and the load are asked of the machine this
runs on; of a copied file nothing of that can be known, so that those columns show ``?`` and nobody is left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailscope.host.clock import DAYS, MONTHS, Clock
from mailscope.host.layouts import addresses
from mailscope.host.layouts.utmp import BOOT_TIME, USER_PROCESS, Record
from mailscope.host.machine import Machine, Process

HOUR_S: Final = 3600
TWO_DAYS_S: Final = 48 * HOUR_S
MOST_COMMAND: Final = 512
USER_COLUMNS: Final = 8
HOST_COLUMNS: Final = 16


@dataclass(frozen=True)
class Asked:
    """What a person asked ``w`` for.  ``columns``: of the screen; ``live``: records of this machine."""

    now: int
    live: bool = True
    heading: bool = True
    any_user: bool = False
    short: bool = False
    hosts: bool = True
    old_style: bool = False
    ips: bool = False
    user: bytes | None = None
    columns: int = MOST_COMMAND


@dataclass(frozen=True)
class Active:
    """Somebody who is logged in.  Times in seconds; None: not known."""

    record: Record
    idle_s: int | None
    jcpu_s: float | None
    pcpu_s: float | None
    command: str


def active(records: Iterable[Record], asked: Asked, machine: Machine) -> list[Active]:
    """Those who are logged in; of this machine, only those whose process is there."""
    users = [record for record in records if record.type == USER_PROCESS]
    wanted = [
        record
        for record in users
        if (
            record.user.startswith(asked.user[:32]) and record.user == asked.user[:32]
            if asked.user
            else record.user
        )
    ]
    if not asked.live:
        return [Active(record, None, None, None, "-") for record in wanted]
    processes = list(machine.processes()) if wanted else []
    found = (_active(record, asked, machine, processes) for record in wanted)
    return [each for each in found if each is not None]


def text(records: Sequence[Record], asked: Asked, machine: Machine, clock: Clock) -> Iterator[bytes]:
    """The rows as ``w`` writes them."""
    if asked.heading:
        yield _uptime(records, asked, machine, clock)
        yield b"%-*b TTY      " % (USER_COLUMNS, b"USER")
        yield b"%-*b" % (HOST_COLUMNS - 1, b"FROM") if asked.hosts else b""
        yield b"   IDLE WHAT\n" if asked.short else b"  LOGIN@   IDLE   JCPU   PCPU WHAT\n"
    width = _bounded(asked.columns) - 21 - USER_COLUMNS
    width = _bounded(width - (HOST_COLUMNS if asked.hosts else 0) - (0 if asked.short else 20))
    for each in active(records, asked, machine):
        record = each.record
        row = b"%-*.*b%-9.8b" % (USER_COLUMNS + 1, USER_COLUMNS, record.user, record.line)
        row += _from(record, asked) if asked.hosts else b""
        row += b"" if asked.short else _login(record.seconds, asked.now, clock)
        row += b" ?xdm? " if record.line.startswith(b":") else _span(each.idle_s, asked)
        if not asked.short:
            row += _span(each.jcpu_s, asked)
            row += _span(each.pcpu_s or None, asked)
        yield row + b" " + each.command.encode("utf-8", "surrogateescape")[:width] + b"\n"


NAMES: Final = ("user", "tty", "host", "address", "pid", "login", "idle_s", "jcpu_s", "pcpu_s", "command")


def values(found: Iterable[Active], clock: Clock) -> Iterator[dict[str, Any]]:
    """The rows as plain values."""
    for each in found:
        record = each.record
        yield {
            "user": record.user.decode("utf-8", "backslashreplace"),
            "tty": record.line.decode("utf-8", "backslashreplace"),
            "host": record.host.decode("utf-8", "backslashreplace") or None,
            "address": addresses.given(record.address),
            "pid": record.pid,
            "login": clock.iso_one(record.seconds, record.microseconds),
            "idle_s": each.idle_s,
            "jcpu_s": each.jcpu_s,
            "pcpu_s": each.pcpu_s,
            "command": None if each.command == "-" else each.command,
        }


def _active(record: Record, asked: Asked, machine: Machine, processes: Sequence[Process]) -> Active | None:
    """find_best_proc() of w.c: the terminal's newest process in the foreground that is the user's."""
    uid = None if asked.any_user else machine.accounts.uid(record.user)
    if uid is None and not asked.any_user:
        return None
    # Rubbish in the terminal's name ends it.
    line = bytes(byte for byte in record.line)
    for place, byte in enumerate(line):
        if not (chr(byte).isascii() and chr(byte).isalnum()) and byte != ord("/"):
            line = line[:place]
            break
    status = machine.terminal(line)
    tty = status.st_rdev if status else -1
    found, best, second, jcpu, pcpu, command = False, 0, 0, 0, 0, "-"
    for process in processes:
        if process.pid == record.pid:
            found = True
            if not best:
                best, command, pcpu = process.started, process.command, process.ticks
        if process.tty != tty:
            continue
        jcpu += process.ticks
        if not (second and process.started <= second):
            second = process.started
            if command == "-":
                command, pcpu = process.command, process.ticks
        theirs = asked.any_user or uid in (process.uid, process.real_uid)
        if theirs and process.group == process.foreground and process.started > best:
            best, command, pcpu = process.started, process.command, process.ticks
    if not found:
        return None
    idle = asked.now - int(status.st_atime) if status else 0
    return Active(record, idle, jcpu / machine.hertz, pcpu / machine.hertz, command[:MOST_COMMAND])


def _bounded(width: int) -> int:
    return min(max(width, 7), MOST_COMMAND)


def _uptime(records: Sequence[Record], asked: Asked, machine: Machine, clock: Clock) -> bytes:
    users = sum(record.type == USER_PROCESS and bool(record.user) for record in records)
    if asked.live:
        up: int | None = int(machine.uptime_s)
        load = "load average: {:.2f}, {:.2f}, {:.2f}".format(*machine.load)
    else:
        boots = [record.seconds for record in records if record.type == BOOT_TIME]
        up, load = (asked.now - boots[-1] if boots else None), "load average: ?, ?, ?"
    when = clock.at(asked.now)
    out = f" {when:%H:%M:%S} up "
    if up is None or up < 0:
        out += "?, "
    else:
        days, hours, minutes = up // 86_400, up // HOUR_S % 24, up // 60 % 60
        out += f"{days} {'days' if days > 1 else 'day'}, " if days else ""
        out += f"{hours:2d}:{minutes:02d}, " if hours else f"{minutes} min, "
    return f"{out}{users:2d} {'users' if users > 1 else 'user'},  {load}\n".encode()


def _login(seconds: int, now: int, clock: Clock) -> bytes:
    login, today = clock.at(seconds), clock.at(now)
    if now - seconds > 12 * HOUR_S and login.timetuple().tm_yday != today.timetuple().tm_yday:
        if now - seconds > 6 * 86_400:
            return f" {login.day:02d}{MONTHS[login.month - 1]}{login.year % 100:02d}".encode()
        return f" {DAYS[login.weekday()]}{login.hour:02d}  ".encode()
    return f" {login:%H:%M}  ".encode()


def _span(seconds: float | None, asked: Asked) -> bytes:
    """print_time_ival7() of w.c."""
    if seconds is None or seconds < 0:
        return b"   ?   "
    whole = int(seconds)
    days, hours, minutes, rest = whole // 86_400, whole // HOUR_S, whole // 60, whole % 60
    if whole >= TWO_DAYS_S:
        return b" %2ddays" % days
    if whole >= HOUR_S:
        return b" %2d:%02d%b" % (hours, minutes % 60, b" " if asked.old_style else b"m")
    if whole > 60:
        return b" %2d:%02d%b" % (minutes, rest, b"m" if asked.old_style else b" ")
    return b"       " if asked.old_style else b" %2d.%02ds" % (whole, round((seconds - whole) * 100))


def _from(record: Record, asked: Asked) -> bytes:
    shown = addresses.given(record.address) if asked.ips else None
    if shown and shown != "0.0.0.0":
        out = shown.encode()[:HOST_COLUMNS]
        return out + _display(record.host, HOST_COLUMNS - len(out))
    out = b""
    for byte in record.host[:HOST_COLUMNS]:
        if not 32 < byte < 127:
            out += b"-"
            break
        out += bytes([byte])
    return (out or b"-").ljust(HOST_COLUMNS)


def _display(host: bytes, width: int) -> bytes:
    """What follows an address: the display of X, or the interface of an IPv6 one."""
    place = host.find(b":")
    if place >= 0 and b":" in host[place + 1 :]:
        place = host.find(b"%", place)
    out = b""
    for byte in host[place : place + width] if place >= 0 else b"":
        if not 32 < byte < 127:
            out += b"-"
            break
        out += bytes([byte])
    return out.ljust(width)[:width]
