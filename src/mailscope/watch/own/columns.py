"""The columns that conditions, groups and measures may name: fields of events, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Final

import polars as pl

from mailscope.recognise.events import CORE
from mailscope.vocabulary.fields import BY_NAME, Kind
from mailscope.watch.networks import network

# What every line has, whatever its kind.
ALWAYS: Final = (*(name for name in CORE if name != "event"), "queue_id", "text")
NEVER: Final = frozenset({
    "event", "time", "time_quality", "facility", "severity", "source", "offset", "line_number", "trail_id"
})  # fmt: skip


@dataclass(frozen=True)
class Derived:
    """A column made of others."""

    bases: tuple[str, ...]
    make: Callable[[], pl.Expr]


def _domain(column: str) -> pl.Expr:
    return pl.col(column).str.extract(r"@([^@]+)$").str.to_lowercase()


def _account() -> pl.Expr:
    return pl.coalesce("user", "sasl_user").str.to_lowercase().str.strip_chars().replace("", None)


def _network(column: str) -> pl.Expr:
    def networks(values: pl.Series) -> pl.Series:
        each = values.unique().drop_nulls()
        told = pl.Series([network(address, 24, 64) for address in each], dtype=pl.String)
        return values.replace_strict(each, told, default=None, return_dtype=pl.String)

    return pl.col(column).map_batches(networks, return_dtype=pl.String)


DERIVED: Final[Mapping[str, Derived]] = {
    "account": Derived(("user", "sasl_user"), _account),
    "sender_domain": Derived(("sender",), partial(_domain, "sender")),
    "recipient_domain": Derived(("recipient",), partial(_domain, "recipient")),
    "client_network": Derived(("client_ip",), partial(_network, "client_ip")),
    "relay_network": Derived(("relay_ip",), partial(_network, "relay_ip")),
}


def kind_of(name: str) -> Kind | None:
    """The type of a column; None: there is no such column here."""
    if name in DERIVED:
        return "str"
    return BY_NAME[name].kind if name in BY_NAME and name not in NEVER else None


def instead(name: str) -> str:
    """What may have been meant by a name that is no column."""
    names = [*(each for each in BY_NAME if each not in NEVER), *DERIVED]
    near = get_close_matches(name, names, 1)
    return f"did you mean '{near[0]}'?" if near else "see 'mailscope patterns fields'"


def bases(names: Iterable[str]) -> tuple[str, ...]:
    """The fields of events that some columns need, beside those that every line has; sorted."""
    found = {base for name in names for base in (DERIVED[name].bases if name in DERIVED else (name,))}
    return tuple(sorted(found - {*ALWAYS, "event"}))


def with_derived(rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Rows with the derived columns among some names."""
    made = [DERIVED[name].make().alias(name) for name in names if name in DERIVED]
    return rows.with_columns(made) if made else rows
