"""wtmpdb's database, the successor of wtmp that lasts beyond 2038: a row for each session.

    wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER, Logout INTEGER, TTY TEXT,
         RemoteHost TEXT, Service TEXT)

Login and Logout are microseconds since 1970, Type is 1 for a boot, 2 for a run level and 3 for a session: not
as in utmp. A session or boot that has no end and is followed by a boot was cut by a crash.

Source: wtmpdb's lib/wtmpdb.c and lib/wtmpdb.h (0.11).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from mailscope.host.clock import Seconds
from mailscope.host.layouts.utmp import BOOT_TIME, LAYOUTS, RUN_LVL, USER_PROCESS
from mailscope.host.logins.pairing import Paired, Reason
from mailscope.host.logins.records import Records, dtype_of
from mailscope.host.logins.sqlite import select
from mailscope.intake.rotation import shown
from mailscope.vocabulary.errors import InputError

_QUERY: Final = (
    "SELECT Type, User, Login, Logout, TTY, RemoteHost FROM wtmp WHERE Login IS NOT NULL ORDER BY Login, ID"
)
_TYPES: Final = {1: BOOT_TIME, 2: RUN_LVL, 3: USER_PROCESS}
_WIDE: Final = LAYOUTS[1]
_MILLION: Final = 1_000_000


class Database:
    """wtmpdb's database, read whole.  Raises InputError where it cannot be read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = shown(path)
        self.problems: list[InputError] = []
        self._rows = list(select(path, _QUERY, "database of wtmpdb"))

    @cached_property
    def records(self) -> Records:
        """The rows as records of logins, in order of time."""
        out = np.zeros(len(self._rows), dtype=dtype_of(_WIDE))
        for number, (kind, user, login, _logout, tty, host) in enumerate(self._rows):
            seconds, micros = divmod(int(login), _MILLION)
            out[number]["type"] = _TYPES.get(kind, 0)
            out[number]["user"], out[number]["line"], out[number]["host"] = (
                _text(user),
                _text(tty),
                _text(host),
            )
            out[number]["seconds"], out[number]["microseconds"] = seconds, micros
        return out

    @cached_property
    def seconds(self) -> Seconds:
        """When each began."""
        return self.records["seconds"].astype(np.int64)

    def paired(self, now: int) -> Paired:
        """A row for each, the last one first."""
        count = len(self._rows)
        end, reason = np.zeros(count, dtype=np.int64), np.full(count, Reason.NORMAL, dtype=np.uint8)
        next_boot = 0
        for number in reversed(range(count)):
            kind, logout = int(self.records["type"][number]), self._rows[number][3]
            if logout is not None:
                end[number] = int(logout) // _MILLION
            elif next_boot:
                end[number], reason[number] = next_boot, Reason.CRASH
            elif kind == BOOT_TIME:
                end[number] = now
            else:
                reason[number] = Reason.OPEN
            next_boot = int(self.seconds[number]) if kind == BOOT_TIME else next_boot
        kinds = self.records["type"].astype(np.uint8)[::-1]
        rows = np.arange(count, dtype=np.int32)[::-1]
        return Paired(rows, kinds, end[::-1], reason[::-1], np.zeros(count, dtype=np.uint8))

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _text(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""
