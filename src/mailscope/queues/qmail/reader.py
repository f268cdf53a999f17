"""The queue of qmail as entries: every message with its recipients, what failed, and the next try.

qmail counts no attempts and keeps no reason of a deferral (that stands in its log only): attempts and the
next retry are reckoned from its schedule.  When qmail-send ends it writes the next retry into the times of
local and remote; where such a time lies ahead, it is that.  What does not fit together is told.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailscope.queues import entry
from mailscope.queues.entry import QueueEntry, Recipient, Spool
from mailscope.queues.qmail import files, places, schedule
from mailscope.queues.qmail.places import LOCAL, REMOTE
from mailscope.vocabulary.errors import InputError, UsageError

QUEUE, TODO = "queue", "todo"
QUEUES: Final = (QUEUE, TODO)
LAST_TRY: Final = "older than queuelifetime: the next try is the last"
# OSSIFIED of qmail-send.c: after it, a message that nothing else belongs to is cleaned up.
OSSIFIED_S: Final = 129_600


def read(spool: Spool) -> Iterator[QueueEntry]:
    """Every message: those that are on their way, then those that qmail-send has not looked at yet.

    Raises UsageError for a queue that qmail has not, InputError where none can be read.
    """
    if wrong := [queue for queue in spool.queues if queue not in QUEUES]:
        raise UsageError(f"qmail has no queue '{wrong[0]}'", "", f"it has {', '.join(QUEUES)}")
    if not os.access(spool.place / "mess", os.R_OK | os.X_OK, effective_ids=True):
        what = "no permission to read it" if (spool.place / "mess").is_dir() else "it has no directory 'mess'"
        raise InputError(what, str(spool.place), "run as root, or name a queue of qmail with --spool")
    reading = _Reading(spool)
    if not spool.queues or QUEUE in spool.queues:
        yield from reading.on_the_way()
    if not spool.queues or TODO in spool.queues:
        yield from reading.not_looked_at()
    if not spool.queues:
        reading.tell_what_does_not_fit()


@dataclass
class _Channel:
    """local or remote of a message."""

    name: str
    envelope: files.Envelope
    written: float


class _Reading:
    """One way through a queue."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.split = places.split_of(spool.place)
        self.lifetime_s = schedule.lifetime(spool.place, spool.config)
        self.seen: set[int] = set()
        self.todo = {number: path for number, _, path in places.numbers(spool.place, TODO, _silent)}

    def _path(self, kind: str, number: int) -> str:
        return places.path_of(self.spool.place, kind, number, self.split)

    def on_the_way(self) -> Iterator[QueueEntry]:
        for number, part, path in places.numbers(self.spool.place, "info", self.spool.tell):
            self.seen.add(number)
            try:
                found = self._message(number, path)
            except FileNotFoundError:
                continue  # gone meanwhile
            except OSError as error:
                self.spool.tell(f"{path}: {error.strerror}")
                continue
            if part != number % self.split:
                found.problems.append(f"info stands in directory {part}, where qmail does not look for it")
            yield found

    def _message(self, number: int, path: str) -> QueueEntry:
        info = files.envelope(files.read(path))
        came = int(os.stat(path).st_mtime)
        mess = self._path("mess", number)
        found = QueueEntry(QUEUE, str(number), mess, _text(info.sender), arrival_time=came)
        if info.sender is None:
            found.problems.append("info names no sender")
        self._size(found, number)
        if number in self.todo:
            found.problems.append("it is in todo still: qmail-send ended while it took it up")
        failed = self._bounces(found, number)
        channels = [channel for name in (LOCAL, REMOTE) if (channel := self._channel(found, name, number))]
        for channel in channels:
            found.recipients += [_recipient(each, done, failed) for each, done in channel.envelope.recipients]
        for address in failed:
            found.recipients.append(_failed(address, failed))
        waiting = [each for each in channels if any(not done for _, done in each.envelope.recipients)]
        self._times(found, came, waiting)
        if not waiting:
            found.reason = "all recipients are done with: it is about to leave the queue"
        return found

    def _size(self, found: QueueEntry, number: int) -> None:
        try:
            found.size_bytes = os.stat(self._path("mess", number)).st_size
        except FileNotFoundError:
            found.problems.append("its message (mess) is missing")
        except OSError as error:
            found.problems.append(f"its message (mess): {error.strerror}")

    def _channel(self, found: QueueEntry, name: str, number: int) -> _Channel | None:
        path = self._path(name, number)
        try:
            envelope, status = files.envelope(files.read(path)), os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            found.problems.append(f"{name}: {error.strerror}")
            return None
        if not envelope.whole:
            found.problems.append(f"{name} ends within a recipient")
        if envelope.unknown:
            found.problems.append(f"{name} holds {envelope.unknown} records of no known kind")
        return _Channel(name, envelope, status.st_mtime)

    def _bounces(self, found: QueueEntry, number: int) -> dict[bytes, bytes]:
        try:
            return dict(files.bounced(files.read(self._path("bounce", number))))
        except FileNotFoundError:
            return {}
        except OSError as error:
            found.problems.append(f"bounce: {error.strerror}")
            return {}

    def _times(self, found: QueueEntry, came: int, waiting: list[_Channel]) -> None:
        if not waiting:
            return
        now, retries, tries = self.spool.now, [], []
        for channel in waiting:
            count, retry = schedule.reckoned(came, now, channel.name)
            tries.append(count)
            retries.append(channel.written if channel.written > now else float(retry))
        found.attempts, found.attempts_estimated = max(tries), True
        found.next_retry_time = min(retries)
        if now - came > self.lifetime_s:
            found.reason = LAST_TRY

    def not_looked_at(self) -> Iterator[QueueEntry]:
        for number, path in self.todo.items():
            if number in self.seen:
                continue
            try:
                todo, status = files.envelope(files.read(path)), os.stat(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.spool.tell(f"{path}: {error.strerror}")
                continue
            mess = self._path("mess", number)
            found = QueueEntry(TODO, str(number), mess, _text(todo.sender), attempts=0)
            found.arrival_time = status.st_mtime
            found.recipients = [Recipient(_text(each) or "") for each, _ in todo.recipients]
            found.reason = "qmail-send has not looked at it yet"
            if not todo.whole or todo.sender is None:
                found.problems.append("todo is damaged")
            self._size(found, number)
            yield found

    def tell_what_does_not_fit(self) -> None:
        """Files that belong to no message, and messages to which nothing belongs."""
        place, tell = self.spool.place, self.spool.tell
        beginning = {number for number, _, _ in places.numbers(place, "intd", tell)}
        moved = 0
        for number, part, path in places.numbers(place, "mess", tell):
            try:
                status = os.stat(path)
            except OSError:
                continue
            if not stat.S_ISREG(status.st_mode):
                tell(f"{path}: it is no file")
                continue
            moved += status.st_ino != number
            if number in self.seen or number in self.todo:
                if part != number % self.split:
                    tell(f"{path}: it stands in directory {part}, where qmail does not look for it")
            elif number in beginning:
                tell(f"{path}: qmail-queue is writing it, or was ended while it did (intd)")
            elif self.spool.now > status.st_atime + OSSIFIED_S:
                tell(f"{path}: nothing else belongs to it; qmail-send cleans it up")
            else:
                tell(f"{path}: qmail-queue is writing it, or was ended while it did")
        for kind in (LOCAL, REMOTE, "bounce"):
            for number, _, path in places.numbers(place, kind, tell):
                if number not in self.seen:
                    tell(f"{path}: there is no such message (info)")
        for number in beginning - self.todo.keys() - self.seen:
            if not os.path.exists(self._path("mess", number)):
                tell(f"{place / 'intd' / str(number)}: there is no such message (mess)")
        for name in _listed(place / "pid"):
            tell(f"{place / 'pid' / name}: qmail-queue is beginning a message, or was ended when it did")
        if moved:
            what = f"{moved} messages are not named after their inode: qmail cannot run on such a copy"
            tell(f"{place / 'mess'}: {what}")


def _recipient(address: bytes, done: bool, failed: dict[bytes, bytes]) -> Recipient:
    found = Recipient(_text(address) or "")
    if not done:
        return found
    # A bounce names an address of a virtual domain without what virtualdomains puts in front of it.
    named = next((each for each in failed if address == each or address.endswith(b"-" + each)), None)
    if named is None:
        found.status = entry.DONE
        return found
    found.status = entry.FAILED
    found.reason = _reason(failed.pop(named))
    return found


def _failed(address: bytes, failed: dict[bytes, bytes]) -> Recipient:
    """One that only the bounce names: its channel is done with and gone."""
    return Recipient(_text(address) or "", entry.FAILED, _reason(failed[address]))


def _reason(report: bytes) -> str:
    return " ".join((_text(report) or "").split())


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def _listed(directory: os.PathLike[str]) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _silent(words: str) -> None:
    """What is told when the directory is gone through again."""
