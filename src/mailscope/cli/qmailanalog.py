"""``mailscope qmailanalog``: qmailanalog's filters, standard input to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from typing import Final

import click

from mailscope.reports.compat.qmailanalog.filters import FILTERS, Filter
from mailscope.reports.compat.qmailanalog.matchup import Matchup
from mailscope.reports.compat.qmailanalog.records import BLOCK_BYTES, Readable, blocks
from mailscope.reports.compat.qmailanalog.selections import xqp, xrecipient, xsender
from mailscope.vocabulary.errors import MailscopeError

STATE_IN: Final = 4
STATE_OUT: Final = 5


class FilterError(MailscopeError):
    """Something could not be read or written.  Exit code 111, as of all programs of qmail's family."""

    exit_code = 111


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def qmailanalog() -> None:
    """Run one of qmailanalog's filters: the same bytes in, the same bytes out.

    Example: mailscope qmailanalog matchup < log 5> pending | mailscope qmailanalog zoverall
    """


@qmailanalog.command()
def matchup() -> None:
    """Match qmail-send's lines into one line per delivery and per message.

    What is still under way goes to file descriptor 5, as input for the next run.

    \b
    mailscope qmailanalog matchup < log > matched 5> pending
    """
    _match(blocks(_input()))


@qmailanalog.command()
def mlmatchup() -> None:
    """matchup as a processor of multilog: reads what was pending from file descriptor 4 first.

    \b
    multilog t '!mailscope qmailanalog mlmatchup' ./matched
    """
    with _failures(f"file descriptor {STATE_IN}", "run it as '!mailscope qmailanalog mlmatchup' of multilog"):
        state = _all_of(STATE_IN)
    _match(blocks(_Joined(state, _input())))


@qmailanalog.command("xsender")
@click.argument("address", default="")
def select_sender(address: str) -> None:
    """Lines of matchup about messages from ADDRESS; without one, about bounces.

    \b
    mailscope qmailanalog xsender alice@example.org < matched | mailscope qmailanalog zsendmail
    """
    _write_lines(xsender(_input(), os.fsencode(address)))


@qmailanalog.command("xrecipient")
@click.argument("recipient", default="")
def select_recipient(recipient: str) -> None:
    """Lines of matchup about deliveries to RECIPIENT, such as local.user@example.org.

    \b
    mailscope qmailanalog xrecipient local.alice@example.org < matched
    """
    _write_lines(xrecipient(_input(), os.fsencode(recipient)))


@qmailanalog.command("xqp")
@click.argument("qp", default="")
def select_qp(qp: str) -> None:
    """Lines of matchup about the message whose long-term queue identifier is QP.

    \b
    mailscope qmailanalog xqp 1234 < matched
    """
    _write_lines(xqp(_input(), os.fsencode(qp)))


def _run(chosen: Filter) -> None:
    with _failures("standard input or output"):
        _write(chosen.run(_input()))


def _help(told: Filter) -> str:
    """Its meaning, and an example; some read what another filter makes."""
    before = {"rxdelay": "recipients", "columnt": "rhosts"}.get(told.name)
    program = "mailscope qmailanalog"
    example = (
        f"{program} {before} < matched | {program} {told.name}"
        if before
        else f"{program} {told.name} < matched"
    )
    return f"{told.meaning}\n\n\b\n{example}"


for _filter in FILTERS:
    qmailanalog.command(_filter.name, help=_help(_filter))(partial(_run, _filter))


def _input() -> Readable:
    assert isinstance(sys.stdin.buffer, BufferedReader)
    return sys.stdin.buffer


class _Joined:
    """The state that was pending, then the input, as one stream."""

    def __init__(self, first: bytes, then: Readable) -> None:
        self._first = first
        self._then = then

    def read1(self, size: int = -1, /) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._then.read1(size)


def _match(log: Iterable[bytes]) -> None:
    state = Matchup()
    rest = b""
    with _failures("standard input or output"):
        for block in log:
            if not block.endswith(b"\n"):
                # Half a line: it belongs in front of the next input.
                end = block.rfind(b"\n") + 1
                block, rest = block[:end], block[end:]
            if block:
                sys.stdout.buffer.write(state.read(block))
        sys.stdout.buffer.flush()
    advice = "open it, as in '5> pending', or '5> /dev/null' if this is the whole log"
    with _failures(f"file descriptor {STATE_OUT}, for what is pending", advice):
        _put(STATE_OUT, state.pending() + rest)


def _all_of(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, BLOCK_BYTES):
        parts.append(part)
    return b"".join(parts)


def _put(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _write_lines(lines: Iterable[bytes]) -> None:
    with _failures("standard input or output"):
        _write(line + b"\n" for line in lines)


def _write(parts: Iterable[bytes]) -> None:
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


@contextmanager
def _failures(where: str, what_to_do: str = "") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FilterError(error.strerror or str(error), where, what_to_do) from error
