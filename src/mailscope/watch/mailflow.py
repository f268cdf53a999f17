"""Attempts, refusals and acceptances as detections of the mail's flow look at them, made once for a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import polars as pl

from mailscope.causes.events import ATTEMPT, WELL, with_causes
from mailscope.recognise.replies import with_replies
from mailscope.watch.detection import Site
from mailscope.watch.networks import network
from mailscope.watch.providers import providers
from mailscope.watch.seen import Seen

REFUSED: Final = "rejected"
REFUSAL_FIELDS: Final = (
    "client_ip",
    "client_host",
    "sender",
    "recipient",
    "stage",
    "reason",
    "reply_code",
    "dsn_status",
    "action",
    "status",
    "blocklist",
    "sasl_user",
)
REFUSALS: Final[Mapping[str, tuple[str, ...]]] = {REFUSED: REFUSAL_FIELDS}
OF_ATTEMPT: Final = (
    "time",
    "order",
    "trail",
    "recipient",
    "orig_recipient",
    "relay_host",
    "relay_ip",
    "status",
    "dsn_status",
    "reason",
    "delay_s",
    "delay_before_queue_s",
    "delay_in_queue_s",
    "delay_connect_s",
    "delay_transmit_s",
    "sender",
    "size_bytes",
)
OF_MESSAGE: Final = ("client_ip", "sasl_user", "origin", "message_id")
NO_HOP: Final = "none"
# What is put off is tried again after so long at the earliest (Postfix: minimal_backoff_time).
FIRST_S: Final = 300.0
PREFIX_V4, PREFIX_V6 = 24, 48


def attempts(seen: Seen, site: Site) -> pl.DataFrame:
    """Attempts to deliver, in order of time.

    Columns: ``OF_ATTEMPT`` and ``OF_MESSAGE``; ``domain`` of the recipient, in lower case; ``away``: the mail
    goes to another host, or (where none was reached) is not known to stay here; ``first``: it was not tried
    before, as far as its delays tell; ``cause``, ``blocklist``, ``reply_code`` where it did not go well.
    """
    return seen.derived("mailflow.attempts", lambda: _attempts(seen, site))


def _attempts(seen: Seen, site: Site) -> pl.DataFrame:
    found = seen.outcome.deliveries
    if not len(found):
        return found
    found = found.select(OF_ATTEMPT).filter(pl.col("time").is_not_null())
    found = found.join(
        seen.messages.select("trail", *OF_MESSAGE).unique("trail", keep="last"),
        on="trail",
        how="left",
        maintain_order="left",
    )
    addresses = found["relay_ip"].unique().drop_nulls()
    here = [each for each in addresses if site.owns(each)]
    unreached = pl.col("relay_host").fill_null(NO_HOP) == NO_HOP
    waited = pl.coalesce("delay_before_queue_s", "delay_s").fill_null(0.0)
    found = found.with_columns(
        domain_of("recipient").alias("domain"),
        pl.when(pl.col("relay_ip").is_null())
        .then(unreached)
        .otherwise(~pl.col("relay_ip").is_in(here))
        .alias("away"),
        (waited < FIRST_S).alias("first"),
    )
    well = found["status"].is_in(WELL).fill_null(False)
    nothing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in (("cause", pl.String), ("blocklist", pl.String), ("reply_code", pl.Int64))
    ]
    good, bad = found.filter(well).with_columns(nothing), found.filter(~well)
    if not len(bad):
        return good.sort("time", maintain_order=True)
    bad = with_causes(ATTEMPT, with_replies(bad)).select(good.columns)
    return pl.concat([good, bad]).sort("time", "order", maintain_order=True)


def refusals(seen: Seen, site: Site) -> pl.DataFrame:
    """Refusals of strangers' mail, by time: core columns, ``REFUSAL_FIELDS``, ``cause``, ``network``."""
    return seen.derived("mailflow.refusals", lambda: _refusals(seen, site))


def _refusals(seen: Seen, site: Site) -> pl.DataFrame:
    rows = seen.events((REFUSED,), REFUSAL_FIELDS)
    if not len(rows):
        return rows.with_columns(
            pl.lit(None, pl.String).alias(name) for name in ("cause", "network") if len(rows.columns)
        )
    return with_causes(REFUSED, strangers(rows, site))


def arrivals(seen: Seen, site: Site) -> pl.DataFrame:
    """Messages taken in from strangers over the network, without a login: ``time``, ``trail``, ``order``,
    ``client_ip`` and ``network``.
    """
    return seen.derived("mailflow.arrivals", lambda: _arrivals(seen, site))


def _arrivals(seen: Seen, site: Site) -> pl.DataFrame:
    rows = seen.outcome.arrivals
    if not len(rows):
        return pl.DataFrame()
    rows = rows.filter(pl.col("sasl_user").is_null(), pl.col("time").is_not_null())
    return strangers(rows.select("time", "order", "trail", "client_ip"), site)


def strangers(rows: pl.DataFrame, site: Site) -> pl.DataFrame:
    """Rows whose ``client_ip`` is known and not trusted, with its ``network``."""
    rows = rows.filter(pl.col("client_ip").is_not_null())
    addresses = rows["client_ip"].unique()
    place = _placer(site)
    places = [place(each) for each in addresses]
    table = pl.DataFrame(
        {
            "client_ip": addresses,
            "network": pl.Series([network for network, _ in places], dtype=pl.String),
            "_trusted": pl.Series([trusted for _, trusted in places], dtype=pl.Boolean),
        }
    )
    joined = rows.join(table, on="client_ip", how="left", maintain_order="left")
    return joined.filter(~pl.col("_trusted")).drop("_trusted")


@lru_cache(maxsize=8)
def _placer(site: Site) -> Callable[[str], tuple[str | None, bool]]:
    """Tells an address's network, such as 192.0.2.0/24 (None: it is none), and whether it is trusted."""

    @lru_cache(maxsize=131_072)
    def place(address: str) -> tuple[str | None, bool]:
        return network(address, PREFIX_V4, PREFIX_V6), site.trusts(address)

    return place


def with_provider(rows: pl.DataFrame) -> pl.DataFrame:
    """Attempts with ``provider``: who runs the host that answered, or else the recipient's domain."""
    reached = pl.col("relay_host").is_not_null() & (pl.col("relay_host") != NO_HOP)
    names = rows.select(pl.when(reached).then("relay_host").otherwise("domain")).to_series()
    return rows.with_columns(providers(names).alias("provider"))


def domain_of(column: str) -> pl.Expr:
    """The domain of an address, in lower case; null without one."""
    return pl.col(column).str.extract(r"@([^@]+)$", 1).str.to_lowercase()
