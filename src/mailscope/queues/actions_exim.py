"""What can be done to the queue of a running Exim, through exim's own -M options.

Sources: exim(8), "Operation on messages"; src/queue.c (``queue_action``) and src/exim.c of Exim 4.96 for what
it prints.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailscope.queues.actions import DONE, FAILED, GONE, Action, Result
from mailscope.queues.entry import QueueEntry, Spool
from mailscope.vocabulary.errors import OutputError, UsageError

PROGRAMS: Final = ("exim", "exim4")
TIMEOUT_S: Final = 600
ANY: Final = ("queue", "frozen")


@dataclass(frozen=True)
class Way:
    """How an action is done: exim's option, what it says when it is done, and what means that it was so
    before.
    """

    option: str
    said: str = ""
    before: str = ""


WAYS: Final[dict[str, Way]] = {
    "hold": Way("-Mf", "is now frozen", "is already frozen"),
    "release": Way("-Mt", "is no longer frozen", "is not frozen"),
    "delete": Way("-Mrm", "has been removed", "has been removed or did not exist"),
    # These two deliver: exim says nothing of a message, the log does.
    "flush": Way("-M"),
    "bounce": Way("-Mg"),
}
_SAID: Final = re.compile(r"(?:Message|Spool data file for) ([0-9A-Za-z-]+) (.+)")
_MISSING: Final = "does not exist"


class Performer:
    """The queue of one Exim."""

    queues: Mapping[str, Sequence[str]] = {
        "hold": ("queue",),
        "release": ("frozen",),
        "flush": ANY,
        "bounce": ANY,
        "delete": ANY,
    }

    def __init__(self, spool: Spool) -> None:
        self._place = spool.place
        self._program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)

    def ready(self, action: Action) -> None:
        """Raise where it cannot be done."""
        if self._program is None:
            raise OutputError("there is no exim", "", "it is mostly in /usr/sbin")
        told = self._ran(["-bP", "spool_directory"]).stdout.partition("=")[2].strip()
        if not told or not os.path.exists(told) or not self._place.samefile(told):
            what = f"it is not the queue of this host's Exim, so it cannot be told to {action.name} anything"
            raise UsageError(what, str(self._place), f"its queue is in {told or 'an unknown place'}")
        group = self._place.stat().st_gid
        if os.geteuid() != 0 and group not in (os.getegid(), *os.getgroups()):
            what = f"only root and admin users of Exim may {action.name} messages"
            raise OutputError(what, "", f"run it as root: sudo mailscope queue {action.name} ...")

    def at_once(self, action: Action) -> str | None:
        """Nothing is done to the whole queue in one go."""
        return None

    def perform(self, action: Action, entries: Sequence[QueueEntry]) -> Iterator[Result]:
        """Do it, and tell of each message."""
        way = WAYS[action.name]
        if not way.said:
            yield from (self._delivered(action, way, entry) for entry in entries)
            return
        ran = self._ran([way.option, *(entry.queue_id for entry in entries)])
        said = {found[1]: found[2] for line in ran.stdout.splitlines() if (found := _SAID.fullmatch(line))}
        trouble = ran.stderr.strip().splitlines()
        for entry in entries:
            words = said.get(entry.queue_id, trouble[-1] if trouble else "exim says nothing of it")
            if words == way.said:
                yield Result(entry, DONE, action.word)
            elif words == way.before or words == _MISSING:
                yield Result(entry, GONE, words)
            else:
                yield Result(entry, FAILED, words)

    def _delivered(self, action: Action, way: Way, entry: QueueEntry) -> Result:
        if not Path(entry.path).exists():
            return Result(entry, GONE, "it is not in the queue any more")
        ran = self._ran([way.option, entry.queue_id])
        if ran.returncode:
            return Result(entry, FAILED, ran.stderr.strip() or f"exim ended with code {ran.returncode}")
        if action.name == "bounce" and Path(entry.path).exists():
            return Result(entry, FAILED, "it is still in the queue: see Exim's log")
        return Result(entry, DONE, action.word)

    def _ran(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        assert self._program is not None
        try:
            return subprocess.run(
                [self._program, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(words, 1, "", str(error))
