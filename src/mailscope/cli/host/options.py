"""What all commands over the host's own logs share: the form, the time, the zone, whose accounts."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import click

from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.host.accounts import Accounts
    from mailscope.host.clock import Clock
    from mailscope.host.machine import Machine

Command = TypeVar("Command", bound=Callable[..., Any])
FORMS: Final = ("text", "json", "csv")
_DIGITS: Final = re.compile(r"-[0-9]+")
_PLAIN: Final = bytes([10, *range(32, 127)])
# The old programs have -h for something else, or take it as ours do.
HELP_ONLY_LONG: Final = {"help_option_names": ["--help"]}
AHZ: Final = click.option(
    "--ahz",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    metavar="TICKS",
    help="Ticks of a second, of records that do not tell.",
)


@dataclass
class Common:
    """What a person asked for, whatever the command."""

    form: str
    compat: bool
    now: int
    zone: ZoneInfo
    passwd: Path | None
    problems: list[InputError]

    @property
    def clock(self) -> Clock:
        """The wall clocks of the zone that was asked for."""
        from mailscope.host.clock import Clock

        return Clock(self.zone)

    @property
    def accounts(self) -> Accounts:
        """The accounts: of the named passwd file, or of this host."""
        from mailscope.host.accounts import Accounts

        return Accounts(self.passwd)

    @property
    def machine(self) -> Machine:
        """This host, with those accounts."""
        from mailscope.host.machine import Machine

        return Machine(self.accounts)

    def seconds(self, text: str | None) -> int | None:
        """An instant in a person's words (docs: ``--since``), as seconds since 1970."""
        from mailscope.cli.when import parse_when

        if text is None:
            return None
        return int(parse_when(text, datetime.fromtimestamp(self.now, UTC), self.zone).timestamp())

    def put(self, blocks: Iterable[bytes]) -> None:
        """Write text: byte for byte where that is asked for, else made safe for a terminal."""
        out = sys.stdout.buffer
        for block in blocks:
            out.write(block if self.compat else _safe(block))
        out.flush()

    def put_rows(self, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows as JSON, an object a line, or as CSV with the names in its first line."""
        for line in _json(rows) if self.form == "json" else csv_lines(names, rows):
            sys.stdout.write(line)
        sys.stdout.flush()

    def finish(self) -> None:
        """Say what was damaged or could not be read; exit code 1 where that was anything."""
        from mailscope.cli.inputs import say

        for problem in self.problems:
            say(str(problem))
        if self.problems:
            sys.exit(1)


def common(command: Command) -> Command:
    """Add the options that all these commands share; the command gets one ``common`` argument."""

    def wrapped(
        form: str, compat: bool, now: str | None, tz: str | None, passwd: Path | None, **rest: Any
    ) -> Any:
        return command(common=made(form, compat, now, tz, passwd), **rest)

    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    wrapped.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    for option in reversed(
        (
            click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True),
            click.option(
                "--compat", is_flag=True, help="The original's text byte for byte, unsafe characters too."
            ),
            click.option("--now", metavar="TIME", help="Work as if it were that time."),
            click.option("--tz", metavar="ZONE", help="Zone of the output and of times that name none."),
            click.option(
                "--passwd",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Names of accounts from this passwd(5) file instead of this host's.",
            ),
        )
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def made(form: str, compat: bool, now: str | None, tz: str | None, passwd: Path | None) -> Common:
    """The shared options as they were given.  Raises UsageError for what makes no sense."""
    from mailscope.cli.inputs import zone
    from mailscope.cli.when import parse_when

    if compat and form != "text":
        raise UsageError("it is a matter of text", "--compat", f"leave it out with --format {form}")
    where = zone(tz)
    instant = int(parse_when(now, datetime.now(UTC), where).timestamp()) if now else int(time.time())
    return Common(form, compat, instant, where, passwd, [])


class Numbered(click.Command):
    """A command that takes ``-5`` for ``-n 5``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line."""
        return super().parse_args(ctx, [f"-n{arg[1:]}" if _DIGITS.fullmatch(arg) else arg for arg in args])


def _safe(block: bytes) -> bytes:
    if not block.translate(None, _PLAIN):
        return block
    from mailscope.cli.terminal import safe

    lines = block.decode("utf-8", "surrogateescape").split("\n")
    shown = (re.sub("[\udc80-\udcff]", _byte, line) for line in lines)
    return "\n".join(map(safe, shown)).encode("utf-8", "backslashreplace")


def _byte(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]) - 0xDC00:02x}"


def _json(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    import json

    for row in rows:
        yield json.dumps(row, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def csv_lines(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as CSV, with its head; cells are safe for a terminal and a spreadsheet."""
    import csv
    import io

    from mailscope.cli.terminal import csv_safe, safe

    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = (row[name] for name in names)
        writer.writerow([csv_safe(safe(cell)) if isinstance(cell, str) else cell for cell in cells])
        if kept.tell() > 1 << 16:
            yield kept.getvalue()
            kept.seek(0)
            kept.truncate()
    yield kept.getvalue()
