"""Deeds put into words, as acts of a way: who, to whom, and in which queue the file stands after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.steps.daemons import AGENTS, program_at
from mailscope.steps.strace.deeds import DNS_PORT, Deed
from mailscope.steps.strace.owners import BY_ID, UNNAMED, Owners
from mailscope.steps.strace.programs import Program, guess
from mailscope.steps.way import GONE, Act, Lane


@dataclass
class Telling:
    """What is needed to tell of deeds."""

    owners: Owners
    known: dict[int, Program]
    # When the last was said over a connection for a message.
    last: dict[tuple[Deed, str | None], float | None] = field(init=False)
    # By process: the first connection that it took.
    first_accepted: dict[int, Deed] = field(init=False)

    def __post_init__(self) -> None:
        self.last = {
            (deed.deed, deed.mail): deed.call.over for deed in self.owners.deeds if deed.deed is not None
        }
        accepted = [deed for deed in self.owners.deeds if deed.kind == "accepted"]
        self.first_accepted = {deed.pid: deed for deed in reversed(accepted)}

    def lane(self, pid: int) -> Lane:
        """A process."""
        return Lane(self.known[pid].name, pid or None)

    def doer(self, deed: Deed) -> Lane:
        """The process of a deed.  Lines that name none may be of several: then the deed tells the program."""
        return self.lane(deed.pid) if deed.pid else Lane(guess([deed]) or UNNAMED)

    def other(self, deed: Deed) -> Lane:
        """Who answered a connection: the process where it was seen, else the program that must have been."""
        if deed.met is not None:
            return self.lane(deed.met.pid)
        return Lane(program_at(deed.service))

    def lasted(self, deed: Deed) -> float | None:
        """From a connection to the last that was said over it for its message, or to its end; None where
        neither was seen.
        """
        over = self.last.get((deed, deed.mail), deed.until)
        return None if over is None or deed.time is None else max(over - deed.time, 0.0)

    def act(self, deed: Deed, words: Phrase, to: Lane | None = None) -> Act:
        """An act of a deed."""
        mail = deed.mail if deed.mail and not deed.mail.startswith(UNNAMED) else None
        return Act(
            deed.time, self.doer(deed), to, deed.kind, words, deed.call.took_s, queue_id=mail, sure=deed.sure
        )


def _made(telling: Telling, deed: Deed) -> Act | None:
    place = deed.place
    assert place is not None
    if place.file in telling.owners.names:
        return None  # it gets its name at once, and that is told
    act = telling.act(deed, Phrase("makes a file in {queue}", queue=place.queue))
    act.queue = place.queue
    return act


def _moved(telling: Telling, deed: Deed) -> Act | None:
    old, new = deed.place, deed.to
    assert new is not None
    if old is None or old.queue == new.queue:
        act = telling.act(deed, Phrase("makes the queue file {path}", path=new.path))
    else:
        act = telling.act(deed, Phrase("moves the file from {old} to {new}", old=old.path, new=new.path))
    if new.holds_mail:
        act.queue = new.queue
    return act


def _opened(telling: Telling, deed: Deed) -> Act | None:
    place = deed.place
    assert place is not None
    if not place.holds_mail:
        if "O_CREAT" in deed.flags or "O_APPEND" in deed.flags or "O_WRONLY" in deed.flags:
            return telling.act(deed, Phrase("notes the reason in {path}", path=place.path))
        return telling.act(deed, Phrase("reads the reasons in {path}", path=place.path))
    return telling.act(deed, Phrase("opens {path}", path=place.path))


def _removed(telling: Telling, deed: Deed) -> Act | None:
    place = deed.place
    assert place is not None
    act = telling.act(deed, Phrase("removes {path}", path=place.path))
    taken_over = any(one == deed.mail and how == "taken" for one, _, how in telling.owners.links)
    if place.holds_mail and not place.temporary and not taken_over:
        act.queue = GONE
    return act


def _stored(telling: Telling, deed: Deed) -> Act | None:
    return telling.act(deed, Phrase("marks the queue file as whole"))


# Of these a status other than 0 is a failure.
ANSWERS: Final = BY_ID | {"cleanup"}
_FOR: Final[dict[str, Phrase]] = {
    "cleanup": Phrase("gives it the message"),
    "trivial-rewrite": Phrase("asks how addresses are completed and where they go"),
    "qmgr": Phrase("says that mail has come in"),
    "pickup": Phrase("says that mail is in maildrop"),
    "bounce": Phrase("has the failure noted or reported"),
    "scache": Phrase("asks for an open connection"),
    "tlsmgr": Phrase("asks for TLS sessions and random numbers"),
    "proxymap": Phrase("looks up a table"),
    "anvil": Phrase("has the client counted"),
    **dict.fromkeys(AGENTS, Phrase("hands the message out for delivery")),
}


def _connected(telling: Telling, deed: Deed) -> Act | None:
    other = telling.other(deed)
    said = _FOR.get(program_at(deed.service), Phrase("connects"))
    if deed.failed:
        words = Phrase("cannot connect to {socket}: {error}", socket=deed.text, error=deed.call.result)
    else:
        words = Phrase("{what} ({socket})", what=said, socket=deed.text)
    act = telling.act(deed, words, other)
    act.good = False if deed.failed else None
    act.took_s = telling.lasted(deed)
    return act


def _accepted(telling: Telling, deed: Deed) -> Act | None:
    if deed.met is not None:
        return None  # told from the other end
    if not deed.service:
        return telling.act(deed, Phrase("takes a connection"))
    return telling.act(deed, Phrase("takes a connection at {service}", service=deed.text or deed.service))


def _named(telling: Telling, deed: Deed) -> Act | None:
    over = deed.deed
    if over is None or over.kind != "connected" or deed.flags != "read":
        return None
    act = telling.act(deed, Phrase("gives it the queue id {queue_id}", queue_id=deed.text))
    act.by, act.to = telling.other(over), telling.doer(deed)
    return act


def _answered(telling: Telling, deed: Deed) -> Act | None:
    assert deed.deed is not None
    if program_at(deed.service) not in ANSWERS:
        return None
    if deed.text == "0":
        words = Phrase("answers: all went well")
    else:
        words = Phrase("answers: status {status}", status=deed.text)
    act = telling.act(deed, words)
    act.by, act.to = telling.other(deed.deed), telling.doer(deed)
    act.good = deed.text == "0"
    return act


def _reached(telling: Telling, deed: Deed) -> Act | None:
    if deed.port == DNS_PORT:
        return telling.act(deed, Phrase("asks DNS"), Lane(f"DNS {deed.text}"))
    other = Lane(f"{deed.text}:{deed.port}")
    if deed.failed:
        act = telling.act(
            deed,
            Phrase("cannot connect to {socket}: {error}", socket=other.name, error=deed.call.result),
            other,
        )
        act.good = False
    else:
        act = telling.act(
            deed, Phrase("connects to port {port} of {host}", port=deed.port, host=deed.text), other
        )
    act.took_s = telling.lasted(deed)
    return act


def _client(telling: Telling, deed: Deed) -> Act | None:
    act = telling.act(deed, Phrase("connects"))
    act.by, act.to = Lane(f"{deed.text}:{deed.port}"), telling.doer(deed)
    return act


def _mailbox(telling: Telling, deed: Deed) -> Act | None:
    return telling.act(deed, Phrase("delivers to {path}", path=deed.text), Lane(deed.text))


def _logged(telling: Telling, deed: Deed) -> Act | None:
    return telling.act(deed, Phrase("logs: {text}", text=deed.text)) if deed.text else None


_TELLERS: Final[dict[str, Callable[[Telling, Deed], Act | None]]] = {
    "made": _made,
    "moved": _moved,
    "opened": _opened,
    "removed": _removed,
    "stored": _stored,
    "connected": _connected,
    "accepted": _accepted,
    "named": _named,
    "answered": _answered,
    "reached": _reached,
    "client": _client,
    "mailbox": _mailbox,
    "logged": _logged,
}


def acts_of(telling: Telling, deeds: list[Deed]) -> Iterator[tuple[int, Act]]:
    """The acts of deeds of one message, each with the place of its deed in the order of all.

    What is asked again over an open connection, and DNS that is asked several times, is told once.
    """
    questions: dict[tuple[int, Deed], list[Deed]] = {}
    dns: dict[tuple[int, str | None], Act] = {}
    for deed in deeds:
        if deed.kind in ("asked", "heard"):
            over = deed.deed
            if over is not None and over.mail != deed.mail:
                questions.setdefault((deed.pid, over), []).append(deed)
            continue
        tell = _TELLERS.get(deed.kind)
        act = tell(telling, deed) if tell is not None else None
        if act is None:
            continue
        if deed.kind == "reached" and deed.port == DNS_PORT:
            first = dns.setdefault((deed.pid, deed.mail), act)
            if first is not act:
                if act.time is not None and first.time is not None:
                    first.took_s = act.time + (act.took_s or 0) - first.time
                continue
        yield deed.at, act
    for (_, over), asked in questions.items():
        if any(deed.kind == "asked" for deed in asked):
            yield asked[0].at, _asked(telling, over, asked)


def _asked(telling: Telling, over: Deed, asked: list[Deed]) -> Act:
    """Over a connection that was opened for an earlier message."""
    said = _FOR.get(program_at(over.service), Phrase("asks"))
    words = Phrase("{what} (open connection to {socket})", what=said, socket=over.text)
    act = telling.act(asked[0], words, telling.other(over))
    act.kind = "connected"
    first, last = asked[0].time, asked[-1].call.over
    act.took_s = max(last - first, 0.0) if first is not None and last is not None else None
    return act
