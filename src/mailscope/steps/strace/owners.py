"""Which message each deed belongs to, and which messages came of which.

A daemon works on one message after the other: what it does between taking up a queue file and taking up the
next belongs to the first.  qmgr has many at once: what it hands out belongs to the message whose file the
program at the other end opens.  A file of maildrop gets a new id when cleanup takes it over; a bounce is a
new message: who connected to the cleanup that made it tells where it came from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from mailscope.steps.daemons import AGENTS, program_at
from mailscope.steps.strace.deeds import Deed
from mailscope.steps.strace.places import QUEUE_ID, Place
from mailscope.steps.strace.programs import Program

# taken: the same mail under another id; bounce: a notice to its sender; copy: sent on by an alias.
How = Literal["taken", "bounce", "copy"]
OF_LOG: Final = re.compile(rf"({QUEUE_ID.pattern}): ")
# Sockets at which a file of the queue is handed out by its id.
BY_ID: Final = AGENTS | {"bounce"}
UNNAMED: Final = "?"


@dataclass
class _State:
    """What a process is at: its message, the connection it serves, deeds whose message is not known yet."""

    mail: str | None = None
    serves: Deed | None = None
    pending: list[Deed] = field(default_factory=list)
    seam: tuple[int, int] = (0, 0)


class Owners:
    """Fills in ``Deed.mail``.  ``links``: (message, what came of it, how).

    Ids that begin with ``UNNAMED`` stand for messages that no line names.
    """

    def __init__(self, deeds: Sequence[Deed], known: dict[int, Program]) -> None:
        self.deeds = deeds
        self.known = known
        self.links: list[tuple[str, str, How]] = []
        # Temporary name of a file -> its id.
        self.names: dict[str, str] = {
            deed.place.file: deed.to.file
            for deed in deeds
            if deed.kind == "moved" and deed.place is not None and deed.to is not None
            and deed.place.temporary and deed.place.file and not deed.to.temporary
        }  # fmt: skip
        # Connections to cleanup, and the id of the message that was made over each.
        self.made: dict[Deed, str] = {}
        self.unnamed: dict[str, Deed] = {}

    def find(self) -> None:
        """Go through all deeds once, then settle what only later deeds tell."""
        states: dict[int, _State] = defaultdict(_State)
        for deed in self.deeds:
            state, seam = states[deed.pid], (deed.trace.number, deed.call.seam)
            if state.seam != seam:
                state.mail, state.serves, state.pending, state.seam = None, None, [], seam
            self._take(deed, state)
        self._settle_connections()
        self._settle_unnamed()
        for deed in self.deeds:
            over = deed.deed
            if over is not None and over.kind == "connected" and program_at(over.service) in BY_ID:
                deed.mail, deed.sure = over.mail, over.sure

    def id_of(self, place: Place, deed: Deed) -> str:
        """The message of a file."""
        if not place.file:
            return f"{UNNAMED}{deed.at}"
        return self.names.get(place.file, place.file)

    def _take(self, deed: Deed, state: _State) -> None:
        place = deed.to if deed.kind == "moved" else deed.place
        if deed.kind in ("forked", "executed", "exited"):
            return
        if deed.kind == "logged":
            found = OF_LOG.match(deed.text)
            deed.mail = found[1] if found else None
        elif deed.kind == "accepted":
            state.mail, state.serves, state.pending = None, deed, [deed]
        elif place is not None:
            deed.mail = self.id_of(place, deed)
            self._enter(state, deed.mail, deed.pid)
            if deed.kind == "removed" and place.holds_mail and not place.temporary:
                state.mail = None
        elif deed.kind == "named":
            self._named(deed, state)
        elif (
            deed.kind == "connected"
            and program_at(deed.service) == "cleanup"
            and self._brings_new(state, deed)
        ):
            deed.mail = f"{UNNAMED}{deed.at}"
            self.unnamed[deed.mail] = deed
            self._enter(state, deed.mail, deed.pid)
        else:
            deed.mail = state.mail
            if state.mail is None:
                state.pending.append(deed)

    def _brings_new(self, state: _State, deed: Deed) -> bool:
        """Whether the message that is given to cleanup over a connection comes from outside the queue."""
        return state.mail is None or state.mail in self.unnamed or self.known[deed.pid].of_network

    def _enter(self, state: _State, mail: str, pid: int) -> None:
        """A process takes up a message: what it did just before was for it."""
        program = self.known[pid]
        for deed in state.pending:
            one_by_one = state.serves is not None and program.name not in ("qmgr", "nqmgr")
            if one_by_one or deed.kind == "accepted":
                deed.mail = mail
            elif program_at(deed.service) in BY_ID:
                deed.mail, deed.sure = mail, False
        state.pending = []
        if state.serves is not None and state.serves.mail is None:
            state.serves.mail = mail
        state.mail = mail

    def _named(self, deed: Deed, state: _State) -> None:
        """An id was told on a socket: by cleanup to who gives it a message, or by qmgr to who delivers."""
        over = deed.deed
        deed.mail = deed.text
        if over is not None and over.kind == "connected":
            if program_at(over.service) == "cleanup" and deed.flags == "read":
                self.made[over] = deed.text
            elif program_at(over.service) in BY_ID:
                over.mail, over.sure = deed.text, True
        elif state.mail != deed.text:
            self._enter(state, deed.text, deed.pid)

    def _settle_connections(self) -> None:
        named = {deed.deed for deed in self.deeds if deed.kind == "named"}
        for deed in self.deeds:
            if deed.kind != "connected" or deed.failed:
                continue
            program = program_at(deed.service)
            other = deed.met.mail if deed.met is not None else None
            if program == "cleanup":
                made = self.made.get(deed) or other
                if made is not None and deed.mail is not None and made != deed.mail:
                    self.made[deed] = made
                    self._link(deed, made)
            elif program in BY_ID and other is not None:
                deed.mail, deed.sure = other, True
            elif program in BY_ID and self.known[deed.pid].name in ("qmgr", "nqmgr") and deed not in named:
                # qmgr has many messages at once, and who was asked is not in the trace.
                deed.sure = False

    def _link(self, deed: Deed, made: str) -> None:
        assert deed.mail is not None
        if deed.mail in self.unnamed:
            return
        name = self.known[deed.pid].name
        how: How = "taken" if name == "pickup" else "bounce" if name == "bounce" else "copy"
        self.links.append((deed.mail, made, how))

    def _settle_unnamed(self) -> None:
        """Messages that were brought from outside get the id that cleanup gave them."""
        ids = {name: self.made[deed] for name, deed in self.unnamed.items() if deed in self.made}
        for deed in self.deeds:
            if deed.mail in ids:
                deed.mail = ids[deed.mail]

    def groups(self) -> Iterator[list[str]]:
        """Messages that belong together, the first one first; groups in the order in which they begin."""
        leads: dict[str, str] = {}

        def lead(mail: str) -> str:
            while leads.setdefault(mail, mail) != mail:
                mail = leads[mail]
            return mail

        order: dict[str, None] = {}
        for deed in self.deeds:
            if deed.mail is not None:
                order.setdefault(deed.mail)
        for one, two, _ in self.links:
            order.setdefault(two)
            first, second = lead(one), lead(two)
            if first != second:
                leads[second] = first
        found: dict[str, list[str]] = defaultdict(list)
        for mail in order:
            found[lead(mail)].append(mail)
        yield from found.values()
