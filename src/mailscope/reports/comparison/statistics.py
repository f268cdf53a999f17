"""Whether a figure is out of the ordinary, given the same figure of earlier days: pure arithmetic.

Counts of mail are over-dispersed: they vary from day to day by more than chance alone (Poisson) would have
it.  Let ``noise`` be the standard deviation of the day-to-day factor.  Then a count is negative binomial with
shape ``k = 1 / noise**2``, and given the sum of today's count and of n usual ones, today's is beta-binomial
with parameters k and n k, whatever the true level.  That is exact also for small counts and for zeros.  Where
k is infinite it is the binomial test of two Poisson rates.

The noise comes from the factors between one week and the next, so that neither weekdays nor a slow trend
count as noise.  Its estimate is robust: an incident among the earlier days must neither hide the next one nor
cause an alarm.

Sources: N. L. Johnson, A. W. Kemp, S. Kotz, Univariate Discrete Distributions, 3rd ed. (2005), 5.2 and 6.2.2
(negative binomial, beta-binomial); P. J. Rousseeuw, C. Croux, JASA 88 (1993) (median of absolute
differences); Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995); W. H. Press et al., Numerical Recipes,
3rd ed. (2007), 6.4 (incomplete beta function); P. K. Sen, JASA 63 (1968) (slope);
R. M. Hirsch, J. R. Slack, R. A. Smith, Water Resources Research 18 (1982) (seasonal Kendall test).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, inf, lgamma, log, sqrt
from statistics import median
from typing import Final

# The median of |difference| of two equal normal variables is 0.6745 * sqrt(2) standard deviations.
DIFFERENCE: Final = 1 / (0.6745 * sqrt(2))
# The variance of a median is up to pi/2 that of a mean of as many figures.
OF_MEDIAN: Final = 1.57
# Sites differ from day to day by more than this; an estimate below it is luck.
LEAST_NOISE: Final = 0.1
# Counts are scaled down so that their sum is at most this: their own chance is negligible then.
LARGEST_SUM: Final = 4_000
# Added to counts before logarithms are taken, so that zero has one.
HALF: Final = 0.5
TINY: Final = 1e-300
NEGLIGIBLE: Final = 1e-17


def noise(factors: Sequence[float], level: float) -> float:
    """The standard deviation of the logarithm of a day's figure, without what chance adds to a count.

    ``factors``: logarithms of the factors from one week to the next; ``level``: the usual count, infinite for
    a figure that is no count.  The tails count by half, so that what comes in bursts is not called steady.
    """
    if not factors:
        return 0.0
    middle = DIFFERENCE * median(abs(factor) for factor in factors)
    whole = sqrt(sum(factor * factor for factor in factors) / len(factors) / 2)
    variance = max(middle, whole / 2) ** 2
    return sqrt(max(0.0, variance - 1 / (level + HALF)))


def settled(own: float, site: float, factors: int) -> float:
    """The noise to reckon with: of the series, but no less than the site's, and more if little is known.

    ``factors``: how many factors the estimate was made of.
    """
    return max(own, site, LEAST_NOISE) * (1 + 1 / max(1, factors) + 2 / max(1, factors) ** 2)


def count_chance(now: int, usual: float, days: int, noise: float) -> float:
    """The two-sided probability of a count as far from the usual one, if nothing had changed.

    ``usual``: the median of as many ``days``.
    """
    worth = days / OF_MEDIAN
    before = usual * worth
    scale = min(1.0, LARGEST_SUM / max(1.0, now + before))
    x, total = round(now * scale), round(now * scale) + round(before * scale)
    shape = 1 / noise**2
    upper = _tail(x, total, shape, worth * shape)
    lower = 1 - upper + exp(_log_beta_binomial(x, total, shape, worth * shape))
    return min(1.0, 2 * min(upper, lower))


def figure_chance(now: float, usual: Sequence[float], noise: float, factors: int) -> float:
    """The same for a figure that is no count (bytes, seconds): on the scale of logarithms, by Student's t."""
    middle = median(log(figure) for figure in usual)
    spread = noise * sqrt(1 + OF_MEDIAN / len(usual))
    # A median of differences is worth about 0.4 of as many squares.
    return student(abs(log(now) - middle) / spread, max(2.0, 0.4 * factors))


def adjusted(chances: Sequence[float]) -> list[float]:
    """Chances corrected for how many were looked at (Benjamini and Hochberg).

    Of those that are below q after this, a share of at most q is expected to be false alarms; on a day on
    which nothing has changed, there is any at all with probability q at most.
    """
    order = sorted(range(len(chances)), key=lambda place: chances[place], reverse=True)
    out = [1.0] * len(chances)
    least = 1.0
    for rank, place in enumerate(order):
        least = min(least, chances[place] * len(chances) / (len(chances) - rank))
        out[place] = least
    return out


def trend(seasons: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Slope and chance of a trend, season by season (weekdays), each a row of figures at equal steps.

    The slope is the median of all slopes within seasons, in units of the figures a step (Sen); the chance is
    two-sided, of Kendall's statistic summed over the seasons (Hirsch et al.).
    """
    slopes, score, variance = [], 0, 0.0
    for figures in seasons:
        n = len(figures)
        for late in range(1, n):
            for early in range(late):
                rise = figures[late] - figures[early]
                slopes.append(rise / (late - early))
                score += (rise > 0) - (rise < 0)
        ties = [list(figures).count(figure) for figure in set(figures)]
        variance += (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if not slopes or variance <= 0:
        return 0.0, 1.0
    z = max(0, abs(score) - 1) / sqrt(variance)
    return median(slopes), erfc(z / sqrt(2))


def student(t: float, freedom: float) -> float:
    """The two-sided tail of Student's t."""
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _tail(x: int, total: int, one: float, other: float) -> float:
    """The probability of at least x of a beta-binomial variable, summed over the shorter side."""
    upper = x > total * one / (one + other)
    place = x if upper else x - 1
    if not 0 <= place <= total:
        return 1.0
    term = exp(_log_beta_binomial(place, total, one, other))
    part = 0.0
    while term > NEGLIGIBLE * part:
        part += term
        # The ratio of neighbours; it is 0 beyond either end.
        if upper:
            term *= (total - place) / (place + 1) * (place + one) / max(TINY, total - place - 1 + other)
            place += 1
        else:
            term *= place / (total - place + 1) * (total - place + other) / max(TINY, place - 1 + one)
            place -= 1
    return min(1.0, part) if upper else max(0.0, 1 - part)


def _log_beta_binomial(x: int, total: int, one: float, other: float) -> float:
    chosen = lgamma(total + 1) - lgamma(x + 1) - lgamma(total - x + 1)
    return chosen + _log_beta(x + one, total - x + other) - _log_beta(one, other)


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)


def _incomplete_beta(x: float, one: float, other: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (one + 1) / (one + other + 2):
        return 1 - _incomplete_beta(1 - x, other, one)
    front = exp(one * log(x) + other * log(1 - x) - _log_beta(one, other)) / one
    c, d = 1.0, 1 / _nonzero(1 - (one + other) * x / (one + 1))
    fraction = d
    for m in range(1, 200):
        even = m * (other - m) * x / ((one + 2 * m - 1) * (one + 2 * m))
        odd = -(one + m) * (one + other + m) * x / ((one + 2 * m) * (one + 2 * m + 1))
        before = inf
        for step in (even, odd):
            d = 1 / _nonzero(1 + step * d)
            c = _nonzero(1 + step / c)
            before, fraction = fraction, fraction * d * c
        if abs(fraction - before) < 1e-12 * abs(fraction):
            break
    return front * fraction


def _nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY
