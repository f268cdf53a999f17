"""``mailscope queue restore``: messages that were deleted and kept come back, on hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mailscope.cli.queue_options import asked, filtered, selected, spooled


@click.command("restore")
@click.option(
    "--from",
    "archive",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The directory that they were kept in.",
)
@filtered
@spooled
@click.option("--all", "everything", is_flag=True, help="Every message, where no filter is given.")
@click.option("--again", is_flag=True, help="Those, too, that came back before.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing: for scripts.")
def command(
    archive: Path,
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    queues: tuple[str, ...],
    everything: bool,
    again: bool,
    dry_run: bool,
    yes: bool,
    **filters: Any,
) -> None:
    """Bring back messages that 'delete --keep DIR' kept: on hold, under a new id; nothing is sent by itself.

    \b
    mailscope queue restore --from /srv/deleted --sender '*@example.org'
    mailscope queue release NEW-ID
    """
    from mailscope.cli.queue_audit import Audit
    from mailscope.cli.queue_text import HEAD, message, width
    from mailscope.cli.terminal import safe
    from mailscope.queues.actions import ACTIONS
    from mailscope.queues.postfix.archive import Archive
    from mailscope.store.audit import user
    from mailscope.vocabulary.errors import UsageError

    queue = asked(place, mta or "postfix", config, now, tz)
    selection = selected(**filters)
    if selection.everything and not queues and not everything:
        raise UsageError("no message is named", "", "give ids or filters; --all means all that were kept")
    if queue.mta.name != "postfix":
        raise UsageError(f"messages of {queue.mta.name} cannot be restored", "--mta", "it is for Postfix")
    if not dry_run:
        queue.mta.performer(queue.spool, "release").ready(ACTIONS["release"])
    kept = Archive(archive)
    before = set() if again else kept.restored()
    source = asked(archive, "postfix", None, now, tz, queues)
    found = [entry for entry in source.entries(selection) if Path(entry.path).name not in before]
    source.say_troubles()
    cut = width() if sys.stdout.isatty() else None
    if found:
        click.echo(HEAD)
    for entry in found:
        for line in message(entry, queue.spool.now, cut):
            click.echo(line)
    count = len(found)
    told = f"{count:,} message{'' if count == 1 else 's'}"
    click.echo(f"to be restored: {told}")
    if dry_run or not found:
        return
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is nobody to say yes", "", "look at it with --dry-run, then give --yes")
    if not yes and not click.confirm(f"restore {told}?", err=True):
        return
    audit = Audit()
    for entry in found:
        audit.enter("restore", f"{entry.queue_id} from {archive} to {queue.spool.place}")
        name = kept.restore(entry, queue.spool.place, user())
        click.echo(f"{safe(entry.queue_id)}: on hold as {name}")
