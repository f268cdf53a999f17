"""What one log was rotated into, as the names of the files tell.

A set is named as logrotate, newsyslog, savelog, sysklogd and multilog do it:

    mail.log  mail.log.1  mail.log.2.gz             a higher number is older
    mail.log  mail.log-20260301  mail-20260301.log  also .20260301, -2026-03-01, -20260301-120000, -202603
    mail.log  mail.log.old
    current  @400000006b026671075bca00.s            one set for the whole directory of multilog

In: names and times of files.  Out: their place in a set, and an order.  No file is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

COMPRESSED: Final = re.compile(r"(?P<whole>.+)\.(?:gz|bz2|xz|zstd?)", re.DOTALL)
MULTILOG: Final = re.compile(r"@(?P<time>[0-9a-f]{24})\.[su]")
# Not logs, though in a directory of multilog or svlogd (.t is what a processor has not finished yet).
_MULTILOG_OWN: Final = re.compile(r"lock|state|previous|processed|newstate|config|@[0-9a-f]{24}\.t")
_DATED: Final = re.compile(
    r"(?P<base>.+?)[-.]"
    r"(?P<day>(?:19|20)[0-9]{2}(?P<dash>-?)(?:0[1-9]|1[0-2])(?:(?P=dash)(?:0[1-9]|[12][0-9]|3[01]))?)"
    r"(?:[-T_]?(?P<rest>[0-9]{2,10}))?(?P<extension>\.log)?",
    re.DOTALL,
)
_NUMBERED: Final = re.compile(r"(?P<base>.+)\.(?P<number>[0-9]{1,3}|(?!19|20)[0-9]{4})", re.DOTALL)
_OLD: Final = re.compile(r"(?P<base>.+)\.old", re.DOTALL)
_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")  # the log of a host, not the rotated one of a net


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands in its set, as its name tells."""

    base: str  # the set's name within its directory
    scheme: str  # live, numbered, dated, old or multilog
    age: tuple[int, ...] = ()  # grows with age; to be compared within one scheme only


def place_of(name: str) -> Place:
    """The place that a file's name (without its directory) tells."""
    match = COMPRESSED.fullmatch(name)
    name = match["whole"] if match else name
    if name == "current":
        return Place("", "multilog")
    if match := MULTILOG.fullmatch(name):
        return Place("", "multilog", (-int(match["time"], 16),))
    if _IPV4.fullmatch(name):
        return Place(name, "live")
    if match := _DATED.fullmatch(name):
        day = match["day"].replace("-", "").ljust(8, "0")
        return Place(
            match["base"] + (match["extension"] or ""), "dated", (-int(day), -int(match["rest"] or 0))
        )
    if match := _NUMBERED.fullmatch(name):
        return Place(match["base"], "numbered", (int(match["number"]),))
    match = _OLD.fullmatch(name)
    return Place(match["base"], "old") if match else Place(name, "live")


def own_of_multilog(names: Collection[str]) -> set[str]:
    """What multilog or svlogd keeps for itself, if these are the names in a directory of theirs.

    ``current`` is missing for a moment at each rotation.
    """
    its = any(map(MULTILOG.match, names)) or (
        "lock" in names and not {"current", "previous"}.isdisjoint(names)
    )
    return {name for name in names if its and _MULTILOG_OWN.fullmatch(name)}


def newest_first(members: Iterable[tuple[Place, float, str]]) -> list[int]:
    """The order of the files of one set: numbers into ``members`` (place, mtime, path), the newest first."""
    # Who has changed from numbers to dates has old files of both schemes; which came first, only mtime tells.
    known = list(members)
    newest: dict[str, float] = {}
    for at, mtime, _ in known:
        newest[at.scheme] = max(newest.get(at.scheme, 0.0), mtime)

    def age(number: int) -> tuple[bool, float, str, tuple[int, ...], float, str]:
        at, mtime, path = known[number]
        return at.scheme != "live", -newest[at.scheme], at.scheme, at.age, -mtime, path

    return sorted(range(len(known)), key=age)


def shown(path: str) -> str:
    """A path made printable and safe to encode: file names may hold line breaks, escapes and stray bytes."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in path
    )
