"""Which messages a selector takes, in words."""

from __future__ import annotations

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.intake.discovery.selectors import Selector
from mailscope.language.phrase import Phrase

_NAMES = (*FACILITIES, "mark")


def taken(selector: Selector) -> Phrase:
    """``info and more urgent of mail; everything of cron, local0``."""
    groups: dict[frozenset[int], list[int]] = {}
    for facility, severities in enumerate(selector.taken):
        if severities:
            groups.setdefault(severities, []).append(facility)
    found: Phrase | None = None
    for severities, facilities in groups.items():
        one = _one(severities, facilities)
        found = one if found is None else Phrase("{first}; {then}", first=found, then=one)
    return found or Phrase("nothing")


def _one(severities: frozenset[int], facilities: list[int]) -> Phrase:
    everywhere = len(facilities) >= len(FACILITIES)
    names = "*" if everywhere else ", ".join(_NAMES[code] for code in facilities)
    others = [name for code, name in enumerate(FACILITIES) if code not in facilities]
    if others and len(others) < len(FACILITIES) // 3:
        names = Phrase("all but {facilities}", facilities=", ".join(others))
    if len(severities) == len(SEVERITIES):
        return Phrase("everything") if everywhere else Phrase("everything of {facilities}", facilities=names)
    last = max(severities)
    if severities == frozenset(range(last + 1)) and last:
        return Phrase(
            "{severity} and more urgent of {facilities}", severity=SEVERITIES[last], facilities=names
        )
    listed = ", ".join(SEVERITIES[code] for code in sorted(severities))
    return Phrase("only {severities} of {facilities}", severities=listed, facilities=names)
