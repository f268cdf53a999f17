"""What ``mailscope privacy export`` writes: a ZIP file that the person can read without us.

Each table as CSV, with cells that no spreadsheet takes for formulas, and as JSON; the lines as logged; what
columns mean; and a page that says what is what, in the person's language.
"""

from __future__ import annotations

import os
import platform
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from mailscope.exports.escapes import csv_safe
from mailscope.exports.output import OutputFile
from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import OutputError
from mailscope.vocabulary.fields import FIELDS
from mailscope.vocabulary.tables import EVENTS, TABLES

if TYPE_CHECKING:
    from mailscope.language.translator import Translator
    from mailscope.privacy.person import Person

README: Final = "README.txt"
LINES: Final = "lines.log"
# What each file holds, in the order in which they are told.
HOLDS: Final[dict[str, str]] = {
    LINES: Phrase("the log lines that name you, as the programs of the mail server wrote them"),
    "events": Phrase("the same lines taken apart: one row per line, one column per thing that it tells"),
    "messages": Phrase(
        "the messages that you sent or that were sent to you: when, by whom, how large; never their text"
    ),
    "deliveries": Phrase("each attempt to deliver such a message, and how it ended"),
    "links": Phrase("which message was made of which other one on its way"),
    "marks": Phrase("notes of the administrators that name you"),
    "tallies": Phrase("counts by the hour in which your address or login name stands"),
    "lookups": Phrase(
        "when someone looked for your address or login name in these records, and by which command"
    ),
    "columns": Phrase("what the columns mean (in English)"),
}


@dataclass(frozen=True)
class Entry:
    """One file of the ZIP file, and how many rows of data it stands for."""

    name: str
    data: bytes
    rows: int = 0


def entries(found: dict[str, pl.DataFrame], person: Person, tr: Translator) -> Iterator[Entry]:
    """All files, of what a store holds; the page that tells of them comes last."""
    told: list[str] = []
    if len(found[EVENTS.name]):
        told.append(LINES)
        yield Entry(LINES, "".join(f"{line}\n" for line in found[EVENTS.name]["raw"]).encode())
    for name, rows in found.items():
        if len(rows):
            told.append(name)
            yield from _twice(name, rows)
    yield Entry("columns.csv", _columns({name for rows in found.values() for name in rows.columns}))
    page = _page(person, [*told, "columns"], sum(map(len, found.values())), tr)
    yield Entry(README, page.encode())


def _twice(name: str, rows: pl.DataFrame) -> Iterator[Entry]:
    """A table as CSV and as JSON, without columns that hold nothing."""
    rows = rows.select(column.name for column in rows.iter_columns() if column.null_count() < len(column))
    flat = rows.select(_flat(column) for column in rows.iter_columns())
    safe = [csv_safe(column) for column in flat.iter_columns() if column.dtype == pl.String]
    yield Entry(f"{name}.csv", flat.with_columns(safe).write_csv().encode(), len(rows))
    yield Entry(f"{name}.json", rows.write_json().encode())


def _flat(column: pl.Series) -> pl.Series:
    """A list as words one after the other: CSV has no lists."""
    return column.cast(pl.List(pl.String)).list.join(" ") if column.dtype.is_nested() else column


def _columns(names: Iterable[str]) -> bytes:
    known = {field.name: field.meaning for field in FIELDS}
    known |= {column.name: column.meaning for table in TABLES.values() for column in table.columns}
    rows = sorted((name, known[name]) for name in names if name in known)
    return pl.DataFrame(rows, schema=["column", "meaning"], orient="row").write_csv().encode()


def _page(person: Person, files: list[str], rows: int, tr: Translator) -> str:
    """The page that says what is what."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    names = ", ".join(person.names)
    lines = [
        tr("What the mail logs of {host} hold about {names}", host=platform.node(), names=names),
        "",
        tr("Made {time} (UTC) with Mailscope; {count} rows.", time=now, count=f"{rows:,}"),
        "",
        *(f"  {_file(name):<32}{tr(HOLDS[name])}" for name in HOLDS if name in files),
        "",
        tr("A file that is not there would be empty."),
        tr("The .csv files open in any spreadsheet; the .json files hold the same for programs."),
        tr("Times are UTC. Empty cells mean that the line did not tell."),
        tr("Rows also name others, who wrote to you or to whom you wrote: please keep that to yourself."),
        "",
    ]
    return "\r\n".join(lines)


def _file(name: str) -> str:
    if name == LINES:
        return name
    return "columns.csv" if name == "columns" else f"{name}.csv, {name}.json"


def write(found: Iterable[Entry], output: Path) -> int:
    """Write the ZIP file, for its owner's eyes only; gives how many rows are in it.  Raises OutputError."""
    count = 0
    try:
        with OutputFile(str(output)) as file:
            os.fchmod(file.out.fileno(), 0o600)
            with zipfile.ZipFile(file.out, "w", zipfile.ZIP_DEFLATED) as packed:
                for entry in found:
                    packed.writestr(entry.name, entry.data)
                    count += entry.rows
    except OSError as error:
        raise OutputError.from_os_error(error, output) from error
    return count
