"""``mailscope check``: checks for Icinga, Nagios and other programs that run monitoring plugins."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import click

from mailscope import __version__
from mailscope.watch.checks.check import Check
from mailscope.watch.checks.plugin import unknown
from mailscope.watch.checks.ranges import Range, duration
from mailscope.watch.checks.registry import CHECKS

if TYPE_CHECKING:
    from mailscope.cli.checking import How

T = TypeVar("T")
TIMEOUT_S = 10.0
RANGES = """RANGE, as plugins have it: 10 alerts below 0 or above 10; 10: below 10; ~:10 above 10; 10:20
outside, @10:20 inside.  Numbers may have a unit of time: 90s, 15m, 4h, 2d.

Exit code: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""


class _Read(click.ParamType[Any]):
    """A value that is read by a function which raises ValueError with a reason."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(f"'{value}': {error}", param, ctx)


RANGE, SPAN = _Read("RANGE", Range.parse), _Read("SPAN", duration)


class _Plugin(click.Command):
    """A check: whatever is wrong with its command line is UNKNOWN, as help and version are."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line."""
        return _told(lambda: super(_Plugin, self).make_context(info_name, args, parent, **extra))


class _Checks(click.Group):
    """The group of them, with the same manners."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line."""
        return _told(lambda: super(_Checks, self).make_context(info_name, args, parent, **extra))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the check that is named."""
        return _told(lambda: super(_Checks, self).invoke(ctx))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The checks."""
        return list(CHECKS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A check's command; None where there is no such check."""
        return _command(CHECKS[cmd_name]) if cmd_name in CHECKS else None


def _told(act: Callable[[], T]) -> T:
    try:
        return act()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        raise SystemExit(3) from None
    except click.UsageError as error:
        _wrong(error)
    except click.exceptions.Exit as done:
        raise SystemExit(done.exit_code or 3) from None


def _wrong(error: click.UsageError) -> NoReturn:
    from mailscope.cli.checking import ended

    ended(unknown("CHECK", " ".join(error.format_message().split())))


def _command(check: Check) -> click.Command:
    text = f"{check.help}\n\n\b\nmailscope check {check.name} {check.example}\n\n{RANGES}"
    kinds = get_type_hints(check.question)
    own = [_option(each, kinds[each.name]) for each in dataclasses.fields(check.question)]
    params = [*_ranges(check), *own, *_shared()]
    return _Plugin(
        check.name, callback=_callback(check), params=params, help=text, short_help=check.help,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


def _callback(check: Check) -> Callable[..., None]:
    def callback(
        warning: Range | None, critical: Range | None, timeout: float, verbose: int, store: Path | None,
        config: Path | None, **options: Any,
    ) -> None:  # fmt: skip
        from mailscope.cli.checking import How, run

        how: How = How(warning, critical, timeout, verbose, store, config)
        run(check, check.question(**options), how)

    return callback


def _ranges(check: Check) -> list[click.Parameter]:
    return [
        click.Option(
            [f"-{name[0]}", f"--{name}"], type=RANGE, metavar="RANGE", default=default,
            show_default=default is not None, help=f"{name.upper()} where the value is so.",
        )
        for name, default in (("warning", check.warning), ("critical", check.critical))
    ]  # fmt: skip


def _option(field: dataclasses.Field[Any], kind: Any) -> click.Option:
    """An option of the command line for a field of a question."""
    if get_origin(kind) is not Literal:
        kind = next((each for each in get_args(kind) if each is not type(None)), kind)
    name = f"--{field.name.removesuffix('_s').replace('_', '-')}"
    told: dict[str, Any] = {"help": field.metadata["help"], "default": field.default}
    told["show_default"] = field.default not in (None, False)
    if kind is bool:
        return click.Option([name, field.name], is_flag=True, **told)
    if field.name.endswith("_s"):
        if isinstance(field.default, float):
            told["show_default"] = f"{field.default / 60:g}m"
        return click.Option([name, field.name], type=SPAN, metavar="SPAN", **told)
    if get_origin(kind) is Literal:
        return click.Option([name, field.name], type=click.Choice(get_args(kind)), **told)
    return click.Option([name, field.name], type=kind, **told)


def _shared() -> list[click.Parameter]:
    path = click.Path(path_type=Path)
    return [
        click.Option(
            ["-t", "--timeout"], type=click.FloatRange(0.1, 3_600), default=TIMEOUT_S, show_default=True,
            metavar="SECONDS", help="UNKNOWN after so long.",
        ),
        click.Option(["-v", "--verbose"], count=True, help="Details also where all is well."),
        click.Option(
            ["--store"], type=path, metavar="DIR", help="The store to look into; otherwise the daemon's."
        ),
        click.Option(["--config"], type=path, metavar="FILE", help="Settings that name socket and store."),
        _version(),
    ]  # fmt: skip


def _version() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            click.echo(f"mailscope check {ctx.info_name}, version {__version__}")
            ctx.exit()

    return click.Option(
        ["-V", "--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="The version.",
    )


@click.group(cls=_Checks, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="mailscope check")
def check() -> None:
    """Check figures for Icinga, Nagios and other monitoring programs (docs/checks.md).

    The daemon measures; where none runs, the store is looked into.

    \b
    mailscope check queue -w 100 -c 500 --older-than 30m
    mailscope check bounces -w 5 -c 20 --domain example.org
    mailscope check logins -w 50 -c 500 --most client
    """
