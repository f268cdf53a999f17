"""``mailscope events``: every event, to standard output, a file or a server, in a form that others read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.inputs import Inputs, inputs, say
from mailscope.vocabulary.errors import OutputError, UsageError
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME

if TYPE_CHECKING:
    from mailscope.exports.choice import Choice
    from mailscope.exports.destinations.address import Address
    from mailscope.exports.drain import Drain
    from mailscope.pipeline import Pipeline

FORMATS: Final = ("jsonl", "json", "csv", "parquet", "ecs", "gelf", "otlp")


@click.command()
@inputs
@click.option("--event", multiple=True, metavar="NAME", help="Only events of this kind (repeatable).")
@click.option(
    "--program",
    multiple=True,
    metavar="NAME",
    help="Only lines of this program: tag, service or family, such as smtpd or postfix (repeatable).",
)
@click.option("--fields", metavar="NAMES", help="Only these fields, separated by commas, in this order.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Stop after so many events.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Default: what the name of the output file tells, or jsonl.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to this file; it appears when it is complete.")
@click.option(
    "--to",
    metavar="URL",
    help="Send to gelf+udp://HOST, gelf+tcp://HOST, elasticsearch+https://HOST/INDEX, otlp+http://HOST.",
)
@click.option(
    "--credentials",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML with api_key, or token, or user and password.",
)
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The authority of the server's certificate.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long one request may take.",
)
@click.option(
    "--pseudonymise", is_flag=True, help="With pseudonyms for persons and clients; what is secret is masked."
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key of the pseudonyms; made there if there is none.  Without it, each run has its own.",
)
@click.option(
    "--retry-for",
    type=click.FloatRange(min=0),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="How long to go on trying when the server takes nothing.",
)
def events(
    inputs: Inputs,
    event: tuple[str, ...],
    program: tuple[str, ...],
    fields: str | None,
    limit: int | None,
    form: str | None,
    output: str | None,
    to: str | None,
    key_file: Path | None,
    *,
    pseudonymise: bool,
    **sending: Any,
) -> None:
    """Give every event in the order of the lines: to standard output, a file or a server.

    \b
    mailscope events --event rejected /var/log/mail.log
    mailscope events /var/log/mail.log -o events.parquet
    """
    from mailscope.exports.choice import Choice

    choice = Choice(_known_events(event), frozenset(program), _known_fields(fields))
    address = _address(to, form, output, sending)
    inputs.asks = _asked()
    inputs.clean = _clean(inputs, key_file, pseudonymise=pseudonymise)
    pipeline = inputs.pipeline(choice.needed())
    if address is not None:
        delivered = _send(inputs, pipeline, choice, limit, address, sending)
        inputs.finish(pipeline.sources)
        sys.exit(0 if delivered else 1)
    _write(inputs, pipeline, choice, limit, *_form(form, output))
    inputs.finish(pipeline.sources)


def _write(
    inputs: Inputs, pipeline: Pipeline, choice: Choice, limit: int | None, form: str, output: str | None
) -> None:
    """Write to a file or to standard output."""
    from mailscope.cli.interrupts import on_interrupt
    from mailscope.exports.drain import Drain
    from mailscope.exports.forms import BY_NAME as FORMS
    from mailscope.exports.forms.sinks import file_sink
    from mailscope.exports.output import OutputFile

    columns_of = FORMS[form].columns
    columns = () if columns_of is None else columns_of(choice, pipeline.library)
    encode = FORMS[form].encoder(choice, columns)
    if output is None:
        if form == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal", "--format", "give -o FILE")
        try:
            _run(inputs, pipeline, Drain(encode, lambda: file_sink(form, sys.stdout.buffer, columns), limit))
        except OSError as error:
            raise OutputError.from_os_error(error, "standard output") from error
        return
    with OutputFile(output, (source.name for source in pipeline.sources.files)) as file:
        rewind = file.rewind if file.rewindable else None
        with on_interrupt(file.interrupted):
            drain = Drain(encode, lambda: file_sink(form, file.out, columns), limit, rewind)
            _run(inputs, pipeline, drain)
    say(f"{drain.written} events written to {output}")


def _send(
    inputs: Inputs,
    pipeline: Pipeline,
    choice: Choice,
    limit: int | None,
    address: Address,
    sending: dict[str, Any],
) -> bool:
    """Send to a server, and tell what became of the events; whether all were delivered."""
    from mailscope.cli.interrupts import on_interrupt
    from mailscope.exports.destinations import connect
    from mailscope.exports.drain import Drain

    destination = connect(
        address,
        timeout_s=sending["timeout"],
        retry_for_s=sending["retry_for"],
        credentials=sending["credentials"],
        ca_file=sending["ca_file"],
    )
    counts = destination.counts
    drain = Drain(destination.encoder(choice), lambda: destination, limit)
    with _broken_pipes_told(), on_interrupt(lambda: f"{address}: {counts}"):
        try:
            _run(inputs, pipeline, drain)
        finally:
            say(f"{address}: {counts}")
    return counts.delivered


def _run(inputs: Inputs, pipeline: Pipeline, drain: Drain) -> None:
    """Carry all events."""
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting

    with progress(pipeline.sources):
        restarting(pipeline, drain.drain)
    if not drain.lines and drain.limit != 0:
        inputs.refuse_nothing(pipeline)
    drain.close()


@contextmanager
def _broken_pipes_told() -> Iterator[None]:
    """Let a connection that is cut raise an error, instead of ending us as a closed pipe does (see main)."""
    import signal

    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)


def _form(form: str | None, output: str | None) -> tuple[str, str | None]:
    """The form and the file to write; None for standard output."""
    from mailscope.exports.forms import of_file

    if output is None or output == "-":
        return form or "jsonl", None
    if form is not None:
        return form, output
    told = of_file(output)
    if told is None:
        raise UsageError("its name does not tell the form", output, "give --format")
    return told.name, output


def _address(to: str | None, form: str | None, output: str | None, sending: dict[str, Any]) -> Address | None:
    """The server to send to, if one is named.  Raises UsageError for options that do not go together."""
    if to is None:
        for name in ("credentials", "ca_file"):
            if sending[name] is not None:
                raise UsageError("there is no server to use it for", _option(name), "give --to URL")
        return None
    from mailscope.exports.destinations.address import parse

    address = parse(to)
    if output is not None:
        raise UsageError("events go to a file or to a server", "--to", "run it twice for both")
    if form not in (None, address.form):
        raise UsageError(f"{address} takes {address.form}", "--format", "leave it out")
    if sending["credentials"] is not None and address.form == "gelf":
        raise UsageError("GELF has no credentials", "--credentials", "leave it out")
    if sending["ca_file"] is not None and address.protocol != "https":
        raise UsageError(f"{address} has no certificate", "--ca-file", "use https")
    return address


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _clean(inputs: Inputs, key_file: Path | None, *, pseudonymise: bool) -> Callable[[bytes], bytes] | None:
    """What puts pseudonyms into lines: where this is asked for or, for the store, the settings say so."""
    if key_file is not None and not pseudonymise:
        raise UsageError("there are no pseudonyms to make with it", "--key-file", "give --pseudonymise")
    if not pseudonymise and inputs.door is None:
        return None
    from mailscope.cli.anonymise import key_of
    from mailscope.cli.stores import settings
    from mailscope.privacy.key import random_key, read_key
    from mailscope.privacy.lines import Anonymiser
    from mailscope.privacy.pseudonyms import Pseudonyms

    if pseudonymise:
        return Anonymiser(inputs.library(), Pseudonyms(key_of(key_file))).chunk
    asked = settings().privacy
    ways = {asked.addresses, asked.ips}
    if asked.at != "export" or ways == {"keep"}:
        return None
    key = read_key(Path(asked.key_file)) if "pseudonymise" in ways else random_key()
    names = Pseudonyms(key, asked.addresses, asked.ips, asked.keep_domains)
    return Anonymiser(inputs.library(), names).chunk


def _asked() -> str:
    """The options that were given, in words."""
    from click.core import ParameterSource

    context = click.get_current_context()
    given = [
        f"{name}={','.join(value) if isinstance(value, tuple) else value}"
        for name, value in context.params.items()
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    ]
    return " ".join(given)


def _known_events(names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        if name not in EVENTS:
            raise UsageError(
                f"unknown event '{name}'", "--event", f"known events: {', '.join(sorted(EVENTS))}"
            )
    return frozenset(names)


def _known_fields(names: str | None) -> tuple[str, ...]:
    from mailscope.exports.choice import NOT_EXPORTED

    wanted = tuple(dict.fromkeys(name.strip() for name in (names or "").split(",") if name.strip()))
    for name in wanted:
        if name not in BY_NAME or name in NOT_EXPORTED:
            raise UsageError(
                f"unknown field '{name}'", "--fields", "fields are listed by 'mailscope patterns fields'"
            )
    return wanted
