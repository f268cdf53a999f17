"""systemd's journal as a source of lines, through ``journalctl -o export``: the host's own, or journal files.

In: which units or fields, from when to when, files, a file that remembers a cursor.  Out: a source that is
read as a pipe, and afterwards what journalctl complained of.  The reader makes lines of the entries
(``exported.py``); the export format tells a text from its fields whatever bytes it holds.

The cursor names the last entry that was read.  journalctl writes it into a file beside the one that the
person named, and that takes its place only when all went well, so that a run that failed is made up for.

Source: journalctl(1), systemd.journal-fields(7), systemd.time(7) ("@" and seconds).
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from mailscope.intake.exported import FIELDS
from mailscope.intake.reader import Source
from mailscope.vocabulary.errors import InputError

NAME: Final = "journal"
MAIL: Final = "SYSLOG_FACILITY=2"
WHAT_TO_DO: Final = "name the log files to read"


@dataclass(frozen=True)
class Wanted:
    """Which entries: of some units, else those that ``match`` (FIELD=VALUE; none: all); naive UTC span."""

    units: Sequence[str] = ()
    match: Sequence[str] = (MAIL,)
    since: datetime | None = None
    until: datetime | None = None
    files: Sequence[str] = ()

    def arguments(self, cursor: Path | None) -> list[str]:
        """The options of journalctl."""
        out = ["--no-pager", "--all", "--output=export", f"--output-fields={','.join(FIELDS)}"]
        out += [f"--file={_unglobbed(path)}" for path in self.files]
        out += [f"--unit={unit}" for unit in self.units]
        if cursor is not None:
            out.append(f"--cursor-file={cursor}")
        elif self.since is not None:
            # journalctl takes either a cursor or an instant; the span is cut again by its lines.
            out.append(f"--since=@{math.floor(_seconds(self.since))}")
        if self.until is not None:
            out.append(f"--until=@{math.ceil(_seconds(self.until))}")
        return out if self.units else [*out, *self.match]

    def following(self, after: str) -> list[str]:
        """The options for entries as they come, those after a cursor first (empty: from ``since`` on)."""
        out = ["--follow", "--no-tail", *self.arguments(None)]
        if not after:
            return out
        return [f"--after-cursor={after}", *(option for option in out if not option.startswith("--since="))]


@dataclass
class Journal:
    """journalctl at work: read ``source`` to its end, then ``close``."""

    source: Source
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    cursor: Path | None = None
    remembered: Path | None = None
    problems: list[InputError] = field(default_factory=list)

    def close(self) -> str:
        """End it; what it said to people, if it succeeded.  ``problems``: that it failed, and why."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        status = self.process.wait()
        self.said.seek(0)
        words = self.said.read().decode("utf-8", "replace").strip()
        self.said.close()
        if status > 0:  # a signal is ours: not everything was read
            why = words.splitlines()[0] if words else f"exit status {status}"
            self.problems.append(InputError(f"journalctl failed: {why}", self.source.name))
            return ""
        return words

    def commit(self, *, good: bool) -> None:
        """Remember the cursor where all went well; raises InputError where that cannot be written."""
        if self.cursor is None or self.remembered is None:
            return
        try:
            if good and self.cursor.exists():
                os.replace(self.cursor, self.remembered)
        except OSError as error:
            raise InputError.from_os_error(error, self.remembered) from error
        finally:
            shutil.rmtree(self.cursor.parent, ignore_errors=True)


def open_journal(wanted: Wanted, remembered: Path | None = None, name: str = NAME) -> Journal:
    """Start journalctl; ``remembered``: the file with the cursor after which to begin.

    Raises InputError where there is no journalctl, or no place for a cursor.
    """
    command = shutil.which("journalctl")
    if command is None:
        raise InputError("there is no journalctl to read it", name, WHAT_TO_DO)
    cursor = None if remembered is None else _beside(remembered)
    said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the journal)
    process = subprocess.Popen(
        [command, *wanted.arguments(cursor)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=said,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert process.stdout is not None
    # Opened by this name, so that several journals and standard input can be read in one run.
    path = f"/dev/fd/{process.stdout.fileno()}"
    source = Source(path, name, name, age_rank=0, mtime=None, size_bytes=None, compression="none")
    return Journal(source, process, said, cursor, remembered)


def _beside(remembered: Path) -> Path:
    """A copy of the cursor for journalctl to go on with, on the same file system."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".mailscope-", dir=remembered.parent))
        with suppress(FileNotFoundError):
            shutil.copyfile(remembered, folder / "cursor")
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise InputError.from_os_error(error, remembered) from error
    return folder / "cursor"


def _unglobbed(path: str) -> str:
    """A path as journalctl takes it: it looks for wildcards (glob(7)) in what it is given."""
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in path)


def _seconds(instant: datetime) -> float:
    return instant.replace(tzinfo=UTC).timestamp()
