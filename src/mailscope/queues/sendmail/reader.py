"""The queue of Sendmail as entries: every control file with its recipients and why they wait.

Sendmail keeps one reason for a message, not one for each recipient, and takes recipients out who have it;
when it is tried again is not kept with it, as the queue is run at the times that the daemon was told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailscope.queues import entry
from mailscope.queues.entry import QueueEntry, Recipient, Spool
from mailscope.queues.sendmail.control import MOST_BYTES, Control, parse
from mailscope.vocabulary.errors import InputError, UsageError

QUEUES: Final = {"qf": "queue", "hf": "quarantined", "Qf": "lost"}
LOST: Final = "Sendmail could not use its control file and put it aside"
_NAME: Final = re.compile(r"(qf|hf|Qf)([0-9A-Za-z]{5,40})")
_STATUS: Final = re.compile(r"\b([245]\.[0-9]{1,3}\.[0-9]{1,3})\b")
_HOST: Final = re.compile(r"\b(?:by|from|with) (\[?[0-9A-Za-z.:-]+\]?)")


def read(spool: Spool) -> Iterator[QueueEntry]:
    """Every message.  Raises UsageError for a queue that Sendmail has not, InputError for what is none."""
    known = tuple(QUEUES.values())
    if wrong := [queue for queue in spool.queues if queue not in known]:
        raise UsageError(f"Sendmail has no queue '{wrong[0]}'", "", f"it has {', '.join(known)}")
    if not os.access(spool.place, os.R_OK | os.X_OK, effective_ids=True):
        raise InputError("no permission to read it", str(spool.place), "run as root or a member of smmsp")
    for kind, queue_id, directory in _files(spool):
        queue = QUEUES[kind]
        if spool.queues and queue not in spool.queues:
            continue
        path = directory / (kind + queue_id)
        try:
            with path.open("rb") as file:
                control = parse(file.read(MOST_BYTES))
        except FileNotFoundError:
            continue  # gone meanwhile
        except OSError as error:
            spool.tell(f"{path}: {error.strerror}")
            continue
        yield _entry(queue, queue_id, path, control)


def _files(spool: Spool) -> Iterator[tuple[str, str, Path]]:
    """Control files of the directory, of those of a queue group (qd1 ...), and of qf directories in them."""
    for directory in (spool.place, *_directories(spool.place, spool)):
        for name in _listed(directory, spool):
            if found := _NAME.fullmatch(name):
                yield found[1], found[2], directory


def _directories(place: Path, spool: Spool) -> Iterator[Path]:
    for name in sorted(_listed(place, spool)):
        if not os.path.isdir(place / name) or os.path.islink(place / name):
            continue
        if name == "qf":
            yield place / name
        elif name not in ("df", "xf") and place == spool.place:
            yield place / name
            yield from _directories(place / name, spool)


def _entry(queue: str, queue_id: str, path: Path, control: Control) -> QueueEntry:
    found = QueueEntry(
        queue,
        queue_id,
        str(path),
        None if control.sender is None else _text(control.sender),
        arrival_time=control.arrival_time,
        attempts=control.attempts,
        last_attempt_time=control.last_attempt_time,
    )
    found.size_bytes = _size(path, queue_id, control, found.problems)
    if not control.whole:
        found.problems.append("its control file ends before its last line")
    if control.unknown:
        found.problems.append(f"its control file has {control.unknown} lines of no known kind")
    if control.quarantine is not None:
        found.reason = f"quarantined: {_text(control.quarantine)}"
    elif queue == QUEUES["Qf"]:
        found.reason = LOST
    message = _text(control.message)
    status, host = _STATUS.search(message), _HOST.search(message)
    for address, original in control.recipients:
        each = Recipient(_text(address), orig_recipient=_text(original) if original != address else "")
        if message:
            each.status, each.reason = entry.DEFERRED, message
            each.dsn_status = status[1] if status else ""
            each.relay_host = host[1].strip("[]") if host else ""
        found.recipients.append(each)
    return found


def _size(path: Path, queue_id: str, control: Control, problems: list[str]) -> int:
    """Of the body, as mailq shows it; it stands beside the control file, in df, or in another directory."""
    name = f"df{queue_id}"
    places = [path.parent / name, path.parent.parent / "df" / name]
    if control.data_directory:
        places.insert(0, Path(os.fsdecode(control.data_directory)) / name)
    for place in places:
        try:
            return place.stat().st_size
        except (OSError, ValueError):
            continue
    problems.append("its body (df) is missing")
    return 0


def _listed(directory: Path, spool: Spool) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError as error:
        spool.tell(f"{directory}: {error.strerror}")
        return []


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
