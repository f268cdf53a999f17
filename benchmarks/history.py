"""How long a report over weeks takes, from the tallies that a store keeps.

    python benchmarks/history.py --lines 1000000 --days 28

Four days of generated logs are counted hour by hour (1,000,000 lines are some 100,000 messages); the days
after them hold the same again at other instants, so that names recur as those of a site's correspondents do.
The store holds tallies only, as one whose lines are forgotten.  Then `mailscope report` is run over all of it
and for its last day, week and month; and the same sums are made in this process, as the daemon makes them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.intake.reader import Source
from mailscope.intake.sources import Sources
from mailscope.pipeline import Pipeline
from mailscope.recognise.library import load
from mailscope.store.database import Database
from mailscope.store.days import tidy
from mailscope.store.reader import Reader
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tables import needed_fields

HERE = Path(__file__).parent
ZONE = ZoneInfo("UTC")
DISTINCT = 4
SLOTS = 96
RUNS = 3


def counted(log: Path, seed: int, lines: int, start: datetime) -> dict[datetime, Ledger]:
    """The hours of a generated day."""
    day = start.date().isoformat()
    words = [sys.executable, str(HERE / "generate.py"), "--lines", str(lines), "--seed", str(seed)]
    subprocess.run([*words, "--start", day, "-o", str(log)], check=True)
    written = (start + timedelta(days=1)).replace(tzinfo=UTC).timestamp()
    source = Source(str(log), log.name, str(log), 0, written, log.stat().st_size, "none")
    sources = Sources([source], ZONE, start + timedelta(days=2))
    hours = Hours(ZONE)
    for batch, outcome in Pipeline(sources, load(), needed_fields()).follow():
        hours.add(batch, outcome)
    log.unlink()
    return hours.ledgers


def later(ledger: Ledger, days: int) -> Ledger:
    """The same counts, so many days later."""
    moved = Ledger(zone=ZONE, samples=ledger.samples, lines=ledger.lines, totals=ledger.totals)
    for name, rows in ledger.parts().items():
        slots = [pl.col("slot") + SLOTS * days] if "slot" in rows.columns else []
        dates = [pl.col("day") + timedelta(days=days)] if "day" in rows.columns else []
        moved.put(name, rows.with_columns(*slots, *dates))
    for edge in ("first", "last"):
        instant = getattr(ledger, edge)
        setattr(moved, edge, instant + timedelta(days=days) if instant else None)
    return moved


def make(place: Path, lines: int, days: int) -> None:
    """Make the store; its last day is the day before yesterday."""
    begun = time.monotonic()
    today = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=days + 1)
    database = Database(place)
    found: list[dict[datetime, Ledger]] = []
    longest = 0.0
    for nth in range(days):
        if nth < DISTINCT:
            found.append(counted(place / "made.log", nth + 1, lines, start + timedelta(days=nth)))
        shift = nth // DISTINCT * DISTINCT
        with database.transaction():
            for hour, ledger in found[nth % DISTINCT].items():
                row = [hour + timedelta(days=shift), 1, kept.to_bytes(later(ledger, shift))]
                database.connection.execute("insert into own.hours values (?, ?, ?)", row)
        at = time.monotonic()
        tidy(database, ZONE, today)
        longest = max(longest, time.monotonic() - at)
    database.close()
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    print(f"{days} days of {lines:,} lines made in {time.monotonic() - begun:.1f} s, {size / 1e6:,.0f} MB")
    print(f"sealing a day's tallies takes {longest:.2f} s", flush=True)


def command(place: Path, *words: str) -> float:
    """Seconds that a report takes as a command."""
    begun = time.monotonic()
    called = [sys.executable, "-m", "mailscope", "report", "--tz", "UTC", "--store", str(place), *words]
    done = subprocess.run(called, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"report ended with {done.returncode}")
    return time.monotonic() - begun


def inside(place: Path, since: datetime | None, *, by_time: bool) -> float:
    """Seconds that the sum takes in a process that has the store open."""
    reader = Reader(Database(place, read_only=True), load(), ZONE)
    reader.hours(None, None)
    begun = time.monotonic()
    reader.tallies(since, None, by_time=by_time)
    took = time.monotonic() - begun
    reader.close()
    return took


def main() -> None:
    """Make the store, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of a day (default %(default)s)")
    parser.add_argument("--days", type=int, default=28, help="(default %(default)s)")
    parser.add_argument("--store", type=Path, help="keep the store here; one that is there is used as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = options.store or Path(directory) / "store"
        if not place.exists():
            make(place, options.lines, options.days)
        week = datetime.now(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0) - timedelta(days=8)
        for what, words in {
            "report": (),
            "report --format json": ("--format", "json"),
            "report --since, 8 days": ("--since", f"{week}Z"),
            "report --period day": ("--period", "day"),
            "report --period week": ("--period", "week"),
            "report --period month": ("--period", "month"),
        }.items():
            print(f"{what:<40}{median(command(place, *words) for _ in range(RUNS)):8.2f} s", flush=True)
        for what, since, by_time in (
            ("sum of all", None, False),
            ("sum of all that tells time apart", None, True),
            ("sum of 8 days", week, False),
        ):
            took = median(inside(place, since, by_time=by_time) for _ in range(RUNS))
            print(f"{what:<40}{took:8.2f} s", flush=True)


if __name__ == "__main__":
    main()
