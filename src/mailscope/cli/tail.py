"""``mailscope tail``: events as the daemon stores them, in colour."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from mailscope.cli.inputs import zone
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.events import EVENTS

# How a kind of event is shown on a terminal; others as they are.
COLOURS: Final = {
    **dict.fromkeys(("rejected", "login_failed", "failed", "panicked", "expired", "packet_blocked"), "red"),
    **dict.fromkeys(
        ("warned", "reject_warned", "held", "connection_lost", "lines_lost", "tls_failed"), "yellow"
    ),
    **dict.fromkeys(("login_succeeded", "removed", "accepted"), "green"),
    **dict.fromkeys(("unrecognised",), "magenta"),
}
STATUSES: Final = {"sent": "green", "deferred": "yellow", "bounced": "red", "expired": "red"}


@click.command()
@click.option(
    "--event", "events", multiple=True, metavar="NAME", help="Only this kind of event (repeatable)."
)
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this program (repeatable).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Stop after so many events.")
@click.option("--tz", metavar="ZONE", help="Zone of the times; otherwise the system's.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The daemon's settings file.")
def tail(
    events: tuple[str, ...],
    programs: tuple[str, ...],
    form: str,
    limit: int | None,
    tz: str | None,
    config: Path | None,
) -> None:
    """Show events as they are stored by the daemon, until Ctrl-C.

    \b
    mailscope tail --event rejected --event login_failed
    """
    from mailscope.cli.stores import settings
    from mailscope.cli.terminal import safe
    from mailscope.store.remote import Remote

    for name in events:
        if name not in EVENTS:
            raise UsageError(f"there is no event '{name}'", "--event", "see docs/events.md")
    here = zone(tz)
    daemon = Remote(Path(settings(config).api.socket))
    for shown, line in enumerate(daemon.tail(events, programs), 1):
        if form == "json":
            click.echo(line)
        else:
            told = json.loads(line)
            when = datetime.fromisoformat(told["time"]).replace(tzinfo=UTC) if told.get("time") else None
            clock = when.astimezone(here).strftime("%H:%M:%S") if when else "        "
            click.echo(
                f"{clock} {safe(str(told.get('host') or '-'))} "
                f"{click.style(_kind(told), fg=_colour(told))} {safe(_words(told))}"
            )
        if limit is not None and shown >= limit:
            break


def _kind(told: dict[str, Any]) -> str:
    status = told.get("status")
    return (
        f"{told['event']}({status})"
        if status and told["event"] == "delivery_attempted"
        else str(told["event"])
    )


def _colour(told: dict[str, Any]) -> str | None:
    return STATUSES.get(str(told.get("status"))) or COLOURS.get(str(told["event"]))


def _words(told: dict[str, Any]) -> str:
    program = told.get("program") or told.get("service") or ""
    return f"{program}: {told.get('text') or told.get('reason') or ''}"
