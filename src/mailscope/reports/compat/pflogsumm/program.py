"""The program: a command line in, a report out, an exit code back."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from mailscope.intake.reader import ReadReport, Source, read_chunks
from mailscope.reports.compat.pflogsumm.options import RELEASES, Answer, Settings, settings
from mailscope.reports.compat.pflogsumm.tables import heading
from mailscope.reports.compat.pflogsumm.usage import OURS
from mailscope.vocabulary.errors import MailscopeError, UsageError

# Large enough for columns to pay, small enough for two hands to end at about the same time.
CHUNK_BYTES: Final = 16 << 20
# For tests: the local time to count days from, as YYYY-MM-DDTHH:MM:SS.
NOW: Final = "MAILSCOPE_NOW"
NO_DEBUG: Final = (
    "mailscope keeps no trace of its own steps; to follow a message: mailscope trace QUEUE-ID FILES"
)


def run(arguments: Sequence[str]) -> int:
    """Make the report; gives the exit code.  Raises MailscopeError as the other commands do."""
    release, strict, rest = _own(arguments)
    try:
        wanted = settings(rest, release, _now(), strict=strict)
    except Answer as answer:
        _answer(answer)
        return answer.exit_code
    for line in wanted.warnings:
        _say(line)
    # Millions of small objects are made and none in a circle; looking for circles costs a tenth of the time.
    gc.disable()
    return _report(wanted)


def _own(arguments: Sequence[str]) -> tuple[str, bool, list[str]]:
    """Our own options, taken out before the others are looked at."""
    release, strict = RELEASES[0], False
    rest: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            rest += [argument, *left]
            break
        name, equals, value = argument.partition("=")
        if argument == "--strict-compat":
            strict = True
        elif name == "--version-compat":
            release = value if equals else left.pop(0) if left else ""
        else:
            rest.append(argument)
    if release not in RELEASES:
        raise UsageError(f"no release '{release}'", "--version-compat", f"{' or '.join(RELEASES)}")
    return release, strict, rest


def _now() -> datetime:
    told = os.environ.get(NOW)
    try:
        return datetime.fromisoformat(told) if told else datetime.now()
    except ValueError:
        raise UsageError(f"'{told}' is no time", NOW, "write YYYY-MM-DDTHH:MM:SS") from None


def _answer(answer: Answer) -> None:
    text = answer.text
    if text.startswith("usage:") and not answer.to_stderr:
        text += OURS
    stream = sys.stderr if answer.to_stderr else sys.stdout
    stream.flush()
    stream.buffer.write(text.encode())
    stream.flush()


def _report(wanted: Settings) -> int:
    from mailscope.reports.compat.pflogsumm.reading import summarise
    from mailscope.reports.compat.pflogsumm.text import report

    problems: list[MailscopeError] = []
    summary = summarise(_chunks(wanted.files, problems), wanted)
    for problem in problems:
        _say(f"mailscope: {problem}")
    text = "".join(report(summary)).encode("latin-1")
    sys.stdout.flush()
    sys.stdout.buffer.write(text)
    if wanted.has("mailq"):
        sys.stdout.buffer.write(heading("Current Mail Queue").encode())
        sys.stdout.flush()
        _mail_queue()
    sys.stdout.flush()
    for path, lines in ((wanted.unread_file, summary.unread), (wanted.debug_file, [NO_DEBUG])):
        if path is not None:
            _write(path, lines)
    return 1 if problems and not wanted.strict else 0


def _chunks(files: Sequence[str], problems: list[MailscopeError]) -> Iterator[bytes]:
    """The text of all files as one, in chunks that end where a line ends."""
    for name in files or ("-",):
        source = Source(name, "standard input" if name == "-" else name, name, 0, None, None, "none")
        read = ReadReport()
        for chunk in read_chunks(source, CHUNK_BYTES, None, read):
            yield chunk.data
        problems += read.problems


def _mail_queue() -> None:
    try:
        subprocess.run(["mailq"], check=False)
    except OSError as error:
        _say(f"mailscope: mailq: {error.strerror}; install Postfix or leave --mailq out")


def _write(path: Path, lines: Sequence[str]) -> None:
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="latin-1")
    except OSError as error:
        raise UsageError(error.strerror or "cannot be written", str(path), "name another file") from error


def _say(text: str) -> None:
    print(text, file=sys.stderr)
