"""What stands before the text proper is taken off, the same way for single texts and for columns."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.recognise.check import check, read_text
from mailscope.recognise.engine import Engine
from mailscope.recognise.leading import Leading
from mailscope.recognise.library import Library, in_force
from mailscope.recognise.program import parse_program
from mailscope.vocabulary.errors import PatternError

NUMBERED = Leading(r"(?:\([0-9-]+\) )?(?:(?P<queue_id>[0-9A-F]{6,}): )?")
FILE = """
[program]
tags = ['filter']
leading = '{leading}'
[[event]]
event = "noted"
match = 'seen by [a-z]+'
meaning = "It was seen."
"""


@pytest.mark.parametrize(
    ("text", "queue_id", "proper"),
    [
        ("(12-3) 4B5C61F00D: Passed", "4B5C61F00D", "Passed"),
        ("(12-3) Passed", None, "Passed"),
        ("Passed", None, "Passed"),
        ("", None, ""),
    ],
)
def test_taking_off(text: str, queue_id: str | None, proper: str) -> None:
    assert NUMBERED.read(text) == (queue_id, proper)
    ids, rest = NUMBERED.split(pl.Series([text], dtype=pl.String))
    assert (ids[0], rest[0]) == (queue_id, proper)


def test_a_beginning_that_must_be_there_leaves_other_texts_whole() -> None:
    must = Leading("x: ")
    ids, rest = must.split(pl.Series(["x: y", "y"]))
    assert (ids.to_list(), rest.to_list()) == ([None, None], ["y", "y"])
    assert must.read("y") == (None, "y")


@pytest.mark.parametrize("leading", ["(", "(?P<sender>x)"])
def test_faults_are_told(leading: str) -> None:
    with pytest.raises(PatternError, match="leading"):
        parse_program("filter", "filter.toml", FILE.replace("{leading}", leading))


def test_the_check_tells_faults_of_our_own_files() -> None:
    broken = parse_program("filter", "filter.toml", FILE.replace("{leading}", "("), whole=False)
    (fault,) = check(Library([broken]), ["filter"])
    assert fault.startswith("filter.toml leading: not a regex")


def test_only_lines_of_the_program_lose_it() -> None:
    """Beside lines of Postfix, whose ids are taken off in another way."""
    program = parse_program("filter", "filter.toml", FILE.replace("{leading}", r"\([0-9]+\) "))
    library = Library([program, *in_force().programs.values()])
    tags = pl.Series(["filter[1]", "filter[1]", "postfix/qmgr[2]"])
    texts = pl.Series(["(1) seen by a", "seen by b", "4B5C61F00D: removed"])
    found = Engine(library).recognise(tags, texts)
    assert not len(found.unrecognised)
    events = {part.pattern.event: part.frame for part in found.parts}
    assert sorted(events) == ["noted", "removed"]
    assert events["removed"]["queue_id"].to_list() == ["4B5C61F00D"]
    assert read_text(program.patterns[0], program, "(1) seen by a") == {}


def test_ids_of_other_mtas() -> None:
    """Sendmail's and Exim's ids become queue ids of a milter's lines as Postfix's do."""
    reading = in_force().reading("opendkim")
    assert reading is not None
    assert reading.leading is not None
    for name in ("4B5C61F00D", "3pvwXr2Yk0z1tG2", "2AM9pqJW012345", "1kXyZ0-0001Ab-CD"):
        assert reading.leading.read(f"{name}: no signature data") == (name, "no signature data")
    assert reading.leading.read("error: no signature data") == (None, "error: no signature data")
