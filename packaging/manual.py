"""Manual pages in roff, made from the commands: ``mailscope.1``, one for each command, ``mailscope.toml.5``.

    python packaging/manual.py DIRECTORY

Out: pages below DIRECTORY/man1 and man5, in the macros of man(7).  A page is the same, byte for byte, for the
same version of the program.  Commands within a command (``mailscope queue list``) are sections of its page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import placing
from commands import Command, commands
from mailscope import __version__
from mailscope.cli.main import COMMANDS
from mailscope.vocabulary.settings.described import Group, tables

SETTINGS_PAGE: Final = "mailscope.toml"
FILES: Final = (
    ("/etc/mailscope/mailscope.toml", "The settings; see mailscope.toml(5)."),
    ("/etc/mailscope/patterns.d/", "Patterns of your own."),
    ("/var/lib/mailscope/", "The store."),
    ("/run/mailscope/api.sock", "Where the daemon is asked."),
)
STATUS: Final = (
    "0 where all went well; 2 where the command line or a setting cannot be used; 130 after Ctrl-C."
)


def pages() -> dict[str, str]:
    """Every page, by its place: ``man1/mailscope-report.1``."""
    every = commands()
    made = {"man1/mailscope.1": _top(every[0])}
    for name, group in groupby(every[1:], lambda command: command.words[0]):
        made[f"man1/mailscope-{name}.1"] = _page(list(group))
    made[f"man5/{SETTINGS_PAGE}.5"] = _settings(tables())
    return made


def escaped(text: str) -> str:
    """Text of which roff takes nothing as its own: backslashes, minus signs, control characters of a line."""
    text = text.replace("\b", "").replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    text = text.replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti").replace("\t", " ")
    return "\n".join(f"\\&{line}" if line.startswith((".", "\\(aq")) else line for line in text.split("\n"))


def _top(command: Command) -> str:
    lines = [
        *_head("mailscope", 1),
        *_name("mailscope", command.summary),
        *_synopsis(command),
        ".SH COMMANDS",
    ]
    for name, meaning in COMMANDS.items():
        lines += [".TP", f".BR mailscope\\-{escaped(name)} (1)", escaped(meaning)]
    lines += [*_options(command), ".SH FILES"]
    for place, meaning in FILES:
        lines += [".TP", f".I {escaped(place)}", escaped(meaning)]
    lines += [*_examples(command), ".SH EXIT STATUS", escaped(STATUS), *_see_also(("mailscope.toml", 5))]
    return _text(lines)


def _page(group: list[Command]) -> str:
    first, *inner = group
    name = "-".join(("mailscope", *first.words))
    lines = [*_head(name, 1), *_name(name, first.summary), *_synopsis(first), ".SH DESCRIPTION"]
    lines += [*_paragraphs(first.paragraphs), *_options(first)]
    if inner:
        lines.append(".SH COMMANDS")
    for command in inner:
        lines += [f".SS {_quoted(command.name)}", ".nf", escaped(f"{command.name} {command.usage}"), ".fi"]
        lines += [".PP", *_paragraphs(command.paragraphs), *_listed(command), *_example_lines(command)]
    return _text(
        [*lines, *_examples(first), ".SH EXIT STATUS", escaped(STATUS), *_see_also(("mailscope", 1))]
    )


def _settings(groups: Iterable[Group]) -> str:
    lines = [*_head(SETTINGS_PAGE, 5), *_name(SETTINGS_PAGE, "settings of the daemon of mailscope")]
    lines += [".SH DESCRIPTION", "A file in TOML; without it, the defaults are in force."]
    lines += ["What is wrong in it is said by", ".BR mailscope\\-config (1)."]
    for group in groups:
        lines += [f".SH {_quoted(group.heading or 'Before the first table')}", escaped(group.meaning)]
        for each in group.settings:
            default = f"  Default: {each.default}" if each.default else ""
            lines += [".TP", f".B {escaped(each.name)}", escaped(f"{each.meaning}  {each.allowed}.{default}")]
    return _text([*lines, *_see_also(("mailscope", 1), ("mailscope-config", 1))])


def _head(name: str, section: int) -> Iterator[str]:
    yield '.\\" Made by packaging/manual.py from the commands.'
    yield f'.TH {_quoted(name.upper())} {section} "" "mailscope {__version__}" "Mailscope"'


def _name(name: str, summary: str) -> list[str]:
    return [".SH NAME", f"{escaped(name)} \\- {escaped(summary.rstrip('.'))}"]


def _synopsis(command: Command) -> list[str]:
    return [".SH SYNOPSIS", f".B {escaped(command.name)}", escaped(command.usage) or "."]


def _paragraphs(parts: Iterable[str]) -> Iterator[str]:
    for number, part in enumerate(parts):
        if number:
            yield ".PP"
        yield escaped(part.strip("\b\n"))


def _options(command: Command) -> list[str]:
    return [".SH OPTIONS", *_listed(command)] if command.options else []


def _listed(command: Command) -> Iterator[str]:
    for option, meaning in command.options:
        yield from (".TP", f".B {escaped(option)}", escaped(meaning) or "\\&")


def _examples(command: Command) -> list[str]:
    return [".SH EXAMPLES", *_example_lines(command)]


def _example_lines(command: Command) -> list[str]:
    return [".PP", ".nf", ".RS", *map(escaped, command.examples), ".RE", ".fi"]


def _see_also(*names: tuple[str, int]) -> list[str]:
    return [".SH SEE ALSO", *(f".BR {escaped(name)} ({section})" for name, section in names)]


def _quoted(text: str) -> str:
    """One argument of a macro."""
    return '"' + escaped(text).replace('"', "\\(dq") + '"'


def _text(lines: Iterable[str]) -> str:
    # A blank line is a request of its own to some formatters.
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)) + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages."""
    return placing.main(arguments, pages())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
