"""Programs that log through another one: names, accounts and processes that stand in the text."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from patterns import SHIPPED, event, program, records

from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library
from mailscope.vocabulary.errors import PatternError

OUTER = """tags = ['outer']
service = 'outer'
prefix = '(?:(?P<level>Bad): )?(?P<inner>[a-z]+)(?:\\((?P<user>[^)]*)\\)|<(?P<user_2>[^>]*)>)?(?:#(?P<pid>[0-9]+))?: (?P<rest>.*)'
nameless = [['in(?:\\([^)]*\\))?(?:#[0-9]+)?', 'Info: ']]
"""
INNER = "tags = ['(?P<service>in|on)']\ninside = 'a/outer'"
WORDS = event("x={value}", "in(alice): x=1", 'user = "alice", value = 1')
FALLBACK = event("Bad: {reason}", "Bad: in(alice): no", 'user = "alice", reason = "no"', "fallback = true")


def library(*, outer: str = OUTER, inner: str = INNER) -> Library:
    return Library(
        [
            program("a/outer", outer, event("up", "up", "") + FALLBACK),
            program("a/inner", inner, WORDS + event("Info: {reason}", "in: Info: y", 'reason = "y"')),
        ]
    )


def read(tag: str | None, text: str) -> dict[str, Any]:
    """One line: its record, and what the tags tell of it."""
    found = Engine(library()).recognise(pl.Series([tag], dtype=pl.String), pl.Series([text], dtype=pl.String))
    tags = found.tags.row(found.tag_code[0], named=True)
    told = {name: tags[name] for name in ("program", "service", "pid") if tags[name] is not None}
    fields = records(Engine(library()), tag, [text])[0]
    return told | {"text": found.text[0], "told": found.told[0]} | (fields or {"event": None})


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        ("outer", "in(alice): x=1", {"service": "in", "fields": {"user": "alice", "value": 1}}),
        ("outer[7]", "on<bob>: x=2", {"service": "on", "pid": 7, "fields": {"user": "bob", "value": 2}}),
        ("outer[7]", "in(alice)#12: x=1", {"service": "in", "pid": 12, "told": "in: x=1"}),
        ("outer", "in: x=1", {"service": "in", "fields": {"value": 1}}),
        ("outer", "in(): x=1", {"service": "in", "fields": {"value": 1}}),
        ("outer", "up", {"service": "outer", "fields": {}, "told": "up"}),
        ("outer", "Bad: else(carol): no", {"service": "else", "fields": {"user": "carol", "reason": "no"}}),
        ("outer", "else: what", {"service": "else", "event": None}),
        ("in(alice)#12", "Info: y", {"service": "in", "pid": 12, "fields": {"user": "alice", "reason": "y"}}),
        (None, "in(a b): Info: y", {"service": "in", "fields": {"user": "a b", "reason": "y"}}),
    ],
)
def test_a_line(tag: str | None, text: str, expected: dict[str, Any]) -> None:
    record = read(tag, text)
    assert {name: record.get(name) for name in expected} == expected
    assert record["program"] == "outer"


def test_what_is_no_program_of_ours_stays_what_it_is() -> None:
    assert read("in", "x=1")["event"] is None
    assert read(None, "in(alice): x=1").get("program", "") == ""
    assert read("else", "Info: y")["program"] == "else"


def test_lines_of_many_programs_do_not_touch_each_other() -> None:
    tags = pl.Series(["outer", None, "outer[3]", "x[1]", "in(alice)"] * 300)
    texts = pl.Series(["in(alice): x=1", "in: x=9", "up", "in(bob): x=1", "Info: y"] * 300)
    before = (tags.to_list(), texts.to_list())
    found = Engine(library()).recognise(tags, texts)
    assert (tags.to_list(), texts.to_list()) == before
    assert len(found.unrecognised) == 600
    by_event = {part.pattern.match: part.frame for part in found.parts}
    assert by_event["x={value}"]["user"].to_list() == ["alice"] * 300
    assert by_event["Info: {reason}"]["user"].to_list() == ["alice"] * 300
    assert "user" not in by_event["up"].columns


def test_fields_that_nobody_needs_are_left_out() -> None:
    engine = Engine(library(), {"noted": frozenset({"value"})})
    assert records(engine, "outer", ["in(alice): x=1"]) == [{"event": "noted", "fields": {"value": 1}}]


@pytest.mark.parametrize(
    ("outer", "inner", "complaint"),
    [
        (OUTER.replace("(?P<rest>.*)", ".*"), INNER, "it needs the groups 'inner' and 'rest'"),
        (OUTER.replace("<user>", "<colour>"), INNER, "unknown group 'colour'"),
        (OUTER.replace("<user>", "<value>"), INNER, "'value' is no text"),
        (OUTER.replace("(?P<inner>", "(?P<inner>("), INNER, "not a regex"),
        (OUTER.replace(", 'Info: ']", "]"), INNER, "it is not a pair of texts"),
        (OUTER.replace("['in(", "['(in("), INNER, "not a regex"),
        (
            OUTER.replace("service = 'outer'", "service = 'x'"),
            INNER,
            "needs a service that is one of the tags",
        ),
        (OUTER, INNER.replace("a/outer", "a/else"), "is inside 'a/else', which is no program with a prefix"),
    ],
)
def test_a_wrong_file_is_one_clear_line(outer: str, inner: str, complaint: str) -> None:
    with pytest.raises(PatternError) as caught:
        library(outer=outer, inner=inner)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_can_write_an_address_of_his_choice_into_the_beginning() -> None:
    """A name with comma or parenthesis fits no form of the beginning that tells an address."""
    engine = Engine(SHIPPED)
    text = "auth(x,203.0.113.9,sasl:plain),192.0.2.66,sasl:plain)<s>: sql: unknown user"
    [record] = records(engine, "dovecot", [text])
    assert record is None or record["fields"].get("client_ip") != "203.0.113.9"
