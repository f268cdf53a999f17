"""Which line of a file is which line of the seals, where the two do not agree.

In: the lines as they are; what says whether a text is the line of a number.  Out: what is wrong, line by
line, and how many lines are proved.  A line is proved by its tag, which nobody can make without the key of
its batch, so one changed line leaves all others proved.

What was done is told as the least that explains it: at a difference, the nearest place is looked for at which
both go on together.  A line that is missing at one place and there at another was moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

# Lines looked ahead on both sides before a stretch is given up as replaced.
AHEAD: Final = 150
# Lines in a row that must agree before both are said to go on together.
TOGETHER: Final = 2
Kind = Literal["changed", "removed", "inserted", "moved", "unsealed", "seal"]


class Fault(NamedTuple):
    """Something wrong at a line.

    ``number``: of the line in the archive, from 1; of lines that were inserted, of the one they stand before;
    ``lines``: how many in a row; ``text``: the first of them as it is now, empty where it is gone.
    """

    kind: Kind
    number: int
    lines: int
    text: bytes


class Expected(Protocol):
    """Lines as the seals know them, by their place from 0."""

    def __len__(self) -> int: ...

    def number(self, place: int) -> int:
        """The number of a line; of the place behind the last, the number that would follow."""

    def fits(self, place: int, text: bytes) -> bool:
        """Whether a text is the line of a place."""


@dataclass
class Alignment:
    """What came of it: ``proved`` lines, and ``faults`` in order of their numbers."""

    proved: int = 0
    faults: list[Fault] = field(default_factory=list)


def align(found: Sequence[bytes], expected: Expected) -> Alignment:
    """Compare lines."""
    return _Comparison(found, expected).run()


class _Comparison:
    """Both sides, and what differs: places of the one, the other, or both."""

    def __init__(self, found: Sequence[bytes], expected: Expected) -> None:
        self.found, self.expected = found, expected
        self.proved = 0
        self.changed: list[tuple[int, int]] = []
        self.removed: list[int] = []
        self.inserted: list[tuple[int, int]] = []  # what is found, and before which it stands

    def run(self) -> Alignment:
        here, there = 0, 0
        while here < len(self.found) and there < len(self.expected):
            if self.expected.fits(there, self.found[here]):
                self.proved += 1
                here, there = here + 1, there + 1
            else:
                here, there = self._differ(here, there, *self._nearest(here, there))
        self._differ(here, there, len(self.found) - here, len(self.expected) - there)
        faults = _together(sorted(self._faults(), key=lambda fault: (fault.number, fault.kind)))
        return Alignment(self.proved, faults)

    def _differ(self, here: int, there: int, of_found: int, of_expected: int) -> tuple[int, int]:
        """Leave so many lines of each side as different; gives where both go on."""
        both = min(of_found, of_expected)
        for step in range(both):
            if self.expected.fits(there + step, self.found[here + step]):
                self.proved += 1
            else:
                self.changed.append((here + step, there + step))
        self.inserted += [(place, there + both) for place in range(here + both, here + of_found)]
        self.removed += range(there + both, there + of_expected)
        return here + of_found, there + of_expected

    def _nearest(self, here: int, there: int) -> tuple[int, int]:
        """How many lines of each side are to be left, so that the next ones agree."""
        left, wanted = min(len(self.found) - here, AHEAD), min(len(self.expected) - there, AHEAD)
        for distance in range(1, left + wanted + 1):
            # Of several at a distance, the one that pairs lines: one changed, not one gone and one new.
            for of_found in sorted(
                range(max(0, distance - wanted), min(distance, left) + 1),
                key=lambda count: abs(2 * count - distance),
            ):
                if self._go_on(here + of_found, there + distance - of_found):
                    return of_found, distance - of_found
        return left, wanted

    def _go_on(self, here: int, there: int) -> bool:
        for step in range(TOGETHER):
            ends = here + step == len(self.found), there + step == len(self.expected)
            if any(ends):
                return all(ends)
            if not self.expected.fits(there + step, self.found[here + step]):
                return False
        return True

    def _faults(self) -> list[Fault]:
        """What differs, a line each: what is gone at one place and there at another was moved."""
        faults, number, found = [], self.expected.number, self.found
        # Lines that are not where they should be, and places whose own line is not there.
        loose = dict([*((place, before) for place, before in self.inserted), *self.changed])
        gone = [*self.removed, *(there for _, there in self.changed)]
        moved_to, moved = set(), set()
        if len(loose) * len(gone) <= (AHEAD * 2) ** 2:
            for there in gone:
                for here, before in loose.items():
                    if here not in moved_to and self.expected.fits(there, found[here]):
                        faults.append(Fault("moved", min(number(there), number(before)), 1, found[here]))
                        moved_to.add(here)
                        moved.add(there)
                        break
        self.proved += len(moved)
        faults += [
            Fault("changed", number(there), 1, found[here])
            for here, there in self.changed
            if here not in moved_to and there not in moved
        ]
        faults += [Fault("removed", number(there), 1, b"") for there in self.removed if there not in moved]
        faults += [
            Fault("inserted", number(before), 1, found[here])
            for here, before in self.inserted
            if here not in moved_to
        ]
        # Where a moved line and a foreign one share a place, the place's own line or the foreign one is left.
        for here, there in self.changed:
            if here in moved_to and there not in moved:
                faults.append(Fault("removed", number(there), 1, b""))
            elif there in moved and here not in moved_to:
                faults.append(Fault("inserted", number(there), 1, found[here]))
        return faults


def _together(single: Sequence[Fault]) -> list[Fault]:
    """Neighbours of a kind as one."""
    found: list[Fault] = []
    for fault in single:
        before = found[-1] if found else None
        if before is not None and before.kind == fault.kind:
            step = 0 if fault.kind in ("inserted", "moved") else before.lines
            if fault.number == before.number + step:
                found[-1] = before._replace(lines=before.lines + 1)
                continue
        found.append(fault)
    return found
