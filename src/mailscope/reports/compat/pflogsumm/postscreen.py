"""postscreen's lines by the rules of 1.3.0: what it did with a client, and how long the client was there.

The words are those that postscreen logs (postscreen(8), RELEASE_NOTES of Postfix 2.8 and later).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import CONNECTIONS, SCREENED, Picked

_CLIENT: Final = r"\[(?P<ip>.+)\]:(?P<port>[0-9]+)"
_MORE: Final = r"(?P<more>PSC_CLIENT_ADDR_PORT.+;)"


def _from(words: str, behind: str = "") -> str:
    return rf"(?P<act>{words}) from {_CLIENT}{behind}"


def _act(words: str, behind: str = "") -> str:
    return rf"(?P<act>{words}) {_CLIENT}{behind}"


# The first that is found anywhere in the text is taken.
_ACTS: Final = tuple(
    re.compile(expression, re.ASCII)
    for expression in (
        _act("ALLOWLIST VETO"),
        _from("BARE NEWLINE", " after ."),
        _from("BDAT without valid RCPT"),
        _from("COMMAND COUNT LIMIT", " after ."),
        _from("COMMAND LENGTH LIMIT", " after ."),
        _from("COMMAND PIPELINING", " after .+: ."),
        _from("COMMAND TIME LIMIT", " after ."),
        _from("CONNECT", r" to \[.+\]:[0-9]"),
        _act("ENFORCE", f", {_MORE}"),
        _from("DATA without valid RCPT"),
        _act("DISCONNECT"),
        _act("DROP", f", {_MORE}"),
        rf"(?P<act>DNSBL rank [0-9]+) for {_CLIENT}",
        _act("FAIL", f", {_MORE}"),
        rf"(?P<act>HANGUP) after .+ from {_CLIENT} in ",
        _from("NON-SMTP COMMAND", " after .+: ."),
        _from("NOQUEUE: reject: CONNECT", ": (?P<more>all server ports busy)"),
        _from("NOQUEUE: reject: CONNECT", ": (?P<more>too many connections)"),
        _from("NOQUEUE: reject: RCPT", ": [0-9]+ "),
        _act("PASS .+", "$"),
        _act("PASS .+", f", {_MORE}"),
        rf"(?P<act>PREGREET) .+ after .+ from {_CLIENT}: .",
        _act("SKIP", f", {_MORE}"),
        _from("reject: connect", ": (?P<more>all screening ports busy)"),
        _act(r"\b\w+LISTED"),
        _act(r"\b\w+LIST VETO"),
        _act("UNFAIL", f", {_MORE}"),
        _act("UNPASS", f", {_MORE}"),
    )
)
_ENDS: Final = frozenset({"DISCONNECT", "HANGUP", "PASS NEW", "PASS OLD"})


class Act(NamedTuple):
    """What postscreen did; ``more`` is None where the act has no particulars."""

    name: str
    ip: str
    port: str
    more: str | None


@lru_cache(1 << 14)
def act(text: str) -> Act | None:
    """Take a text of postscreen apart; None where it tells of no known act."""
    for expression in _ACTS:
        if found := expression.search(text):
            return Act(found["act"], found["ip"], found["port"], found.groupdict().get("more"))
    return None


def pick(lines: pl.DataFrame, picked: Picked, settings: Settings) -> None:
    """Count acts; give connections (``picked.screened``) for the times."""
    in_detail = settings.limit("pscrn-detail") != 0
    counts: Counter[tuple[str, ...]] = Counter()
    connections = []
    for row, run, hour, second, text in lines.select("row", "run", "hour", "second", "text").iter_rows():
        done = act(text)
        if done is None:
            continue
        key = f"{done.ip}:{done.port}"
        if done.more is not None:
            counts[f"{done.name} {done.more}", done.ip] += 1
        elif done.name == "CONNECT":
            connections.append((row, run, hour, second, key, True, done.ip))
        elif done.name in _ENDS:
            # PASS is counted as an act only with the connection that it ends: see connections.ended.
            connections.append((row, run, hour, second, key, False, f"{done.name}\t{done.ip}"))
        else:
            counts[done.name, done.ip] += 1
    picked.screened = pl.DataFrame(connections, schema=CONNECTIONS, orient="row")
    if in_detail:
        picked.add_details(SCREENED, counts)
