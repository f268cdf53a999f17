"""``mailscope queue list``: the messages that wait."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.queue_options import Asked, asked, spooled

if TYPE_CHECKING:
    from mailscope.queues.entry import QueueEntry

HEAD: Final = f"{'Queue':<9}{'Queue ID':<17}{'Size':>10}  {'Age':>6}  Sender, recipients and why"


@click.command("list")
@spooled
@click.option("--in", "queues", multiple=True, metavar="QUEUE", help="Only this queue (repeatable).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    place: Path | None, mta: str | None, now: str | None, tz: str | None, queues: tuple[str, ...], form: str
) -> None:
    """List the messages that wait: one after the other, with their recipients and what keeps each.

    \b
    Example: mailscope queue list --in deferred
    """
    queue = asked(place, mta, now, tz, queues)
    for line in _json(queue) if form == "json" else _text(queue):
        click.echo(line)
    queue.say_troubles()


def plain(entry: QueueEntry) -> dict[str, Any]:
    """An entry as JSON gives it: what ``postqueue -j`` tells, under its names, then what it does not tell."""
    recipients = []
    for each in entry.recipients:
        told = {"address": each.recipient}
        if each.reason:
            told["delay_reason"] = each.reason
        recipients.append(told | {"status": each.status, "dsn_status": each.dsn_status})
    return {
        "queue_name": entry.queue,
        "queue_id": entry.queue_id,
        "arrival_time": None if entry.arrival_time is None else int(entry.arrival_time),
        "message_size": entry.size_bytes,
        "forced_expire": entry.forced_expire,
        "sender": entry.sender,
        "recipients": recipients,
        "attempts": entry.attempts,
        "last_attempt_time": entry.last_attempt_time,
        "next_retry_time": entry.next_retry_time,
        "reason": entry.reason,
        "problems": entry.problems,
    }


def _json(queue: Asked) -> Iterator[str]:
    for entry in queue.entries():
        yield json.dumps(plain(entry)).replace("\x7f", "\\u007f")


def _text(queue: Asked) -> Iterator[str]:
    from mailscope.cli.terminal import safe

    yield HEAD
    count = size = 0
    for entry in queue.entries():
        count, size = count + 1, size + entry.size_bytes
        age = "" if entry.arrival_time is None else _age(queue.spool.now - entry.arrival_time)
        sender = "no sender" if entry.sender is None else f"<{safe(entry.sender)}>"
        yield f"{entry.queue:<9}{entry.queue_id:<17}{entry.size_bytes:>10,}  {age:>6}  {sender}"
        for each in entry.recipients:
            why = f": {safe(each.reason)}" if each.reason else ""
            yield f"{'':46}{each.status} {safe(each.recipient)}{why}"
        yield from (f"{'':46}{safe(problem)}" for problem in (entry.reason, *entry.problems) if problem)
    yield f"{count:,} message{'' if count == 1 else 's'}, {size:,} bytes"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{max(0, seconds):.0f}s"
