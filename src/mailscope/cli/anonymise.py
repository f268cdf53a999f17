"""``mailscope anonymise``: logs that can be shown to others."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from mailscope.cli.inputs import say
from mailscope.cli.output import write
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from mailscope.intake.reader import Source
    from mailscope.privacy.lines import Anonymiser

HEAD_BYTES: Final = 16
STEP_BYTES: Final = 1 << 20
WAYS: Final = click.Choice(["pseudonymise", "truncate", "keep"])


@click.command()
@click.argument("files", nargs=-1, metavar="[FILES]...")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key of the pseudonyms; made there if there is none.  Without it, each run has its own.",
)
@click.option(
    "--addresses",
    type=WAYS,
    default="pseudonymise",
    show_default=True,
    help="Mail addresses, user names, host names of clients, message-ids, subjects.",
)
@click.option("--ips", type=WAYS, default="pseudonymise", show_default=True, help="Network addresses.")
@click.option("--keep-domains", is_flag=True, help="Leave mail domains and the last two labels of hosts.")
@click.option("--patterns", type=click.Path(path_type=Path), help="A directory of your own pattern files.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write into this file.")
def anonymise(
    files: tuple[str, ...],
    key_file: Path | None,
    addresses: str,
    ips: str,
    keep_domains: bool,
    patterns: Path | None,
    output: Path | None,
) -> None:
    """Rewrite logs (or standard input) with pseudonyms for persons and clients.

    Every line is still read as before, and what belongs together still does: reports give the same numbers.
    Passwords are masked.  Lines that no pattern knows are searched for addresses only: look at them
    (mailscope coverage) before you give a log away.

    \b
    mailscope anonymise /var/log/mail.log > shown.log
    mailscope anonymise --keep-domains --key-file names.key /var/log/mail.log -o shown.log
    """
    from mailscope.privacy.lines import Anonymiser
    from mailscope.privacy.pseudonyms import Pseudonyms
    from mailscope.recognise.library import in_force

    names = Pseudonyms(key_of(key_file), addresses, ips, keep_domains)  # type: ignore[arg-type]
    anonymiser = Anonymiser(in_force(patterns), names)
    problems: list[InputError] = []
    write(_rewritten(files or ("-",), anonymiser, problems), output)
    for problem in problems:
        say(str(problem))
    if anonymiser.unrecognised:
        say(f"{anonymiser.unrecognised:,} lines that no pattern knows were searched for addresses only")
    if problems:
        sys.exit(1)


def key_of(key_file: Path | None) -> bytes:
    """The key of a file, made there if there is none; without a file, one that nobody has seen."""
    from mailscope.privacy.key import make_key, random_key, read_key

    if key_file is None:
        return random_key()
    if key_file.exists():
        return read_key(key_file)
    key = make_key(key_file)
    say(f"{key_file}: a key was made; keep it secret, and keep it as long as pseudonyms must agree")
    return key


def _rewritten(files: tuple[str, ...], anonymiser: Anonymiser, problems: list[InputError]) -> Iterator[bytes]:
    """The files' lines, one file after the other, the oldest of a rotated set first."""
    from mailscope.intake.files import expand

    expansion = expand(list(files))
    problems.extend(expansion.problems)
    for note in expansion.notes:
        say(note)
    if not expansion.sources and problems:
        raise problems.pop()
    for source in expansion.sources:
        yield from _source(source, anonymiser, problems)


def _source(source: Source, anonymiser: Anonymiser, problems: list[InputError]) -> Iterator[bytes]:
    from mailscope.intake.reader import ReadReport, read_chunks

    report = ReadReport()
    stream: BinaryIO | None = None
    if source.path == "-":
        stream = sys.stdin.buffer
        if not isinstance(stream, io.BufferedReader):
            stream = io.BufferedReader(io.BytesIO(stream.read()))
        if not _packed(stream.peek(HEAD_BYTES)):
            for data in _arriving(stream):
                yield anonymiser.chunk(data)
                # What came is seen at once, not only when much of it has come.
                sys.stdout.flush()
            return
    for chunk in read_chunks(source, stdin=stream, report=report):
        yield anonymiser.chunk(chunk.data)
    problems.extend(report.problems)


def _packed(head: bytes) -> bool:
    """Whether what begins so is no plain text, but must be unpacked first."""
    from mailscope.intake.reader import sniff_compression

    return sniff_compression(head) != "none" or head.startswith(b"__CURSOR=")


def _arriving(stream: io.BufferedReader[Any]) -> Iterator[bytes]:
    """Whole lines, as soon as they are there; a line that is too long is cut."""
    from mailscope.intake.reader import MAX_LINE_BYTES

    kept = b""
    while data := stream.read1(STEP_BYTES):
        whole, feed, rest = data.rpartition(b"\n")
        if feed:
            yield kept + whole + feed
            kept = rest
        else:
            kept += data
        if len(kept) > MAX_LINE_BYTES:
            yield kept
            kept = b""
    if kept:
        yield kept
