"""The method: held against exact sums, and against simulated sites that are steady or not."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from statistics import median

import pytest

from mailscope.reports.comparison import statistics
from mailscope.reports.comparison.changes import FACTOR, FALSE, FEWEST, outside

WEEKDAYS = (1, 1, 1, 1, 1, 0.4, 0.3)


@pytest.mark.parametrize(
    ("x", "total", "one", "other"), [(5, 20, 3, 7), (0, 20, 3, 9), (20, 20, 3, 9), (90, 400, 25, 64)]
)
def test_tail_is_the_sum_of_all_chances(x: int, total: int, one: float, other: float) -> None:
    def chance(k: int) -> float:
        beta = math.lgamma(k + one) + math.lgamma(total - k + other) - math.lgamma(total + one + other)
        return math.comb(total, k) * math.exp(
            beta + math.lgamma(one + other) - math.lgamma(one) - math.lgamma(other)
        )

    assert statistics._tail(x, total, one, other) == pytest.approx(
        sum(map(chance, range(x, total + 1))), rel=1e-6
    )


@pytest.mark.parametrize(("t", "freedom"), [(2.228, 10), (12.706, 1), (2.776, 4), (1.96, 1e6)])
def test_student_agrees_with_its_table(t: float, freedom: float) -> None:
    assert statistics.student(t, freedom) == pytest.approx(0.05, abs=2e-4)


def test_adjusted_chances_follow_benjamini_and_hochberg() -> None:
    assert statistics.adjusted([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert statistics.adjusted([]) == []


def test_a_trend_is_found_and_none_where_there_is_none() -> None:
    rising = [[0.1 * week + weekday for week in range(6)] for weekday in range(7)]
    slope, chance = statistics.trend(rising)
    assert slope == pytest.approx(0.1)
    assert chance < 1e-6
    assert statistics.trend([[1.0, 1.0, 1.0]] * 7) == (0.0, 1.0)


def poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    bound, product, count = math.exp(-mean), chance.random(), 0
    while product > bound:
        product *= chance.random()
        count += 1
    return count


def site(chance: random.Random, weeks: int, noise: float, series: int = 20) -> list[list[int]]:
    """So many days of some series, whose levels and noise differ; the last day is the one to be judged."""
    days = []
    for _ in range(series):
        level, own = 10 ** chance.uniform(0.5, 4), noise * chance.choice([0.5, 1, 1.5])
        factors = (chance.gammavariate(1 / own**2, own**2) for _ in range(weeks * 7 + 1))
        days.append(
            [poisson(chance, level * WEEKDAYS[day % 7] * factor) for day, factor in enumerate(factors)]
        )
    return days


def alarms(days: list[list[int]], weeks: int) -> list[int]:
    """Which series are called changed."""
    rows = []
    for number, counts in enumerate(days):
        now, before = counts[-1], counts[-8::-7][:weeks]
        if max(now, median(before)) >= FEWEST:
            factors = [
                math.log((counts[day] + 0.5) / (counts[day - 7] + 0.5)) for day in range(7, len(counts) - 1)
            ]
            rows.append((number, now, before, factors, statistics.noise(factors, median(counts[:-1]))))
    usual = median(row[4] for row in rows)
    chances = [
        statistics.count_chance(now, median(before), weeks, statistics.settled(own, usual, len(factors)))
        for _, now, before, factors, own in rows
    ]
    return [
        number
        for (number, now, before, _, _), q in zip(rows, statistics.adjusted(chances), strict=True)
        if q <= FALSE
        and outside(now, before)
        and not 1 / FACTOR < (now + 0.5) / (median(before) + 0.5) < FACTOR
    ]


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_a_steady_site_gives_hardly_any_false_alarm(noise: float) -> None:
    chance = random.Random(7)
    days = 100
    false = sum(bool(alarms(site(chance, 4, noise), 4)) for _ in range(days))
    # 5 % is promised; three standard deviations of 100 tries are 6.5 %.
    assert false / days <= FALSE + 0.065


def test_a_threefold_figure_is_found_and_an_old_incident_hides_nothing() -> None:
    chance = random.Random(3)
    found = 0
    for _ in range(25):
        days = site(chance, 4, 0.1)
        days[0] = [poisson(chance, 100) for _ in days[0]]
        days[0][-15] *= 5
        days[0][-1] = 300
        found += 0 in alarms(days, 4)
    assert found >= 24


def test_a_domain_that_is_new_is_found() -> None:
    assert statistics.count_chance(60, 0, 4, 0.2) < 1e-4
    assert statistics.count_chance(3, 0, 4, 0.2) > 0.01


def test_more_is_less_probable() -> None:
    chances = [statistics.count_chance(now, 100, 4, 0.15) for now in (110, 150, 200, 300, 10_000)]
    assert all(one > two for one, two in pairwise(chances))
