"""Counts of the log: exact numbers of a small log, however it is cut and kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from metering import log_lines, number, shown
from running import examples
from storing import NOW, ZONE, Feeder, arrivals

from mailscope.store import days
from mailscope.tallies.hours import NO_TIME
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tally import bucket, bucket_value
from mailscope.watch.metrics.counting import OLDEST, counted, stage_name
from mailscope.watch.metrics.families import OTHER, Values
from mailscope.watch.metrics.histograms import BUCKET, DELAYS, SUM, bound, cumulated, put
from mailscope.watch.metrics.kept import of_hours, of_store
from mailscope.watch.metrics.labels import LONGEST, MOST, MOST_PROGRAMS, Labels
from mailscope.watch.metrics.running import Running, added

BEGIN = NOW.replace(tzinfo=UTC) - timedelta(minutes=30)


def lines(count: int = 1) -> list[bytes]:
    return [
        f"{line}\n".encode()
        for serial in range(count)
        for line in log_lines(BEGIN + timedelta(seconds=serial), serial)
    ]


def counts_of(log: list[bytes], cuts: Iterable[int] = ()) -> Values:
    with TemporaryDirectory() as place:
        feeder = Feeder(Path(place))
        for arrival in arrivals(log, cuts):
            feeder.feed(arrival)
        found = counted(feeder.writer.hours.ledgers, Labels())
        feeder.close()
    return found


def test_every_count_of_a_small_log() -> None:
    found = shown(counts_of(lines(2)))
    expected = {
        ("mailscope_lines_total", "program", "postfix/smtpd"): 10,
        ("mailscope_lines_total", "program", "postfix/qmgr"): 10,
        ("mailscope_lines_total", "program", "dovecot"): 4,
        ("mailscope_lines_total", "program", "strange"): 2,
        ("mailscope_lines_unrecognised_total", "program", "strange"): 2,
        ("mailscope_messages_accepted_total", "service", "smtpd"): 6,
        ("mailscope_messages_queued_total", "origin", "outside"): 6,
        ("mailscope_messages_queued_total", "origin", "internal"): 0,
        ("mailscope_queued_bytes_total", "origin", "outside"): 6000,
        ("mailscope_delivery_attempts_total", "status", "sent"): 2,
        ("mailscope_delivery_attempts_total", "status", "deferred"): 2,
        ("mailscope_delivery_attempts_total", "status", "bounced"): 2,
        ("mailscope_delivery_attempts_total", "status", "expired"): 0,
        ("mailscope_delivery_attempted_bytes_total", "status", "sent"): 2000,
    }
    assert {key: number(found, key[0], **{key[1]: key[2]}) for key in expected} == expected
    name = "mailscope_delivery_failures_total"
    assert number(found, name, status="deferred", dsn_class="4", cause="mailbox_full") == 2
    assert number(found, name, status="bounced", dsn_class="5", cause="unknown_recipient") == 2
    assert (
        number(found, "mailscope_verdicts_total", verdict="rejected", dsn_class="5", cause="relay_denied")
        == 2
    )
    assert number(found, "mailscope_logins_total", service="imap-login", result="succeeded") == 2
    assert number(found, "mailscope_logins_total", service="imap-login", result="failed") == 2
    assert number(found, "mailscope_problems_total", level="failed", program="postfix/smtpd") == 2


def test_fates_count_once_they_are_certain() -> None:
    late = log_lines(BEGIN + timedelta(minutes=20), 9)[:1]
    found = shown(counts_of([*lines(2), *(f"{line}\n".encode() for line in late)]))
    assert number(found, "mailscope_messages_ended_total", end="removed") == 4
    assert number(found, "mailscope_recipients_finished_total", fate="sent") == 2
    assert number(found, "mailscope_recipients_finished_total", fate="bounced") == 2


def test_delays_fall_below_their_bounds() -> None:
    found = shown(counts_of(lines()))
    name = "mailscope_delivery_delay_seconds_bucket"
    # Of the one message that was sent: delay=2, delays=0.2/0.02/0.7/1.08.
    steps = {"total": 3.0, "before_queue": 0.3, "in_queue": 0.1, "connect": 1.0, "transmit": 3.0}
    for stage, step in steps.items():
        for each in DELAYS:
            assert number(found, name, stage=stage, le=bound(each)) == (each >= step), (stage, each)
    assert number(found, "mailscope_delivery_delay_seconds_count", stage="total") == 1
    assert number(found, "mailscope_delivery_delay_seconds_sum", stage="total") == pytest.approx(2, rel=0.01)


def test_nothing_counted_is_shown_as_zero() -> None:
    found = shown(counted({}, Labels()))
    assert number(found, "mailscope_delivery_attempts_total", status="bounced") == 0
    assert number(found, "mailscope_delivery_delay_seconds_count", stage="connect") == 0
    assert number(found, "mailscope_recipients_finished_total", fate="sent") == 0
    assert not any(found.values())


@hypothesis_settings(max_examples=examples(5), deadline=None)
@given(st.lists(st.integers(1, 2 * len(log_lines(BEGIN)) - 1), max_size=4, unique=True))
def test_however_the_log_is_cut_the_counts_are_the_same(cuts: list[int]) -> None:
    assert shown(counts_of(lines(2), cuts)) == shown(counts_of(lines(2)))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_a_bound_is_right_to_one_percent(delays: list[float]) -> None:
    numbers = pl.DataFrame({"delay_s": delays}).select(bucket("delay_s"))["bucket"]
    values: Values = {}
    for each in numbers:
        put(values, "x", (), DELAYS, bucket_value(each))
    found = dict(cumulated({place[-1]: count for place, count in values["x" + BUCKET].items()}, DELAYS))
    for each in DELAYS:
        surely = sum(delay <= each / 1.0101 for delay in delays)
        perhaps = sum(delay <= each * 1.0101 for delay in delays)
        assert surely <= found[bound(each)] <= perhaps
    assert found[bound(inf)] == len(delays)
    assert values["x" + SUM][()] == pytest.approx(sum(delays), rel=0.011, abs=0.001 * len(delays))


def test_what_was_loaded_of_the_past_does_not_count() -> None:
    with TemporaryDirectory() as place:
        feeder = Feeder(Path(place))
        feeder.feed(*arrivals(lines(), ()))
        hours = feeder.writer.hours.ledgers
        hour = min(hours)
        recent = shown(counted(hours, Labels(), hour + OLDEST))
        past = shown(counted(hours, Labels(), hour + OLDEST + timedelta(seconds=1)))
        feeder.close()
    assert recent == shown(counts_of(lines()))
    assert number(past, "mailscope_delivery_attempts_total", status="sent") == 0
    assert not any(name == "mailscope_lines_total" for name, _ in past)


def test_what_has_no_instant_counts_as_of_now() -> None:
    ledger = Ledger(lines={("strange", "read"): 3}, totals={"blank": 2})
    found = counted({NO_TIME: ledger}, Labels(), NOW)
    assert found["mailscope_lines"] == {("strange",): 3}
    assert found["mailscope_lines_skipped"]["blank",] == 2


def test_a_store_without_a_daemon_tells_all_its_hours(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path)
    for serial in range(3):
        log = [f"{line}\n".encode() for line in log_lines(BEGIN - timedelta(hours=serial), serial)]
        feeder.feed(*arrivals(log, (), f"mail.log.{serial}"))
        if serial != 1:
            feeder.writer.checkpoint()
    found = shown(of_hours(feeder.database, feeder.writer.hours, ZONE))
    # Days that are over become files, late lines of theirs come besides, and the counts stay.
    feeder.writer.checkpoint()
    before = of_store(feeder.database)
    days.tidy_all(feeder.database, ZONE, NOW + timedelta(days=3))
    assert not days.hot(feeder.database, None, None)
    assert shown(of_hours(feeder.database, feeder.writer.hours, ZONE)) == found
    after = of_store(feeder.database)
    assert after["mailscope_store_bytes"][()] != before["mailscope_store_bytes"][()]
    assert after["mailscope_store_last_sealing_timestamp_seconds"][()] > 0
    late = [f"{line}\n".encode() for line in log_lines(BEGIN, 7)]
    feeder.feed(*arrivals(late, (), "mail.log.late"))
    late_found = shown(of_hours(feeder.database, feeder.writer.hours, ZONE))
    feeder.close()
    assert number(late_found, "mailscope_delivery_attempts_total", status="sent") == 4
    assert number(found, "mailscope_delivery_attempts_total", status="sent") == 3
    assert number(found, "mailscope_lines_total", program="dovecot") == 6


def test_counters_of_a_daemon_rise_over_what_the_store_takes_over(tmp_path: Path) -> None:
    """What was there before the daemon does not count; nothing counts twice; nothing is seen half."""
    feeder = Feeder(tmp_path)
    running = Running()
    # In a store that was not closed properly, lines of before are under way again.
    feeder.feed(*arrivals(recent(0), (), "before"))
    feeder.writer.leaving = running.leaving
    running.begin(feeder.writer.hours)
    sent = [sent_of(running)]
    for serial in range(1, 6):
        feeder.feed(*arrivals(recent(serial), (), f"log {serial}"))
        # Not before the batch is told to be stored.
        assert sent_of(running) == sent[-1]
        running.stored(feeder.writer.hours)
        sent.append(sent_of(running))
        if serial in (2, 3):
            feeder.writer.checkpoint()
            assert sent_of(running) == sent[-1]
            running.stored(feeder.writer.hours)
            assert sent_of(running) == sent[-1]
    feeder.close()
    assert sent == [0, 1, 2, 3, 4, 5]


def test_after_a_failure_the_counters_go_on_where_they_were(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path)
    running = Running()
    feeder.writer.leaving = running.leaving
    running.begin(feeder.writer.hours)
    feeder.feed(*arrivals([*recent(0), b"\n", b"\n"], (), "log"))
    running.stored(feeder.writer.hours)
    before = shown(running.values())
    # As when the disk was full: the store is opened anew, and follows what was stored once more.
    feeder.writer.recover()
    running.stored(feeder.writer.hours)
    after = shown(running.values())
    feeder.feed(*arrivals(recent(1), (), "later"))
    running.stored(feeder.writer.hours)
    last = shown(running.values())
    feeder.close()
    assert after == before
    assert number(last, "mailscope_delivery_attempts_total", status="sent") == 2
    assert all(last[key] >= figure for key, figure in before.items())


def recent(serial: int) -> list[bytes]:
    """Lines of now: a daemon does not count what is old."""
    begin = datetime.now(UTC) - timedelta(minutes=5)
    return [f"{line}\n".encode() for line in log_lines(begin + timedelta(seconds=serial), serial)]


def sent_of(running: Running) -> float:
    return number(shown(running.values()), "mailscope_delivery_attempts_total", status="sent")


def test_labels_have_a_bounded_number_of_values() -> None:
    labels = Labels()
    shown_as = [labels.admit("x", "service", f"s{number}") for number in range(3 * MOST)]
    assert shown_as[:MOST] == [f"s{number}" for number in range(MOST)]
    assert set(shown_as[MOST:]) == {OTHER}
    # What has a place keeps it, what has none gets none.
    assert [labels.admit("x", "service", f"s{number}") for number in range(3 * MOST)] == shown_as
    assert labels.admit("y", "service", "s999") == "s999"
    assert labels.place("x", ("service",), (None,)) == ("none",)
    assert labels.admit("z", "service", "a\x1b[31m\n" + "b" * 200) == "a?[31m?" + "b" * (LONGEST - 7)


def test_programs_beyond_the_bound_are_counted_together() -> None:
    ledger = Ledger()
    ledger.lines = {(f"p{number:03}", "read"): 1000 - number for number in range(MOST_PROGRAMS + 20)}
    found = counted({NOW: ledger}, Labels())["mailscope_lines"]
    assert len(found) == MOST_PROGRAMS + 1
    assert found["p000",] == 1000
    assert found[OTHER,] == sum(1000 - number for number in range(MOST_PROGRAMS, MOST_PROGRAMS + 20))
    assert sum(found.values()) == sum(ledger.lines.values())


def test_stages_have_short_names() -> None:
    stages = ("delay_s", "delay_before_queue_s", "delay_transmit_s")
    assert [stage_name(stage) for stage in stages] == ["total", "before_queue", "transmit"]


def test_numbers_are_added_place_by_place() -> None:
    assert added({"a": {("x",): 1}}, {"a": {("x",): 2, ("y",): 3}, "b": {(): 4}}) == {
        "a": {("x",): 3, ("y",): 3},
        "b": {(): 4},
    }


def test_the_queue_as_the_log_tells_it(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path)
    held = f"{(BEGIN + timedelta(seconds=50)).isoformat(timespec='microseconds')} mx "
    feeder.feed(
        *arrivals(
            [
                *lines(),
                # On hold; waiting for its first attempt; never taken in whole.
                f"{held}postfix/smtpd[9]: AAAAAA0001: client=host.example.org[192.0.2.7]\n".encode(),
                f"{held}postfix/cleanup[3]: AAAAAA0001: hold: header Subject: x from host.example.org[192.0.2.7]; "
                "from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>: held\n".encode(),
                f"{held}postfix/smtpd[9]: AAAAAA0002: client=host.example.org[192.0.2.7]\n".encode(),
                f"{held}postfix/qmgr[7]: AAAAAA0002: from=<a@example.org>, size=77, nrcpt=1 (queue active)\n".encode(),
                f"{held}postfix/smtpd[9]: AAAAAA0003: client=host.example.org[192.0.2.7]\n".encode(),
            ],
            (),
        )
    )
    now = BEGIN.replace(tzinfo=None) + timedelta(seconds=110)
    found = of_store(feeder.database, now)
    feeder.close()
    assert found["mailscope_queue_messages"] == {("active",): 1, ("deferred",): 1, ("hold",): 1}
    assert found["mailscope_queue_bytes"] == {("active",): 77, ("deferred",): 1000, ("hold",): 0}
    ages = found["mailscope_queue_oldest_age_seconds"]
    assert ages == {("active",): 60, ("hold",): 60, ("deferred",): pytest.approx(110, abs=0.01)}
