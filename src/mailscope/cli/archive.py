"""``mailscope archive``: raw lines that nobody can change unseen."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mailscope.cli.inputs import say
from mailscope.language.choice import choose
from mailscope.language.translator import Translator, translator
from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.syslog.archive.verify import Head, Verdict

DIRECTORY: Final = "/var/lib/mailscope/archive"
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")
_HEAD: Final = re.compile(r"([0-9]{1,15}):([0-9a-fA-F]{64})")
_SHOWN: Final = 20  # faults in the text; JSON has them all

_archive = click.option(
    "--archive",
    "directory",
    type=click.Path(path_type=Path),
    default=DIRECTORY,
    show_default=True,
    metavar="DIR",
    help="The archive.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def archive() -> None:
    """Keep raw log lines so that every change of them is found: sealed, compressed, a file a day.

    Example: mailscope archive verify --archive /var/lib/mailscope/archive --key archive.key
    """


@archive.command()
@_archive
@click.option("--key", "file", type=click.Path(path_type=Path), metavar="FILE", help="Write the key there.")
def begin(directory: Path, file: Path | None) -> None:
    """Begin an archive, and show its first key: the only time that it is seen.

    Keep the key on another machine or on paper.  Whoever has it can verify the archive, and forge it.

    Example: mailscope archive begin | ssh safe.example.org 'cat > archive.key'
    """
    from mailscope.cli.output import writable, write
    from mailscope.syslog.archive.writer import begin as begin_archive

    writable(file)
    write([begin_archive(directory).hex() + "\n"], file)
    if file is not None:
        os.chmod(file, 0o600)
    say(f"the archive is begun in {directory}; keep its key on another machine")


@archive.command()
@_archive
@click.option(
    "--every",
    type=click.FloatRange(min=0.0, max=3600.0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Seal what has come at least so often.",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def store(directory: Path, every: float, files: tuple[Path, ...]) -> None:
    """Store the lines of FILES, or of standard input until its end.

    Example: tail -F -n +1 /var/log/mail.log | mailscope archive store
    """
    from mailscope.syslog.archive.storing import store_files, store_stream
    from mailscope.syslog.archive.writer import Archive

    opened = Archive(directory)
    if opened.recovered:
        say(f"{opened.recovered} lines had been stored without their seal; they are sealed now")
    try:
        if files:
            store_files(opened, files)
        else:
            store_stream(opened, 0, every)
    finally:
        opened.close()


@archive.command()
@_archive
@click.option("--key", "file", metavar="FILE", required=True, help="The first key; - reads standard input.")
@click.option(
    "--head", "heads", multiple=True, metavar="N:HASH", help="A head that was kept elsewhere (repeatable)."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--lang", metavar="LANGUAGE", help="Language of the text: en, it, sv or zh.")
def verify(directory: Path, file: str, heads: tuple[str, ...], form: str, lang: str | None) -> None:
    """Say which lines are as they were stored, and which were changed, removed, inserted or moved.

    Ends with 1 where anything is wrong.

    \b
    mailscope archive verify --key archive.key
    """
    from mailscope.syslog.archive.verify import verify as verified

    tr = translator(choose(lang))
    verdict = verified(directory, _key(file), [_head(text) for text in heads])
    if form == "json":
        click.echo(_json(verdict))
    else:
        for line in _text(verdict, tr):
            click.echo(line)
    if not verdict.good:
        sys.exit(1)


@archive.command()
@_archive
@click.option("--since", default="", metavar="DAY", help="From this day on, such as 2026-11-27 (UTC).")
@click.option("--until", default="", metavar="DAY", help="Up to this day, included.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write into this file.")
def export(directory: Path, since: str, until: str, output: Path | None) -> None:
    """Give the original bytes back.

    Example: mailscope archive export --since 2026-11-01 | mailscope report -
    """
    from mailscope.cli.output import write
    from mailscope.syslog.archive.days import export as exported

    for option, day in (("--since", since), ("--until", until)):
        if day and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
            raise UsageError(f"not a day: '{day}'", option, "write it as 2026-11-27")
    write(exported(directory, since, until), output)


@archive.command()
@_archive
@click.option("--to", "recipient", metavar="ADDRESS", help="Mail it there, through this host's sendmail.")
def head(directory: Path, recipient: str | None) -> None:
    """Show the head: how many batches there are, and a hash that all of them have a part in.

    Keep it elsewhere, and give it to 'archive verify --head' later: then not even the removal of the end goes
    unseen.  With --to, cron can mail it.

    \b
    mailscope archive head
    mailscope archive head --to postmaster@example.org
    """
    from mailscope.syslog.archive.keys import FILE, read

    present = read(directory / FILE)
    if present is None:
        raise InputError("the key of the archive is damaged", str(directory / FILE))
    text = f"{present.batch}:{present.head.hex()}"
    if recipient is None:
        click.echo(text)
        return
    from email.message import EmailMessage
    from email.policy import SMTP
    from socket import gethostname

    from mailscope.reports.mail.message import address
    from mailscope.reports.mail.sending import SENDMAIL, Sendmail

    message = EmailMessage(policy=SMTP)
    message["To"] = address(recipient, "--to")
    message["Subject"] = f"Head of the log archive on {gethostname()}"
    message.set_content(
        f"{text}\n\nThe archive {directory} has {present.line - 1} lines.  Keep this message: with it,\n"
        f"  mailscope archive verify --head {text}\nfinds whether any of them was removed or replaced.\n"
    )
    Sendmail(SENDMAIL).send(message)


def _key(file: str) -> bytes:
    try:
        text = sys.stdin.read(4096) if file == "-" else Path(file).read_text(encoding="ascii")
    except OSError as error:
        raise InputError.from_os_error(error, file) from error
    except UnicodeDecodeError:
        text = ""
    if not _HEX.fullmatch(text.strip()):
        raise UsageError("it is no key", file, "a key is 64 hexadecimal digits, as 'archive begin' showed it")
    return bytes.fromhex(text.strip())


def _head(text: str) -> Head:
    from mailscope.syslog.archive.verify import Head

    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"it is no head: '{text}'", "--head", "give it as 'archive head' shows it")
    return Head(int(found[1]), bytes.fromhex(found[2]))


def _json(verdict: Verdict) -> str:
    return json.dumps(
        {
            "good": verdict.good,
            "first_line": verdict.first,
            "last_line": verdict.last,
            "proved": verdict.proved,
            "head": f"{verdict.head.batches}:{verdict.head.hash.hex()}",
            "notes": [str(note) for note in verdict.notes],
            "faults": [
                {
                    "kind": place.fault.kind,
                    "line": place.fault.number,
                    "lines": place.fault.lines,
                    "day": place.day,
                    "stored": place.time,
                    "text": place.fault.text.decode("utf-8", "backslashreplace").rstrip("\n"),
                }
                for place in verdict.faults
            ],
        }
    )


def _text(verdict: Verdict, tr: Translator) -> list[str]:
    from mailscope.syslog.archive.words import told

    lines = [told(place, tr) for place in verdict.faults[:_SHOWN]]
    if len(verdict.faults) > _SHOWN:
        lines.append(
            tr("... and {n} more places (--format json has them all)", n=len(verdict.faults) - _SHOWN)
        )
    lines += [tr(note) for note in verdict.notes]
    span = {"first": verdict.first, "last": verdict.last, "n": verdict.proved}
    if verdict.good:
        lines.append(tr("All {n} lines are as they were stored ({first} to {last}).", **span))
    else:
        lines.append(tr("{n} of the lines {first} to {last} are proved to be as they were stored.", **span))
    return lines
