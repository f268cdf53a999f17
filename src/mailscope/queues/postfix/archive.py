"""Messages that were deleted and kept, and their return.

An archive is laid out as a spool is (``deferred/4/ID``, ``defer/4/ID``), so that every command that looks at
a queue looks at it, too (``--spool DIR``); ``kept.jsonl`` says who kept what, when.  A message comes back
**on hold**, under a new id that fits its new inode, as Postfix wants it (mail_queue.h); it is sent when
somebody releases it.  The file is written beside, synced, and appears whole.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mailscope.queues.entry import QueueEntry
from mailscope.queues.postfix import places, queuefile
from mailscope.queues.postfix.places import DEFER, DEFERRED, HOLD
from mailscope.vocabulary.errors import InputError, OutputError

LIST: Final = "kept.jsonl"
RESTORED: Final = "restored"
KEPT: Final = "kept"
MODE: Final = 0o700
# Directories of one character that Postfix hashes by, as its defaults do.
LEVELS: Final = 1


@dataclass
class Archive:
    """A directory that keeps deleted messages."""

    place: Path
    _finder: places.Finder | None = None

    def begin(self, spool: Path) -> None:
        """Make it, for its owner only, to keep messages of a spool.  Raises OutputError."""
        self._finder = places.Finder(spool)
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for queue in ("incoming", "active", DEFERRED, HOLD):
                (self.place / queue).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError.from_os_error(error, self.place) from None

    def keep(self, entry: QueueEntry, spool: Path, who: str) -> bool:
        """Copy a message and its defer log; False where it is gone already.  Raises OutputError.

        The file's times and mode are kept; a copy that is there already (of an earlier message with that id)
        is not overwritten: the new one gets a number.
        """
        assert self._finder is not None
        found = self._finder.find(entry.queue_id)
        if found is None:
            return False
        queue, path = found
        target = self._free(queue, entry.queue_id)
        try:
            _copied(path, target)
            for levels in range(2, -1, -1):
                log = spool / DEFER / places.hashed(entry.queue_id, levels)
                if log.is_file():
                    _copied(log, self.place / DEFER / target.relative_to(self.place / queue))
                    break
        except FileNotFoundError:
            return False
        except OSError as error:
            raise OutputError.from_os_error(error, target) from None
        self._note(KEPT, entry, target.name, who)
        return True

    def restored(self) -> set[str]:
        """The ids that came back already.  Raises InputError where the list is damaged."""
        path = self.place / LIST
        found = set()
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise InputError.from_os_error(error, path) from None
        for number, line in enumerate(lines, 1):
            try:
                told = json.loads(line)
                if told["what"] == RESTORED:
                    found.add(told["name"])
            except (ValueError, KeyError, TypeError):
                what = f"line {number} is damaged"
                raise InputError(what, str(path), "correct it or take it out") from None
        return found

    def restore(self, entry: QueueEntry, spool: Path, who: str) -> str:
        """Put a message on hold in a queue; gives its new id.  Raises OutputError."""
        try:
            name = _put(Path(entry.path), spool / HOLD)
        except OSError as error:
            raise OutputError.from_os_error(error, spool / HOLD) from None
        self._note(RESTORED, entry, Path(entry.path).name, who, name)
        return name

    def _free(self, queue: str, queue_id: str) -> Path:
        """Where a message goes; an id that was used before gets a number."""
        number = 0
        while True:
            name = f"{queue_id}_{number}" if number else queue_id
            levels = LEVELS if queue == DEFERRED else 0
            target = self.place / queue / places.hashed(queue_id, levels)
            target = target.with_name(name)
            if not target.exists():
                return target
            number += 1

    def _note(self, what: str, entry: QueueEntry, name: str, who: str, new_id: str = "") -> None:
        told = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "what": what,
            "who": who,
            "queue": entry.queue,
            "queue_id": entry.queue_id,
            "name": name,
            "new_queue_id": new_id,
            "sender": entry.sender,
            "recipients": [each.recipient for each in entry.recipients],
            "size_bytes": entry.size_bytes,
        }
        path = self.place / LIST
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError.from_os_error(error, path) from None


def _copied(source: Path, target: Path) -> None:
    """A copy that is whole on the disk before it has its name."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}")
    try:
        shutil.copy2(source, beside, follow_symlinks=False)
        _synced(beside)
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)


def _put(source: Path, hold: Path) -> str:
    """A queue file in the directory ``hold``, under a name that fits its inode; gives that name."""
    owner = hold.stat()
    beside = hold / f".{source.name}.{os.getpid()}"
    try:
        # Until it has its name and the mode of what is ready, Postfix takes no notice of it.
        shutil.copyfile(source, beside, follow_symlinks=False)
        beside.chmod(0o600)
        os.chown(beside, owner.st_uid, _group(owner.st_uid))
        _synced(beside)
        _, envelope = queuefile.read(str(beside))
        inode = beside.stat().st_ino
        came = envelope.arrival_time or datetime.now(UTC).timestamp()
        name = places.name_of(came, inode, long=places.is_long(source.name))
        if (hold / name).exists():
            raise FileExistsError(17, "there is a message with its id", str(hold / name))
        beside.rename(hold / name)
        (hold / name).chmod(MODE)
        return name
    finally:
        beside.unlink(missing_ok=True)


def _group(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return -1


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
