"""The log files: lines wait until nothing can come before them, then are written; rotated each week.

Stamps: rsyslog's RSYSLOG_FileFormat, as Debian 12 and later write them. Rotation: Debian's logrotate
(`weekly`, `compress`, `delaycompress`): `mail.log`, `mail.log.1`, `mail.log.2.gz`.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from simulation.plan import SECOND

MAIL, AUTH, SYSLOG = "mail.log", "auth.log", "syslog"
NAMES = (MAIL, AUTH, SYSLOG)
Line = tuple[int, str, str]  # time, file, text
Mark = Callable[
    [int, str], None
]  # is told the number of a line in its file, rotated ones included, and its text


class LogFiles:
    """Log files of one host in one directory."""

    def __init__(self, directory: Path, host: str) -> None:
        self.directory = directory
        self.host = host
        self.lines = dict.fromkeys(NAMES, 0)
        self._waiting: list[Line] = []
        self._heads: dict[int, str] = {}
        self._marks: list[tuple[int, str, Mark]] = []
        directory.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            for old in directory.glob(f"{name}*"):
                old.unlink()
        self._open()

    def _open(self) -> None:
        self._files = {name: (self.directory / name).open("w", buffering=1 << 20) for name in NAMES}

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
            second, microsecond = divmod(time, SECOND)
            self._files[name].write(f"{self._head(second)}.{microsecond:06d}+00:00 {self.host} {text}\n")
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

    def _head(self, second: int) -> str:
        head = self._heads.get(second)
        if head is None:
            head = self._heads[second] = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
        return head

    def rotate(self) -> None:
        """Rotate all files; lines that wait go to the new ones."""
        self.close()
        for name in NAMES:
            path = self.directory / name
            for number in range(len(list(self.directory.glob(f"{name}.*"))), 0, -1):
                old = path.with_name(f"{name}.{number}" + ("" if number == 1 else ".gz"))
                new = path.with_name(f"{name}.{number + 1}.gz")
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
                old.unlink()
            path.rename(path.with_name(f"{name}.1"))
        self._open()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
