"""What can be done to a queue of qmail: try all of it now, and delete messages while qmail-send is stopped.

qmail has no program for either.  SIGALRM makes qmail-send try everything (qmail-send(8)); nobody but
qmail-send may touch the queue while it runs (INTERNALS.md, section 2), so messages are deleted only while it
does not.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from mailscope.queues.actions import DONE, FAILED, GONE, Action, Result
from mailscope.queues.entry import QueueEntry, Spool
from mailscope.vocabulary.errors import OutputError

NAME: Final = "qmail-send"
PROC: Final = Path("/proc")
# The message itself last: what is left of a half deleted one is garbage to qmail, never mail.
PARTS: Final = ("todo", "intd", "local", "remote", "bounce", "info", "mess")


class Performer:
    """One queue of qmail."""

    queues: Mapping[str, Sequence[str]] = {"flush": ("queue", "todo"), "delete": ("queue", "todo")}

    def __init__(self, spool: Spool) -> None:
        self._place = spool.place

    def ready(self, action: Action) -> None:
        """Raise where it cannot be done."""
        running = _running(self._place)
        if os.geteuid() != 0:
            what = f"only root may {action.name} messages of qmail"
            raise OutputError(what, "", f"run it as root: sudo mailscope queue {action.name} ...")
        if action.name == "flush" and running is None:
            raise OutputError(
                "no qmail-send runs on this queue", str(self._place), "start it: it tries what is due"
            )
        if action.name == "delete" and running is not None:
            what = "qmail-send runs, and nobody else may touch its queue meanwhile"
            raise OutputError(
                what, str(self._place), "stop it first (svc -d /service/qmail-send), start it afterwards"
            )

    def at_once(self, action: Action) -> str | None:
        """Make qmail-send try everything now."""
        if action.name != "flush":
            return None
        running = _running(self._place)
        if running is None:
            return "no qmail-send runs any more"
        try:
            os.kill(running, signal.SIGALRM)
        except OSError as error:
            return f"qmail-send cannot be told: {error.strerror}"
        return ""

    def perform(self, action: Action, entries: Sequence[QueueEntry]) -> Iterator[Result]:
        """Delete messages, and tell of each."""
        for entry in entries:
            if action.name == "flush":
                yield Result(entry, FAILED, "qmail tries all or none: flush --all")
            elif _running(self._place) is not None:
                yield Result(entry, FAILED, "qmail-send was started meanwhile")
            else:
                yield self._deleted(action, entry)

    def _deleted(self, action: Action, entry: QueueEntry) -> Result:
        if not entry.queue_id.isdecimal():
            return Result(entry, FAILED, "its name is no number")
        found = [path for part in PARTS for path in self._paths(part, entry.queue_id)]
        if not found:
            return Result(entry, GONE, "it is not in the queue any more")
        for path in found:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                return Result(entry, FAILED, f"{path}: {error.strerror}")
        return Result(entry, DONE, action.word)

    def _paths(self, part: str, number: str) -> list[Path]:
        """The files of a part: split by number, or not."""
        directory = self._place / part
        return [path for path in (directory / number, *directory.glob(f"[0-9]*/{number}")) if path.is_file()]


def _running(place: Path) -> int | None:
    """The qmail-send that works in a queue directory (it stays in it); None where none does."""
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            try:
                name = (entry / "comm").read_text(errors="replace").strip()
                if name == NAME and (entry / "cwd").resolve().samefile(place):
                    return int(entry.name)
            except OSError:
                # It ended meanwhile, or is another user's.
                continue
    return None
