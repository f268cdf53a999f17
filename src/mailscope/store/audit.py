"""Who looked at whose data: one line of JSON per question, written before it is answered.

    {"time": "2026-11-27T10:00:00+00:00", "who": "root (alice)", "what": "trace", "asked": "bob@example.org"}

The file is only appended to, by the daemon and by whoever reads the store without it; a lock keeps those that
trim it or erase a person from it apart from those that write.  A question that cannot be entered is refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mailscope.store.places import put_in_place, same_owner
from mailscope.vocabulary.errors import InputError, OutputError
from mailscope.vocabulary.instants import naive

FILE: Final = "audit.jsonl"
MODE: Final = 0o640
FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Entry:
    """One question: when (UTC), by whom, by which command, and what was asked."""

    time: str
    who: str
    what: str
    asked: str


def user() -> str:
    """Who runs this process; behind sudo, in brackets, who called it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{name} ({behind})" if behind and behind != name else name


def enter(directory: Path, who: str, what: str, asked: str) -> None:
    """Enter a question.  Raises OutputError where it cannot be written: it must not be answered then."""
    entry = Entry(datetime.now(UTC).isoformat(timespec="seconds"), who, what, asked)
    line = json.dumps(asdict(entry), ensure_ascii=True).encode() + b"\n"
    path = directory / FILE
    try:
        with _locked(path) as descriptor:
            if os.write(descriptor, line) != len(line):
                raise OSError("it was written in part")
            os.fsync(descriptor)
    except OSError as error:
        refusal = OutputError.from_os_error(error, path)
        raise OutputError(
            f"the question cannot be entered here, so it is not answered ({refusal.what})",
            str(path),
            "run as the store's owner or root",
        ) from error


def entries(directory: Path, since: datetime | None = None) -> list[Entry]:
    """The questions, the earliest first; ``since`` is naive UTC.  Raises InputError."""
    path = directory / FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    found = [_entry(line) for line in text.splitlines()]
    if since is None:
        return found
    # What is damaged may be of any time.
    return [entry for entry in found if (_instant(entry) or since) >= since]


def trim(directory: Path, before: datetime) -> int:
    """Forget questions from before an instant (naive UTC); gives how many."""

    def kept(entry: Entry) -> Entry | None:
        instant = _instant(entry)
        return None if instant is not None and instant < before else entry

    return rewrite(directory, kept)


def rewrite(directory: Path, change: Callable[[Entry], Entry | None]) -> int:
    """Change or remove (None) entries, in a new file that takes the old one's place; gives how many."""
    path = directory / FILE
    if not path.exists():
        return 0
    with _locked(path):
        before = [_entry(line) for line in path.read_bytes().splitlines()]
        after = [change(entry) for entry in before]
        count = sum(old != new for old, new in zip(before, after, strict=True))
        if count:
            lines = [json.dumps(asdict(entry), ensure_ascii=True) + "\n" for entry in after if entry]
            put_in_place(path, "".join(lines).encode())
    return count


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, made if it is not there, and locked; never one whose place another has taken meanwhile."""
    while True:
        made = not path.exists()
        descriptor = os.open(path, FLAGS | os.O_CREAT, MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if made:
                same_owner(path, path.parent)
            if _is(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _entry(line: bytes) -> Entry:
    """A line; one that is damaged is told as it is."""
    try:
        told = json.loads(line)
        return Entry(str(told["time"]), str(told["who"]), str(told["what"]), str(told["asked"]))
    except (ValueError, KeyError, TypeError):
        return Entry("", "", "damaged", line.decode(errors="replace"))


def _instant(entry: Entry) -> datetime | None:
    try:
        return naive(datetime.fromisoformat(entry.time))
    except ValueError:
        return None
