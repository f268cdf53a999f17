"""``mailscope host accounting``: the kernel's process accounting on, off, and whether it is on."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.host.lastcomm import PACCTS, pacct

FILE = click.argument("path", required=False, type=click.Path(path_type=Path), metavar="[FILE]")


@click.group()
def accounting() -> None:
    """Turn the kernel's process accounting on or off, and say whether it is on.

    \b
    mailscope host accounting on
    mailscope host accounting status
    """


@accounting.command("on")
@FILE
def on(path: Path | None) -> None:
    """Have the kernel write a record of each process that ends to FILE, which is made where there is none.

    \b
    mailscope host accounting on /var/log/account/pacct
    """
    from mailscope.host.processes.accounting import switch_on

    chosen = path or Path(pacct())
    switch_on(chosen)
    click.echo(f"process accounting is on: {_shown(chosen)}")


@accounting.command("off")
def off() -> None:
    """Have the kernel write no records any more.

    \b
    mailscope host accounting off
    """
    from mailscope.host.processes.accounting import switch_off

    switch_off()
    click.echo("process accounting is off")


@accounting.command("status")
@FILE
def status(path: Path | None) -> None:
    """Say whether the kernel writes to FILE; without FILE, to one of the usual places.

    Exit code 1 where it does not.  A process is started to find out, as the kernel tells nobody.

    \b
    mailscope host accounting status
    """
    from mailscope.host.processes.accounting import CONFIG, is_on, is_supported

    if not is_supported():
        click.echo(f"this kernel has no process accounting ({CONFIG})")
        raise click.exceptions.Exit(1)
    for each in (path,) if path else map(Path, PACCTS):
        if is_on(each):
            click.echo(f"process accounting is on: {_shown(each)}, {each.stat().st_size} bytes")
            return
    click.echo(f"process accounting is not on: {_shown(path) if path else ', '.join(PACCTS)}")
    raise click.exceptions.Exit(1)


def _shown(path: Path) -> str:
    from mailscope.cli.terminal import safe

    return safe(str(path))
