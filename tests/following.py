"""A daemon's end of a feed, a store that keeps what it was given, and a log that a program writes."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailscope.intake.follow.files import FileFeed, Followed
from mailscope.intake.live import Arrival, Feed, Resume

LIMIT = 1 << 20


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Daemon:
    """Follows, stores, can be killed at any moment: what it has stored outlives it."""

    def __init__(self, *followed: Followed | str | Path) -> None:
        self.followed = [each if isinstance(each, Followed) else Followed(str(each)) for each in followed]
        self.clock = Clock()
        self.resumes: dict[str, Resume] = {}
        self.stored: list[Arrival] = []
        self.feed = FileFeed(self.followed, {}, self.clock)

    def take(self, limit: int = LIMIT, seconds: float = 1.0) -> Sequence[Arrival]:
        self.clock.now += seconds
        return self.feed.take(limit)

    def store(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            self.stored.append(arrival)
            if arrival.resume is not None:
                self.resumes[arrival.source] = arrival.resume
        feed: Feed = self.feed
        feed.stored(arrivals)

    def run(self, times: int = 2, limit: int = LIMIT, seconds: float = 1.0) -> None:
        for _ in range(times):
            self.store(self.take(limit, seconds))

    def stored_some(self) -> bool:
        """Run once; whether there was anything."""
        arrivals = self.take()
        self.store(arrivals)
        return bool(arrivals)

    def kill(self) -> None:
        """As kill -9 does: nothing is said to the feed, its files are closed by the kernel."""
        self.feed.close()

    def start(self) -> None:
        self.feed = FileFeed(self.followed, self.resumes, self.clock)

    def restart(self) -> None:
        self.kill()
        self.start()

    def settle(self) -> None:
        """Run until all is read that is to be read, times of grace included."""
        self.run(times=25)

    def lines(self, source: str | Path | None = None) -> list[bytes]:
        data = b"".join(
            arrival.data for arrival in self.stored if source is None or arrival.source == str(source)
        )
        return data.splitlines()


class Program:
    """Writes numbered lines into a log, through a file that it holds open."""

    def __init__(self, path: Path, name: str = "mx1", clock: Iterator[int] | None = None) -> None:
        self.path = path
        self.name = name
        self.clock = clock  # of the file system, in nanoseconds: the real one where there is none
        self.written: list[bytes] = []
        self.reopen()

    def reopen(self) -> None:
        self.file = open(self.path, "ab", buffering=0)  # noqa: SIM115
        self.stamp()

    def stamp(self) -> None:
        """Set the time of the file, as if some time had passed."""
        if self.clock is not None:
            now = next(self.clock)
            os.utime(self.file.fileno(), ns=(now, now))

    def put(self, data: bytes) -> None:
        self.file.write(data)
        self.stamp()

    def line(self) -> bytes:
        number = len(self.written)
        line = b"Mar  1 %02d:%02d:%02d %s postfix/qmgr[812]: %08X: removed" % (
            number // 3600, number // 60 % 60, number % 60, self.name.encode(), number,
        )  # fmt: skip
        self.written.append(line)
        return line

    def write(self, count: int = 1) -> None:
        self.put(b"".join(self.line() + b"\n" for _ in range(count)))


def shift(path: Path, most: int = 40) -> None:
    """mail.log.1 to .2, .2.gz to .3.gz and so on, as logrotate does."""
    for number in range(most, 0, -1):
        for end in ("", ".gz"):
            old = path.with_name(f"{path.name}.{number}{end}")
            if old.exists():
                old.rename(path.with_name(f"{path.name}.{number + 1}{end}"))


def rename(path: Path) -> None:
    shift(path)
    path.rename(f"{path}.1")


def copytruncate(path: Path) -> None:
    shift(path)
    Path(f"{path}.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)


def compress(path: Path) -> None:
    """As gzip does: beside it, with its times, then the old one goes."""
    status = path.stat()
    packed = Path(f"{path}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()
