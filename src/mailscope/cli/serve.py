"""``mailscope serve``: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.inputs import say, zone

DEMO_PORT = 8925


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="The settings file.")
@click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="Another store than it names.")
@click.option("--demo", is_flag=True, help="Show the live page with a month of made-up traffic.")
@click.option(
    "--demo-port",
    type=click.IntRange(1, 65_535),
    default=DEMO_PORT,
    show_default=True,
    help="Where, with --demo.",
)
def serve(file: Path | None, store: Path | None, demo: bool, demo_port: int) -> None:
    """Follow logs as they are written, take syslog messages, and keep it all in the store.

    The settings are /etc/mailscope/mailscope.toml ('mailscope config show'); SIGHUP reads them again, SIGTERM
    finishes the batch and ends.  It stays in the foreground: systemd, or another supervisor, starts it.

    With --demo nothing of this host is read: the host, its people and their mail are made up, in a temporary
    directory that is removed at the end.

    \b
    mailscope serve --demo
    """
    import os

    from mailscope.cli.stores import CONFIG
    from mailscope.daemon.run import run

    if demo:
        _demo(demo_port)
        return
    named = file or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    run(named, store, zone(None), say)


def _demo(port: int) -> None:
    from tempfile import TemporaryDirectory

    from mailscope.daemon.run import run
    from mailscope.demo.month import DAYS, Month, settings

    with TemporaryDirectory(prefix="mailscope-demo-") as made:
        directory = Path(made)
        say(f"making up {DAYS} days of traffic in {directory}")
        month = Month(directory)
        month.start()
        try:
            run(settings(directory, port), None, zone(None), say)
        finally:
            month.stop()
