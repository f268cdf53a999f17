"""The log files: lines wait until nothing can come before them, then are written; rotated each week.

Stamps: rsyslog's RSYSLOG_FileFormat, as Debian 12 and later write them; RFC 3164, as older hosts do; TAI64N
for multilog(8). Each file's time of change is that of its last line, from which readers may take the year.
Rotation: Debian's logrotate (`weekly`, `compress`, `delaycompress`): `mail.log`, `mail.log.1`,
`mail.log.2.gz`; multilog's directories keep `@TAI64N.s`.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from mailscope.demo.plan import SECOND

MAIL, AUTH, SYSLOG = "mail.log", "auth.log", "syslog"
NAMES = (MAIL, AUTH, SYSLOG)
RFC3339, RFC3164, TAI64N = "rfc3339", "rfc3164", "tai64n"
CURRENT = "current"  # multilog's file
Line = tuple[int, str, str]  # time, file, text
Mark = Callable[[int, str], None]  # is told a line's number in its file, rotated ones included, and its text


def stamp(time: int, form: str, host: str) -> str:
    """Write what stands before a line's text."""
    second, microsecond = divmod(time, SECOND)
    if form == TAI64N:  # 2^62 + 10 s, as daemontools counts
        return f"@{(1 << 62) + 10 + second:016x}{microsecond * 1000:08x} "
    moment = datetime.fromtimestamp(second, UTC)
    if form == RFC3164:
        return f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} {host} "
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microsecond:06d}+00:00 {host} "


class LogFiles:
    """Log files of one host in one directory; `forms` names them and says how their lines begin."""

    def __init__(self, directory: Path, host: str, forms: dict[str, str] | None = None) -> None:
        self.directory = directory
        self.host = host
        self.forms = forms or dict.fromkeys(NAMES, RFC3339)
        self.lines = dict.fromkeys(self.forms, 0)
        self._waiting: list[Line] = []
        self._heads: dict[int, str] = {}
        self._marks: list[tuple[int, str, Mark]] = []
        for name in self.forms:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.glob("*" if path.name == CURRENT else f"{name}*"):
                old.unlink()
        self._open()

    def _open(self) -> None:
        self._files = {name: (self.directory / name).open("w", buffering=1 << 20) for name in self.forms}

    def add(self, time: int, name: str, text: str) -> None:
        """Put a line in its place."""
        self._waiting.append((time, name, text))

    def mark(self, time: int, name: str, told: Mark) -> None:
        """Tell of the first line of a file that is not before an instant, once it is written."""
        self._marks.append((time, name, told))

    def write(self, until: int) -> None:
        """Write all lines before an instant, after which none before it may be added."""
        self._waiting.sort(key=itemgetter(0))
        later = []
        for line in self._waiting:
            time, name, text = line
            if time >= until:
                later.append(line)
                continue
            self._files[name].write(self._head(time, self.forms[name]) + text + "\n")
            self.lines[name] += 1
            if self._marks:
                self._tell(time, name, text)
        self._waiting = later
        self._heads.clear()

    def _tell(self, time: int, name: str, text: str) -> None:
        due = [mark for mark in self._marks if mark[0] <= time and mark[1] == name]
        for mark in due:
            self._marks.remove(mark)
            mark[2](self.lines[name], text)

    def _head(self, time: int, form: str) -> str:
        if form != RFC3339:
            return stamp(time, form, self.host)
        second, microsecond = divmod(time, SECOND)
        head = self._heads.get(second)
        if head is None:  # most lines share theirs with others
            head = self._heads[second] = stamp(second * SECOND, form, self.host)[:20]
        return f"{head}{microsecond:06d}+00:00 {self.host} "

    def rotate(self, now: int) -> None:
        """Rotate all files; lines that wait go to the new ones."""
        self.close(now)
        for name in self.forms:
            path = self.directory / name
            if path.name == CURRENT:
                path.rename(path.with_name(stamp(now, TAI64N, "").strip() + ".s"))
            else:
                self._rotate(path)
        self._open()

    @staticmethod
    def _rotate(path: Path) -> None:
        for number in range(len(list(path.parent.glob(f"{path.name}.*"))), 0, -1):
            old = path.with_name(f"{path.name}.{number}" + ("" if number == 1 else ".gz"))
            new = path.with_name(f"{path.name}.{number + 1}.gz")
            if number > 1:
                old.rename(new)
                continue
            # No time and no name inside: the same plan gives the same bytes.
            with (
                old.open("rb") as plain,
                new.open("wb") as packed,
                gzip.GzipFile("", "wb", 6, packed, mtime=0) as file,
            ):
                shutil.copyfileobj(plain, file)
            shutil.copystat(old, new)
            old.unlink()
        path.rename(path.with_name(f"{path.name}.1"))

    def close(self, now: int) -> None:
        """Close the files, which last changed now."""
        for name, file in self._files.items():
            file.close()
            os.utime(self.directory / name, (now // SECOND, now // SECOND))
