"""Sealed days add up to what their hours are, whatever comes when; in files that are whole or not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.privacy.person import Person
from mailscope.store import copies, day_files, days, erasing, upkeep
from mailscope.store.database import Database
from mailscope.store.hours import copied
from mailscope.store.restore import UnderWay
from mailscope.store.sealing import remove_strays
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger

HOUR = timedelta(hours=1)
# The clocks of Rome go forward at the end of the second day.
START = datetime(2026, 3, 27)
HOURS = 24 * 4
NOW = START + HOURS * HOUR
LATER = NOW + timedelta(days=9)
ZONES = tuple(map(ZoneInfo, ("UTC", "Europe/Rome", "Asia/Kolkata")))
UTC_ZONE, ROME, KOLKATA = ZONES


def ledger(hour: datetime, zone: ZoneInfo, number: int) -> Ledger:
    """What some lines of an hour come to, which differ by a number."""
    made = Ledger(zone=zone)
    at = hour + timedelta(minutes=number * 17 % 60)
    day = at.replace(tzinfo=UTC).astimezone(zone).date()
    outcome = ("sent", "bounced")[number % 2]
    slot = int(at.replace(tzinfo=UTC).timestamp()) // 900
    rows: dict[str, dict[str, list[Any]]] = {
        "attempts": {"slot": [slot], "outcome": [outcome], "count": [1], "bytes": [number]},
        "recipient_domains_by_day": {
            "day": [day], "domain": [f"d{number % 3}.example.org"], "outcome": [outcome], "count": [1],
            "bytes": [number],
        },
        "recipients": {
            "recipient": [f"u{number % 4}@example.org"], "outcome": [outcome], "count": [1],
            "bytes": [number], "delay_sum_s": [number], "delay_max_s": [float(number)],
        },
    }  # fmt: skip
    for name, columns in rows.items():
        made.put(name, pl.DataFrame(columns))
    made.lines, made.totals = {("postfix/smtp", "read"): 1}, {"read": 1, "recognised": 1}
    made.first = made.last = at
    place = (f"u{number % 4}@example.org", outcome)
    made.samples.put(
        "verdict_clients", {(*place, "rejected"): [f"line {number} of u{number % 4}@example.org"]}
    )
    return made


def told(whole: Ledger) -> dict[str, Any]:
    """All that a sum says; which lines are kept as samples may depend on the order in which they came."""
    return {
        "parts": {name: sorted(rows.select(sorted(rows.columns)).rows(), key=repr) for name, rows in whole.parts().items()},
        "lines": whole.lines, "totals": {name: count for name, count in whole.totals.items() if count},
        "pooled": {name: count for name, count in whole.pooled.items() if count},
        "first": whole.first, "last": whole.last,
        "samples": {name: set(lines) for name, lines in whole.samples.kept.items() if lines},
    }  # fmt: skip


@dataclass
class Kept:
    """A store of tallies, and beside it what was put into it."""

    database: Database
    zone: ZoneInfo = UTC_ZONE
    parts: list[tuple[datetime, bytes]] = field(default_factory=list)

    def put(self, hour: datetime, number: int) -> None:
        data = kept.to_bytes(ledger(hour, self.zone, number))
        self.parts.append((hour, data))
        with self.database.transaction():
            self.database.connection.execute(
                "insert into own.hours values (?, ?, ?)", [hour, len(self.parts), data]
            )

    def tidy(self, now: datetime = LATER) -> int:
        """Seal all there is to be sealed; how many times."""
        count = 0
        while days.tidy(self.database, self.zone, now):
            count += 1
            assert count < 100
        return count

    def asked(
        self, since: datetime | None = None, until: datetime | None = None, *, by_time: bool = False
    ) -> Any:
        under_way = UnderWay(hours=Hours(self.zone))
        found = copied(self.database, under_way, self.zone, since, until, by_time=by_time)
        return told(kept.from_bytes(found.packed(), self.zone))

    def right(
        self, since: datetime | None = None, until: datetime | None = None, *, by_time: bool = False
    ) -> Any:
        whole = Ledger(zone=self.zone)
        for hour, data in self.parts:
            if (since is None or since <= hour) and (until is None or hour < until):
                whole.merge(kept.from_bytes(data, self.zone, by_time=by_time, hour=hour))
        return told(whole.by_time() if by_time else whole)

    def check(self, since: datetime | None = None, until: datetime | None = None) -> None:
        for by_time in (False, True):
            assert self.asked(since, until, by_time=by_time) == self.right(since, until, by_time=by_time)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.database.directory.glob("tallies/day=*/*"))


@pytest.fixture
def store(tmp_path: Path) -> Kept:
    found = Kept(Database(tmp_path / "store"))
    for number in range(0, HOURS, 5):
        found.put(START + number * HOUR, number)
    return found


def named(database: Database) -> list[str]:
    return [day.path for day in day_files.sealed_days(database)]


hours = st.integers(0, HOURS - 1)
steps = st.one_of(
    st.tuples(st.just("put"), hours, st.integers(0, 60)),
    st.tuples(st.just("tidy"), st.integers(0, HOURS + 30), st.just(0)),
    st.tuples(st.just("zone"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("ask"), hours, hours),
    st.tuples(st.just("open"), st.just(0), st.just(0)),
)


@settings(max_examples=examples(6, 500), deadline=None)
@given(st.lists(steps, min_size=3, max_size=12))
def test_whatever_comes_when_sums_are_those_of_the_hours(made: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as directory:
        store = Kept(Database(Path(directory) / "store"))
        for number in range(0, HOURS, 3):
            store.put(START + number * HOUR, number)
        for what, one, two in made:
            if what == "put":
                store.put(START + one * HOUR, two)
            elif what == "tidy":
                days.tidy(store.database, store.zone, START + one * HOUR)
            elif what == "zone":
                store.zone = ZONES[one]
            elif what == "open":
                store.database.close()
                store.database = Database(Path(directory) / "store")
                assert remove_strays(store.database) == []
            else:
                store.check(START + one * HOUR, START + two * HOUR)
        store.tidy()
        store.check()
        store.check(START + 7 * HOUR, START + 61 * HOUR)
        store.database.close()


def test_hours_of_days_that_are_over_leave_the_database(store: Kept) -> None:
    before = store.asked()
    assert store.tidy(START + timedelta(days=2, hours=1)) == 1
    assert store.tidy(START + timedelta(days=2, hours=2)) == 1
    assert store.database.value("select min(hour) from own.hours") >= START + timedelta(days=2)
    assert store.asked() == before
    assert [day.start for day in day_files.sealed_days(store.database)] == [START, START + timedelta(days=1)]


def test_late_parts_are_added_and_many_of_them_make_the_file_anew(store: Kept) -> None:
    store.tidy()
    first = named(store.database)
    for number in range(days.LATE_PARTS - 1):
        store.put(START + number * HOUR, number)
    assert store.tidy() == 0
    store.check()
    store.put(START + 20 * HOUR, 3)
    # A file that was just written waits.
    assert store.tidy() == 0
    assert store.tidy(LATER + days.ANEW) == 1
    assert store.database.value("select count(*) from own.hours") == 0
    assert len(set(named(store.database)) - set(first)) == 1
    assert store.files() == sorted(Path(path).name for path in named(store.database))
    store.check()


def test_a_day_is_that_of_the_zone_and_has_23_hours_when_the_clocks_go_forward(tmp_path: Path) -> None:
    store = Kept(Database(tmp_path / "store"), ROME)
    for number in range(HOURS):
        store.put(START + number * HOUR, number)
    store.tidy()
    found = [(day.start, (day.end - day.start) // HOUR) for day in day_files.sealed_days(store.database)]
    assert found == [
        (datetime(2026, 3, 26, 23), 24), (datetime(2026, 3, 27, 23), 24), (datetime(2026, 3, 28, 23), 23),
        (datetime(2026, 3, 29, 22), 24), (datetime(2026, 3, 30, 22), 24),
    ]  # fmt: skip
    store.check()
    store.check(datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22))


def test_days_are_made_anew_when_the_zone_is_set_to_another(store: Kept) -> None:
    store.tidy()
    for zone in (ROME, KOLKATA, UTC_ZONE):
        store.zone = zone
        # Before and while they are made anew, too.
        while days.tidy(store.database, zone, LATER):
            store.check()
        assert {day.zone.key for day in day_files.sealed_days(store.database)} == {zone.key}
        assert store.database.value("select count(*) from own.hours") == 0
        store.check()
    assert store.files() == sorted(Path(path).name for path in named(store.database))


def test_an_hour_tells_the_day_that_it_has_in_another_zone() -> None:
    hour = datetime(2026, 3, 27, 23)
    data = kept.to_bytes(ledger(hour, UTC_ZONE, 1))

    def day(zone: ZoneInfo, data: bytes = data) -> list[date]:
        rows = kept.from_bytes(data, zone, hour=hour).parts()["recipient_domains_by_day"]
        return [each for each in rows["day"] if isinstance(each, date)]

    assert (day(UTC_ZONE), day(ROME), day(KOLKATA)) == (
        [date(2026, 3, 27)], [date(2026, 3, 28)], [date(2026, 3, 28)]
    )  # fmt: skip
    assert day(ZoneInfo("Etc/UTC")) == [date(2026, 3, 27)]
    back = kept.to_bytes(kept.from_bytes(data, ROME, hour=hour))
    assert day(UTC_ZONE, back) == [date(2026, 3, 27)]


def test_names_go_with_the_lines_and_old_days_go(store: Kept) -> None:
    store.tidy()
    database = store.database
    totals = store.asked()["totals"]
    # Whole days, as the files of lines.
    assert upkeep.forget_names(database, START + timedelta(days=1, hours=20)) == 5
    assert upkeep.forget_names(database, START + timedelta(days=1, hours=20)) == 0
    first, *others = day_files.sealed_days(database)
    assert (first.nameless, any(day.nameless for day in others)) == (True, False)
    assert b"@example.org" not in (database.directory / first.path).read_bytes()
    for data in day_files.rows(database, first)["data"]:
        found = kept.from_bytes(data, UTC_ZONE)
        assert not found.samples.kept
        if "recipients" in found.parts():
            assert found.parts()["recipients"]["recipient"].null_count() == len(found.parts()["recipients"])
    assert store.asked()["totals"] == totals
    # What comes for it later loses them as well.
    for number in range(days.LATE_PARTS):
        store.put(START + number * HOUR, number)
    assert upkeep.forget_names(database, START + timedelta(days=1)) == days.LATE_PARTS
    assert store.tidy(LATER + days.ANEW) == 1
    assert day_files.sealed_days(database)[0].nameless
    sum_of_first = kept.from_bytes(
        day_files.sums(database, day_files.sealed_days(database)[0], by_time=False)[1], UTC_ZONE
    )
    assert sum_of_first.parts()["recipients"]["recipient"].drop_nulls().to_list() == []
    assert upkeep.expire(database, {"hours": START + timedelta(days=2)}) == 2
    assert [day.start for day in day_files.sealed_days(database)] == [
        START + timedelta(days=n) for n in (2, 3)
    ]
    assert store.files() == sorted(Path(path).name for path in named(database))


def test_a_person_is_erased_from_days_too(store: Kept) -> None:
    store.tidy()
    before = store.asked()
    place = store.database.directory
    store.database.close()
    receipt = erasing.erase(place, Person.of(("u1@example.org",)), "root")
    assert receipt["changed"]["tallies"] > 0
    for path in place.glob("tallies/day=*/*"):
        for data in pl.read_parquet(path, hive_partitioning=False)["data"]:
            whole = kept.from_bytes(data, UTC_ZONE)
            assert "u1@" not in repr(
                (whole.samples.kept, {n: rows.rows() for n, rows in whole.parts().items()})
            )
    store.database = Database(place)
    assert upkeep.check(store.database, thorough=True) == []
    after = store.asked()
    assert (after["totals"], after["parts"]["attempts"]) == (before["totals"], before["parts"]["attempts"])
    assert len(after["parts"]["recipients"]) == len(before["parts"]["recipients"])


class Killed(BaseException):
    """The process is gone."""


def dying(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def killed(*words: Any, **others: Any) -> Any:
        if after:
            function(*words, **others)
        raise Killed

    return killed


@pytest.mark.parametrize("name", ["write", "enter", "leave", "unlink", "hours"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("zone", [UTC_ZONE, ROME], ids=["anew", "other zone"])
def test_broken_off_anywhere_nothing_is_lost_or_twice(
    store: Kept, name: str, after: bool, zone: ZoneInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.tidy()
    for number in range(days.LATE_PARTS):
        store.put(START + number * HOUR, number)
    store.zone = zone
    with monkeypatch.context() as patch:
        patch.setattr(day_files, name, dying(getattr(day_files, name), after=after))
        with pytest.raises(Killed):
            store.tidy(LATER + days.ANEW)
    directory = store.database.directory
    store.database.close()
    store.database = Database(directory)
    remove_strays(store.database)
    assert store.files() == sorted(Path(path).name for path in named(store.database))
    store.check()
    store.tidy(LATER + days.ANEW)
    store.check()


def test_a_full_disk_leaves_no_piece_of_a_file(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mailscope.store.day_files.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            store.tidy()
    assert store.files() == []
    store.check()


def test_damage_is_named_and_the_rest_is_told(store: Kept, tmp_path: Path) -> None:
    store.tidy()
    first = store.database.directory / named(store.database)[0]
    first.write_bytes(first.read_bytes()[:-100])
    [damage] = upkeep.check(store.database, thorough=False)
    assert damage.place == first.relative_to(store.database.directory).as_posix()
    store.parts = [(hour, data) for hour, data in store.parts if hour >= START + timedelta(days=1)]
    store.check()


def test_days_are_part_of_a_backup(store: Kept, tmp_path: Path) -> None:
    store.tidy()
    before = store.asked()
    place = store.database.directory
    store.database.close()
    copies.backup(place, tmp_path / "backup")
    store.database = Database(tmp_path / "backup")
    assert store.asked() == before


def test_a_store_of_before_is_read_as_it_is_and_brought_up(store: Kept) -> None:
    for name in ("days", "hosts", "host_hours", "inputs", "claims"):
        store.database.connection.execute(f"drop table own.{name}")
    store.database.connection.execute("update own.about set value = '1' where name = 'version'")
    place = store.database.directory
    store.database.close()
    store.database = Database(place, read_only=True)
    store.check()
    store.database.close()
    store.database = Database(place)
    assert store.database.brought_up == ["from version 1 to 2", "from version 2 to 3"]
    store.tidy()
    store.check()
