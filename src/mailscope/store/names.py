"""The names by which lines are sought, as numbers: what the index of a sealed file (``index.py``) holds.

A name is of a kind: a column of ``events`` and a value of it, or what stands in the text of lines (``raw``):

    domain       host.sub.example.org: this name, sub.example.org and example.org
    ip           192.0.2.1, and IPv6 addresses as they are written
    recipients   the local parts of the addresses in a list of recipients

Whoever seeks by text uses the conditions made here, which say where such a name begins and ends; they are
those of ``trails/search/query.py``.  So a line that fits a condition has the name's number in the index.  A
number is a keyed hash (BLAKE2b): without the store's secret nobody can tell whether a name is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import polars as pl

from mailscope.vocabulary.fields import FIELDS
from mailscope.vocabulary.tables import EVENTS

ADDRESSES: Final = tuple(
    each.name
    for each in FIELDS
    if each.privacy == "address" and each.name not in ("recipients", "lookup_key", "addresses")
)
NAMING: Final = ("queue_id", "next_queue_id", "orig_queue_id")
# Columns of which every value is in the index.
COLUMNS: Final = tuple(
    name for name in EVENTS.names
    if name in (*NAMING, *ADDRESSES, "message_id", "trail_id", "delivery_id", "qp", "pid")
)  # fmt: skip
DOMAIN: Final = "domain"
IP: Final = "ip"
RECIPIENTS: Final = "recipients"

# All texts are in lower case here.  A label, and one that follows a dot (Rust's, RE2's and Python's regexes).
_LABEL: Final = r"[a-z0-9_\-\x{80}-\x{10FFFF}]"
_FIRST: Final = r"[a-z0-9_\x{80}-\x{10FFFF}]"
_NAME: Final = rf"{_LABEL}+(?:\.{_FIRST}{_LABEL}*)+"
_DIGITS: Final = r"\.[0-9]+$"
_QUAD: Final = r"[0-9]+(?:\.[0-9]+){3,}"
_HEXES: Final = r"[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*"
_ATOM: Final = r"[a-z0-9.!#$%&'*+/=?^_`{|}~\x{80}-\x{10FFFF}\-]"
_LOCAL: Final = rf"({_ATOM}+)@"
# Python spells these characters otherwise.
_PYTHON: Final = (r"\x{80}-\x{10FFFF}", "\x80-\U0010ffff")
_END: Final = r"(?:$|\.$|[^a-z0-9_\-\x{80}-\x{10FFFF}.]|\.[^a-z0-9_\x{80}-\x{10FFFF}])"
# The texts of so many lines are taken apart at once.
ROWS_AT_ONCE: Final = 20_000

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL condition on a line, with its values; where it is met, one of ``names`` is in the index.

    ``names`` is None where the index cannot tell.
    """

    sql: str
    values: tuple[Any, ...]
    names: tuple[Name, ...] | None = None

    @property
    def kinds(self) -> dict[str, list[str]] | None:
        """``names`` by kind."""
        return None if self.names is None else by_kind(self.names)


def by_kind(names: Iterable[Name]) -> dict[str, list[str]]:
    """Names by their kind."""
    found: dict[str, list[str]] = {}
    for kind, name in names:
        found.setdefault(kind, []).append(name)
    return found


class Numbers:
    """Numbers of 64 bits that stand for names, under a secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._kinds: dict[str, blake2b] = {}

    def of(self, kind: str, names: Iterable[str]) -> list[int]:
        """The numbers of some names of one kind."""
        keyed = self._kinds.get(kind)
        if keyed is None:
            keyed = self._kinds[kind] = blake2b(f"{kind}\0".encode(), digest_size=8, key=self._secret)
        found = []
        for name in names:
            one = keyed.copy()
            one.update(name.encode("utf-8", "surrogatepass"))
            found.append(int.from_bytes(one.digest(), "little"))
        return found


def in_domain(text: str) -> Condition:
    """Lines that name a domain, or a host or domain in it; of ``@domain``, addresses at exactly this one."""
    sought = text.removesuffix(".").lower()
    name = sought.removeprefix("@")
    before = "" if sought.startswith("@") else r"(?:^|[^a-z0-9_\-\x{80}-\x{10FFFF}])"
    known = _fits(_NAME, name) and re.search(_DIGITS, name) is None
    return _in_raw(sought, f"{before}{re.escape(sought)}{_END}", ((DOMAIN, name),) if known else None)


def at_ip(forms: Iterable[str]) -> list[Condition]:
    """Lines with an IP address in one of some forms."""
    return [_at_form(form.lower()) for form in sorted(set(forms))]


def _at_form(form: str) -> Condition:
    if ":" not in form:
        expression = rf"(?:^|[^0-9.]){re.escape(form)}(?:$|\.$|[^0-9.]|\.[^0-9])"
        return _in_raw(form, expression, ((IP, form),))
    expression = rf"(?:^|[^0-9a-f:]){re.escape(form)}(?:$|[^0-9a-f:])"
    # Where IPv4 is in it, what stands before that.
    return _in_raw(form, expression, ((IP, form.partition(".")[0]),))


def with_recipient(address: str) -> Condition:
    """Lines with an address in a list of recipients."""
    sought = address.lower()
    local = sought.rpartition("@")[0]
    before = rf"(?:^|{_ATOM.replace('[', '[^', 1)})"
    return Condition(
        "recipients is not null and contains(lower(recipients), ?) and regexp_matches(lower(recipients), ?)",
        (sought, f"{before}{re.escape(sought)}{_END}"),
        # Anything else may be quoted: where there are any recipients at all.
        ((RECIPIENTS, local if _fits(f"{_ATOM}+", local) else ""),),
    )


def _in_raw(sought: str, expression: str, names: tuple[Name, ...] | None) -> Condition:
    return Condition("contains(lower(raw), ?) and regexp_matches(lower(raw), ?)", (sought, expression), names)


def _fits(expression: str, text: str) -> bool:
    return re.fullmatch(expression.replace(*_PYTHON), text) is not None


def in_rows(rows: pl.DataFrame) -> dict[str, pl.Series]:
    """The names in some rows, each once, by kind: COLUMNS as far as they are there, and what is in texts.

    ``raw`` and ``recipients`` are in lower case.
    """
    found = {
        column.name: column.drop_nulls().unique().cast(pl.String)
        for column in rows.iter_columns()
        if column.name not in ("raw", RECIPIENTS)
    }
    texts = rows["raw"].drop_nulls()
    found[DOMAIN], found[IP] = _domains(texts), _ips(texts)
    if RECIPIENTS in rows.columns:
        lists = rows[RECIPIENTS].drop_nulls().unique()
        if len(lists):
            # Local parts; and that there are any.
            found[RECIPIENTS] = pl.concat([_parts(lists, _LOCAL).str.head(-1), pl.Series([""])])
    return found


def _parts(texts: pl.Series, expression: str) -> pl.Series:
    """What fits an expression in any of some texts, each once."""
    return texts.str.extract_all(expression).explode().drop_nulls().unique()


def _domains(texts: pl.Series) -> pl.Series:
    """Names with a dot, and what they are in."""
    names = _parts(texts, _NAME)
    # Delays, versions and addresses are no domains.
    names = names.filter(~names.str.contains(_DIGITS))
    found = []
    while len(names):
        found.append(names)
        rest = names.str.splitn(".", 2).struct[1].drop_nulls()
        names = rest.filter(rest.str.contains(".", literal=True)).unique()
    return pl.concat(found).unique() if found else names


def _ips(texts: pl.Series) -> pl.Series:
    quads = _parts(texts, _QUAD)
    long = _parts(texts.filter(texts.str.contains(r"::|(?:[0-9a-f]+:){6}")), _HEXES)
    return pl.concat(
        [
            quads.filter(quads.str.count_matches(".", literal=True) == 3),
            long.filter(long.str.contains("::", literal=True) | (long.str.count_matches(":") >= 6)),
        ]
    )
