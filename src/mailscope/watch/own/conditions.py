"""Conditions on the fields of an event: a TOML table becomes one expression over columns.

    FIELD = VALUE              equals; texts without regard to case
    FIELD = [VALUE, ...]       one of them
    FIELD = { OPERATOR = ... } all of the operators: see ``OPERATORS``
    any = [{ ... }, ...]       one of some tables
    all = [{ ... }, ...]       each of some tables
    not = { ... }              not this table

What a line does not carry fits no condition but ``exists = false`` and ``not``.  Regular expressions are
those of Rust: without look-around and back references, in time linear in the text, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, reduce
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

import polars as pl

from mailscope.watch.own.columns import instead, kind_of

MOST_DEEP, MOST_VALUES, LONGEST_REGEX = 8, 1_000, 1_000
GROUPS: Final = ("any", "all", "not")
NUMBERS: Final = ("int", "float")
Networks = tuple[IPv4Network | IPv6Network, ...]


class ConditionError(ValueError):
    """A condition is wrong: ``place`` (keys below the table), what, what to do."""

    def __init__(self, place: tuple[str | int, ...], what: str, advice: str) -> None:
        super().__init__(what)
        self.place, self.what, self.advice = place, what, advice


@dataclass(frozen=True)
class Condition:
    """An expression that is never null, and the columns that it looks at."""

    expr: pl.Expr
    columns: frozenset[str]

    @property
    def always(self) -> bool:
        """Whether every event fits."""
        return not self.columns


def condition(table: Mapping[str, Any], place: tuple[str | int, ...] = ()) -> Condition:
    """The condition of a table; an empty one always holds.  Raises ConditionError."""
    if len(place) > MOST_DEEP * 2:
        raise ConditionError(place, "it is nested too deeply", f"use at most {MOST_DEEP} levels")
    parts = [_part(name, value, (*place, name)) for name, value in table.items()]
    return _joined(parts, pl.Expr.and_, True)


def _part(name: str, value: Any, place: tuple[str | int, ...]) -> Condition:
    if name in GROUPS:
        return _group(name, value, place)
    kind = kind_of(name)
    if kind is None:
        raise ConditionError(place, f"there is no field '{name}'", instead(name))
    operators = value if isinstance(value, dict) else {"in" if isinstance(value, tuple) else "equals": value}
    if not operators:
        raise ConditionError(place, f"'{name}' has no condition", f"give one of {', '.join(OPERATORS)}")
    made = []
    for operator, wanted in operators.items():
        if operator not in OPERATORS:
            near = get_close_matches(operator, OPERATORS, 1)
            advice = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(OPERATORS)}"
            raise ConditionError((*place, operator), f"there is no operator '{operator}'", advice)
        kinds, make = OPERATORS[operator]
        if kind not in kinds:
            raise ConditionError(
                (*place, operator), f"'{operator}' does not go with '{name}', which is {_kinds((kind,))}",
                f"it goes with {_kinds(kinds)}",
            )  # fmt: skip
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        _fitting(operator, kind, values, (*place, operator))
        made.append(make(pl.col(name), values, (*place, operator)).fill_null(False))
    return Condition(reduce(pl.Expr.and_, made), frozenset({name}))


def _group(name: str, value: Any, place: tuple[str | int, ...]) -> Condition:
    tables = value if isinstance(value, tuple) else (value,)
    if not tables or not all(isinstance(each, dict) and each for each in tables):
        raise ConditionError(place, f"'{name}' is no list of conditions", f"write {name} = [{{ ... }}]")
    parts = [condition(each, (*place, number)) for number, each in enumerate(tables)]
    if name == "all":
        return _joined(parts, pl.Expr.and_, True)
    found = _joined(parts, pl.Expr.or_, False)
    return Condition(~found.expr, found.columns) if name == "not" else found


def _joined(parts: list[Condition], join: Callable[[pl.Expr, pl.Expr], pl.Expr], empty: bool) -> Condition:
    if not parts:
        return Condition(pl.lit(empty), frozenset())
    columns = frozenset[str]().union(*(each.columns for each in parts))
    return Condition(reduce(join, [each.expr for each in parts]), columns)


def _fitting(operator: str, kind: str, values: tuple[Any, ...], place: tuple[str | int, ...]) -> None:
    """Refuse values of the wrong type."""
    if not 0 < len(values) <= MOST_VALUES:
        raise ConditionError(place, "there are no values, or too many", f"give 1 to {MOST_VALUES}")
    wanted: tuple[type, ...] = (bool,)
    words = "true or false"
    if operator != "exists":
        match kind:
            case "int" | "float":
                wanted, words = (int, float), "a number"
            case "bool":
                pass
            case _:
                wanted, words = (str,), "a text in quotes"
    for value in values:
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise ConditionError(place, f"{value!r} is of the wrong type", f"give {words}")
    if operator in ("exists", "gt", "ge", "lt", "le") and len(values) != 1:
        raise ConditionError(place, f"'{operator}' takes one value", f"give {words}")


def _equals(column: pl.Expr, values: tuple[Any, ...], place: tuple[str | int, ...]) -> pl.Expr:
    if isinstance(values[0], str):
        return _lower(column).is_in([_folded(value) for value in values])
    return column.is_in(list(values))


def _matches(column: pl.Expr, values: tuple[str, ...], place: tuple[str | int, ...]) -> pl.Expr:
    for value in values:
        fault = regex_fault(value)
        if fault:
            raise ConditionError(
                place, f"the regular expression is wrong: {fault}", "see Rust's regex syntax"
            )
    return reduce(pl.Expr.or_, [column.str.contains(value) for value in values])


@lru_cache(maxsize=256)
def regex_fault(pattern: str) -> str:
    """What is wrong with a regular expression; empty where nothing is."""
    if len(pattern) > LONGEST_REGEX:
        return f"it is longer than {LONGEST_REGEX} characters"
    try:
        pl.Series([""]).str.contains(pattern, strict=True)
    except pl.exceptions.PolarsError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = next((line for line in reversed(lines) if line.startswith("error:")), lines[0])
        return told.removeprefix("error: ")[:200]
    return ""


def _within(column: pl.Expr, values: tuple[str, ...], place: tuple[str | int, ...]) -> pl.Expr:
    try:
        networks: Networks = tuple(ip_network(value) for value in values)
    except ValueError as error:
        raise ConditionError(place, str(error), 'give networks such as "192.0.2.0/24"') from error

    def held(addresses: pl.Series) -> pl.Series:
        inside = [each for each in addresses.unique().drop_nulls() if _in_one(each, networks)]
        return addresses.is_in(pl.Series(inside, dtype=pl.String).implode())

    return column.map_batches(held, return_dtype=pl.Boolean)


@lru_cache(maxsize=65_536)
def _in_one(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in each for each in networks)


def _lower(column: pl.Expr) -> pl.Expr:
    return column.str.to_lowercase()


def _folded(value: str) -> str:
    return value.lower()


def _any_of(fits: Callable[[pl.Expr, str], pl.Expr]) -> Callable[..., pl.Expr]:
    def make(column: pl.Expr, values: tuple[str, ...], place: tuple[str | int, ...]) -> pl.Expr:
        return reduce(pl.Expr.or_, [fits(_lower(column), _folded(value)) for value in values])

    return make


def _compared(compare: Callable[[pl.Expr, float], pl.Expr]) -> Callable[..., pl.Expr]:
    return lambda column, values, place: compare(column, values[0])


def _kinds(kinds: tuple[str, ...]) -> str:
    words = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
    return ", ".join(dict.fromkeys(words.get(each, each) for each in kinds))


PLAIN: Final = ("str", "int", "float", "bool")
# Operator -> the kinds of field that it goes with, and how its expression is made.
OPERATORS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., pl.Expr]]]] = {
    "equals": (PLAIN, _equals),
    "in": (PLAIN, _equals),
    "contains": (("str",), _any_of(lambda column, value: column.str.contains(value, literal=True))),
    "startswith": (("str",), _any_of(lambda column, value: column.str.starts_with(value))),
    "endswith": (("str",), _any_of(lambda column, value: column.str.ends_with(value))),
    "regex": (("str",), _matches),
    "cidr": (("str",), _within),
    "gt": (NUMBERS, _compared(pl.Expr.gt)),
    "ge": (NUMBERS, _compared(pl.Expr.ge)),
    "lt": (NUMBERS, _compared(pl.Expr.lt)),
    "le": (NUMBERS, _compared(pl.Expr.le)),
    "exists": (
        (*PLAIN, "list", "time"),
        lambda column, values, place: column.is_not_null() if values[0] else column.is_null(),
    ),
}
