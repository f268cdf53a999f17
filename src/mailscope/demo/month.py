"""A month of made-up traffic up to now, which goes on while one looks: what `mailscope serve --demo` shows.

In: a directory of its own. Out: log files with all lines that would have been written by now, and a thread
that adds the others when their time comes; a settings file that follows them. The host, its people and what
befalls it are the simulation's.
"""

from __future__ import annotations

import gzip
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from mailscope.demo.files import NAMES
from mailscope.demo.host import LOGS, simulate
from mailscope.demo.plan import Plan
from mailscope.vocabulary.instants import naive_now

DAYS: Final = 28
USERS: Final = 25
SEED: Final = 7
DOMAIN: Final = "example.org"
COUNTRIES: Final = "countries.csv"
SETTINGS: Final = "mailscope.toml"
# So much is made beyond now, for those who look on.
AHEAD_DAYS: Final = 2
# What stands in a stamp of RFC 3339 until the second, by which lines are told apart.
STAMP: Final = len("2026-11-27T00:00:00")
PAUSE_S: Final = 1.0


class Month:
    """The logs in a directory; `start` adds lines as time passes, until `stop`."""

    def __init__(
        self, directory: Path, now: datetime | None = None, days: int = DAYS, users: int = USERS
    ) -> None:
        """Write what would have been written until `now` (naive UTC)."""
        self.logs = directory / "log"
        self.logs.mkdir(parents=True, exist_ok=True)
        now = now or naive_now()
        begin = (now - timedelta(days=days)).date()
        made = directory / "made"
        simulate(Plan(days + AHEAD_DAYS, users, SEED, begin.isoformat()), made)
        (made / COUNTRIES).rename(directory / COUNTRIES)
        self._later = {name: self._split(made / LOGS, name, now) for name in NAMES}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="mailscope-demo", daemon=True)

    def _split(self, made: Path, name: str, now: datetime) -> list[str]:
        """Write the lines of one file until now; gives the others, the earliest last."""
        stamp = _stamp(now)
        later: list[str] = []
        with (self.logs / name).open("w") as out:
            for path in sorted(made.glob(f"{name}*"), key=lambda path: path.stat().st_mtime):
                for line in _lines(path):
                    if line[:STAMP] <= stamp:
                        out.write(line)
                    else:
                        later.append(line)
                path.unlink()
        return later[::-1]

    def start(self) -> None:
        """Begin to add lines."""
        self._thread.start()

    def stop(self) -> None:
        """Add no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._ended.is_set():
            self.add(naive_now())
            time.sleep(PAUSE_S)

    def add(self, now: datetime) -> int:
        """Write the lines whose time has come; how many."""
        stamp = _stamp(now)
        count = 0
        for name, later in self._later.items():
            due = []
            while later and later[-1][:STAMP] <= stamp:
                due.append(later.pop())
            if due:
                with (self.logs / name).open("a") as out:
                    out.write("".join(due))
            count += len(due)
        return count


def settings(directory: Path, port: int) -> Path:
    """Write the settings of a daemon that follows a month's logs, and show them on a port of this host."""
    path = directory / SETTINGS
    path.write_text(
        f'domains = ["{DOMAIN}"]\n'
        'networks = ["192.0.2.0/24"]\n'
        f'[sources]\ndiscover = false\nfiles = ["{directory}/log/*"]\n'
        f'[store]\ndirectory = "{directory}/store"\n'
        f'[api]\nsocket = "{directory}/api.sock"\n'
        f'[web]\nenabled = true\nport = {port}\nwtmp = ""\npacct = ""\n'
        f'[changes]\nenabled = false\n[detections]\ncountries = "{directory}/{COUNTRIES}"\n'
    )
    return path


def _lines(path: Path) -> list[str]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines(keepends=True)


def _stamp(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
