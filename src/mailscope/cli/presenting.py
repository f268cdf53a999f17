"""How a report is presented: the form, the language, the width, colours on a terminal.

Also what is checked before one is made, and what it says of how to ask for its lines again.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailscope.cli.output import STANDARD_OUTPUT, write
from mailscope.reports.forms import BY_ENDING, BY_NAME, FORMS, Form
from mailscope.vocabulary.errors import UsageError

if TYPE_CHECKING:
    from mailscope.cli.inputs import Inputs
    from mailscope.language.translator import Translator
    from mailscope.pipeline import Pipeline
    from mailscope.reports.layout import Line, Paper
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


def form_of(name: str | None, output: Path | None) -> Form:
    """The form that was asked for, or the one that the file's ending says, or text.

    Raises UsageError for a workbook that would go to a terminal.
    """
    form = FORMS[0]
    if name is not None:
        form = BY_NAME[name]
    elif output is not None:
        form = BY_ENDING.get(output.suffix.lower(), form)
    if form.binary and output is None and sys.stdout.isatty():
        raise UsageError(f"{form.name} is nothing for a terminal", "--format", "name a file with -o")
    return form


def paper(output: Path | None = None) -> Paper:
    """What is written on: as wide as the terminal, or as is usual for a file."""
    from mailscope.cli.terminal import columns, fit, safe
    from mailscope.reports.layout import Paper

    width = USUAL
    if _to_terminal(output):
        wide = os.get_terminal_size(sys.stdout.fileno()).columns or USUAL
        width = max(NARROWEST, min(WIDEST, wide))
    return Paper(width, safe, fit, columns)


def piped(pipeline: Pipeline) -> bool:
    """Whether a part of the lines comes through a pipe, which can be read only once."""
    return any(source.size_bytes is None for source in pipeline.sources.files)


def again(inputs: Inputs, pipeline: Pipeline, ledger: Ledger) -> str | None:
    """The options and files that ask for the same lines later on; None for what came through a pipe."""
    if piped(pipeline):
        return None
    words = [f"--tz={inputs.zone}"]
    if ledger.reported is not None:
        words.append(f"--period={ledger.reported.unit}:{ledger.reported.name}")
    for name, instant in (("since", inputs.since_utc), ("until", inputs.until_utc)):
        if instant is not None:
            words.append(f"--{name}={instant.isoformat()}Z")
    words += [f"--host={host}" for host in inputs.hosts]
    words += [f"--domain={domain}" for domain in sorted(ledger.view.domains if ledger.view else ())]
    if inputs.door is not None:
        return shlex.join([*words, *([f"--store={inputs.store}"] if inputs.store else [])])
    if inputs.patterns is not None:
        words.append(f"--patterns={inputs.patterns}")
    return shlex.join([*words, *(inputs.files or (source.path for source in pipeline.sources.files))])


def refuse_nothing(inputs: Inputs, pipeline: Pipeline, ledger: Ledger) -> None:
    """Raise InputError where no line was read."""
    if ledger.totals.get("read", 0) == ledger.totals.get("blank", 0):
        inputs.refuse_nothing(pipeline)


def check_sections(*names: tuple[str, ...]) -> None:
    """Raise UsageError for a name that is no section's."""
    if any(names):
        # Otherwise loaded while the other process is at work already.
        from mailscope.reports.report import check

        check(*names)


def present(found: dict[str, Any], form: Form, tr: Translator, output: Path | None) -> None:
    """Write the report."""
    if form.name == "text" and _to_terminal(output) and _coloured():
        from mailscope.reports.forms.text import render

        _paint(render(found, paper(output), tr))
        return
    written = form.written(found, tr, paper(output))
    if form.binary or not _to_standard_output(output):
        write([written], output)
    else:
        # A terminal or pipe may want another encoding.
        write([written.decode("utf-8")], output)


def _to_standard_output(output: Path | None) -> bool:
    return output is None or output == STANDARD_OUTPUT


def _to_terminal(output: Path | None) -> bool:
    return _to_standard_output(output) and sys.stdout.isatty()


def _coloured() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _paint(lines: Iterable[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        pieces = [(text, COLOURS.get(style, "")) for text, style in line]
        whole = Text.assemble(*pieces)
        whole.rstrip()
        console.print(whole)
