"""A cover takes every text apart without a rest, as its pattern reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
import pytest

from mailscope.privacy.cover import Cover, Group, cover
from mailscope.privacy.lines import LOOSE, WAYS, Anonymiser
from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.recognise.engine import apply
from mailscope.recognise.library import Library, shipped
from mailscope.recognise.pattern import Pattern
from mailscope.recognise.program import Program
from mailscope.recognise.queue_id import split_queue_id
from mailscope.recognise.recognised import Part
from mailscope.recognise.regex import form

LIBRARY = Library(shipped())
ANONYMISER = Anonymiser(LIBRARY, Pseudonyms(b"k" * 32))
ASKED = frozenset(WAYS)


def pieces(shape: Cover, text: str) -> list[tuple[str, str, str | None]]:
    found = re.match(shape.regex, text)
    assert found is not None
    return [
        (group.kind, group.field, value) for group, value in zip(shape.groups, found.groups(), strict=True)
    ]


def test_every_character_is_in_one_group() -> None:
    shape = cover(r"from=<(?P<sender>[^>]*)>(?:, size=(?P<size_bytes>[0-9]+))?(?: \(.*\))?", ASKED, LOOSE)
    assert shape.groups == (Group("fixed"), Group("field", "sender"), Group("fixed"), Group("free"))
    assert [value for _, _, value in pieces(shape, "from=<a@b>, size=12 (x)")] == [
        "from=<",
        "a@b",
        ">, size=12",
        " (x)",
    ]
    assert [value for _, _, value in pieces(shape, "from=<>")] == ["from=<", "", ">", ""]


def test_choices_around_fields_stay_choices() -> None:
    shape = cover(r"(?:user=(?P<user>[a-z]+)|ip=(?P<client_ip>[0-9.]+)|nobody)!(?P<reason>.*)", ASKED, LOOSE)
    assert [p for p in pieces(shape, "ip=192.0.2.1!so") if p[2]] == [
        ("fixed", "", "ip="),
        ("field", "client_ip", "192.0.2.1"),
        ("fixed", "", "!"),
        ("free", "", "so"),
    ]
    assert [value for _, _, value in pieces(shape, "nobody!") if value] == ["nobody", "!"]


def test_a_field_within_a_field_is_not_taken_apart() -> None:
    shape = cover(r"(?P<mailbox>x(?P<user>[a-z]+))", ASKED, LOOSE)
    assert pieces(shape, "xab") == [("field", "mailbox", "xab")]


def test_an_unbalanced_regex_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        cover("a)b", ASKED, LOOSE)


def readers(program: Program) -> list[Program]:
    return [program, *LIBRARY.includers(program.name)]


def proper(pattern: Pattern, program: Program, text: str) -> str:
    """The text that the pattern is held against, of an example."""
    for reader in readers(program):
        rest = text
        opening = LIBRARY.opening_of(reader)
        begun = opening.read(rest) if opening else None
        if begun is not None:
            rest = begun[2]
        if reader.strip:
            rest = split_queue_id(rest, reader.strip)[1]
        if reader.leading is not None:
            rest = reader.leading.read(rest)[1]
        if pattern.read(rest) is not None:
            return rest
    raise AssertionError(f"{pattern.label} does not know its example")


def examples() -> Iterator[tuple[Pattern, str]]:
    for program in LIBRARY.programs.values():
        for pattern in program.patterns:
            for example in pattern.examples:
                yield pattern, proper(pattern, program, example.text)


def test_every_example_is_rewritten_and_read_as_before() -> None:
    wrong = []
    for pattern, text in examples():
        column = pl.Series("rest", [text])
        piece = pl.DataFrame(
            {
                "row": pl.Series([0], dtype=pl.UInt32),
                "queue_id": pl.Series([None], dtype=pl.String),
                "rest": column,
            }
        )
        found, _ = apply(form(pattern, None), piece)
        _, fits = ANONYMISER._covered(column, cover(pattern.expanded, ASKED, LOOSE), lambda free: free)
        new = ANONYMISER._part(Part(pattern, None, found), found, column)[0]
        before, after = pattern.read(text), pattern.read(new)
        assert before is not None
        same = after is not None and before.keys() == after.keys()
        kept = {name: value for name, value in before.items() if name not in WAYS and name not in LOOSE}
        if not fits[0] or not same or after is None or kept != {name: after[name] for name in kept}:
            wrong.append(f"{pattern.label}: {text} -> {new}")
    assert wrong == []


def test_flags_hold_where_they_held() -> None:
    shape = cover(r"(?i:user) (?i:is (?P<user>[a-z]+))", ASKED, LOOSE)
    assert pieces(shape, "USER IS BOB")[-1] == ("field", "user", "BOB")
    assert re.match(cover(r"(?i:a)b", ASKED, LOOSE).regex, "Ab")
    assert not re.match(cover(r"(?i:a)b", ASKED, LOOSE).regex, "AB")
