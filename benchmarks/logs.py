"""The logs that benchmarks read: made once, kept in a directory, made anew when the generator changes."""

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from measure import warm
from mixing import foreign_patterns, mix

HERE = Path(__file__).parent
LONGEST_LINE = 4096


class Logs:
    """A cache of generated logs, named by their lines and by the generator's own text."""

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._say = say
        directory.mkdir(parents=True, exist_ok=True)
        sources = [HERE / "generate.py", *sorted((HERE / "loggen").glob("*.py"))]
        self._mark = sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]

    def plain(self, lines: int) -> Path:
        """Give a log of so many lines; its truth lies beside it (`.json`)."""
        path = self._path(lines, "log")
        if not path.exists():
            self._say(f"making {path}")
            growing = path.with_suffix(".part")
            truth = path.with_suffix(".json")
            words = [sys.executable, str(HERE / "generate.py"), "--lines", str(lines)]
            subprocess.run([*words, "-o", str(growing), "--truth", str(truth)], check=True)
            growing.rename(path)
        return warm(path)

    def compressed(self, lines: int) -> Path:
        """Give the same log, compressed with gzip as logrotate does it."""
        path = self._path(lines, "log.gz")
        if not path.exists():
            plain = self.plain(lines)
            self._say(f"making {path}")
            growing = path.with_suffix(".part")
            with plain.open("rb") as source, gzip.open(growing, "wb", compresslevel=6) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            growing.rename(path)
        return warm(path)

    def mixed(self, lines: int) -> Path:
        """Give a log of about twice so many lines: Postfix's, and as many of Dovecot, Rspamd and sshd."""
        path = self._path(lines, "mixed.log")
        if not path.exists():
            plain = self.plain(lines)
            self._say(f"making {path}")
            growing = path.with_suffix(".part")
            mix(plain, growing)
            growing.rename(path)
        return warm(path)

    def foreign_patterns(self) -> Path:
        """Give a directory of patterns for programs that are in none of the logs."""
        folder = self._directory / "foreign-patterns"
        foreign_patterns(folder)
        return folder

    def daily(self, days: int, lines: int) -> list[Path]:
        """Give logs of so many days with so many lines each: a file a day, compressed as logrotate does."""
        paths = [self._path(lines, f"day{day:02}of{days}.log.gz") for day in range(1, days + 1)]
        if not all(path.exists() for path in paths):
            self._say(f"making {days} days of {lines} lines")
            growing = self._directory / f"postfix-{days}-days.part"
            words = [
                sys.executable,
                str(HERE / "generate.py"),
                "--lines",
                str(days * lines),
                "--days",
                str(days),
            ]
            subprocess.run([*words, "-o", str(growing)], check=True)
            _split(growing, paths)
            growing.unlink()
        return [warm(path) for path in paths]

    def _path(self, lines: int, ending: str) -> Path:
        return self._directory / f"postfix-{lines}-{self._mark}.{ending}"


def _split(log: Path, paths: list[Path]) -> None:
    """Write each day of a log, which begins at midnight, into a file of its own.

    What runs over the last midnight goes into the last file.
    """
    with log.open("rb") as source:
        days = groupby(source, key=lambda line: line[:6])
        for number, (_, lines) in enumerate(days):
            path = paths[min(number, len(paths) - 1)]
            with gzip.open(path, "wb" if number < len(paths) else "ab", compresslevel=6) as target:
                target.writelines(lines)


def queue_id_in_the_middle(path: Path) -> str:
    """Find the queue id of a message that was delivered in the middle of a log."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        for line in file.read(100 * LONGEST_LINE).splitlines()[1:]:
            if b"status=sent" in line:
                return line.split(b"]: ", 1)[1].partition(b":")[0].decode()
    message = f"{path}: no delivery in the middle"
    raise ValueError(message)
