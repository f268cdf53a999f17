"""What can be done to the queue of a running Postfix, through postsuper(1) and postqueue(1).

Before a batch each message is looked at again: a short queue id may be another message's by now (postsuper(1)
warns of that). A message that is gone, delivered or moved meanwhile is no error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailscope.queues.actions import DONE, FAILED, GONE, Action, Result
from mailscope.queues.entry import QueueEntry, Spool
from mailscope.queues.postfix import config, places, queuefile
from mailscope.queues.postfix.places import ACTIVE, DEFERRED, HOLD, INCOMING
from mailscope.queues.postfix.reader import text
from mailscope.vocabulary.errors import OutputError, UsageError

WAITING: Final = (INCOMING, ACTIVE, DEFERRED)
ANY: Final = (HOLD, *WAITING)
TIMEOUT_S: Final = 600


@dataclass(frozen=True)
class Way:
    """How an action is done: postsuper's option, what it says of each message, and whether it is tried at
    once.
    """

    option: str
    said: str
    flush: bool = False
    since: tuple[int, ...] = ()


WAYS: Final[dict[str, Way]] = {
    "hold": Way("-h", "placed on hold"),
    "release": Way("-H", "released from hold"),
    "requeue": Way("-r", "requeued"),
    "expire": Way("-e", "expired", since=(3, 5)),
    "bounce": Way("-f", "expired", flush=True, since=(3, 5)),
    "delete": Way("-d", "removed"),
}
_SAID: Final = re.compile(r"postsuper: ([0-9A-Za-z_]+): (.+)")
# Words of postsuper(1) that belong to no message and are no trouble.
_SUMMARY: Final = re.compile(r"postsuper: [A-Z][a-z-]+(?: [a-z ]+)?: [0-9]+ messages?")
_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)")


class Performer:
    """The queue of one Postfix."""

    queues: Mapping[str, Sequence[str]] = {
        "hold": WAITING,
        "release": (HOLD,),
        "requeue": ANY,
        "flush": (DEFERRED,),
        "expire": ANY,
        "bounce": ANY,
        "delete": ANY,
    }

    def __init__(self, spool: Spool) -> None:
        self._settings = config.of(spool.place, spool.config)
        self._place = spool.place
        self._finder = places.Finder(spool.place, ANY)

    def ready(self, action: Action) -> None:
        """Raise where it cannot be done."""
        program = "postqueue" if action.name == "flush" else "postsuper"
        if self._settings.directory is None or not self._place.samefile(self._settings.spool):
            raise UsageError(
                f"it is not the queue of this host's Postfix, so it cannot be told to {action.name} anything",
                str(self._place),
                "name the directory of its main.cf with --config",
            )
        if shutil.which(program) is None:
            raise OutputError(f"there is no {program}", "", "it comes with Postfix (mostly in /usr/sbin)")
        if program == "postsuper" and os.geteuid() != 0:
            what = f"only root may {action.name} messages: postsuper is reserved for the superuser"
            raise OutputError(what, "", f"run it as root: sudo mailscope queue {action.name} ...")
        if action.name in WAYS and (since := WAYS[action.name].since):
            version = self._version()
            if version < since:
                told = ".".join(map(str, since))
                raise OutputError(f"this needs Postfix {told}; here is {'.'.join(map(str, version))}")

    def at_once(self, action: Action) -> str | None:
        """Flush the whole queue; other actions are done to the messages that were planned for, one by one."""
        if action.name != "flush":
            return None
        ran = self._ran(["postqueue", *self._where(), "-f"], "")
        return (
            "" if ran.returncode == 0 else ran.stderr.strip() or f"postqueue ended with code {ran.returncode}"
        )

    def perform(self, action: Action, entries: Sequence[QueueEntry]) -> Iterator[Result]:
        """Do it, and tell of each message."""
        there = []
        for entry in entries:
            refused = self._other(entry)
            if refused:
                yield Result(entry, GONE, refused)
            else:
                there.append(entry)
        if not there:
            return
        if action.name == "flush":
            yield from (self._flushed(entry) for entry in there)
            return
        way = WAYS[action.name]
        said, trouble = self._postsuper(way, [entry.queue_id for entry in there])
        for entry in there:
            result = self._result(action, way, entry, said, trouble)
            if way.flush and result.outcome == DONE:
                flushed = self._flushed(entry)
                result = result if flushed.outcome == DONE else flushed
            yield result

    def _other(self, entry: QueueEntry) -> str:
        """Why a message is not the one that was planned for, in words; empty where it is."""
        found = self._finder.find(entry.queue_id)
        if found is None:
            return "it is not in the queue any more"
        try:
            _, envelope = queuefile.read(str(found[1]))
        except FileNotFoundError:
            # It moves just now, as what is tried does; its program finds it.
            return ""
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        sender = None if envelope.sender is None else text(envelope.sender)
        came = envelope.arrival_time
        if sender != entry.sender or (came is not None and came != entry.arrival_time):
            return "another message has its id now"
        return ""

    def _result(
        self, action: Action, way: Way, entry: QueueEntry, said: Mapping[str, str], trouble: str
    ) -> Result:
        words = said.get(entry.queue_id)
        if words == way.said:
            return Result(entry, DONE, action.word)
        if words is not None:
            return Result(entry, FAILED, words)
        found = self._finder.find(entry.queue_id)
        if found is None:
            return Result(entry, GONE, "it is not in the queue any more")
        if trouble:
            return Result(entry, FAILED, trouble)
        if found[0] not in self.queues[action.name]:
            return Result(entry, GONE, f"it is in {found[0]} now")
        return Result(entry, FAILED, f"postsuper left it in {found[0]}")

    def _postsuper(self, way: Way, ids: list[str]) -> tuple[dict[str, str], str]:
        """What it says of each id; and what went wrong, in words."""
        ran = self._ran(["postsuper", *self._where(), way.option, "-"], "".join(f"{each}\n" for each in ids))
        said, trouble = {}, ""
        for line in ran.stderr.splitlines():
            if (found := _SAID.fullmatch(line)) is not None and found[1] in ids:
                said[found[1]] = found[2]
            elif not _SUMMARY.fullmatch(line):
                trouble = line
        if ran.returncode and not trouble:
            trouble = f"postsuper ended with code {ran.returncode}"
        return said, trouble

    def _flushed(self, entry: QueueEntry) -> Result:
        ran = self._ran(["postqueue", *self._where(), "-i", entry.queue_id], "")
        if ran.returncode:
            return Result(entry, FAILED, ran.stderr.strip() or f"postqueue ended with code {ran.returncode}")
        return Result(entry, DONE, "flushed")

    def _where(self) -> list[str]:
        return ["-c", str(self._settings.directory)]

    def _ran(self, words: list[str], given: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            return subprocess.run(
                words,
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                env=environment,
                timeout=TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(words, 1, "", str(error))

    def _version(self) -> tuple[int, ...]:
        ran = self._ran(["postconf", "-h", "-d", "mail_version"], "")
        found = _VERSION.match(ran.stdout)
        return (int(found[1]), int(found[2])) if found else (0, 0)
