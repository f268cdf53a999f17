"""Logins as detections count them: who, from where, at which service.

A failed login counts at the line of the server that the client talked to.  What the program says that this
server asked (Dovecot's auth, saslauthd) is no failure of its own, but may know the name that the server does
not log, or speak of a server whose log is elsewhere: so verdicts are counted beside the failures, never added
to them.  docs/logins.md goes through the programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from mailscope.watch.detection import Site
from mailscope.watch.networks import with_network
from mailscope.watch.seen import Seen

FAILED: Final = "login_failed"
SUCCEEDED: Final = "login_succeeded"
VERDICT: Final = "policy_result"
ACCEPTED: Final = "accepted"
# Programs whose verdicts count, and words of PAM's beside which they say the same in a line of their own.
JUDGES: Final = ("auth", "auth-worker", "saslauthd")
PAM_SAYS: Final = ("authentication failure", "check pass; user unknown")
FIELDS: Final = ("user", "sasl_user", "client_ip", "action", "reason")
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {FAILED: FIELDS, VERDICT: FIELDS}
NEEDS_SUCCESSES: Final[Mapping[str, tuple[str, ...]]] = {
    SUCCEEDED: ("user", "sasl_user", "client_ip"),
    ACCEPTED: ("sasl_user", "client_ip"),
}
# Names are the client's words: no longer than this do they count.
LONGEST_NAME: Final = 128
COLUMNS: Final = ("time", "order", "host", "service", "client_ip")
ATTEMPTS: Final = pl.Schema(
    {
        "time": pl.Datetime("us"),
        "order": pl.UInt32(),
        "host": pl.String(),
        "service": pl.String(),
        "client_ip": pl.String(),
        "account": pl.String(),
        "verdict": pl.Boolean(),
        "entered": pl.Boolean(),
    }
)


def failures(seen: Seen, site: Site) -> pl.DataFrame:
    """Failed logins of clients, by time: ``time``, ``order``, ``host``, ``service``, ``client_ip``,
    ``account`` (in lower case; null where the log names none), ``verdict`` (no failure, but what was said of
     one). Clients that we trust, and our own logins at relays, are left out.
    """
    return seen.derived("failures", lambda: untrusted(_failures(seen), site))


def successes(seen: Seen) -> pl.DataFrame:
    """Successful logins, by time: columns as ``failures``; for SMTP, messages taken in from a user."""
    return seen.derived("successes", lambda: _successes(seen))


def attempts(seen: Seen, site: Site, prefix_v4: int, prefix_v6: int) -> pl.DataFrame:
    """Failures, and the successes by which a user came to a network for the first time (``entered``), each
    with ``network`` (null: left out); by time.
    """
    name = f"attempts/{prefix_v4}/{prefix_v6}"
    return seen.derived(name, lambda: _attempts(seen, site, prefix_v4, prefix_v6))


def untrusted(rows: pl.DataFrame, site: Site) -> pl.DataFrame:
    """Rows whose ``client_ip`` is not of a network that we trust."""
    if not len(rows):
        return rows
    trusted = [each for each in rows["client_ip"].unique() if site.trusts(each)]
    return rows.filter(~pl.col("client_ip").is_in(trusted)) if trusted else rows


def _failures(seen: Seen) -> pl.DataFrame:
    failed = _told(seen.events((FAILED,), FIELDS), verdict=False)
    if VERDICT not in seen.kinds or not seen.services.intersection(JUDGES):
        return failed
    said = seen.events((VERDICT,), FIELDS).filter(
        pl.col("service").is_in(JUDGES), pl.col("action") == "reject", ~pl.col("reason").is_in(PAM_SAYS)
    )
    verdicts = _told(said, verdict=True)
    if not len(verdicts):
        return failed
    return pl.concat([failed, verdicts]).sort("time", "order") if len(failed) else verdicts


def _successes(seen: Seen) -> pl.DataFrame:
    frames = [
        _told(seen.events((kind,), fields), verdict=False).filter(pl.col("account").is_not_null())
        for kind, fields in NEEDS_SUCCESSES.items()
        if kind in seen.kinds
    ]
    frames = [frame for frame in frames if len(frame)]
    return pl.concat(frames).sort("time", "order") if frames else pl.DataFrame()


def _attempts(seen: Seen, site: Site, prefix_v4: int, prefix_v6: int) -> pl.DataFrame:
    came = [each for each in seen.arrivals if not site.trusts(each.address)]
    entered = pl.DataFrame(
        [
            (each.time, each.order, each.host, each.service, each.address, each.user, False, True)
            for each in came
        ],
        ATTEMPTS,
        orient="row",
    )
    failed = failures(seen, site)
    if len(failed):
        entered = pl.concat([failed.with_columns(pl.lit(False).alias("entered")), entered])
    rows = with_network(entered.sort("time", "order"), prefix_v4, prefix_v6)
    return rows.filter(pl.col("network").is_not_null())


def _told(rows: pl.DataFrame, *, verdict: bool) -> pl.DataFrame:
    if not len(rows):
        return pl.DataFrame()
    name = pl.coalesce(*(each for each in ("user", "sasl_user") if each in rows.columns))
    account = name.str.to_lowercase().str.strip_chars().str.head(LONGEST_NAME)
    return rows.select(
        *COLUMNS, account.replace("", None).alias("account"), pl.lit(verdict).alias("verdict")
    ).filter(pl.col("client_ip").is_not_null())
