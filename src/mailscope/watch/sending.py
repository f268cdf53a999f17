"""What accounts send, as rows that can be counted: submissions, failed deliveries, refusals, failed logins.

Each row says what of it is new for the account: the sender address, the recipient, the network that it came
from.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from mailscope.watch.accounts import Accounts
from mailscope.watch.detection import Site
from mailscope.watch.logins import failures
from mailscope.watch.mailflow import attempts
from mailscope.watch.places import place
from mailscope.watch.seen import Seen

SENT, TRIED, BOUNCED, REFUSED, FAILED = "sent", "tried", "bounced", "refused", "failed"
LOST: Final = ("bounced", "expired")
REJECTED: Final = "rejected"
REJECTED_FIELDS: Final = ("sasl_user", "client_ip")
# What is known for less than this is new.
NEW_FOR: Final = timedelta(days=1)
# Parts of a sender address that programs make for each message or recipient (VERP, SRS, BATV).
CHANGING: Final = re.compile(r"[+=].*|[0-9a-f]{8,}|[0-9]+")
ROWS: Final = pl.Schema(
    {
        "time": pl.Datetime("us"),
        "order": pl.UInt32(),
        "account": pl.String(),
        "kind": pl.String(),
        "recipients": pl.Int64(),
        "fresh": pl.Boolean(),
        "sender": pl.String(),
        "network": pl.String(),
    }
)


def sending(seen: Seen, site: Site, accounts: Accounts) -> pl.DataFrame:
    """Rows of ``ROWS`` by time; ``sender`` and ``network`` only where they are new for the account,
    ``fresh``: it writes to this recipient for the first time.  Enters all of it into ``accounts``.
    """
    frames = [_submissions(seen, site, accounts), _attempts(seen, site, accounts), _refusals(seen)]
    frames.append(_failures(seen, site, accounts))
    found = [frame for frame in frames if len(frame)]
    if not found:
        return pl.DataFrame(schema=ROWS)
    return pl.concat(found).sort("time", "order", maintain_order=True)


@lru_cache(maxsize=65_536)
def lasting(sender: str) -> str:
    """A sender address without what changes from message to message."""
    local, _, domain = sender.lower().rpartition("@")
    return f"{CHANGING.sub('#', local)}@{domain}"


def _submissions(seen: Seen, site: Site, accounts: Accounts) -> pl.DataFrame:
    rows = seen.submissions
    if not len(rows):
        return pl.DataFrame()
    rows = rows.filter(pl.col("sasl_user").is_not_null()).with_columns(_account("sasl_user"))
    if not len(rows):
        return pl.DataFrame()
    hours = rows.group_by("account", pl.col("time").dt.truncate("1h"), maintain_order=True).agg(
        pl.col("recipient_count").fill_null(1).sum()
    )
    for account, hour, count in hours.iter_rows():
        accounts.of(account).send(hour, count)
    rows = rows.join(_senders(rows, accounts), on=["account", "sender"], how="left", maintain_order="left")
    rows = rows.join(
        _networks(rows, seen, site), on=["account", "client_ip"], how="left", maintain_order="left"
    )
    fresh = pl.col("time") - NEW_FOR
    return _rows(
        rows.with_columns(
            pl.when(pl.col("first") > fresh).then("lasting").alias("new_sender"),
            pl.when(pl.col("came") > fresh).then("network").alias("new_network"),
        ),
        SENT,
        recipients=pl.col("recipient_count").fill_null(1),
        sender=pl.col("new_sender"),
        network=pl.col("new_network"),
    )


def _senders(rows: pl.DataFrame, accounts: Accounts) -> pl.DataFrame:
    """The senders of accounts, without what changes in them, and since when they are used."""
    pairs = rows.group_by("account", "sender", maintain_order=True).agg(pl.col("time").min())
    told = [
        (account, sender, lasting(sender), accounts.sender(account, lasting(sender), time))
        for account, sender, time in pairs.iter_rows()
        if sender
    ]
    schema = {
        "account": pl.String(),
        "sender": pl.String(),
        "lasting": pl.String(),
        "first": pl.Datetime("us"),
    }
    return pl.DataFrame(told, schema, orient="row")


def _networks(rows: pl.DataFrame, seen: Seen, site: Site) -> pl.DataFrame:
    """The networks that accounts send from, and since when; without those that we trust."""
    told = [
        (account, address, place(address), seen.places.first(account, address))
        for account, address in rows.select("account", "client_ip").unique(maintain_order=True).iter_rows()
        if address and not site.trusts(address)
    ]
    schema = {
        "account": pl.String(),
        "client_ip": pl.String(),
        "network": pl.String(),
        "came": pl.Datetime("us"),
    }
    return pl.DataFrame(told, schema, orient="row")


def _attempts(seen: Seen, site: Site, accounts: Accounts) -> pl.DataFrame:
    rows = attempts(seen, site)
    if not len(rows):
        return pl.DataFrame()
    rows = rows.filter(pl.col("sasl_user").is_not_null(), pl.col("recipient").is_not_null())
    if not len(rows):
        return pl.DataFrame()
    rows = rows.with_columns(_account("sasl_user"))
    # The first attempt for a recipient tells whom an account writes to; a bounce may be a later one.
    first = rows.unique(["account", "recipient"], keep="first", maintain_order=True)
    fresh = [
        accounts.recipient(account, recipient, time) == time
        for account, recipient, time in first.select("account", "recipient", "time").iter_rows()
    ]
    tried = _rows(first.with_columns(pl.Series("met", fresh, pl.Boolean)), TRIED, fresh=pl.col("met"))
    bounced = _rows(rows.filter(pl.col("status").is_in(LOST)), BOUNCED)
    return pl.concat([tried, bounced])


def _refusals(seen: Seen) -> pl.DataFrame:
    if REJECTED not in seen.kinds:
        return pl.DataFrame()
    rows = seen.events((REJECTED,), REJECTED_FIELDS).filter(pl.col("sasl_user").is_not_null())
    return _rows(rows.with_columns(_account("sasl_user")), REFUSED)


def _failures(seen: Seen, site: Site, accounts: Accounts) -> pl.DataFrame:
    """Failed logins of accounts that send, from where their users never came."""
    rows = failures(seen, site)
    if not len(rows):
        return pl.DataFrame()
    pairs = rows.group_by("account", "client_ip", maintain_order=True).agg(pl.col("time").min())
    odd = [
        (account, address)
        for account, address, time in pairs.iter_rows()
        if account in accounts.known and not seen.places.familiar(account, address, time)
    ]
    table = pl.DataFrame(odd, {"account": pl.String, "client_ip": pl.String}, orient="row")
    found = rows.filter(~pl.col("verdict")).join(
        table, on=["account", "client_ip"], how="semi", maintain_order="left"
    )
    return _rows(found, FAILED)


def _account(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.strip_chars().alias("account")


def _rows(
    rows: pl.DataFrame,
    kind: str,
    recipients: pl.Expr | None = None,
    fresh: pl.Expr | None = None,
    sender: pl.Expr | None = None,
    network: pl.Expr | None = None,
) -> pl.DataFrame:
    nothing = pl.lit(None, pl.String)
    return rows.select(
        "time",
        pl.col("order").cast(pl.UInt32),
        "account",
        pl.lit(kind).alias("kind"),
        (pl.lit(0) if recipients is None else recipients).cast(pl.Int64).alias("recipients"),
        (pl.lit(False) if fresh is None else fresh).alias("fresh"),
        (nothing if sender is None else sender).alias("sender"),
        (nothing if network is None else network).alias("network"),
    )
