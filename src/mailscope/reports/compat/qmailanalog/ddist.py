"""``ddist``: within how many seconds of entering the queue which part of the successes was delivered.

In: lines of ``matchup``.  Out: ``doneby avg pct``, from the 10th hundredth on, for each hundredth in
which a delivery ends.  A delay is first printed as awk prints numbers (six digits), and those texts
are what is counted and compared: ``doneby`` is the smallest of a hundredth as a text, not as a number,
and a delay below 0.0001, printed with an exponent, is sorted by what stands before it.  Only the
distinct texts are held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from mailscope.reports.compat.qmailanalog.numbers import fixed, number, numbers, printed
from mailscope.reports.compat.qmailanalog.ordering import by_value
from mailscope.reports.compat.qmailanalog.records import Readable, batches, column

HUNDRED: Final = 100
FIRST_SHOWN: Final = 10
# awk marks "none yet" with -1, which a delay of -1 s then looks like.
NONE_YET: Final = b"-1"


def ddist(stream: Readable) -> Iterator[bytes]:
    """The distribution of ddelay, ddone minus birth, of successful deliveries."""
    delays: Counter[bytes] = Counter()
    for batch in batches(stream, b"d k"):
        births, ends = numbers(column(batch, 3)), numbers(column(batch, 5))
        delays.update(printed(done - birth) for birth, done in zip(births, ends, strict=True))
    total = delays.total()
    smallest = [NONE_YET] * (HUNDRED + 1)
    summed = [0.0] * (HUNDRED + 1)
    distinct = [0] * (HUNDRED + 1)
    done = 0
    for delay in sorted(delays, key=by_value):
        done += delays[delay]
        hundredth = done * HUNDRED // total
        if smallest[hundredth] == NONE_YET or delay < smallest[hundredth]:
            smallest[hundredth] = delay
        summed[hundredth] += number(delay)
        distinct[hundredth] += 1
    sum_so_far, seen = 0.0, 0
    for hundredth in range(HUNDRED + 1):
        sum_so_far += summed[hundredth]
        seen += distinct[hundredth]
        if hundredth >= FIRST_SHOWN and seen and smallest[hundredth] >= b"0":
            done_by, average = fixed(number(smallest[hundredth]), 2), fixed(sum_so_far / seen, 2)
            yield b"%b %b %d" % (done_by, average, hundredth)
