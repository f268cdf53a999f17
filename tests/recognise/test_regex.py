"""Rewriting a regex for speed never changes what it matches nor what it captures."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from contextlib import suppress
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patterns import READERS, SHIPPED

from mailscope.recognise.durations import seconds_of
from mailscope.recognise.engine import apply
from mailscope.recognise.pattern import Pattern
from mailscope.recognise.queue_id import split_queue_id
from mailscope.recognise.regex import form
from mailscope.vocabulary.fields import BY_NAME

ROUNDS: Final = int(os.environ.get("MAILSCOPE_FUZZ", "0")) // 20 or 2
FILES: Final = defaultdict(list)
for _reader in SHIPPED.programs.values():
    for _pattern in _reader.patterns:
        FILES[_reader.name].append(_pattern)
TEXTS: Final = [
    split_queue_id(example.text)[1]
    for reader in READERS
    for pattern in SHIPPED.patterns_of(reader)
    for example in pattern.examples
]
ODD: Final = [
    *"<>()[]{}:;,.=/\\\"'@ %+-?*|^$#0aZ\t\x7fé\ufffd",
    "",
    "  ",
    "<>",
    ": ",
    ", ",
    "]: ",
    "; ",
    " (",
    ")",
]


def mutated(text: str, rng: random.Random) -> str:
    """A text with a few characters lost, doubled, changed, or a piece of another line put in."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + text[at + rng.randint(1, 4) :]
        elif kind == 1:
            text = text[:at] + rng.choice(ODD) + text[at:]
        elif kind == 2:
            text = text[:at] + rng.choice(ODD) + text[at + 1 :]
        elif kind == 3:
            text = text[:at]
        elif kind == 4:
            text = text[:at] + text[max(0, at - rng.randint(1, 20)) :]
        else:
            other = rng.choice(TEXTS)
            cut = rng.randint(0, len(other))
            text = text[:at] + other[cut : cut + rng.randint(1, 40)] + text[at:]
    return text


def by_python(pattern: Pattern, text: str, needed: frozenset[str] | None) -> dict[str, Any] | None:
    """What the regex of the file captures, unchanged."""
    found = pattern.compiled.match(text)
    if found is None:
        return None
    return {
        name: value
        for name, value in found.groupdict().items()
        if name in pattern.captures and value is not None and (needed is None or name in needed)
    }


def by_polars(
    pattern: Pattern, texts: list[str], needed: frozenset[str] | None
) -> list[dict[str, Any] | None]:
    """What the rewritten regex captures, as Polars gives it."""
    piece = pl.DataFrame(
        {
            "row": range(len(texts)),
            "queue_id": pl.Series([None] * len(texts), dtype=pl.String),
            "rest": texts,
        },
        schema_overrides={"row": pl.UInt32},
    )
    found, others = apply(form(pattern, needed), piece)
    assert sorted([*found["row"], *others["row"]]) == list(range(len(texts)))
    out: list[dict[str, Any] | None] = [None] * len(texts)
    for row in found.iter_rows(named=True):
        at = row.pop("row")
        out[at] = {name: value for name, value in row.items() if value is not None}
    return out


def comparable(name: str, value: str) -> Any:
    kind = BY_NAME[name].kind
    if kind == "int":
        # Polars has 64 bits; a longer number is absent there.
        return int(value) if int(value) < 2**63 else None
    if kind != "float":
        return value
    for read in (float, seconds_of):
        with suppress(ValueError):
            return read(value)
    return None


@pytest.mark.parametrize("name", sorted(FILES))
@settings(max_examples=ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_rewritten_patterns_match_and_capture_the_same(name: str, seed: int) -> None:
    rng = random.Random(seed)
    for pattern in FILES[name]:
        own = [split_queue_id(example.text)[1] for example in pattern.examples]
        texts = [*own, *(mutated(rng.choice(own), rng) for _ in range(60)), *rng.sample(TEXTS, 10)]
        needed = None if rng.random() < 0.5 else frozenset(rng.sample(sorted(BY_NAME), 60))
        for text, ours in zip(texts, by_polars(pattern, texts, needed), strict=True):
            theirs = by_python(pattern, text, needed)
            if theirs is not None:
                theirs = {
                    field: value
                    for field, logged in theirs.items()
                    if (value := comparable(field, logged)) is not None
                }
            assert ours == theirs, (pattern.label, text, needed)


def small(match: str) -> Pattern:
    return Pattern("x.toml", 1, "noted", match, "M.")


@pytest.mark.parametrize(
    ("match", "regex"),
    [
        # The shared beginning of an optional part and what follows is moved in front.
        ("a(?:, b={value})?, c={limit}", "^a, (?:b=(?P<value>[0-9]+), )?c=(?P<limit>[0-9]+)$"),
        ("a(?:, b={value})?; c", "^a(?:, b=(?P<value>[0-9]+))?; c$"),
        ("a(?:ab|ac)?ad", "^(?:a(?:ab|ac)?ad)$"),
    ],
)
def test_optional_parts(match: str, regex: str) -> None:
    found = form(small(match), None)
    assert found.regex.replace("(?P<matched>)", "") == regex


def test_free_text_before_a_closing_literal_is_compared_apart() -> None:
    found = form(small(r"status={status} \({reason}\)"), None)
    assert (found.suffix, found.tail, found.always) == (")", "reason", "reason")
    assert found.regex == r"^status=(?P<status>[^ ]+) \((?P<reason>.*)$"
    unneeded = form(small(r"status={status} \({reason}\)"), frozenset({"status"}))
    assert (unneeded.suffix, unneeded.tail, unneeded.regex) == (")", None, r"^status=(?P<status>[^ ]+) \(")
