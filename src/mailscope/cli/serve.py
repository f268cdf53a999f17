"""``mailscope serve``: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.inputs import say, zone


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="The settings file.")
@click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="Another store than it names.")
def serve(file: Path | None, store: Path | None) -> None:
    """Follow logs as they are written, take syslog messages, and keep it all in the store.

    The settings are /etc/mailscope/mailscope.toml ('mailscope config show'); SIGHUP reads them again, SIGTERM
    finishes the batch and ends.  It stays in the foreground: systemd, or another supervisor, starts it.
    """
    import os

    from mailscope.cli.stores import CONFIG
    from mailscope.daemon.run import run

    named = file or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    run(named, store, zone(None), say)
