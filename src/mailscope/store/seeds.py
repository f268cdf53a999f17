"""What lines bear that are themselves about what a person looks for: names in columns, and conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from mailscope.store import names
from mailscope.store.asking import Asked
from mailscope.store.database import Queries
from mailscope.store.names import ADDRESSES, NAMING, Condition
from mailscope.vocabulary.fields import FIELDS

IPS: Final = tuple(each.name for each in FIELDS if each.name.endswith("_ip"))


@dataclass
class Seed:
    """Which lines: those that bear one of some names in a column, and those that fit a condition."""

    names: dict[str, set[str]] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)

    def bear(self, columns: Iterable[str], names: set[str]) -> None:
        """Also those with such a name in one of some columns."""
        for column in columns:
            if names:
                self.names[column] = self.names.get(column, set()) | names


def seed(database: Queries, asked: Asked) -> Seed:
    """What to begin with, for all kinds that the words may be of."""
    text = (asked.about or "").strip()
    bare = text.removeprefix("<").removesuffix(">")
    found = Seed()
    for kind in asked.kinds:
        if kind == "queue-id":
            found.bear(NAMING, {text})
        elif kind == "message-id":
            found.bear(("message_id",), {bare})
        elif kind == "address":
            found.bear(ADDRESSES, spellings(database, bare))
            found.conditions.append(names.with_recipient(bare))
        elif kind == "user":
            # A word anywhere in a line: too many to be in an index.
            found.conditions.append(Condition("contains(lower(raw), ?)", (text.lower(),)))
        elif kind == "domain":
            # Wherever a line names it, as in a file; only ids and addresses have columns of their own.
            found.conditions.append(names.in_domain(text))
        elif kind == "ip":
            address = ip_address(text.strip("[]"))
            found.conditions += names.at_ip((str(address), address.exploded, text.strip("[]")))
        elif kind == "network":
            # Addresses are texts here; which are within is told by whoever asked.
            found.conditions.append(Condition(" or ".join(f"{name} is not null" for name in IPS), ()))
        elif kind == "delivery":
            found.bear(("delivery_id",), {"".join(filter(str.isdigit, text))})
    return found


def named(ids: set[str], message_ids: set[str], trails: set[str]) -> Seed:
    """Lines that bear one of these names."""
    found = Seed()
    for columns, those in ((NAMING, ids), (("message_id",), message_ids), (("trail_id",), trails)):
        found.bear(columns, those)
    return found


def spellings(database: Queries, text: str) -> set[str]:
    """An address or name as it may have been logged: case does not matter."""
    rows = database.connection.execute(
        "select spelling from own.spellings where lower = ?", [text.lower()]
    ).fetchall()
    return {text, text.lower(), *(spelling for (spelling,) in rows)}
