"""``mailscope metrics``: figures for Prometheus, and what belongs to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from mailscope.store.asking import Door


@click.group(invoke_without_command=True)
@click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="The store to tell of.")
@click.option(
    "--format", "form", type=click.Choice(["text", "openmetrics"]), default="text", show_default=True,
    help="Prometheus' text format, or OpenMetrics.",
)  # fmt: skip
@click.pass_context
def metrics(context: click.Context, store: Path | None, form: str) -> None:
    """Show figures for Prometheus: of the daemon, or of the store where none runs.

    The daemon answers the same as /metrics on its socket and, with [metrics] in the settings, over TCP
    (docs/metrics.md).  Its counts begin with its start; without it, they are those of all hours in the store,
    as for node_exporter's textfile collector.

    \b
    mailscope metrics
    mailscope metrics rules > /etc/prometheus/mailscope.rules.yml
    mailscope metrics dashboard > mailscope.json
    """
    if context.invoked_subcommand is not None:
        return
    from mailscope.cli.inputs import Inputs
    from mailscope.cli.output import write
    from mailscope.cli.stores import door

    # Not a word besides: cron mails whatever is said.
    way = door(Inputs((), None, None, (), None, None, store=store))
    if way is None:
        raise InputError("there is no store", "", "load logs with 'mailscope ingest FILES'")
    try:
        write([_page(way, "application/openmetrics-text" if form == "openmetrics" else "")], None)
    finally:
        way.close()


def _page(door: Door, accept: str) -> bytes:
    from mailscope.store.reader import Reader
    from mailscope.store.remote import Remote

    if isinstance(door, Remote):
        return door.metrics(accept or "text/plain")
    assert isinstance(door, Reader)
    from mailscope import __version__
    from mailscope.watch.metrics.exposition import page
    from mailscope.watch.metrics.findings import FindingCounts, found
    from mailscope.watch.metrics.kept import of_hours, of_store, of_version

    values = {
        **of_version(__version__),
        **of_hours(door.database, door.under_way.hours, door.zone),
        **of_store(door.database),
        **FindingCounts().values(found(door.database)),
    }
    return page(values, accept)[0]


@metrics.command()
def rules() -> None:
    """Print alert rules for Prometheus (rule_files); 'promtool check rules' takes them.

    \b
    mailscope metrics rules > /etc/prometheus/mailscope.rules.yml
    """
    from mailscope.watch.metrics.shipped import rules as text

    click.echo(text(), nl=False)


@metrics.command()
def dashboard() -> None:
    """Print a dashboard for Grafana, to be imported there (Dashboards, New, Import).

    \b
    mailscope metrics dashboard > mailscope.json
    """
    import json

    from mailscope.watch.metrics.dashboard import dashboard as made

    click.echo(json.dumps(made(), indent=2))
