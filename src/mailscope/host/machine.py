"""The machine that this runs on, as far as the old programs ask it: logins, terminals, processes.

A file says who logged in and not who is still there.  ``last``, ``who`` and ``w`` ask the process table and
the terminals of the machine they run on; so do we, through one object, so that tests can give another one.

Sources: util-linux' last.c (is_phantom) and monotonic.c, coreutils' who.c, procps' w.c and uptime.c, proc(5).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mailscope.host.accounts import Accounts


@dataclass(frozen=True, slots=True)
class Process:
    """One process: times in clock ticks, ``tty`` as its device number."""

    pid: int
    started: int
    uid: int
    real_uid: int
    group: int
    foreground: int
    tty: int
    ticks: int
    command: str


@dataclass
class Machine:
    """This machine.  ``accounts``: whose names are whose numbers."""

    accounts: Accounts
    proc: Path = field(default=Path("/proc"))
    dev: Path = field(default=Path("/dev"))

    @cached_property
    def boot_s(self) -> int:
        """When it was started, seconds since 1970, rounded down."""
        return int(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))

    @property
    def uptime_s(self) -> float:
        """For how long it has run."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    @property
    def load(self) -> tuple[float, float, float]:
        """How many processes wanted to run, over 1, 5 and 15 minutes."""
        return os.getloadavg()

    @property
    def hertz(self) -> int:
        """Clock ticks of a second."""
        return os.sysconf("SC_CLK_TCK")

    def is_running(self, pid: int) -> bool:
        """Whether there is such a process."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except (PermissionError, OverflowError):
            return True
        return True

    def is_alive(self, user: bytes, pid: int, line: bytes, seconds: int) -> bool:
        """Whether a login is that of somebody who is there still, as far as ``last`` can tell."""
        if seconds < self.boot_s:
            return False
        uid = self.accounts.uid(user)
        if uid is None:
            return False
        # The kernel has a number without sign.
        path = self.proc / str(pid & 0xFFFFFFFF) / "loginuid"
        if os.access(path, os.R_OK):
            try:
                return int(path.read_text(encoding="ascii")) == uid
            except (OSError, ValueError):
                return False
        status = self.terminal(line)
        return status is not None and status.st_uid == uid

    def terminal(self, line: bytes) -> os.stat_result | None:
        """What is known of a terminal; None where there is none."""
        path = os.fsencode(self.dev) + b"/" + line if not line.startswith(b"/") else line
        try:
            return os.stat(path)
        except (OSError, ValueError):
            return None

    def takes_messages(self, status: os.stat_result) -> bool:
        """Whether others may write to a terminal."""
        return bool(status.st_mode & stat.S_IWGRP)

    def processes(self) -> Iterator[Process]:
        """All processes, by rising number."""
        with os.scandir(self.proc) as listing:
            pids = sorted(int(entry.name) for entry in listing if entry.name.isdigit())
        for pid in pids:
            with suppress(OSError, ValueError, IndexError):  # it ended meanwhile
                yield self._process(pid)

    def _process(self, pid: int) -> Process:
        folder = self.proc / str(pid)
        # The name in parentheses may hold anything.
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        uids = next(
            line.split()
            for line in (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
            if line.startswith("Uid:")
        )
        words = (
            (folder / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")
        )
        name = (folder / "comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
        return Process(
            pid=pid,
            started=int(text[19]),
            uid=int(uids[2]),
            real_uid=int(uids[1]),
            group=int(text[2]),
            foreground=int(text[5]),
            tty=int(text[4]),
            ticks=int(text[11]) + int(text[12]),
            command=words or f"[{name}]",
        )
