"""``mailscope syslog splogger|multilog|tai64n|tai64nlocal``: filters of qmail and daemontools."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from mailscope.cli.raw import Raw
from mailscope.syslog.tai64n.label import OFFSET_S
from mailscope.vocabulary.errors import MailscopeError, OutputError

STDIN, STDOUT = 0, 1


class FilterError(MailscopeError):
    """Something could not be read or written.  Exit code 111, as of all programs of these families."""

    exit_code = 111


@click.command(cls=Raw)
def multilog(arguments: tuple[str, ...]) -> None:
    """Write lines of standard input into directories that are rotated, safe and bounded.

    The arguments are a script, worked off for each line: t stamps it; -PATTERN deselects and +PATTERN selects
    it; e shows it on standard error; =FILE keeps it in a file; sSIZE, nNUMBER and !PROCESSOR are for the
    directories behind them; ./DIR or /DIR writes it.  SIGALRM begins new files, SIGTERM ends after the line.

    Example: qmail-send 2>&1 | mailscope syslog multilog t '-*status:*' s1000000 n20 /var/log/qmail
    """
    from mailscope.syslog.multilog.feed import Feed
    from mailscope.syslog.multilog.insisting import Fatal
    from mailscope.syslog.multilog.script import parse

    os.umask(0o022)
    try:
        with _failures("standard input"):
            Feed(parse([os.fsencode(argument) for argument in arguments]), STDIN).run()
    except Fatal as error:
        # In the original's own words: it is started by programs that look for them.
        sys.stderr.write(f"multilog: fatal: {error}\n")
        sys.exit(FilterError.exit_code)


@click.command()
@click.argument("tag", default="splogger")
@click.argument("facility", default="mail")
@click.option("--socket", metavar="PATH", default="/dev/log", show_default=True, help="The syslog daemon's.")
def splogger(tag: str, facility: str, socket: str) -> None:
    """Send lines of standard input to syslog, each with a stamp of its own, as TAG.

    FACILITY is a number (2 is mail) or a name.  'alert:' and 'warning:' at the beginning of a line make its
    priority.

    Example: qmail-start ./Mailbox mailscope syslog splogger qmail
    """
    from mailscope.syslog.codes import facility_code
    from mailscope.syslog.local_socket import LocalSocket
    from mailscope.syslog.splogger import Splogger

    to = LocalSocket(socket)
    with _failures("standard input"):
        Splogger(to.send, os.fsencode(tag), facility_code(facility, "FACILITY")).read(STDIN)
    to.close()
    if to.lost:
        what = f"{to.lost} messages were not taken and are lost"
        raise OutputError(what, socket, "see whether the syslog daemon runs")


@click.command()
def tai64n() -> None:
    """Put a TAI64N label in front of each line of standard input.

    Example: some-program | mailscope syslog tai64n > log
    """
    from mailscope.syslog.tai64n.stamping import stamp_lines

    with _failures("standard input or output"):
        stamp_lines(STDIN, _out)


@click.command()
@click.option(
    "--tai-offset",
    type=int,
    default=OFFSET_S,
    show_default=True,
    metavar="SECONDS",
    help="What labels are ahead of Unix time: 10 as daemontools writes them, 37 with leap seconds.",
)
@click.option("--iso", is_flag=True, help="Tell times as ISO 8601 with the zone.")
def tai64nlocal(tai_offset: int, iso: bool) -> None:
    """Tell the TAI64N labels at the beginning of lines of standard input in local time.

    What is no label stays as it is.

    Example: mailscope syslog tai64nlocal < /var/log/qmail/current
    """
    from mailscope.syslog.tai64n.local import local_lines

    with _failures("standard input or output"):
        local_lines(STDIN, _out, tai_offset, iso=iso)


def _out(data: bytes) -> None:
    while data:
        data = data[os.write(STDOUT, data) :]


@contextmanager
def _failures(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FilterError(error.strerror or str(error), where) from error
