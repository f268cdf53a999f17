"""Merging records of processes into the summaries savacct and usracct: atomically, and never twice.

    savacct, usracct     the sums by command and by user, in GNU's layout
    savacct.merged       what was merged: for each file, how many records, and the SHA-256 of them
    savacct.pending      all three as they shall be: whoever finds it puts them in place (the commit)
    pacct.condensing     a pacct that was moved aside to be merged and then removed

Nothing is changed before the new summaries lie whole and synced in ``savacct.pending``, which one rename
makes; after that nothing can fail but has to be done again, with the same result.  So whenever it is killed,
the next run finds either nothing merged or everything.  Which records were merged is known by what they hold,
not by the file's name or inode: a rotated, copied or packed file that begins with what was merged goes on
behind that.

To empty a file, it is renamed, a new one takes its name, and the kernel is told to write there if it wrote to
the old one; then the old one holds its last record, and is merged and removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mailscope.host.accounts import Accounts
from mailscope.host.processes import accounting
from mailscope.host.processes.lastcomm import users
from mailscope.host.processes.records import SIZE, AccountingFile
from mailscope.host.processes.summaries import commands_bytes, read_commands, read_users, users_bytes
from mailscope.host.processes.usage import Usage, values_of
from mailscope.vocabulary.errors import InputError, OutputError

ASIDE: Final = ".condensing"
MODE: Final = 0o640


@dataclass(frozen=True)
class Summaries:
    """Where the summaries are."""

    savacct: Path
    usracct: Path

    @property
    def merged(self) -> Path:
        """What was merged."""
        return self.savacct.with_name(self.savacct.name + ".merged")

    @property
    def pending(self) -> Path:
        """What is to be put in place."""
        return self.savacct.with_name(self.savacct.name + ".pending")

    @property
    def lock(self) -> Path:
        """Whoever merges holds it."""
        return self.savacct.with_name(self.savacct.name + ".lock")


@dataclass(frozen=True)
class Done:
    """What became of one file: its records, and how many of them had been merged before."""

    name: str
    records: int
    known: int
    problems: Sequence[InputError]

    @property
    def merged(self) -> int:
        """How many were merged now."""
        return self.records - self.known


def condense(
    paths: Sequence[str], summaries: Summaries, accounts: Accounts, *, empty: bool = False, ahz: int = 100
) -> list[Done]:
    """Merge files.

    In: files of process accounting, the oldest first; whose accounts name the users; ``empty``: the files are
    emptied once they are merged.  Raises InputError and OutputError; nothing is merged then.
    """
    with _locked(summaries):
        recover(summaries)
        files = [aside for path in paths for aside in _aside(path)] if empty else list(paths)
        usage, merged = _loaded(summaries), _entries(summaries)
        done = [_add(path, usage, merged, accounts, ahz) for path in files]
        if any(each.merged for each in done):
            _commit(summaries, usage, merged)
        if empty:
            for path in files:
                os.unlink(path)
        return done


def recover(summaries: Summaries) -> bool:
    """Put in place what a run that was killed had made; whether there was any.  Raises MailscopeError."""
    try:
        data = summaries.pending.read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError.from_os_error(error, summaries.pending) from error
    head, _feed, rest = data.partition(b"\n")
    try:
        sizes = [int(size) for size in json.loads(head)]
    except ValueError as error:
        raise InputError(
            "it is damaged", str(summaries.pending), "remove it: nothing of it is in the summaries"
        ) from error
    if sum(sizes) != len(rest) or len(sizes) != 3:
        raise InputError(
            "it is damaged", str(summaries.pending), "remove it: nothing of it is in the summaries"
        )
    try:
        for path, size in zip((summaries.savacct, summaries.usracct, summaries.merged), sizes, strict=True):
            _write(path, rest[:size])
            rest = rest[size:]
        _sync_folder(summaries.savacct.parent)
        os.unlink(summaries.pending)
    except OSError as error:
        raise OutputError.from_os_error(error, summaries.savacct) from error
    return True


def _aside(path: str) -> Iterator[str]:
    """Move a file aside, with a new one in its place; what an earlier run has left comes first."""
    live, aside = Path(path), Path(path + ASIDE)
    writing = accounting.is_on(live) or (aside.exists() and accounting.is_on(aside))
    try:
        if aside.exists():
            _renew(live, aside, writing)
            yield str(_second(aside))
        if live.exists() and live.stat().st_size:
            os.rename(live, aside)
            _renew(live, aside, writing)
            yield str(aside)
    except OSError as error:
        raise OutputError.from_os_error(error, path) from error


def _second(aside: Path) -> Path:
    """Another name for what was left aside, so that its name is free."""
    number = 1
    while (free := aside.with_name(f"{aside.name}.{number}")).exists():
        number += 1
    os.rename(aside, free)
    return free


def _renew(live: Path, like: Path, writing: bool) -> None:
    """A new file of that name, if there is none, as the old one was; the kernel goes on there."""
    status = like.stat()
    if not live.exists():
        os.close(
            os.open(live, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, stat.S_IMODE(status.st_mode))
        )
        with suppress(PermissionError):
            os.chown(live, status.st_uid, status.st_gid)
    if writing:
        accounting.switch_on(live)


def _loaded(summaries: Summaries) -> Usage:
    usage = Usage()
    for key, cost in read_commands(summaries.savacct):
        usage.commands.put(key, cost)
    for name, cost in read_users(summaries.usracct):
        usage.users.put(name, cost)
    return usage


def _entries(summaries: Summaries) -> list[dict[str, Any]]:
    """What was merged: ``records`` and their ``sha256``."""
    try:
        entries = json.loads(summaries.merged.read_bytes())
        return [{"records": int(each["records"]), "sha256": str(each["sha256"])} for each in entries]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError.from_os_error(error, summaries.merged) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "it is damaged, so that nobody knows what was merged",
            str(summaries.merged),
            "restore it from a backup",
        ) from error


def _add(path: str, usage: Usage, merged: list[dict[str, Any]], accounts: Accounts, ahz: int) -> Done:
    """Add the records of a file that were not merged before."""
    with AccountingFile(path, ahz) as file:
        known, whole = _known(file, merged)
        for block in file.blocks(known["records"] if known else 0):
            values = values_of(block)
            usage.add_commands(block, values)
            usage.add_users(users(block.uid, accounts), values)
        before = int(known["records"]) if known else 0
        if file.count > before:
            if known:
                merged.remove(known)
            merged.append({"records": file.count, "sha256": whole})
        return Done(file.name, file.count, before, file.problems)


def _known(file: AccountingFile, merged: list[dict[str, Any]]) -> tuple[dict[str, Any] | None, str]:
    """The longest beginning of a file that was merged before, and the hash of the whole file."""
    places = sorted({each["records"] for each in merged if 0 < each["records"] <= file.count} | {file.count})
    hashed, known, at = hashlib.sha256(), None, 0
    for place in places:
        while at < place:
            count = min(1 << 16, place - at)
            hashed.update(file.binary.read(at * SIZE, count * SIZE))
            at += count
        digest = hashed.copy().hexdigest()
        known = next(
            (each for each in merged if each["records"] == place and each["sha256"] == digest), known
        )
    return known, hashed.hexdigest()


def _commit(summaries: Summaries, usage: Usage, merged: list[dict[str, Any]]) -> None:
    parts = (commands_bytes(usage.commands), users_bytes(usage.users), json.dumps(merged, indent=0).encode())
    head = json.dumps([len(part) for part in parts]).encode()
    try:
        _write(summaries.pending, b"\n".join((head, b"".join(parts))))
        _sync_folder(summaries.pending.parent)
    except OSError as error:
        raise OutputError.from_os_error(error, summaries.pending) from error
    recover(summaries)


def _write(path: Path, data: bytes) -> None:
    """Replace a file in one step, whole and synced."""
    beside = path.with_name(path.name + "~")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    finally:
        os.close(file)
    os.replace(beside, path)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _locked(summaries: Summaries) -> Iterator[None]:
    """Be the only one that merges.  Raises OutputError where another one is at it."""
    with ExitStack() as opened:
        try:
            lock = opened.enter_context(summaries.lock.open("a"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                "another run is merging into it", str(summaries.savacct), "wait for it"
            ) from error
        except OSError as error:
            raise OutputError.from_os_error(error, summaries.savacct) from error
        yield
