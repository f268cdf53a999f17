"""``mailscope config``: the settings of the daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.vocabulary.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.described import Group
    from mailscope.vocabulary.settings.reading import Loaded

ORIGIN_COLUMN: Final = 60
file_argument = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.group()
def config() -> None:
    """Check and show the settings of the daemon (/etc/mailscope/mailscope.toml).

    \b
    mailscope config check
    mailscope config show --defaults > mailscope.toml
    """


@config.command()
@file_argument
def check(file: Path | None) -> None:
    """Say what is wrong in the settings file: all of it, with lines (exit code 2).

    \b
    mailscope config check
    mailscope config check ./mailscope.toml
    """
    from mailscope.vocabulary.settings.reading import FILE, load

    named = _named(file)
    try:
        loaded = load(named or FILE, must_exist=named is not None)
    except SettingsError as error:
        for fault in error.faults:
            click.echo(f"mailscope: {fault}", err=True)
        count = len(error.faults)
        told = f"{count} setting{'s' if count > 1 else ''} cannot be used"
        raise UsageError(told, str(named or FILE), "correct the lines above") from error
    if loaded.file:
        click.echo(f"{loaded.file}: every setting can be used")
    else:
        click.echo(f"{FILE}: there is no such file, so the defaults hold (see 'config show --defaults')")


@config.command()
@file_argument
@click.option("--defaults", is_flag=True, help="Show a whole commented file with the defaults instead.")
def show(file: Path | None, defaults: bool) -> None:
    """Show every setting in force, as TOML, and where its value comes from.

    \b
    mailscope config show
    mailscope config show --defaults > mailscope.toml
    """
    from mailscope.vocabulary.settings.described import example
    from mailscope.vocabulary.settings.reading import FILE, load

    if defaults:
        click.echo(example(), nl=False)
        return
    # Without the usual file the defaults are in force; a file that is named must be there.
    named = _named(file)
    loaded = load(named or FILE, must_exist=named is not None)
    click.echo("\n".join(_in_force(loaded)))


def _named(file: Path | None) -> Path | None:
    """The file that is named here, or in the environment, as the other commands take it."""
    from mailscope.cli.stores import CONFIG

    return file or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)


def _in_force(loaded: Loaded) -> Iterator[str]:
    """The settings as TOML, each with a comment that tells its origin."""
    from mailscope.vocabulary.settings.described import tables

    for group in tables():
        if not group.repeated:
            if group.path:
                yield f"\n{group.heading}"
            yield from _rows(loaded, group, group.path)
            continue
        holder = _value(loaded, group.path)
        for number in range(len(holder)):
            yield f"\n{group.heading}"
            yield from _rows(loaded, group, (*group.path, number))


def _rows(loaded: Loaded, group: Group, place: tuple[str | int, ...]) -> Iterator[str]:
    from mailscope.vocabulary.settings.described import toml

    for setting in group.settings:
        here = (*place, setting.name)
        line = f"{setting.name} = {toml(_value(loaded, here))}"
        yield f"{line:<{ORIGIN_COLUMN}}# {loaded.origin(here)}"


def _value(loaded: Loaded, place: tuple[str | int, ...]) -> Any:
    value: Any = loaded.settings
    for part in place:
        value = value[part] if isinstance(part, int) else getattr(value, part)
    return value
