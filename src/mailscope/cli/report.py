"""``mailscope report``: the day at a glance."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.inputs import Found, Inputs, inputs
from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.halves import Cut, Second
    from mailscope.pipeline import Pipeline
    from mailscope.reports.layout import Line
    from mailscope.tallies.ledger import Ledger

NARROWEST: Final = 60
WIDEST: Final = 160
USUAL: Final = 80
COLOURS: Final = {
    "title": "bold",
    "head": "bold",
    "faint": "dim",
    "good": "green",
    "warn": "yellow",
    "bad": "red",
    "refused": "magenta",
    "bar": "cyan",
}


@click.command()
@inputs
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write into this file.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Rows of a table at most (0: all).",
)
@click.option(
    "--evidence",
    metavar="SECTION[:ROW][:NUMBER]",
    help="Instead of the report, the log lines behind a number: of a row (its number or name), or of all.",
)
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
def report(
    inputs: Inputs, form: str, output: Path | None, top: int, evidence: str | None, lang: str | None
) -> None:
    """Sum up what the logs say: volume, fates, delays, problems."""
    from mailscope.language.choice import choose

    language = choose(lang)
    found = inputs.found()
    if evidence is None:
        pipeline, ledger = _counted(inputs, found)
    else:
        pipeline = _pipeline(inputs, found)
        if any(source.size_bytes is None for source in pipeline.sources.files):
            raise UsageError("what comes through a pipe cannot be read twice", "--evidence", "name a file")
        ledger = _count_all(pipeline)
    if ledger.totals.get("read", 0) == ledger.totals.get("blank", 0):
        inputs.refuse_nothing(pipeline)
    if evidence is not None:
        _write(_evidence(pipeline, ledger, evidence, str(inputs.zone)), output)
    else:
        _report(inputs, pipeline, ledger, form, output, top, language)
    inputs.finish(pipeline.sources)


def _counted(inputs: Inputs, found: Found) -> tuple[Pipeline, Ledger]:
    """The tallies, made in two processes where that is worth it and certain to be right."""
    from mailscope.halves import Second, cut_of

    if cut_of(found[0]) is None:
        pipeline = _pipeline(inputs, found)
        return pipeline, _count_all(pipeline)
    # Before Polars is imported: a process of two needs no threads besides.
    os.environ["POLARS_MAX_THREADS"] = "1"
    with Second() as second:
        pipeline = _pipeline(inputs, found)
        # Of the files that are of the span asked for.
        cut = cut_of(pipeline.sources.files)
        ledger = None if cut is None else _count_halves(inputs, pipeline, cut, second)
    return pipeline, ledger or _count_all(pipeline)


def _count_halves(inputs: Inputs, pipeline: Pipeline, cut: Cut, second: Second) -> Ledger | None:
    """Tallies made in two processes; None where only one after the other is certain to be right."""
    from mailscope.cli.progress import progress
    from mailscope.halves import Task, count
    from mailscope.intake.clock import YearDisproved
    from mailscope.trails.partial import PartsDoNotJoin

    try:
        with progress(pipeline.sources):
            return count(Task(pipeline.sources, inputs.patterns, pipeline.selection, cut), second)
    except (PartsDoNotJoin, YearDisproved):
        return None


def _pipeline(inputs: Inputs, found: Found) -> Pipeline:
    from mailscope.tallies.tables import needed_fields

    return inputs.pipeline(needed_fields(), found)


def _count_all(pipeline: Pipeline) -> Ledger:
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting

    with progress(pipeline.sources):
        return restarting(pipeline, _count)


def _count(pipeline: Pipeline) -> Ledger:
    from mailscope.tallies.ledger import Ledger

    ledger = Ledger()
    for batch, outcome in pipeline.follow():
        ledger.add(batch, outcome)
    return ledger


def _report(
    inputs: Inputs,
    pipeline: Pipeline,
    ledger: Ledger,
    form: str,
    output: Path | None,
    top: int,
    language: str,
) -> None:
    from mailscope.cli.terminal import columns, fit, safe
    from mailscope.language.translator import translator
    from mailscope.reports.layout import Paper, plain
    from mailscope.reports.report import Settings, build
    from mailscope.reports.text import render

    found = build(ledger, Settings(inputs.zone, top, [source.name for source in pipeline.sources.files]))
    if form == "json":
        _write([as_json(found) + "\n"], output)
        return
    lines = render(found, Paper(_width(output), safe, fit, columns), translator(language))
    if output is None and _coloured():
        _paint(lines)
    else:
        _write([plain(lines)], output)


def as_json(found: dict[str, Any]) -> str:
    """The report as JSON, in ASCII, so that no terminal acts on what a log holds."""
    return json.dumps(found, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f")


def _width(output: Path | None) -> int:
    if output is not None or not sys.stdout.isatty():
        return USUAL
    return max(NARROWEST, min(WIDEST, os.get_terminal_size(sys.stdout.fileno()).columns or USUAL))


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _paint(lines: Iterable[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        pieces = [(text, COLOURS.get(style, "")) for text, style in line]
        whole = Text.assemble(*pieces)
        whole.rstrip()
        console.print(whole)


def _evidence(pipeline: Pipeline, ledger: Ledger, asked: str, zone: str) -> Iterable[str]:
    from mailscope.cli.progress import progress
    from mailscope.cli.terminal import safe
    from mailscope.reports.evidence import lines, parse

    opening = parse(asked, ledger, zone)
    with progress(pipeline.sources, "Reading again"):
        for line in lines(pipeline, opening, ledger, zone):
            yield safe(line) + "\n"


def _write(texts: Iterable[str], output: Path | None) -> None:
    """Write to standard output, or to a file that appears only when it is whole."""
    if output is None or str(output) == "-":
        stream = sys.stdout.buffer
        encoding = sys.stdout.encoding or "utf-8"
        for text in texts:
            stream.write(text.encode(encoding, "backslashreplace"))
        stream.flush()
        return
    beside = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.writelines(texts)
        beside.replace(output)
    except OSError as error:
        raise InputError.from_os_error(error, output) from error
    finally:
        beside.unlink(missing_ok=True)
