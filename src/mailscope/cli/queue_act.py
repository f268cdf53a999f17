"""The commands that change a queue: ``mailscope queue hold``, ``release``, ``requeue``, ``flush``,
``expire``, ``bounce`` and ``delete``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.queue_options import Asked, asked, filtered, selected, spooled
from mailscope.queues.actions import ACTIONS, DONE, FAILED, GONE, Action, Plan, Result

if TYPE_CHECKING:
    from mailscope.queues.actions import Performer

# Messages of a plan that are shown one by one.
SHOWN: Final = 20
EXIT_FAILED: Final = 1
OPTIONS: Final = (
    click.option("--all", "everything", is_flag=True, help="Every message, where no filter is given."),
    click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
    click.option("--yes", is_flag=True, help="Ask nothing: for scripts."),
    click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True),
)
KEEP: Final = click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Copy each message there before it is deleted.",
)


def command_of(name: str) -> click.Command:
    """The command of an action."""
    action = ACTIONS[name]

    def callback(**options: Any) -> None:
        _act(action, **options)

    callback.__doc__ = f"""{action.help}

    The messages that are meant are shown first, and done to after a yes.  Then each is told; one that was
    delivered or moved meanwhile is no error.  Who did what is entered in the store's audit log, or in syslog.

    \b
    mailscope queue {name} 4jXFbq3XyNzCb7Y
    mailscope queue {name} --sender '*@example.org' --older-than 2h --dry-run
    """
    decorated: Callable[..., None] = callback
    for option in reversed((*OPTIONS, KEEP) if name == "delete" else OPTIONS):
        decorated = option(decorated)
    return click.command(name)(filtered(spooled(decorated)))


def _act(
    action: Action,
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    queues: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    yes: bool,
    form: str,
    keep: Path | None = None,
    **filters: Any,
) -> None:
    from mailscope.queues.actions import plan
    from mailscope.vocabulary.errors import UsageError

    queue = asked(place, mta, config, now, tz, queues)
    selection = selected(**filters)
    if selection.everything and not queues and not everything:
        raise UsageError("no message is named", "", "give ids or filters; --all means the whole queue")
    if keep is not None and queue.mta.name != "postfix":
        raise UsageError(f"messages of {queue.mta.name} cannot be kept", "--keep", "it is for Postfix")
    performer = queue.mta.performer(queue.spool, action.name)
    if not dry_run:
        performer.ready(action)
    entries = queue.entries(causes=bool(selection.causes))
    planned = plan(action, performer, entries, selection, queue.spool.now)
    queue.say_troubles()
    _show(planned, queue, form, dry_run=dry_run)
    if dry_run or not planned.targets or not _confirmed(planned, yes=yes):
        return
    _do(planned, performer, queue, form, keep)


def _show(planned: Plan, queue: Asked, form: str, *, dry_run: bool) -> None:
    """The plan: its messages, as far as a person looks at them, and how many they are."""
    from mailscope.cli.queue_listing import plain
    from mailscope.cli.queue_text import HEAD, bytes_of, message, width

    if form == "json":
        if dry_run:
            for entry in planned.targets:
                click.echo(json.dumps(plain(entry)).replace("\x7f", "\\u007f"))
        return
    cut = width() if sys.stdout.isatty() else None
    if planned.targets:
        click.echo(HEAD)
    for entry in planned.targets[:SHOWN]:
        for line in message(entry, queue.spool.now, cut):
            click.echo(line)
    if len(planned.targets) > SHOWN:
        click.echo(f"... and {len(planned.targets) - SHOWN:,} more")
    count = len(planned.targets)
    size = f" ({bytes_of(planned.size_bytes)})" if count else ""
    click.echo(f"to be {planned.action.word}: {count:,} message{'' if count == 1 else 's'}{size}")
    for name, number in sorted(Counter(entry.queue for entry in planned.left).items()):
        click.echo(f"left alone: {number:,} in {name}, where that cannot be done")


def _confirmed(planned: Plan, *, yes: bool) -> bool:
    """Whether a person says yes.  Raises UsageError where there is none to ask."""
    from mailscope.vocabulary.errors import UsageError

    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("there is nobody to say yes", "", "look at it with --dry-run, then give --yes")
    final = "  It cannot be undone." if planned.action.final else ""
    count = len(planned.targets)
    return click.confirm(
        f"{planned.action.name} {count:,} message{'' if count == 1 else 's'}?{final}", err=True
    )


def _do(planned: Plan, performer: Performer, queue: Asked, form: str, keep: Path | None) -> None:
    """Do it, tell of each message, and enter it in the audit log: before, and what came of it."""
    from mailscope.cli.queue_audit import Audit
    from mailscope.queues.actions import run

    audit = Audit()
    where = f" of {queue.spool.place}" + (f", kept in {keep}" if keep else "")
    audit.enter(planned.action.name, f"{len(planned.targets)} messages{where}")
    counts: Counter[str] = Counter()
    if keep is not None:
        planned = _kept(planned, keep, queue, counts, form)
    for results in run(planned, performer):
        for result in results:
            _tell(result, form)
            counts[result.outcome] += 1
        for words in _entered(results):
            audit.enter(planned.action.name, words)
    if form == "text":
        told = [f"{counts[DONE]:,} {planned.action.word}"]
        told += [f"{counts[GONE]:,} gone or moved meanwhile"] if counts[GONE] else []
        told += [f"{counts[FAILED]:,} failed"] if counts[FAILED] else []
        click.echo(", ".join(told))
    if counts[FAILED]:
        raise click.exceptions.Exit(EXIT_FAILED)


def _kept(planned: Plan, keep: Path, queue: Asked, counts: Counter[str], form: str) -> Plan:
    """Copy the messages first; what is gone already is told, and left out."""
    from mailscope.queues.postfix.archive import Archive
    from mailscope.store.audit import user

    archive = Archive(keep)
    archive.begin(queue.spool.place)
    there = []
    for entry in planned.targets:
        if archive.keep(entry, queue.spool.place, user()):
            there.append(entry)
        else:
            _tell(Result(entry, GONE, "it is not in the queue any more"), form)
            counts[GONE] += 1
    return Plan(planned.action, there)


def _tell(result: Result, form: str) -> None:
    from mailscope.cli.terminal import safe

    if form == "json":
        told = {"queue_id": result.entry.queue_id, "outcome": result.outcome, "words": result.words}
        click.echo(json.dumps(told))
    else:
        click.echo(f"{safe(result.entry.queue_id)}: {safe(result.words)}")


def _entered(results: list[Result]) -> Iterator[str]:
    """What the audit log is told of a batch: one line for each outcome, with the ids."""
    for outcome in (DONE, GONE, FAILED):
        ids = [result.entry.queue_id for result in results if result.outcome == outcome]
        if ids:
            yield f"{outcome}: {' '.join(ids)}"
