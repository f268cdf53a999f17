"""The MTAs whose queues can be read: one entry each; the module is imported when its queue is.

The module named in ``reader`` has ``read(spool: Spool) -> Iterator[QueueEntry]`` (``entry.py``).  ``compat``
names, for each program of the MTA whose output ``mailscope queue list --compat PROGRAM`` gives, the module
that has ``lines(spool: Spool, words: Sequence[str]) -> Iterator[bytes]``; ``words``: which programs' options
were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mailscope.queues.actions import Performer
from mailscope.queues.content import Content
from mailscope.queues.entry import Compat, QueueEntry, Read, Spool
from mailscope.vocabulary.errors import InputError, UsageError


@dataclass(frozen=True)
class Parts:
    """``files`` lists the files of a spool; ``read`` gives the messages of some of them.  ``readable``: which
    queues may be read, none where the MTA must be asked.
    """

    files: Callable[[Spool], Iterator[Any]]
    read: Callable[[Spool, Sequence[Any]], Iterator[QueueEntry]]
    readable: Callable[[Spool], Sequence[str]]


@dataclass(frozen=True)
class Mta:
    """``queues``: those that it has in any case.  ``places``: where its spool usually is.  ``marks``: what
    any of its spools holds, by which one is told; ``holds``: patterns of files one of which must be there,
    where directories do not tell it.
    """

    name: str
    places: tuple[str, ...]
    marks: tuple[str, ...]
    reader: str
    compat: Mapping[str, str] = field(default_factory=dict)
    content: str = ""
    queues: tuple[str, ...] = ()
    acting: str = ""
    holds: tuple[str, ...] = ()

    def read(self) -> Read:
        """The reader of its spools."""
        found: Read = import_module(self.reader).read
        return found

    def parts(self) -> Parts | None:
        """What reads some of a spool's files, where its reader can: so that two processes share the work."""
        module = import_module(self.reader)
        return (
            Parts(module.files, module.read_files, module.readable) if hasattr(module, "read_files") else None
        )

    def lines(self, program: str) -> Compat:
        """What prints its queue as the program does.  Raises UsageError where no such program is known."""
        if program not in self.compat:
            known = ", ".join(self.compat) or "none"
            raise UsageError(f"{self.name} has no '{program}'", "--compat", f"there is: {known}")
        found: Compat = import_module(self.compat[program]).lines
        return found

    def header(self, path: Path) -> Content:
        """What a message's file tells besides its envelope; nothing where no module reads that."""
        if not self.content:
            return Content()
        found: Content = import_module(self.content).content(path)
        return found

    def performer(self, spool: Spool, action: str) -> Performer:
        """What changes its queue.  Raises UsageError where the action is none of its."""
        found: Performer | None = import_module(self.acting).Performer(spool) if self.acting else None
        if found is None or action not in found.queues:
            known = ", ".join(found.queues) if found else "nothing"
            raise UsageError(f"a queue of {self.name} cannot do '{action}'", "", f"it can: {known}")
        return found

    def fits(self, place: Path) -> bool:
        """Whether a directory looks like a spool of it."""
        if not all((place / mark).is_dir() for mark in self.marks):
            return False
        return not self.holds or any(next(place.glob(each), None) is not None for each in self.holds)


MTAS: Final[tuple[Mta, ...]] = (
    Mta(
        "postfix",
        ("/var/spool/postfix",),
        ("incoming", "active", "deferred"),
        "mailscope.queues.postfix.reader",
        {"postqueue": "mailscope.queues.postfix.postqueue"},
        "mailscope.queues.postfix.content",
        ("maildrop", "incoming", "active", "deferred", "hold"),
        "mailscope.queues.postfix.acting",
    ),
    Mta(
        "qmail",
        ("/var/qmail/queue", "/var/lib/qmail/queue"),
        ("mess", "info", "todo"),
        "mailscope.queues.qmail.reader",
        {"qmail-qread": "mailscope.queues.qmail.qread", "qmail-qstat": "mailscope.queues.qmail.qstat"},
        "mailscope.queues.qmail.content",
        ("queue", "todo"),
        "mailscope.queues.actions_qmail",
    ),
    Mta(
        "exim",
        ("/var/spool/exim4", "/var/spool/exim"),
        ("input", "msglog"),
        "mailscope.queues.exim.reader",
        {"exim": "mailscope.queues.exim.listing"},
        "mailscope.queues.exim.content",
        ("queue", "frozen"),
        "mailscope.queues.actions_exim",
    ),
    Mta(
        "sendmail",
        ("/var/spool/mqueue",),
        (),
        "mailscope.queues.sendmail.reader",
        content="mailscope.queues.sendmail.content",
        queues=("queue", "quarantined", "lost"),
        holds=("[qhQ]f[0-9A-Za-z]*", "*/[qhQ]f[0-9A-Za-z]*"),
    ),
)
BY_NAME: Final[dict[str, Mta]] = {mta.name: mta for mta in MTAS}


def choose(place: Path | None, name: str | None) -> tuple[Mta, Path]:
    """The MTA and its spool: as asked for, else as the directory looks, else the first that this host has.

    Raises InputError where there is none, or a directory looks like none.
    """
    if place is None:
        for mta in MTAS if name is None else (BY_NAME[name],):
            for usual in map(Path, mta.places):
                if usual.is_dir():
                    return mta, usual
        what = "this host has no queue of " + (name or ", ".join(BY_NAME))
        raise InputError(what, "", "name its directory with --spool")
    if not place.is_dir():
        raise InputError("there is no such directory", str(place), "check the name")
    if name is not None:
        return BY_NAME[name], place
    for mta in MTAS:
        if mta.fits(place):
            return mta, place
    raise InputError(
        f"it looks like no spool of {', '.join(BY_NAME)}",
        str(place),
        "name the directory that holds the queues (as /var/spool/postfix), or say --mta",
    )
