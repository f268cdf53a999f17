"""How long `trace` takes in a large store.

    python benchmarks/searches.py --events 50000000 --days 28

One day of a generated log is loaded; the other days are copies of its sealed files with other instants, ids
and addresses, entered in the manifest as any sealed file is.  Then ids and addresses of several days are
looked for, in this process and through the command line.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from mailscope.store.asking import Asked
from mailscope.store.database import Database
from mailscope.store.sealing import enter, write_segment
from mailscope.store.search import Search
from mailscope.vocabulary.tables import TABLES

HERE = Path(__file__).parent
# Appended to the ids of a day: characters that Postfix uses in its own.
LETTERS = "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
IDS = ("queue_id", "next_queue_id", "orig_queue_id")
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


def copy_day(database: Database, number: int) -> None:
    """Enter the loaded day once more, as another: so many days later, with ids and addresses of its own."""
    for name in COPIED:
        table = TABLES[name]
        files = database.connection.execute(
            "select path, day from own.manifest where name = ? and path not like '%copy%' order by path",
            [name],
        ).fetchall()
        for path, day in files:
            later = day + timedelta(days=number)
            place = f"{name}/day={later}/part-{number:03}copy{Path(path).stem[5:]}.parquet"
            source = f"read_parquet({database.file(path)})"
            rows = f"select {changed(table.names, number)} from {source} order by {table.time}"
            entry = write_segment(database, rows, table, place)
            with database.transaction():
                enter(database, entry, table, later)


def changed(names: tuple[str, ...], number: int) -> str:
    """The columns of a copied day."""
    letter, site = LETTERS[number], f"@d{number}."
    told = []
    for name in names:
        column = f'"{name}"'
        if name in ("time", "first_time", "last_time"):
            column = f"{column} + interval {number} day"
        elif name in IDS:
            column = f"{column} || '{letter}'"
        elif name in ("trail_id", "trail_id_to"):
            column = f"{column} || '-{number}'"
        elif name in ("sender", "recipient", "orig_recipient", "message_id", "sasl_user", "text"):
            column = f"replace({column}, '@', '{site}')"
        elif name == "raw":
            moved = f"time + interval {number} day"
            day = f"lpad(day({moved})::varchar, 2, ' ')"
            stamp = f"strftime({moved}, '%b ') || {day} || strftime({moved}, ' %H:%M:%S')"
            body = "substr(raw, 16)"
            for each in IDS:
                body = f"coalesce(replace({body}, {each}, {each} || '{letter}'), {body})"
            column = f"{stamp} || replace({body}, '@', '{site}')"
        told.append(f'{column} as "{name}"')
    return ", ".join(told)


def wanted(database: Database, days: int) -> list[tuple[str, str]]:
    """What is looked for: kinds and ids or addresses, of the first, the middle and the last day."""
    found = []
    first = database.value("select min(time)::date from events")
    for number in (0, days // 2, days - 1):
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
    load(store, events // days)
    print(f"loaded {events // days:,} lines in {time.monotonic() - begun:.1f} s", flush=True)
    begun = time.monotonic()
    database = Database(store, memory_mb=2000)
    for number in range(1, days):
        copy_day(database, number)
    database.close()
    print(f"copied {days - 1} times in {time.monotonic() - begun:.1f} s", flush=True)


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
            mailscope(store, "trace", what, "--store", str(store))
            print(f"{kind:<11}as a command, without a daemon: {time.monotonic() - begun:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
