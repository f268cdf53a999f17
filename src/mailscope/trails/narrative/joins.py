"""Lines that the tracker does not look at join the message that they name: verdicts of filters, the mailbox.

In: lines with and without a trail.  Out: more lines with a trail, each with what shows it
(``Step.evidence``) and how sure that is, unless it holds the message's own queue id.  What it may name, the
surest first:

    session AY40KVhwAmuBLQAAEj7eGA   Dovecot's, as told to the MTA: "250 2.0.0 <alice> AY40... Saved"
    queue id, on the same host       whoever was told it (milters, policy services)
    queue id, on another host        a filter that works for several hosts; the time must fit
    Message-ID                       who was handed the message itself (spamd, LMTP, LDA); account or
                                     recipient and time choose between several messages

Sources: Dovecot 2.3 and 2.4 (lmtp-local.c, lmtp-recipient.c, mail-deliver.c), Cyrus 3.10 (append.c).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from mailscope.trails.narrative.trail import Step
from mailscope.trails.search.marks import session_told
from mailscope.trails.search.spans import Position

ATTEMPT: Final = "delivery_attempted"
UNRECOGNISED: Final = "unrecognised"
IDENTIFIED: Final = "identified"
# Events of patterns that know no more than the kind of a line.
LOOSE: Final = frozenset({"noted", "warned", "failed", "debugged"})
TOKEN: Final = re.compile(r"[0-9A-Za-z]{5,}")
# What splogger writes instead of a space behind the stamp of a record that goes on with the one before.
CONTINUED: Final = "+"
# Hosts' clocks differ.
CLOCKS: Final = timedelta(minutes=5)
# Programs that put messages into mailboxes; a Postfix service of the name has the queue id in its lines.
MAILBOX: Final = frozenset(
    {"lmtp", "lda", "deliver", "dovecot-lda", "lmtpunix", "lmtpd", "maildrop", "deliverquota"}
)
LISTS: Final = "mailman"
OrderOf = tuple[int, int]
# Who has a name from which line on.
Reigns = list[tuple[OrderOf, int]]


@dataclass
class Line:
    """One line that counts: its step, where it stands, its trail and session (None: none is known)."""

    step: Step
    position: Position
    trail: int | None = None
    session: int | None = None
    # The refusal, of no message, that it tells of.
    refusal: Line | None = None


@dataclass
class _Names:
    """Which message has which name, told from the lines whose message is known."""

    queue_ids: dict[tuple[str | None, str], Reigns] = field(default_factory=lambda: defaultdict(list))
    message_ids: dict[tuple[str | None, str], Reigns] = field(default_factory=lambda: defaultdict(list))
    sessions: dict[str, Line] = field(default_factory=dict)
    attempts: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    spans: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)

    def take(self, line: Line, message: Mapping[str, Any]) -> None:
        """Enter the names that a line of a known message gives it."""
        step, trail = line.step, line.trail
        assert trail is not None
        for host in {step.host, None}:
            _reign(self.queue_ids[(host, message["queue_id"])], step.order, trail)
            if message["message_id"]:
                _reign(self.message_ids[(host, message["message_id"])], step.order, trail)
        if step.time is not None:
            first, last = self.spans.get(trail, (step.time, step.time))
            self.spans[trail] = min(first, step.time), max(last, step.time)
        if step.event == ATTEMPT:
            self.attempts[trail].append(line)
            session = session_told(step.text.encode("utf-8", "replace"))
            if session is not None:
                self.sessions[session.decode()] = line

    def near(self, reign: Reigns, step: Step) -> list[int]:
        """The messages that have had a name and lived at the time of a line, as far as clocks can tell."""
        if step.time is None:
            return []
        trails = dict.fromkeys(trail for _, trail in reign)
        return [
            trail
            for trail in trails
            if trail in self.spans
            and self.spans[trail][0] - CLOCKS <= step.time <= self.spans[trail][1] + CLOCKS
        ]


def join_others(lines: Sequence[Line], messages: Mapping[int, Mapping[str, Any]]) -> None:
    """Give lines without a trail the one of the message that they name."""
    names = _Names()
    for line in lines:
        if line.trail is not None:
            names.take(line, messages[line.trail])
    latest: dict[tuple[str | None, datetime | None], int] = {}
    for line in lines:
        same_instant = line.step.host, line.step.time
        if line.trail is not None:
            latest[same_instant] = line.trail
        elif line.step.text.startswith(CONTINUED) and same_instant in latest:
            line.trail = latest[same_instant]
        else:
            _join(line, names)


def _join(line: Line, names: _Names) -> None:
    by_session = names.sessions.get(line.step.fields.get("session_id") or "")
    if by_session is not None:
        line.trail = by_session.trail
        line.step.for_recipient = by_session.step.fields.get("recipient")
        _show(line.step, f"session {line.step.fields['session_id']}", sure=True)
        return
    _join_by_queue_id(line, names)
    message_id = line.step.fields.get("message_id")
    if line.trail is None and message_id and line.step.event != IDENTIFIED:
        if is_mailbox(line.step):
            _join_delivery(line, names, message_id)
        elif line.step.service == LISTS:
            _join_post(line, names, message_id)
        else:
            _join_by_message_id(line, names, message_id)


def _join_by_queue_id(line: Line, names: _Names) -> None:
    step = line.step
    known = step.fields.get("queue_id")
    for queue_id in [known] if known else _mentioned(step):
        reign = names.queue_ids.get((step.host, queue_id), [])
        if reign:
            line.trail = _at(reign, step.order)
            return
    elsewhere = names.near(names.queue_ids.get((None, known), []), step) if known else []
    if len(elsewhere) == 1:
        line.trail = elsewhere[0]
        _show(step, f"queue id {known}", sure=False)


def _join_by_message_id(line: Line, names: _Names, message_id: str) -> None:
    """A filter's word of the message; on another host only where the time tells which message it is."""
    step = line.step
    reign = names.message_ids.get((step.host, message_id), [])
    if reign:
        line.trail = _at(reign, step.order)
    else:
        near = names.near(names.message_ids.get((None, message_id), []), step)
        line.trail = min(near, key=lambda trail: _apart(names.spans[trail][0], step)) if near else None
    if line.trail is not None:
        _show(step, f"message-id=<{message_id}>", sure=bool(reign))


def _join_delivery(line: Line, names: _Names, message_id: str) -> None:
    """What became of a message in a mailbox: of the attempt for this account that is nearest in time.

    The same Message-ID may have passed several hosts and filters; only the last of them knows the mailbox.
    """
    step = line.step
    near = names.near(names.message_ids.get((None, message_id), []), step)
    tries = [attempt for trail in near for attempt in names.attempts[trail]]
    fitting = [attempt for attempt in tries if _is_for(step, attempt.step)]
    # The name of the account need not be like the address; then only one attempt may be it.
    if not fitting and len({(attempt.trail, attempt.step.fields.get("recipient")) for attempt in tries}) == 1:
        fitting = tries
    if fitting:
        chosen = min(fitting, key=lambda each: (each.step.host != step.host, _apart(each.step.time, step)))
        line.trail = chosen.trail
        step.for_recipient = chosen.step.fields.get("recipient")
        sure = chosen.step.host == step.host and _is_for(step, chosen.step)
        _show(step, f"message-id=<{message_id}>", sure=sure)
    elif near:
        here = [trail for _, trail in names.message_ids.get((step.host, message_id), []) if trail in near]
        line.trail = (here or near)[-1]
        _show(step, f"message-id=<{message_id}>", sure=False)


def _join_post(line: Line, names: _Names, message_id: str) -> None:
    """A list manager's word of a post: of the last message to its list, not of those to its subscribers.

    A post keeps its Message-ID on its way to the list, and in what the list sends.
    """
    step = line.step
    near = names.near(names.message_ids.get((None, message_id), []), step)
    post = (step.fields.get("mailbox") or "").lower()
    handed = [
        attempt
        for trail in near
        for attempt in names.attempts[trail]
        if not attempt.step.fields.get("next_queue_id") and (not post or _is_to(attempt.step, post))
    ]
    if handed:
        first = min if not post else max  # a line that names no list is of what came in
        chosen = first(handed, key=lambda each: (each.step.time or datetime.min, each.step.order))
        line.trail = chosen.trail
        _show(step, f"message-id=<{message_id}>", sure=bool(post))
    else:
        _join_by_message_id(line, names, message_id)


def _is_to(attempt: Step, post: str) -> bool:
    """Whether an attempt is for a list, that a list manager may name without its domain."""
    name = str(attempt.fields.get("recipient") or "").lower()
    return post == (name if "@" in post else name.partition("@")[0])


def is_mailbox(step: Step) -> bool:
    """Whether a line tells what a mailbox program did with a message."""
    return step.service in MAILBOX and "queue_id" not in step.fields


def _is_for(step: Step, attempt: Step) -> bool:
    """Whether the account (or recipient) of a mailbox program's line is the one of an attempt."""
    account = (step.fields.get("user") or step.fields.get("recipient") or "").lower()
    if not account and (found := re.match(r"user[./]([^./ ]+)", str(step.fields.get("mailbox") or ""))):
        account = found[1].lower()  # Cyrus names the mailbox only
    if not account:
        return False
    said = str(attempt.fields.get("reason", "")).lower()
    if f"<{account}>" in said:
        return True
    names = {str(attempt.fields.get(name) or "").lower() for name in ("recipient", "orig_recipient")}
    names |= {_without_detail(name) for name in names}
    return account in names if "@" in account else account in {name.partition("@")[0] for name in names}


def _without_detail(address: str) -> str:
    """An address without what stands behind a plus sign in its local part."""
    local, at, domain = address.partition("@")
    return local.partition("+")[0] + at + domain


def _apart(time: datetime | None, step: Step) -> timedelta:
    return abs(time - step.time) if time is not None and step.time is not None else timedelta.max


def _show(step: Step, evidence: str, *, sure: bool) -> None:
    step.evidence, step.confidence = evidence, "certain" if sure else "likely"


def _mentioned(step: Step) -> Iterable[str]:
    """What may be a queue id in a line whose pattern does not say."""
    if step.event == UNRECOGNISED:
        return TOKEN.findall(step.text)
    # A number by itself is more often something else.
    tokens = TOKEN.findall(step.text) if step.event in LOOSE else []
    return [token for token in tokens if not token.isdigit()]


def _reign(reign: Reigns, order: OrderOf, trail: int) -> None:
    """Enter that a message has the name from here on."""
    if not reign or reign[-1][1] != trail:
        reign.append((order, trail))


def _at(reign: Reigns, order: OrderOf) -> int:
    """Who had the name at a place among the lines; the first one, if nobody had it yet."""
    at = bisect_right(reign, order, key=lambda entry: entry[0])
    return reign[max(at - 1, 0)][1]
