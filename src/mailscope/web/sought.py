"""How lines about one thing are told in SQL: by fields, by the text of unknown lines, or of any line.

Each part says what it costs to look at one line, and which names the index of a sealed file must have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from mailscope.about.collect import UNRECOGNISED
from mailscope.about.mentions import IPS, NAMES
from mailscope.about.subject import Subject
from mailscope.store import names
from mailscope.store.database import Queries
from mailscope.store.names import ADDRESSES, DOMAIN, Condition
from mailscope.store.seeds import spellings
from mailscope.vocabulary.tables import EVENTS

# What looking at a line costs: its fields; its text; whether a pattern knows it.
FIELDS_COST: Final = 1.0
TEXT_COST: Final = 8.0
UNKNOWN_COST: Final = 0.5
IN_TEXT: Final = "contains(lower(raw), ?) and regexp_matches(lower(raw), ?)"
_WORD: Final = r"A-Za-z0-9_@+\x{80}-\x{10FFFF}\-"
Names = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Part:
    """An SQL condition with its values.

    ``names``: by kind, of which the index must have one (None: it cannot tell); ``columns``: what
    ``about/mentions.py`` looks at besides.
    """

    sql: str
    values: tuple[str, ...]
    cost: float
    names: Names | None = None
    columns: tuple[str, ...] = ()


def parts(looking: Queries, subject: Subject) -> list[Part]:
    """What is looked for."""
    if subject.network is not None:
        return [_network(subject.network)]
    text = subject.text
    if subject.ip is not None:
        forms = {str(subject.ip), subject.ip.exploded, text.strip("[]").lower()}
        written = _either(names.at_ip(forms))
        return [_fields(IPS, forms, written.kinds), _unknown(written)]
    if subject.kind == "domain":
        condition = names.in_domain(text)
        return [Part(condition.sql, condition.values, TEXT_COST, condition.kinds, ("raw",))]
    if subject.kind == "user":
        word = text.lower()
        within = rf"(?:^|[^{_WORD}.]){re.escape(word)}(?:$|\.$|[^{_WORD}.]|\.[^A-Za-z0-9])"
        return [
            _fields(NAMES, spellings(looking, text)),
            _unknown(Condition(IN_TEXT, (word, within))),
        ]
    return _address(looking, text.removeprefix("<").removesuffix(">"))


def _address(looking: Queries, address: str) -> list[Part]:
    spelt = spellings(looking, address)
    named: Names = dict.fromkeys(ADDRESSES, spelt)
    listed = names.with_recipient(address)
    known = _fields(ADDRESSES, spelt)
    # In a text its domain is in the index.
    domain = ((DOMAIN, address.rpartition("@")[2].lower()),)
    return [
        Part(
            f"{known.sql} or ({listed.sql})",
            (*known.values, *listed.values),
            FIELDS_COST,
            {**named, **(listed.kinds or {})},
        ),
        _unknown(Condition(IN_TEXT, listed.values, domain)),
    ]


def _either(conditions: Sequence[Condition]) -> Condition:
    """Lines that fit any of some conditions."""
    return Condition(
        " or ".join(f"({each.sql})" for each in conditions),
        tuple(value for each in conditions for value in each.values),
        tuple(name for each in conditions for name in each.names or ()),
    )


def _fields(columns: Iterable[str], values: Iterable[str], indexed: Names | None = None) -> Part:
    known = [name for name in columns if name in EVENTS.names]
    listed = sorted(set(values))
    marks = ", ".join("?" for _ in listed)
    sql = " or ".join(f"{name} in ({marks})" for name in known)
    return Part(f"event <> '{UNRECOGNISED}' and ({sql})", tuple(listed) * len(known), FIELDS_COST, indexed)


def _unknown(condition: Condition) -> Part:
    """Lines that no pattern knows."""
    sql = f"event = '{UNRECOGNISED}' and ({condition.sql})"
    return Part(sql, condition.values, UNKNOWN_COST, condition.kinds)


def _network(network: IPv4Network | IPv6Network) -> Part:
    """Lines with an address that may be in it: which are is told by ``about/mentions.py``."""
    whole = network.prefixlen // 8
    if network.version == 4 and whole:
        begin = ".".join(str(network.network_address).split(".")[:whole]) + ("." if whole < 4 else "")
        sql, values = "starts_with({}, ?)", (begin,)
    else:
        sql, values = "contains({}, ?)", (":" if network.version == 6 else ".",)
    columns = tuple(name for name in IPS if name in EVENTS.names)
    told = " or ".join(sql.format(name) for name in columns)
    return Part(told, values * len(columns), FIELDS_COST, None, columns)
