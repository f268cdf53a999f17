"""Puts rows in a settled order where pflogsumm has none.

Among rows that are equal in all that it sorts by, pflogsumm prints in the order of Perl's hashes, which
changes from run to run.  Such neighbours are sorted here by their text.  Where a limit cuts through them,
even which of them are shown is chance: their names are hidden.
"""

from __future__ import annotations

import re
from itertools import groupby

from mailscope.reports.compat.pflogsumm.hosts import older_sort_key, sort_key

HOSTS = re.compile(
    r"Host/Domain Summary: (?P<what>Message Delivery|Messages Received|SMTPD Connections) (?P<limit>\(top)?"
)
COUNTED = re.compile(r"(?P<cells> *[0-9]+[km ])  (?P<text>.*)", re.DOTALL)
CELLS = {"Message Delivery": 17, "Messages Received": 17, "SMTPD Connections": 24}


def settled(text: str, release: str) -> str:
    """The report with its ties in a settled order."""
    key = sort_key if release == "1.3.0" else older_sort_key
    out: list[str] = []
    hosts: str | None = None
    limited = False
    rows: list[tuple[object, str]] = []

    def flush() -> None:
        for number, (_, tied) in enumerate(
            groups := [(k, [r for _, r in g]) for k, g in groupby(rows, lambda r: r[0])]
        ):
            cut = limited and number == len(groups) - 1
            out.extend(sorted(hidden(row, hosts) if cut else row for row in tied))
        rows.clear()

    for line in text.split("\n"):
        if title := HOSTS.match(line):
            flush()
            hosts, limited = title["what"], bool(title["limit"])
        elif hosts and line == "":
            flush()
            hosts, limited = None, False
        elif not hosts and ("top " in line) and not COUNTED.fullmatch(line):
            flush()
            limited = True
        elif not hosts and not COUNTED.fullmatch(line) and not line.startswith("---"):
            flush()
            limited = False
        width = CELLS.get(hosts or "", 0)
        if hosts and re.match(r" +[0-9]+[km ] ", line):
            rows.append((line[:width], line))
        elif not hosts and (row := COUNTED.fullmatch(line)):
            rows.append(((row["cells"], key(row["text"])), line))
        else:
            flush()
            out.append(line)
    flush()
    return "\n".join(out)


def hidden(row: str, hosts: str | None) -> str:
    """A row without its name."""
    if hosts:
        return row[: CELLS[hosts]] + " (one of several)"
    found = COUNTED.fullmatch(row)
    assert found
    return found["cells"] + "  (one of several)"
