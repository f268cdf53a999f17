"""``mailscope queue show``: one message of the queue, for a person or as postcat prints it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.queue_options import Asked, asked, spooled

if TYPE_CHECKING:
    from mailscope.queues.content import Content
    from mailscope.queues.entry import QueueEntry

# Attributes of Postfix that say where a message came from; the others are shown with --all.
TOLD: Final = (
    "log_client_name", "log_client_address", "log_helo_name", "log_protocol_name", "sasl_method",
    "sasl_username", "content_filter", "sender_fullname", "redirect_to",
)  # fmt: skip


@click.command("show")
@click.argument("names", nargs=-1, required=True, metavar="ID|FILE...")
@spooled
@click.option("-b", "body", is_flag=True, help="As postcat: the body.")
@click.option("-h", "header", is_flag=True, help="As postcat: the header.")
@click.option("-e", "envelope", is_flag=True, help="As postcat: the envelope.")
@click.option("-d", "decimal", is_flag=True, help="As postcat: with the type of each record.")
@click.option("-o", "offsets", is_flag=True, help="As postcat: with the offset of each record.")
@click.option("-q", "search", is_flag=True, help="As postcat: NAME is a queue id.")
@click.option("-r", "raw", is_flag=True, help="As postcat: records in the order of the file.")
@click.option("-v", "verbose", is_flag=True, help="As postcat: every record, with its type.")
@click.option("--all", "every", is_flag=True, help="Every attribute and every header.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    names: tuple[str, ...],
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    every: bool,
    form: str,
    search: bool,
    **flags: bool,
) -> None:
    """Show messages: when each came, from whom, for whom, what keeps it; its header, decoded.

    With one of postcat's options, the queue file of Postfix as postcat prints it.

    \b
    mailscope queue show 4jXFbq3XyNzCb7Y
    mailscope queue show -q -e 4jXFbq3XyNzCb7Y
    """
    from mailscope.cli.output import write

    if place is None and config is None and not search and all(os.path.isfile(name) for name in names):
        # Files need no queue.
        place, mta = Path(names[0]).absolute().parent, mta or "postfix"
    queue = asked(place, mta, config, now, tz)
    if search or any(flags.values()):
        from mailscope.cli.queue_postcat import printed

        write(printed(queue, names, search=search, **flags), None)
        return
    for entry in _found(queue, names):
        content = queue.mta.header(Path(entry.path))
        lines = [_json(entry, content)] if form == "json" else _text(entry, content, queue, every)
        write((line + "\n" for line in lines), None)
    queue.say_troubles()


def _found(queue: Asked, names: tuple[str, ...]) -> Iterator[QueueEntry]:
    """The messages that are named, by id or by file.  Raises InputError where one is not there."""
    from mailscope.queues.selection import Selection
    from mailscope.vocabulary.errors import InputError

    parts = queue.mta.parts()
    files = [name for name in names if parts is not None and os.path.isfile(name)]
    told = [(Path(name).absolute().parent.name, os.path.basename(name), name) for name in files]
    entries: dict[str, QueueEntry] = {}
    if parts is not None and files:
        read = queue.chosen(parts.read(queue.spool, told), None, causes=True)
        entries.update((entry.path, entry) for entry in read)
    ids = tuple(name for name in names if name not in files)
    if ids:
        read = queue.entries(Selection(queue_ids=ids), causes=True)
        entries.update((entry.queue_id, entry) for entry in read)
    for name in names:
        if name not in entries:
            raise InputError(
                "there is no such message in the queue", name, "'mailscope queue list' shows all"
            )
        yield entries[name]


def _json(entry: QueueEntry, content: Content) -> str:
    from mailscope.cli.queue_listing import plain

    told: dict[str, Any] = plain(entry) | {"path": entry.path, "attributes": content.attributes}
    told["header"] = [{"name": name, "value": value} for name, value in content.header]
    told["problems"] = [*entry.problems, *content.problems]
    return json.dumps(told).replace("\x7f", "\\u007f")


def _text(entry: QueueEntry, content: Content, queue: Asked, every: bool) -> Iterator[str]:
    from mailscope.cli.queue_text import span
    from mailscope.cli.terminal import safe

    now = queue.spool.now
    yield f"{safe(entry.queue_id)} in {entry.queue} ({safe(entry.path)})"
    if entry.arrival_time is not None:
        yield f"  came       {_instant(entry.arrival_time, queue)} ({span(now - entry.arrival_time)} ago)"
    yield f"  size       {entry.size_bytes:,} bytes"
    yield "  sender     " + (
        "unknown" if entry.sender is None else safe(entry.sender) or "<> (a bounce or notice)"
    )
    if entry.attempts is not None:
        about = "about " if entry.attempts_estimated else ""
        last = f", the last {_instant(entry.last_attempt_time, queue)}" if entry.last_attempt_time else ""
        yield f"  attempts   {about}{entry.attempts}{last}"
    if entry.next_retry_time is not None:
        yield f"  next retry {_instant(entry.next_retry_time, queue)}"
    if entry.forced_expire:
        yield "  it was told to expire: it is bounced at the next attempt"
    for words in (entry.reason, *entry.problems, *content.problems):
        if words:
            yield f"  {safe(words)}"
    yield from _recipients(entry)
    shown = {name: value for name, value in content.attributes.items() if every or name in TOLD}
    yield from (f"  {safe(name)}: {safe(value)}" for name, value in shown.items())
    for name, value in content.header:
        if every or name.lower() in ("from", "to", "cc", "subject", "date", "message-id", "reply-to"):
            yield f"  {safe(name)}: {safe(value)}"


def _recipients(entry: QueueEntry) -> Iterator[str]:
    """Each recipient; each cause with its advice once."""
    from mailscope.causes.catalogue import get
    from mailscope.cli.terminal import safe

    for each in entry.recipients:
        yield f"  {each.status:<10} {safe(each.recipient)}" + (
            f" (for {safe(each.orig_recipient)})" if each.orig_recipient else ""
        )
        if each.reason:
            yield f"             {safe(each.reason)}"
    for cause in dict.fromkeys(each.cause for each in entry.recipients if each.cause):
        told = get(cause).text()
        yield f"  {cause}: {told.title}. {told.advice}"


def _instant(seconds: float, queue: Asked) -> str:
    return datetime.fromtimestamp(seconds, queue.spool.zone).strftime("%Y-%m-%d %H:%M:%S %Z")
