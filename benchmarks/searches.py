"""How long `trace` takes in a large store.

    python benchmarks/searches.py --events 50000000 --days 28

One day of a generated log is loaded.  The other days are copies of it, as if several such sites logged to one
store, with other instants, ids, processes and addresses: written, indexed and entered in the manifest as any
sealed file is.  Then ids and addresses of several days are looked for, in this process and through the
command line.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import duckdb

from mailscope.store.asking import Asked
from mailscope.store.database import Database
from mailscope.store.sealing import SLICE_ROWS, SUFFIX, Segment, enter, write_segment
from mailscope.store.search import Search
from mailscope.vocabulary.tables import TABLES

HERE = Path(__file__).parent
# Appended to the ids of a day: characters that Postfix uses in its own.
LETTERS = "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
IDS = ("queue_id", "next_queue_id", "orig_queue_id")
# Lines of one site and day, which are loaded.
LOADED = 250_000
COPIED = ("events", "messages", "deliveries")
GOALS = {"queue-id": 0.5, "message-id": 0.5, "address": 1.0}


def load(store: Path, events: int) -> None:
    """Load one day of so many lines."""
    with tempfile.TemporaryDirectory(dir=store.parent) as directory:
        log = Path(directory) / "mail.log"
        words = [sys.executable, str(HERE / "generate.py"), "--lines", str(events), "-o", str(log)]
        subprocess.run(words, check=True)
        mailscope(store, "ingest", "--tz", "UTC", "--store", str(store), str(log))


def mailscope(store: Path, *words: str) -> str:
    """Run a command; gives what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", *words], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 1):
        sys.exit(f"{words[0]} ended with {done.returncode}")
    return done.stdout


class Beside(Database):
    """What ``write_segment`` needs of a store, in a process that does not have it open."""

    def __init__(self, directory: Path, secret: bytes) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set threads = 1")
        self.connection.execute("set enable_progress_bar = false")
        self.connection.execute("set memory_limit = '1GB'")
        self.directory, self._bytes = directory, secret

    def secret(self) -> bytes:
        """The store's secret."""
        return self._bytes


@dataclass(frozen=True)
class Part:
    """A file to write: rows of a table of the loaded day from some instants, of so many sites, days later."""

    table: str
    day: date
    number: int
    sites: int
    since: datetime
    until: datetime
    order: int


def parts(database: Database, days: int, sites: int) -> Iterator[Part]:
    """The files of all days but the loaded one; its rows are cut so that each is as large as a sealed one."""
    for name in COPIED:
        table = TABLES[name]
        day, rows = database.connection.execute(
            "select day, sum(row_count) from own.manifest where name = ? group by day order by 2 desc", [name]
        ).fetchall()[0]
        count = -(-int(rows) * sites // SLICE_ROWS)
        shares = ", ".join(str(number / count) for number in range(1, count))
        cuts = database.value(
            f"select quantile_disc({table.time}, [{shares}]) from {name} where {table.time}::date = ?", [day]
        ) if count > 1 else []  # fmt: skip
        midnight = datetime.combine(day, datetime.min.time())
        edges = [midnight, *cuts, midnight + timedelta(days=1)]
        for number in range(1, days + 1):
            for order, (since, until) in enumerate(pairwise(edges)):
                yield Part(name, day, number, sites, since, until, order)


def write(store: Path, secret: bytes, files: dict[str, list[str]], part: Part) -> tuple[Part, Segment]:
    """Write one file as sealing does."""
    database, table = Beside(store, secret), TABLES[part.table]
    later = part.day + timedelta(days=part.number)
    place = f"{part.table}/day={later}/part-{part.number:03}{part.order:03}{SUFFIX}"
    listed = ", ".join(map(database.file, files[part.table]))
    bounds = f"{table.time} >= timestamp '{part.since}' and {table.time} < timestamp '{part.until}'"
    rows = " union all ".join(
        f"select {changed(table.names, part.number, site)} from read_parquet([{listed}]) where {bounds}"
        for site in range(part.sites)
    )
    return part, write_segment(database, rows, table, place, sort=True)


def copy_days(store: Path, days: int, sites: int) -> None:
    """Enter the loaded day once more for each of so many days, as what several sites logged at once."""
    database = Database(store, memory_mb=1000)
    files: dict[str, list[str]] = {}
    for name, path in database.connection.execute(
        "select name, path from own.manifest order by path"
    ).fetchall():
        files.setdefault(name, []).append(path)
    work = partial(write, store, database.secret(), files)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for part, entry in pool.map(work, list(parts(database, days, sites))):
            with database.transaction():
                enter(database, entry, TABLES[part.table], part.day + timedelta(days=part.number))
    database.close()


def changed(names: tuple[str, ...], number: int, site: int) -> str:
    """The columns of a copied day at a site."""
    letters, domain = LETTERS[number] + LETTERS[site], f"@d{number}s{site}."
    moved = f"interval {number} day"
    told = []
    for name in names:
        column = f'"{name}"'
        if name in ("time", "first_time", "last_time"):
            column = f"{column} + {moved}"
        elif name in IDS:
            column = f"{column} || '{letters}'"
        elif name in ("trail_id", "trail_id_to"):
            column = f"{column} || '-{number}-{site}'"
        elif name in ("sender", "recipient", "orig_recipient", "message_id", "sasl_user", "text"):
            column = f"replace({column}, '@', '{domain}')"
        elif name == "pid":
            column = f"{column} + {100_000 * site}"
        elif name == "raw":
            day = f"lpad(day(time + {moved})::varchar, 2, ' ')"
            stamp = f"strftime(time + {moved}, '%b ') || {day} || strftime(time + {moved}, ' %H:%M:%S')"
            body = f"replace(substr(raw, 16), '[' || pid || ']', '[' || pid + {100_000 * site} || ']')"
            for each in IDS:
                body = f"coalesce(replace({body}, {each}, {each} || '{letters}'), {body})"
            column = f"{stamp} || replace({body}, '@', '{domain}')"
        told.append(f'{column} as "{name}"')
    return ", ".join(told)


def wanted(database: Database, days: int) -> list[tuple[str, str]]:
    """What is looked for: kinds and ids or addresses, of the first, the middle and the last day."""
    found = []
    first = database.value("select min(first)::date from own.manifest where name = 'messages'")
    for number in (1, days // 2, days):
        begin = first + timedelta(days=number)
        bounds = [f"{begin} 09:00:00", f"{begin} 15:00:00"]
        rows = database.connection.execute(
            "select queue_id, message_id from messages where first_time between ?::timestamp and "
            "?::timestamp and message_id is not null and closed order by first_time limit 3",
            bounds,
        ).fetchall()
        for queue_id, message_id in rows[1:2]:
            found += [("queue-id", queue_id), ("message-id", message_id)]
        rows = database.connection.execute(
            "select recipient, count(*) as n from deliveries where time between ?::timestamp and "
            "?::timestamp group by recipient having n <= 20 order by n desc, recipient limit 1",
            bounds,
        ).fetchall()
        found += [("address", recipient) for recipient, _ in rows]
    return [*found, ("queue-id", "4zNothing00zzzz"), ("address", "nobody@nowhere.example")]


def search(database: Database, kind: str, what: str) -> tuple[float, int]:
    """Seconds that a search takes, and the lines that it gives."""
    begun = time.monotonic()
    lines = sum(map(len, Search(database, Asked(about=what, kinds=(kind,))).lines()))
    return time.monotonic() - begun, lines


def make(store: Path, events: int, days: int) -> None:
    """Make the store."""
    begun = time.monotonic()
    # So many sites log at once; what one of them logs in a day is loaded.
    sites = max(1, round(events / days / LOADED))
    load(store, events // days // sites)
    print(f"loaded {events // days // sites:,} lines in {time.monotonic() - begun:.1f} s", flush=True)
    begun = time.monotonic()
    copy_days(store, days, sites)
    print(f"made {days} days of {sites} such sites in {time.monotonic() - begun:.1f} s", flush=True)


def main() -> None:
    """Make the store, search in it, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=50_000_000, help="in all (default %(default)s)")
    parser.add_argument("--days", type=int, default=28, help="that they cover (default %(default)s)")
    parser.add_argument("--store", type=Path, help="keep the store here; one that is there is used as it is")
    parser.add_argument("--no-cli", action="store_true", help="only in this process")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        store = options.store or Path(directory) / "store"
        if not (store / "mailscope.duckdb").exists():
            make(store, options.events, options.days)
        database = Database(store, read_only=True)
        files = database.value("select count(*) from own.manifest where name = 'events'")
        print(f"{database.value('select count(*) from events'):,} events in {files} files")
        looked_for = wanted(database, options.days)
        for kind, what in looked_for:
            runs = [search(database, kind, what) for _ in range(3)]
            middle = median(seconds for seconds, _ in runs)
            told = f"{kind:<11}{runs[0][1]:>7} lines  first {runs[0][0]:6.2f} s  median {middle:6.2f} s"
            print(f"{told}  goal {GOALS[kind]} s", flush=True)
        database.close()
        for kind, what in looked_for if not options.no_cli else ():
            begun = time.monotonic()
            mailscope(store, "trace", what, "--as", kind, "--store", str(store))
            print(f"{kind:<11}as a command, without a daemon: {time.monotonic() - begun:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
