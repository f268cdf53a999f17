"""Stories for a terminal: the fate of each recipient first, then what happened, step by step.

In: stories, the zone to show times in, and the width.  Out: lines, safe to print.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import click

from mailscope.causes.catalogue import INCOMING, OUTGOING, catalogue
from mailscope.cli.terminal import columns, fit, safe
from mailscope.language.translator import TELL_ENGLISH, Translator
from mailscope.trails.narrative.linked import label_of, passed_on, span, told, way_of
from mailscope.trails.narrative.session import facts as session_facts
from mailscope.trails.narrative.trail import Recipient, Step, Story, Trail
from mailscope.trails.narrative.words import outcome, size

NARROWEST: Final = 60
MOST_DAEMON: Final = 12
INDENT: Final = "  "
STYLES: Final = {
    "sent": "green", "deferred": "yellow", "queued": "yellow", "unknown": "yellow", "bounced": "red",
    "expired": "red", "rejected": "red", "deleted": "magenta", "discarded": "magenta",
}  # fmt: skip


def render(
    stories: list[Story], zone: ZoneInfo, width: int, *, raw: bool, tr: Translator = TELL_ENGLISH
) -> Iterator[str]:
    """All stories."""
    width = max(width, NARROWEST)
    for number, story in enumerate(stories, 1):
        if number > 1:
            yield ""
        place = f"{number}/{len(stories)}: " if len(stories) > 1 else ""
        yield from _story(story, zone, width, raw=raw, place=place, tr=tr)


def _story(
    story: Story, zone: ZoneInfo, width: int, *, raw: bool, place: str, tr: Translator
) -> Iterator[str]:
    main = next((trail for trail in story.trails if trail.matched), story.trails[0])
    others = len(story.trails) - 1
    head = _name(main, tr)
    if others:
        head = tr("{name}, with {n} linked", name=head, n=others)
    yield click.style(fit(place + head, width), bold=True)
    yield from _fates(story, width, tr)
    numbers = (
        {trail.trail_id: f"[{number}]" for number, trail in enumerate(story.trails, 1)} if others else {}
    )
    for trail in story.trails:
        yield from _facts(trail, zone, width, numbers, tr)
    for trail in story.trails:
        for entry in trail.links:
            if entry.direction == "to" and entry.trail_id in numbers:
                yield from _wrap(told(trail, entry, numbers, tr, raw=raw), width, INDENT)
    yield from _steps(story, zone, width, numbers, raw=raw, tr=tr)


def _name(trail: Trail, tr: Translator) -> str:
    if trail.queue_id:
        name = tr("message {queue_id}", queue_id=trail.queue_id)
    elif all(step.event == "login_failed" or step.session for step in trail.steps):
        name = tr("failed logins")
    elif trail.ended == "refused":
        name = tr("mail refused before it had a queue id")
    else:
        name = tr("a delivery whose message is not in the log")
    if trail.host:
        name = tr("{name} on {host}", name=name, host=trail.host)
    return name + (f" ({trail.instance})" if trail.instance not in (None, "postfix") else "")


def _facts(
    trail: Trail, zone: ZoneInfo, width: int, numbers: dict[str, str], tr: Translator
) -> Iterator[str]:
    """Sender, size, Message-ID, span."""
    facts = [f"{numbers[trail.trail_id]} {_name(trail, tr)}"] if numbers else []
    if trail.sender is not None:
        facts.append(tr("from {sender}", sender=f"<{trail.sender}>"))
    if trail.size_bytes is not None:
        facts.append(tr(size(trail.size_bytes)))
    if trail.message_id:
        facts.append(f"Message-ID <{trail.message_id}>")
    first, last = _when(trail.first_time, zone, tr), _when(trail.last_time, zone, tr)
    facts.append(tr("{start} to {end}", start=first, end=last))
    if trail.queue_id is not None and not trail.ended:
        facts.append(tr("still in the queue when the log ends"))
    facts.append(tr("trail {trail_id}", trail_id=trail.trail_id))
    yield from _wrap(", ".join(facts), width, INDENT)
    if trail.session is not None:
        yield from _wrap(", ".join(tr(fact) for fact in session_facts(trail.session)), width, INDENT)


def _when(time: datetime | None, zone: ZoneInfo, tr: Translator) -> str:
    return tr("at an unknown time") if time is None else f"{_local(time, zone):%Y-%m-%d %H:%M:%S %z}"


def _local(time: datetime, zone: ZoneInfo) -> datetime:
    return time.replace(tzinfo=UTC).astimezone(zone)


def _fates(story: Story, width: int, tr: Translator) -> Iterator[str]:
    """One entry per recipient; of a message that passed through several trails, its last fate."""
    any_told = False
    for trail in story.trails:
        passed = passed_on(story, trail)
        label = label_of(story, trail, tr)
        for recipient in trail.recipients:
            if recipient.recipient in passed:
                continue
            any_told = True
            yield from _fate(recipient, label, width, tr)
            way = way_of(story, trail, recipient, tr)
            yield from _wrap(way, width, " " * 12)
    if not any_told:
        yield INDENT + tr("none is named in the log")


def _fate(recipient: Recipient, label: str, width: int, tr: Translator) -> Iterator[str]:
    who = f"<{recipient.recipient}>" if recipient.recipient is not None else _unnamed(recipient.count, tr)
    tries = len(recipient.attempts)
    told = tr(recipient.status)
    told += " " * (9 - columns(told))
    status = click.style(told, fg=STYLES.get(recipient.status))
    head = tr("{who} after {n} tries", who=who + label, n=tries) if tries > 1 else who + label
    yield f"{INDENT}{status} {fit(head, width - len(INDENT) - columns(told) - 1)}"
    if recipient.attempts:
        last = recipient.attempts[-1]
        peer = last.fields.get("relay_host") or ""
        if "delivery_id" in last.fields:
            peer = ""  # qmail's report says it
        elif last.fields.get("relay_ip") and last.fields["relay_ip"] != peer:
            peer = f"{peer} [{last.fields['relay_ip']}]".strip()
        said = tr(outcome(last.fields | {"status": last.status}))
        if peer or said:
            yield from _wrap(f"{peer}: {said}" if peer and said else peer or said, width, " " * 12)
        yield from _cause(recipient, tr, width)
    for step in recipient.mailbox:
        sure = "" if step.confidence == "certain" else f" ({tr('likely')})"
        yield from _wrap(f"{_daemon(step)}: {tr(step.words)}{sure}", width, " " * 12)


def _cause(recipient: Recipient, tr: Translator, width: int) -> Iterator[str]:
    """Why a recipient was not delivered to, and what to do."""
    known = catalogue().get(str(recipient.attempts[-1].fields.get("cause")))
    if known is None or recipient.status == "sent":
        return
    text = known.text(tr.language, INCOMING if recipient.status == "rejected" else OUTGOING)
    named = recipient.attempts[-1].fields.get("blocklist")
    title = f"{text.title} ({named})" if named else text.title
    yield from _wrap(f"{title}. {text.advice}", width, " " * 12)


def _unnamed(count: int, tr: Translator) -> str:
    return tr.count(count, "a recipient that no line names", "{n} recipients that no line names")


def _steps(
    story: Story, zone: ZoneInfo, width: int, numbers: dict[str, str], *, raw: bool, tr: Translator
) -> Iterator[str]:
    stays = story.steps()
    daemons = max((columns(fit(_daemon(step), MOST_DAEMON)) for stay in stays for _, step in stay), default=0)
    marks = max(map(len, numbers.values()), default=0)
    day = ""
    for stay in stays:
        before: datetime | None = None
        if len(stays) > 1:
            yield click.style(fit(f"{INDENT}{safe(stay[0][0].host or '-')}", width), bold=True)
        for trail, step in stay:
            local = _local(step.time, zone) if step.time is not None else None
            if local is not None and f"{local:%Y-%m-%d}" != day:
                day = f"{local:%Y-%m-%d}"
                yield click.style(f"{INDENT}{day} {local:%z}", dim=True)
            clock = f"{local:%H:%M:%S}" if local is not None else "??:??:??"
            daemon = fit(_daemon(step), MOST_DAEMON)
            lead = f"{INDENT}{clock} {_since(before, step.time):>8} "
            lead += f"{numbers[trail.trail_id]:<{marks}} " if numbers else ""
            lead += daemon + " " * (daemons - columns(daemon) + 1)
            before = step.time or before
            yield from _told(lead, step, width, tr)
            if raw:
                number = f":{step.line_number}" if step.line_number else ""
                yield click.style(f"{INDENT * 2}{safe(step.source)}{number}: {safe(step.raw)}", dim=True)


def _told(lead: str, step: Step, width: int, tr: Translator) -> Iterator[str]:
    room = max(width - columns(lead), 24)
    doubt = f" ({tr('possible')})" if step.confidence == "possible" else ""
    lines = list(_broken(tr(step.words) + doubt, room)) or [""]
    colour = STYLES.get(str(step.fields.get("status"))) if step.event == "delivery_attempted" else None
    yield lead + click.style(lines[0], fg=colour)
    for line in lines[1:]:
        yield " " * columns(lead) + click.style(line, fg=colour)


def _daemon(step: Step) -> str:
    return step.service or step.program or "-"


def _since(before: datetime | None, now: datetime | None) -> str:
    if before is None or now is None:
        return ""
    seconds = (now - before).total_seconds()
    return ("-" if seconds < 0 else "+") + span(abs(seconds))


def _wrap(text: str, width: int, indent: str) -> Iterator[str]:
    """Long text in several lines; what strangers wrote in it is made safe."""
    for line in _broken(text, width - len(indent)):
        yield indent + line


def _broken(text: str, room: int) -> Iterator[str]:
    """A text, made safe, in lines of so many columns.

    Wide characters (Chinese) take two columns and may be parted anywhere, so their lines are filled by
    columns; other text is broken at blanks.
    """
    for line in textwrap.wrap(safe(text).replace("\t", " "), room, break_on_hyphens=False):
        while columns(line) > room:
            head = len(fit(line, room)) - 1
            yield line[:head]
            line = line[head:]
        yield line
