"""Lists of row numbers such as ``1-3,7``, as ``--evidence`` takes them and reports show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

FORM: Final = re.compile("[0-9]{1,9}(-[0-9]{1,9})?(,[0-9]{1,9}(-[0-9]{1,9})?)*")


def read(text: str, most: int) -> list[int] | None:
    """The numbers that a list names; None where it is none, or one of them is not of 1 to ``most``."""
    if not FORM.fullmatch(text):
        return None
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        one, two = int(first), int(last or first)
        if not 1 <= one <= two <= most:
            return None
        found += range(one, two + 1)
    return list(dict.fromkeys(found))


def written(numbers: Sequence[int]) -> str:
    """Numbers as a list, in ascending order."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
