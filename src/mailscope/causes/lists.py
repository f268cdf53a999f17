"""The blocklist that a reason names: its zone where one stands there, otherwise the name of its operator."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from mailscope.causes.files import read

LISTED: Final = ("ip_blocklisted", "domain_blocklisted", "dynamic_ip", "poor_reputation", "ip_blocked")
_ZONE: Final = r"((?:[a-z0-9_-]+\.)+[a-z]{2,})"
# In the order in which they are believed.
ZONES: Final = (
    rf"blocked (?:using|by) {_ZONE}",
    rf"(?:black ?list|blocklist|rbl|dnsbl|list) (?:at|on|by|in|called|:) ?{_ZONE}",
    rf"listed (?:at|on|by|in|with) (?:the )?(?:rbl |dnsbl |blacklist )?{_ZONE}",
    rf"(?:dnsbl|rbl)[:=] ?{_ZONE}",
)


def named_list(text: pl.Expr) -> pl.Expr:
    """The list that normal texts (``wording.normal``) name, null where none is named."""
    known = _names()
    first = text.str.extract_many(pl.lit(pl.Series(list(known)).implode()), overlapping=True).list.first()
    operator = first.replace_strict(known, default=None, return_dtype=pl.String)
    return pl.coalesce(*(text.str.extract(zone, 1) for zone in ZONES), operator)


@cache
def _names() -> dict[str, str]:
    """What reasons call lists and their operators -> the name."""
    return {said: entry["name"] for entry in read("blocklists")["list"] for said in entry["says"]}


def look_up(name: str) -> str | None:
    """The page where an address can be looked up on a list, by the list's name or zone; None if unknown."""
    lowered = name.lower()
    for entry in read("blocklists")["list"]:
        if any(said.strip() in lowered for said in (*entry["says"], entry["name"].lower())):
            return str(entry["look_up"])
    return None
