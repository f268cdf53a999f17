"""``mailscope explain``: what a code, a reply, a log line or a bounce means, and what to do about it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mailscope.vocabulary.errors import UsageError

if TYPE_CHECKING:
    from mailscope.causes.explain import Explanation
    from mailscope.language.translator import Translator

# A notification is some kilobytes; this is no place for a whole log.
MOST_BYTES: Final = 1_000_000
STANDARD_INPUT: Final = "-"
INDENT: Final = 4
# Where a line may break: after blanks, and between wide characters, which are written without any.
PIECES: Final = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+\s*|\s+")


@click.command()
@click.argument("text", nargs=-1)
@click.option(
    "--incoming", is_flag=True, help="The words were ours, to a client; otherwise a server's to us."
)
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--patterns",
    "directory",
    type=click.Path(path_type=Path),
    help="A directory of your own pattern files (default: /etc/mailscope/patterns.d).",
)
def explain(
    text: tuple[str, ...], incoming: bool, lang: str | None, form: str, directory: Path | None
) -> None:
    """Explain a code (5.7.26, 550), a reply, a log line, a cause, or a bounce.

    TEXT may be in quotes or not; without it, or as -, standard input is read: several lines, or a whole
    bounce message with its delivery status.  Nothing is asked over the network.

    \b
    mailscope explain 5.7.26
    mailscope explain "550 5.1.1 User unknown"
    mailscope explain - < bounce.eml
    """
    from mailscope.causes.catalogue import INCOMING, OUTGOING
    from mailscope.causes.explain import explain as run
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator

    language = choose(lang)
    told = run(_text(text), language, INCOMING if incoming else OUTGOING, directory)
    if form == "json":
        # In ASCII and without DEL, so that no terminal acts on what a log holds.
        data = [explanation.as_data() for explanation in told]
        click.echo(json.dumps(data, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f"))
        return
    width = max(shutil.get_terminal_size((80, 24)).columns, 40)
    for place, explanation in enumerate(told):
        if place:
            click.echo()
        for line in _lines(explanation, translator(language), width):
            click.echo(line)


def _text(words: tuple[str, ...]) -> str:
    if words and words != (STANDARD_INPUT,):
        return " ".join(words)
    if not words and sys.stdin.isatty():
        raise UsageError(
            "nothing to explain is given", "TEXT", "give a code, a reply, a log line, or - for stdin"
        )
    read = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(read) > MOST_BYTES:
        raise UsageError(
            f"it is longer than {MOST_BYTES:,} bytes", "standard input", "for a log use 'mailscope report'"
        )
    return read.decode("utf-8", "replace")


def _lines(told: Explanation, tr: Translator, width: int) -> Iterator[str]:
    from mailscope.cli.terminal import fit, safe

    if told.recipient:
        yield click.style(fit(f"<{told.recipient}>", width), bold=True)
    yield click.style(fit(told.subject, width), dim=True)
    name = f"{told.title} ({told.cause})" if told.cause else told.title
    if name:
        yield click.style(fit(name, width), bold=True)
    rows = (
        (tr("Meaning"), told.meaning),
        *((safe(code), words) for code, words in told.codes.items()),
        (tr("Blocklist"), told.blocklist or ""),
        (tr("Fault"), told.fault_text),
        (tr("What to do"), told.advice),
        (tr("Known from"), told.provider),
        (tr("See"), ", ".join(told.references)),
    )
    for label, words in rows:
        if words and words != name:
            yield from _row(label, safe(words), width)


def _row(label: str, words: str, width: int) -> Iterator[str]:
    """A label and its words, in as many lines as they take; wide characters take two columns."""
    from mailscope.cli.terminal import columns

    line = f"  {label}: "
    for piece in PIECES.findall(words):
        if columns(line) + columns(piece.rstrip()) > width and line.strip():
            yield line.rstrip()
            line = " " * INDENT
        line += piece
    yield line.rstrip()
