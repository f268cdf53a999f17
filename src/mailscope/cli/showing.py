"""The options of commands that show sections: in which form, where, how much of them and which."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, Final

import click

Command = Callable[..., Any]
OPTIONS: Final = (
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "html", "markdown", "csv", "xlsx", "json"]),
        help="Otherwise what the file's ending says, or text.",
    ),
    click.option(
        "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write into this file."
    ),
    click.option(
        "--top",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        metavar="N",
        help="Rows of a table at most (0: all).",
    ),
    click.option("--section", "only", multiple=True, metavar="NAME", help="Only this section (repeatable)."),
    click.option("--without", multiple=True, metavar="NAME", help="Leave this section out (repeatable)."),
)


def shown(command: Command) -> Command:
    """Give a command these options: ``form``, ``output``, ``top``, ``only`` and ``without``."""
    return reduce(lambda so_far, option: option(so_far), reversed(OPTIONS), command)
