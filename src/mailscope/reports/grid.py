"""A heat map as a table that people can take in: a row for each day of the week, a column for each hour.

In: a section of the kind ``heatmap`` as plain data, whose two labels are the row and the column.  Out: a
section as plain data; its cells are the sums of the section's numbers.  Programs get the section as it is.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

HEATMAP: Final = "heatmap"
# From little to much, for a terminal.
SHADES: Final = " .:-=+*#%@"


def gridded(section: dict[str, Any]) -> dict[str, Any]:
    """The section with a column for each value of its second label."""
    across, down = section["keys"][1], section["keys"][0]
    found: Counter[tuple[Any, Any]] = Counter()
    for row in section["rows"]:
        cell = row[down["name"]], row[across["name"]]
        found[cell] += sum(row[number["name"]] or 0 for number in section["numbers"])
    columns = sorted({column for _, column in found})
    names = [str(column).removesuffix(":00") for column in columns]
    return {
        **section,
        "keys": [down],
        "numbers": [{"name": name, "title": name, "unit": "count"} for name in names],
        "rows": [
            {"row": 0, down["name"]: line}
            | {name: found[line, column] for name, column in zip(names, columns, strict=True)}
            for line in sorted({line for line, _ in found})
        ],
        "rows_total": len({line for line, _ in found}),
    }


def shade(value: float, most: float) -> str:
    """A character that is the darker the larger the value; blank for nothing."""
    if not value:
        return SHADES[0]
    # The root keeps quiet hours apart, which are most of them.
    return SHADES[max(1, round((len(SHADES) - 1) * (value / most) ** 0.5))]
