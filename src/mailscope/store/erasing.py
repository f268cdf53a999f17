"""Erasing a person: what stands for the names is put in their place, everywhere in the store.

    1  sealed files that name the person are written anew beside the old ones
    2  one transaction: rows, tallies, what is under way, and the manifest, which names the new files
    3  the old files go, the audit log is written anew, and so is the database, without its free blocks
    4  all is looked through once more, and a signed receipt is written

Broken off before 2, the store is as it was, but for files that no manifest names; after it, all that is left
to do is 3 and 4.  Run again, it does what is left: ``own.about`` holds what had been done, without names.
"""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from mailscope import __version__
from mailscope.privacy.kept import WORDS
from mailscope.privacy.person import Person
from mailscope.store import audit, day_files, packed, receipts
from mailscope.store.connecting import given, quoted
from mailscope.store.database import FILE, Database
from mailscope.store.day_files import SealedDay
from mailscope.store.holding import ROW, Held, SealedFile, find, hot_rows, sealed_rows
from mailscope.store.index import place_of
from mailscope.store.places import ASIDE, PEOPLE, same_owner
from mailscope.store.refusals import StoreError
from mailscope.store.renewing import remove_begun, renew
from mailscope.store.sealing import SUFFIX, Segment, enter, remove, remove_strays, write_segment
from mailscope.trails.recipients import WHO
from mailscope.vocabulary.tables import Table

UNDER_WAY: Final = "erasing "
# What the store says of itself, which names nobody.
OURS: Final = ("version", "batch", "segment", "secret")
PIECE: Final = 1 << 20
# A name and what stands around it are not longer.
OVERLAP: Final = 4096


def erase(directory: Path, person: Person, who: str) -> dict[str, Any]:
    """Erase a person from a store that nobody has open; gives the receipt, which is also kept there.

    Raises StoreError or OutputError where it cannot be done; what was begun is finished when it is run again.
    """
    refuse_kept_aside(directory)
    database = Database(directory)
    try:
        remove_begun(directory)
        remove_strays(database)
        secret = database.secret()
        name = UNDER_WAY + receipts.name_hash(secret, person.names[0])[:32]
        old = _replace(database, person, name)
    finally:
        database.close()
    remove(database, old)
    entries = audit.rewrite(directory, lambda entry: _entry(person, entry))
    renew(directory)
    database = Database(directory)
    try:
        _check(database, person)
        told = json.loads(database.about(name) or "{}")
        if entries:
            told["audit"] = told.get("audit", 0) + entries
        receipt = receipts.signed(secret, _receipt(database, person, secret, told, who))
        _keep(directory, receipt)
        with database.transaction():
            database.connection.execute("delete from own.about where name = ?", [name])
    finally:
        database.close()
    return receipt


def refuse_kept_aside(directory: Path) -> None:
    """Raise StoreError where a damaged file was set aside: nobody can tell whom it names."""
    for path in directory.glob(f"{FILE}{ASIDE}*"):
        raise StoreError("it may name the person, and cannot be erased from", str(path), "remove it first")


def _replace(database: Database, person: Person, name: str) -> list[str]:
    """Replace the person in all rows; gives the files that are of no use any more."""
    held = find(database, person)
    number = int(database.about("segment") or 0)
    new: list[tuple[SealedFile, Segment]] = []
    for file in held.files:
        number += 1
        new.append((file, _renewed(database, person, held, file, number)))
    days = list(_days(database, person, number))
    counts = Counter(json.loads(database.about(name) or "{}")) + held.counts
    with database.transaction():
        for day, changed, segment in days:
            number += 1
            day_files.leave(database, [day])
            day_files.enter(database, day, segment)
            counts["tallies"] += changed
        for table in held.hot:
            _hot(database, person, held, table)
        for kind, count in _own(database, person).items():
            counts[kind] += count
        for file, segment in new:
            database.connection.execute("delete from own.manifest where path = ?", [file.path])
            enter(database, segment, file.table, file.day)
        database.set_about("segment", str(number))
        database.set_about(name, json.dumps(counts))
    return [file.path for file in held.files] + [day.path for day, _, _ in days]


def _days(database: Database, person: Person, number: int) -> Iterator[tuple[SealedDay, int, Segment]]:
    """Write the tallies of days anew that name the person; gives how many of their hours did."""
    for day in day_files.sealed_days(database, whole=False):
        rows = day_files.rows(database, day)
        new = [_packed(person, data) for data in rows["data"]]
        if any(data is not None for data in new):
            number += 1
            data = [old if data is None else data for old, data in zip(rows["data"], new, strict=True)]
            rows = rows.with_columns(pl.Series("data", data, pl.Binary))
            segment = day_files.write(database, day, rows, number)
            _as_before(database, segment.path, day.path)
            changed = sum(data is not None for data in new)
            yield day, changed, segment


def _renewed(database: Database, person: Person, held: Held, file: SealedFile, number: int) -> Segment:
    """Write a sealed file anew."""
    rows = sealed_rows(database, file)
    rows, _ = person.rows(rows, held.theirs(rows))
    place = f"{file.table.name}/day={file.day}/part-{number:06}{SUFFIX}"
    with given(database.connection, rows):
        segment = write_segment(database, "select * from new_rows", file.table, place)
    _as_before(database, place, file.path)
    return segment


def _as_before(database: Database, place: str, before: str) -> None:
    """Give a new file, and its index, the owner and the mode of the one before it."""
    path, old = database.directory / place, database.directory / before
    for made in filter(Path.exists, (path, place_of(path))):
        made.chmod(old.stat().st_mode & 0o7777)
        same_owner(made, old)


def _hot(database: Database, person: Person, held: Held, table: Table) -> None:
    """Replace the person in rows that are not sealed."""
    changed = []
    for rows in hot_rows(database, table):
        new, mask = person.rows(rows, held.theirs(rows))
        changed.append(new.filter(mask))
    rows = pl.concat(changed)
    columns = [name for name in rows.columns if name != ROW]
    _update(database, f"hot.{table.name}", rows, columns)


def _update(database: Database, table: str, rows: pl.DataFrame, columns: Collection[str]) -> None:
    connection = database.connection
    with given(connection, rows):
        puts = ", ".join(f'"{name}" = new_rows."{name}"' for name in columns)
        connection.execute(f"update {table} set {puts} from new_rows where {table}.{ROW} = new_rows.{ROW}")


def _own(database: Database, person: Person) -> Counter[str]:
    """Replace the person in what the store keeps beside the documented tables; how many rows, by kind."""
    counts: Counter[str] = Counter()
    for table, kind in (("hours", "tallies"), ("state", "messages under way")):
        numbers = database.connection.execute(f"select {ROW} from own.{table} order by {ROW}").fetchall()
        for (row,) in numbers:
            data = database.value(f"select data from own.{table} where {ROW} = ?", [row])
            new = _packed(person, bytes(data))
            if new is not None:
                database.connection.execute(f"update own.{table} set data = ? where {ROW} = ?", [new, row])
                counts[kind] += 1
    for table, columns in (("sources", ("source", "resume", "set_id")), ("about", ("value",))):
        others = f" where name not in ({', '.join(map(quoted, OURS))})" if table == "about" else ""
        rows = database.frame(f"select {ROW}, {', '.join(columns)} from own.{table}{others}")
        new_rows, mask = person.rows(rows)
        if mask.any():
            # A key that stays as it is must not be touched.
            other = [name for name in columns if not rows[name].equals(new_rows[name], null_equal=True)]
            _update(database, f"own.{table}", new_rows.filter(mask), other)
            counts[table] += int(mask.sum())
    counts["spellings"] += _spellings(database, person)
    return +counts


def _packed(person: Person, data: bytes) -> bytes | None:
    """A blob without the person; None where it does not name them."""
    return packed.rewritten(
        data, lambda name, frame: _inner(person, name, frame), lambda told: _told(person, told)
    )


def _spellings(database: Database, person: Person) -> int:
    rows = database.frame("select lower, spelling from own.spellings")
    new = rows.with_columns(
        person.renamed(person.texts(column), person.logins) for column in rows.iter_columns()
    )
    changed = rows["spelling"] != new["spelling"]
    connection = database.connection
    for lower, spelling in rows.filter(changed).iter_rows():
        connection.execute("delete from own.spellings where lower = ? and spelling = ?", [lower, spelling])
    for row in new.filter(changed).iter_rows():
        connection.execute("insert or ignore into own.spellings values (?, ?)", list(row))
    return int(changed.sum())


def _inner(person: Person, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A tally's rows, or what is under way."""
    new, mask = person.rows(frame)
    # Tallies have no lines in which a login name could be looked for, but shapes of them, and clients.
    columns = [new[key] for key in ("client", "shape") if key in new.columns and new[key].dtype == pl.String]
    unusual = [login for login in person.logins if login not in WORDS]
    for column in columns:
        other = person.words(column, unusual)
        mask = mask | column.ne_missing(other)
        new = new.with_columns(other)
    if not mask.any():
        return frame
    return new.with_columns(WHO) if name == "recipients" and "who" in new.columns else new


def _told(person: Person, value: Any, *, lines: bool = False) -> Any:
    """What a blob tells in JSON; in ``samples``, lines and the keys that they stand for."""
    if isinstance(value, dict):
        return {
            person.text(key): _told(person, each, lines=lines or key == "samples")
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_told(person, each, lines=lines) for each in value]
    if not isinstance(value, str):
        return value
    new = person.text(value)
    if not lines:
        return new
    if value.lower() in person.logins:
        return person.instead(value)
    return person.worded(new, person.logins | person.locals if new != value else person.logins)


def _entry(person: Person, entry: audit.Entry) -> audit.Entry:
    """A question, without the person."""
    asked, who = (person.worded(person.text(text), person.logins) for text in (entry.asked, entry.who))
    return audit.Entry(entry.time, who, entry.what, asked)


def _check(database: Database, person: Person) -> None:
    """See that nothing is left.  Raises StoreError where something is."""
    left = find(database, person).counts + _leftovers(database, person)
    for day in day_files.sealed_days(database, whole=False):
        data = day_files.rows(database, day)["data"]
        left["tallies"] += sum(_packed(person, each) is not None for each in data)
    left = +left
    if left:
        told = ", ".join(f"{name}: {count}" for name, count in sorted(left.items()))
        raise StoreError(f"the person is still named in it ({told})", str(database.directory), "report this")


def _leftovers(database: Database, person: Person) -> Counter[str]:
    """What is left beside the documented tables; nothing of it is changed."""
    database.connection.execute("begin transaction")
    try:
        return _own(database, person)
    finally:
        database.connection.execute("rollback")


def _receipt(
    database: Database, person: Person, secret: bytes, told: dict[str, int], who: str
) -> dict[str, Any]:
    return {
        "receipt": receipts.KIND,
        "version": 1,
        "mailscope": __version__,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": _entry(person, audit.Entry("", who, "", "")).who,
        "host": platform.node(),
        "store": person.text(str(database.directory)),
        "names": [receipts.name_hash(secret, name) for name in person.names],
        "changed": dict(sorted(told.items())),
        "other_files": other_files(database.directory, person),
        "manifest": receipts.manifest_hash(database),
    }


def _keep(directory: Path, receipt: dict[str, Any]) -> None:
    """Keep a receipt in the store."""
    place = directory / receipts.DIRECTORY
    if not place.exists():
        place.mkdir(mode=0o750)
        same_owner(place, directory)
    stamp = receipt["time"].replace(":", "").replace("+0000", "Z")
    path = place / f"erasure-{stamp}-{receipt['signature']['value'][:8]}.json"
    with path.open("x", encoding="ascii") as file:
        file.write(json.dumps(receipt, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o640)
    same_owner(path, directory)


def other_files(directory: Path, person: Person) -> list[str]:
    """Files in the store's directory that are none of the store's and name the person.

    Indexes hold keyed hashes only, and were made anew with their files.
    """
    ours = {FILE, audit.FILE, PEOPLE}
    found = []
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if (
            path.is_file()
            and name not in ours
            and path.suffix not in (SUFFIX, place_of(path).suffix)
            and _names(path, person)
        ):
            found.append(person.text(name))
    return found


def _names(path: Path, person: Person) -> bool:
    """Whether a file's bytes name one of the person's addresses."""
    behind = ""
    with path.open("rb") as file:
        while data := file.read(PIECE):
            text = behind + data.decode("utf-8", "replace")
            if person.text(text) != text:
                return True
            behind = text[-OVERLAP:]
    return False
