"""``mailscope detect check|list|explain``: which detections there are, and whether one's own are right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.settings import Settings
    from mailscope.watch.own.files import Definition

CONFIG = click.option("--config", metavar="FILE", help="The settings file, with the detections' limits.")
DIRECTORY = click.option(
    "--detections", "directory", metavar="DIR", help="The directory of your own detections."
)
FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
LANG = click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")


def in_force(config: str | None, directory: str | None) -> tuple[Settings, tuple[Definition, ...]]:
    """The settings, and an admin's own detections; what is wrong is said, and left out."""
    from mailscope.cli.inputs import say
    from mailscope.cli.stores import settings as configured
    from mailscope.vocabulary.errors import InputError
    from mailscope.watch.own.files import in_directory
    from mailscope.watch.registry import NAMES

    settings = configured(Path(config) if config else None)
    if directory is not None and not Path(directory).is_dir():
        raise InputError("no such directory", directory, "name a directory of .toml files")
    read = in_directory(settings.detections.own if directory is None else directory, NAMES)
    for fault in read.faults:
        say(f"left out: {fault}")
    return settings, read.definitions


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@CONFIG
@DIRECTORY
@click.option("--patterns", type=click.Path(path_type=Path), help="A directory of your own pattern files.")
def check(files: tuple[Path, ...], config: str | None, directory: str | None, patterns: Path | None) -> None:
    """Check your own detections: names, types, limits, and that the examples come out as they say.

    \b
    Example: mailscope detect check /etc/mailscope/detections.d/relay_abuse.toml
    """
    from mailscope.cli.stores import settings as configured
    from mailscope.recognise.library import in_force as library_in_force
    from mailscope.vocabulary.errors import MailscopeError
    from mailscope.watch.own.checking import check as run_check
    from mailscope.watch.own.files import in_directory, in_files
    from mailscope.watch.registry import NAMES

    settings = configured(Path(config) if config else None)
    place = directory or settings.detections.own
    if not files and not Path(place).is_dir():
        raise MailscopeError("no such directory", place, "name files, or a directory with --detections")
    read = in_files(files, NAMES) if files else in_directory(place, NAMES)
    own = Path(settings.patterns) if settings.patterns and Path(settings.patterns).is_dir() else None
    library = library_in_force(patterns or own)
    faults = [*read.faults, *(fault for each in read.definitions for fault in run_check(each, library))]
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        raise MailscopeError(
            f"{len(faults)} fault{'s' if len(faults) > 1 else ''}", "", "correct the lines above"
        )
    examples = sum(len(each.own.example) for each in read.definitions)
    click.echo(f"{len(read.definitions)} detections: all {examples} examples come out as they say")


@click.command("list")
@CONFIG
@DIRECTORY
@FORM
@LANG
def list_(config: str | None, directory: str | None, form: str, lang: str | None) -> None:
    """List all detections: what each sees, and the settings in force.

    \b
    Example: mailscope detect list
    """
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator

    tr = translator(choose(lang))
    rows = list(_rows(*in_force(config, directory)))
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f"))
        return
    from mailscope.cli.terminal import safe

    for row in rows:
        off = "" if row["settings"]["enabled"] else f"  {tr('(switched off)')}"
        click.echo(f"{row['name']}{off}\n  {safe(tr(row['sees']))}")
        told = ", ".join(
            f"{name} = {_shown(value)}" for name, value in row["settings"].items() if name != "enabled"
        )
        click.echo(f"  {safe(told)}")
        click.echo(f"  {safe(tr(row['from']))}")


@click.command()
@click.argument("name", metavar="NAME")
@CONFIG
@DIRECTORY
@FORM
@LANG
def explain(name: str, config: str | None, directory: str | None, form: str, lang: str | None) -> None:
    """Tell all about one detection: what it sees, why, what to do, and what may be harmless.

    \b
    Example: mailscope detect explain brute_force
    """
    from mailscope.cli.findings_text import meaning
    from mailscope.cli.terminal import safe
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator
    from mailscope.watch.registry import LIVE, known
    from mailscope.watch.told import MEANING

    tr = translator(choose(lang))
    settings, own = in_force(config, directory)
    known([name], [*(each.name for each in LIVE), *(each.own.name for each in own)], "detect explain")
    row = next(each for each in _rows(settings, own) if each["name"] == name)
    if form == "json":
        click.echo(json.dumps(row, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f"))
        return
    click.echo(name)
    for key in MEANING:
        for line in meaning(tr, key, row[key]):
            click.echo(line)
    for command in row["commands"]:
        click.echo(f"  $ {safe(command)}")
    click.echo(f"  {safe(tr(row['from']))}")
    for key, value in {**row["settings"], **row["about"]}.items():
        click.echo(f"    {key} = {safe(_shown(value))}")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rows(settings: Settings, own: tuple[Definition, ...]) -> Iterator[dict[str, Any]]:
    """What there is to tell of each detection."""
    from mailscope.language.phrase import Phrase
    from mailscope.watch.own.detection import about_of
    from mailscope.watch.registry import abouts

    told = {
        each.name: {
            "name": each.name, "sees": each.sees, "why": each.why, "false_positives": each.false_positives,
            "advice": each.advice, "commands": list(each.commands),
        }
        for each in (*abouts(), *(about_of(each) for each in own))
    }  # fmt: skip
    for each in abouts():
        table = getattr(settings.detections, each.name)
        words = Phrase("built in; settings: [detections.{name}], see docs/settings.md", name=each.name)
        yield {**told[each.name], "from": words, "settings": table.model_dump(mode="json"), "about": {}}
    for mine in own:
        plain = mine.own.model_dump(mode="json", exclude_defaults=True)
        about = {name: plain.pop(name, None) for name in ("id", "author", "level", "tags", "references")}
        limits = {
            name: value
            for name, value in plain.items()
            if name not in (*told[mine.own.name], "title", "example", "description", "false_positives")
        }
        yield {
            **told[mine.own.name], "from": Phrase("{file}, see docs/own-detections.md", file=mine.file),
            "settings": {"enabled": mine.own.enabled, **limits},
            "about": {name: value for name, value in about.items() if value},
        }  # fmt: skip
