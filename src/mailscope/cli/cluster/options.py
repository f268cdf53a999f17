"""The options that commands of the cluster share, and what is said of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailscope.cli.inputs import Inputs, say, zone
from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.cluster.setup import Setup

Command = TypeVar("Command", bound=Callable[..., Any])


def spark(command: Command) -> Command:
    """Add --master and --conf: which cluster, and its settings."""
    for option in (
        click.option(
            "--conf", "conf", multiple=True, metavar="KEY=VALUE", help="A setting of Spark (repeatable)."
        ),
        click.option(
            "--master",
            metavar="URL",
            help="The cluster: spark://HOST:7077, yarn, local[4] ...; otherwise Spark's settings say.",
        ),
    ):
        command = option(command)
    return command


def output(command: Command) -> Command:
    """Add the store that is written."""
    return click.option(
        "--output",
        "place",
        required=True,
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="The store, on a file system that all workers share.",
    )(command)


def flow(command: Command) -> Command:
    """Add how lines are read: the zone, own patterns."""
    for option in (
        click.option("--tz", metavar="ZONE", help="Zone of stamps without one, and of days."),
        click.option(
            "--patterns", type=click.Path(path_type=Path), help="A directory of your own pattern files."
        ),
    ):
        command = option(command)
    return command


def settings(conf: Iterable[str]) -> dict[str, str]:
    """Spark's settings as they were given.  Raises UsageError."""
    found = {}
    for each in conf:
        key, sign, value = each.partition("=")
        if not sign:
            raise UsageError(f"'{each}' has no value", "--conf", "such as spark.executor.memory=4g")
        found[key] = value
    return found


def setup(place: Path, tz: str | None = None, patterns: Path | None = None) -> Setup:
    """What all tasks need to know."""
    from mailscope.cli import stores
    from mailscope.cluster.setup import Setup

    told = stores.settings().model_dump_json()
    return Setup(
        str(place.absolute()), 0, str(zone(tz)), str(patterns.absolute()) if patterns else None, told
    )


def finish(notes: Iterable[str], problems: Iterable[InputError]) -> None:
    """Say what was left out, and what could not be read: then leave with exit code 1."""
    for note in notes:
        say(note)
    bad = list(problems)
    for problem in bad:
        say(str(problem))
    if bad:
        sys.exit(1)


def looking(name: str, rest: tuple[str, ...], store: Path, master: str | None, conf: tuple[str, ...]) -> None:
    """Run one of the usual commands with its own options, on the cluster's store, by the cluster."""
    from importlib import import_module

    from mailscope.cli.stores import ELSEWHERE, enter
    from mailscope.cluster.asking import ClusterReader
    from mailscope.cluster.session import session

    command: click.Command = getattr(import_module(f"mailscope.cli.{name}"), name)
    context = click.get_current_context()
    if not {"-h", "--help"} & set(rest):
        enter(store, " ".join(rest))
    with session(master, f"mailscope {name}", settings(conf)) as there:

        def opened(inputs: Inputs) -> ClusterReader:
            if inputs.files:
                raise UsageError("it does not go with FILES", "--store", "name the one or the other")
            found = ClusterReader.at(there, store, inputs.library(), inputs.zone)
            context.call_on_close(found.close)
            return found

        context.meta[ELSEWHERE] = opened
        with command.make_context(name, list(rest), parent=context) as inner:
            command.invoke(inner)


def asking(name: str) -> Callable[[Command], click.Command]:
    """Make a command of the cluster of one that reads a store: its options are those of the usual one."""

    def made(command: Command) -> click.Command:
        context = {"ignore_unknown_options": True, "allow_interspersed_args": True}
        for option in (
            click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]..."),
            click.option(
                "--store",
                required=True,
                type=click.Path(path_type=Path, file_okay=False),
                metavar="DIR",
                help="The cluster's store.",
            ),
        ):
            command = option(command)
        return click.command(name, context_settings=context)(spark(command))

    return made
