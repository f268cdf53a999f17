"""The blocklist of a store: offences by SQL over findings, and the addresses that are spared.

Spared are networks of ours, those that are trusted or allowed, addresses from which users logged in lately,
and those of whoever asks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from mailscope.store.connecting import quoted
from mailscope.store.database import Queries
from mailscope.store.findings import AT_LEAST, muted_at
from mailscope.vocabulary.settings.settings import Settings
from mailscope.vocabulary.tables import EVENTS, FINDINGS, HANDLED
from mailscope.watch.blocking.blocks import (
    NEVER,
    PRIVATE,
    Block,
    Network,
    Offence,
    Rules,
    blocked,
    network_of,
)
from mailscope.watch.registry import abouts

# Where several subjects were made one, its findings name no address.
SUBJECTS: Final = ("client_ip", "network")


def listed(
    looking: Queries, settings: Settings, now: datetime, *, severity: str | None = None,
    since: datetime | None = None, spare: Sequence[str] = (),
) -> list[Block]:  # fmt: skip
    """Whom to block now (naive UTC).  ``severity``: at least so severe, otherwise as the settings say;
    ``since``: only what was seen since then; ``spare``: further addresses that must not be blocked.
    """
    wanted = settings.blocking
    longest = timedelta(hours=max(wanted.hours, wanted.hours_again))
    begin = max(now - longest, since) if since is not None else now - longest
    offences = _offences(looking, severity or wanted.min_severity, begin, now)
    named = (*settings.networks, *settings.detections.trusted_networks, *wanted.allow, *spare)
    # As offenders are named: IPv4 within IPv6 as the former.
    allowed = [network for each in named if (network := network_of(each)) is not None]
    allowed += [*NEVER, *(() if wanted.private else PRIVATE)]
    if wanted.logins_days and offences:
        allowed += _logged_in(looking, offences, now - timedelta(days=wanted.logins_days))
    rules = Rules(
        timedelta(hours=wanted.hours), timedelta(hours=wanted.hours_again), tuple(allowed),
        {4: wanted.widest_v4, 6: wanted.widest_v6}, wanted.most,
    )  # fmt: skip
    return blocked(offences, rules, now)


def _offences(looking: Queries, severity: str, begin: datetime, now: datetime) -> list[Offence]:
    """Findings of attacks that nobody has muted."""
    names = ", ".join(quoted(each.name) for each in abouts() if each.blockable)
    severities = ", ".join(map(quoted, AT_LEAST[severity]))
    looking.show(HANDLED)
    rows = looking.connection.execute(
        f"select id, detection, subject, last_time, episodes from ({looking.relation(FINDINGS)}) "
        f"where detection in ({names or 'null'}) and severity in ({severities}) and last_time >= ? "
        f"and id not in ({muted_at(now)}) order by last_time, id",
        [begin],
    ).fetchall()
    found = []
    for name, detection, subject, last, episodes in rows:
        with suppress(ValueError):
            told = json.loads(subject)
            address = next((told[key] for key in SUBJECTS if told.get(key)), None)
            if address:
                found.append(Offence(name, detection, str(address), last, int(episodes)))
    return found


def _logged_in(looking: Queries, offences: Sequence[Offence], since: datetime) -> list[Network]:
    """Addresses among the offenders' from which somebody logged in."""
    networks = {network for each in offences if (network := network_of(each.address)) is not None}
    rows = looking.connection.execute(
        f"select distinct client_ip from ({looking.relation(EVENTS, 'last >= ?', (since,))}) "
        "where event = 'login_succeeded' and client_ip is not null and time >= ?",
        [since],
    ).fetchall()
    found = {network for (address,) in rows if (network := network_of(address)) is not None}
    prefixes = {(each.version, each.prefixlen) for each in networks}
    return [
        each
        for each in sorted(found, key=str)
        if any(
            version == each.version
            and each.prefixlen >= length
            and each.supernet(new_prefix=length) in networks
            for version, length in prefixes
        )
    ]
