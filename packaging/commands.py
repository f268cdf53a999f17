"""Every command with its options and examples, as the command line itself has them.

Manual pages, shell completion, ``docs/commands.md`` and the test that runs the examples are made of it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click

from mailscope.cli.main import mailscope

# click's mark of a paragraph that is not wrapped; such paragraphs hold examples.
AS_IT_IS: Final = "\b"
EXAMPLE: Final = "Example: "


@dataclass(frozen=True)
class Command:
    """What stands behind its words after ``mailscope``, as click knows it."""

    words: tuple[str, ...]
    command: click.Command
    context: click.Context

    @property
    def name(self) -> str:
        """As it is typed: ``mailscope queue list``."""
        return " ".join(("mailscope", *self.words))

    @property
    def usage(self) -> str:
        """What follows its name: ``[OPTIONS] [FILES]...``."""
        return " ".join(self.command.collect_usage_pieces(self.context))

    @property
    def summary(self) -> str:
        """Its first sentence."""
        return re.sub(r"\s+", " ", self.paragraphs[0]) if self.paragraphs else ""

    @property
    def paragraphs(self) -> list[str]:
        """Its help but for the examples; the first paragraph is the summary."""
        return [part for part in _parts(self.command) if not _examples(part)]

    @property
    def examples(self) -> list[str]:
        """Lines for a shell."""
        return [line for part in _parts(self.command) for line in _examples(part)]

    @property
    def options(self) -> list[tuple[str, str]]:
        """Options, each as it is given, and what it does."""
        given = (each for each in self.command.get_params(self.context) if isinstance(each, click.Option))
        return [record for each in given if (record := each.get_help_record(self.context)) is not None]


def commands() -> list[Command]:
    """``mailscope`` itself, then every command, groups before what is in them, in the order of the help."""
    return list(
        _below(mailscope, (), click.Context(mailscope, None, "mailscope", **mailscope.context_settings))
    )


def _below(command: click.Command, words: tuple[str, ...], above: click.Context | None) -> Iterator[Command]:
    context = click.Context(command, above, words[-1] if words else "mailscope", **command.context_settings)
    yield Command(words, command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _below(inner, (*words, name), context)


def _parts(command: click.Command) -> list[str]:
    parts = re.split(r"\n[ \t]*\n", inspect.cleandoc(command.help or ""))
    return [part.strip("\n") for part in parts if part.strip()]


def _examples(part: str) -> list[str]:
    lines = [line.strip() for line in part.removeprefix(AS_IT_IS).strip().splitlines()]
    if lines[0].startswith(EXAMPLE):
        return [" ".join(lines).removeprefix(EXAMPLE)]
    return lines if part.startswith(AS_IT_IS) else []
