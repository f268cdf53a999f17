"""Records of logins as lines, in rsyslog's form without a host: what an event is made of.

    2026-11-22T04:33:56.501238+00:00 wtmp[11881]: login on pts/4 from client.example.org (192.0.2.20): alice
    2026-11-22T04:34:02.000000+00:00 wtmp[11881]: session on pts/4 ended: alice
    2026-10-28T03:00:00.000000+00:00 btmp[3000]: refused login on ssh:notty from (192.0.2.40): root

In: records, some bytes at a time.  Out: lines; a record that tells nothing (getty waiting for a user) gives
none. The user comes last, as nobody but the client chooses its name: whatever stands in it, the parts before
it stay what they are.  Which user a session's end belongs to is not in its record, but in that of its
beginning.

A terminal inside a session (of X, tmux or screen) is no login: it is told as a session that began.

Whether records are of logins or of refused ones is not in them for certain: sshd and util-linux's login write
refused ones as LOGIN_PROCESS with the user's name, where getty writes LOGIN; shadow's login writes
USER_PROCESS.  So a file that is called btmp holds refused ones, and so do records of the first kind in any.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from mailscope.host.layouts import addresses
from mailscope.host.layouts.utmp import (
    BOOT_TIME,
    DEAD_PROCESS,
    LOGIN_PROCESS,
    NEW_TIME,
    RUN_LVL,
    USER_PROCESS,
    Layout,
    Record,
    unpack,
)

EPOCH: Final = datetime(1970, 1, 1)
# Longer than any real file's list of terminals; what is forgotten costs a session's end its user's name.
MOST_TERMINALS: Final = 1 << 16
_UNSAFE: Final = re.compile(r"[^\x21-\x7e]")
_UNSAFE_USER: Final = re.compile(r"[^\x20-\x7e]")
_RUNLEVELS_DOWN: Final = b"06"


def holds_refusals(name: str) -> bool:
    """Whether a file of this name holds refused logins only: btmp, btmp.1, btmp-20261101.gz."""
    return os.path.basename(name).startswith("btmp")


class Lines:
    """Records that come one after the other, as lines.  ``refusals``: all of them are refused logins."""

    def __init__(self, layout: Layout, *, refusals: bool = False) -> None:
        self._layout = layout
        self._refusals = refusals
        self._users: dict[bytes, str] = {}
        self._rest = b""
        self.records = 0
        self.damaged = 0
        self.first_damage = 0  # where, in bytes

    def feed(self, data: bytes) -> bytes:
        """The lines of the records that are whole."""
        data = self._rest + data
        size = self._layout.size
        end = len(data) - len(data) % size
        self._rest = data[end:]
        return "".join(self._line(data, at) for at in range(0, end, size)).encode()

    @property
    def cut_bytes(self) -> int:
        """Bytes behind the last whole record."""
        return len(self._rest)

    def _line(self, data: bytes, at: int) -> str:
        record = unpack(self._layout, data, at)
        self.records += 1
        if record.is_damaged:
            self.first_damage = self.first_damage if self.damaged else (self.records - 1) * self._layout.size
            self.damaged += 1
            return ""
        refused = self._refusals or (record.type == LOGIN_PROCESS and record.user not in (b"LOGIN", b""))
        text = self._refused(record) if refused else self._told(record)
        if not text:
            return ""
        try:
            time = EPOCH + timedelta(seconds=record.seconds, microseconds=record.microseconds)
        except OverflowError:
            self.damaged += 1
            return ""
        pid = f"[{record.pid}]" if record.pid > 0 else ""
        stamp = time.isoformat(timespec="microseconds")
        return f"{stamp}+00:00 {'btmp' if refused else 'wtmp'}{pid}: {text}\n"

    def _told(self, record: Record) -> str:
        if record.line.startswith(b"~"):
            return self._system(record)
        make = _MAKERS.get(record.type)
        # As all readers have it: a login without a user is a logout.
        if record.type == USER_PROCESS and not record.user:
            make = Lines._ended
        return make(self, record) if make else ""

    def _system(self, record: Record) -> str:
        self._users.clear()
        if record.user == b"shutdown" or (record.type == RUN_LVL and record.pid & 255 in _RUNLEVELS_DOWN):
            return f"system down: {_word(record.host) or '-'}"
        if record.user == b"reboot" or record.type == BOOT_TIME:
            return f"system boot: {_word(record.host) or '-'}"
        return f"run-level {chr(record.pid & 255)}" if 32 < record.pid & 255 < 127 else ""

    def _refused(self, record: Record) -> str:
        if record.type not in (LOGIN_PROCESS, USER_PROCESS):
            return ""
        return f"refused login on {_word(record.line) or '-'}{_from(record)}: {_user(record.user)}"

    def _began(self, record: Record) -> str:
        user, line = _user(record.user), _word(record.line) or "-"
        if len(self._users) < MOST_TERMINALS:
            self._users[record.line] = user
        inside = record.line.startswith(b"pts/") and (
            record.host[:1] in (b"", b":") or record.host.startswith((b"tmux(", b"screen"))
        )
        kind = "session" if inside and not any(record.address) else "login"
        return f"{kind} on {line}{_from(record)}: {user}"

    def _ended(self, record: Record) -> str:
        if not record.line:
            return ""
        user = self._users.pop(record.line, "")
        # A terminal on which nobody was: getty ends, too.
        return f"session on {_word(record.line)} ended: {user}" if user else ""

    def _clock(self, record: Record) -> str:
        return "clock set"


_MAKERS: Final[dict[int, Callable[[Lines, Record], str]]] = {
    USER_PROCESS: Lines._began,
    DEAD_PROCESS: Lines._ended,
    NEW_TIME: Lines._clock,
    RUN_LVL: Lines._system,
    BOOT_TIME: Lines._system,
}


def _from(record: Record) -> str:
    host, address = _word(record.host), addresses.given(record.address)
    if host and (bare := _address(host)):
        host, address = "", address or bare
    return f" from{f' {host}' if host else ''}{f' ({address})' if address else ''}" if host or address else ""


def _address(host: str) -> str:
    """The host, if it is an address; an IPv6 one may name an interface."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return ""


def _word(text: bytes) -> str:
    """A text as one word; brackets and whatever is not ASCII become question marks."""
    return _UNSAFE.sub("?", text.decode("ascii", "replace")).replace("(", "?").replace(")", "?")


def _user(text: bytes) -> str:
    return _UNSAFE_USER.sub("?", text.decode("ascii", "replace"))
