"""The engine gives for every line what the pattern's own regex gives, whichever way it matches."""

from __future__ import annotations

from typing import Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patterns import READERS, SHIPPED, event, program, records, sample_tag

from mailscope.recognise import engine as matching
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library
from mailscope.recognise.pattern import Example, Pattern
from mailscope.recognise.program import Program
from mailscope.vocabulary.fields import BY_NAME


def examples(reader: Program) -> list[tuple[Pattern, Example]]:
    return [(pattern, each) for pattern in SHIPPED.patterns_of(reader) for each in pattern.examples]


@pytest.fixture(params=["one by one", "all at once"])
def few_lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few lines are matched by Python's regexes, many by Polars'; here, one way for all."""
    monkeypatch.setattr(matching, "FEW_LINES", 10**9 if request.param == "one by one" else 0)


@pytest.mark.usefixtures("few_lines")
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_every_example_gives_the_whole_record_beside_it(reader: Program) -> None:
    wanted = examples(reader)
    found = records(Engine(SHIPPED), sample_tag(reader), [example.text for _, example in wanted])
    for record, (pattern, example) in zip(found, wanted, strict=True):
        assert record == {"event": pattern.event, "fields": dict(example.fields)}, pattern.label


@pytest.mark.usefixtures("few_lines")
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_fields_that_nobody_needs_do_not_change_the_others(reader: Program) -> None:
    wanted = examples(reader)
    names = frozenset(name for place, name in enumerate(BY_NAME) if place % 2)
    kept = names | matching.ALWAYS
    engine = Engine(SHIPPED, dict.fromkeys((pattern.event for pattern, _ in wanted), names))
    found = records(engine, sample_tag(reader), [example.text for _, example in wanted])
    for record, (pattern, example) in zip(found, wanted, strict=True):
        fields = {
            name: value for name, value in example.fields.items() if name in {*kept, *pattern.constants}
        }
        assert record == {"event": pattern.event, "fields": fields}, pattern.label


@pytest.mark.usefixtures("few_lines")
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_lines_are_known_when_no_field_is_needed(reader: Program) -> None:
    wanted = examples(reader)
    found = records(Engine(SHIPPED, {}), sample_tag(reader), [example.text for _, example in wanted])
    assert [record and record["event"] for record in found] == [pattern.event for pattern, _ in wanted]


LIBRARY: Final = Library(
    [
        program("a/one", "service = 'one'\ntags = ['one']", event("x={value}", "x=1", "value = 1")),
        program(
            "a/mail",
            "service = 'mail'\ntags = ['{postfix}/mail']\nfamily = 'mta'\nstrip = 'queue_id'",
            event("gone", "gone", "", 'set = { status = "sent" }')
            + event("text={reason}", "text=a", 'reason = "a"'),
        ),
        program("a/bare", "tags = ['bare']\nbare = true", event("y={value}", "y=2", "value = 2")),
    ]
)


def test_a_queue_id_is_taken_off_where_the_program_has_one() -> None:
    texts = [
        "4B5C61F00D: gone",
        "NOQUEUE: gone",
        "gone",
        "4jXGcg59TJzCb6w: gone",
        "Gone: gone",
        "warning: gone",
    ]
    found = records(Engine(LIBRARY), "postfix/mail[1]", texts)
    assert [record and record["fields"].get("queue_id") for record in found] == [
        "4B5C61F00D", None, None, "4jXGcg59TJzCb6w", None, None,
    ]  # fmt: skip
    assert found[4] is None
    assert found[5] is None


def test_tags_tell_program_pid_service_and_instance() -> None:
    tag = pl.Series(["mx2/mail[77]", "one", None, "nobody[1]", "postfix/sub/mail[8]"])
    found = Engine(LIBRARY).recognise(tag, pl.Series(["gone", "x=1", "y=3", "z", "gone"]))
    rows = found.tags.select("program", "pid", "service", "instance", pl.col("reading") > 0)
    assert rows.select(pl.all().gather(found.tag_code)).rows() == [
        ("mx2/mail", 77, "mail", "mx2", True),
        ("one", None, "one", None, True),
        ("", None, None, None, True),
        ("nobody", 1, None, None, False),
        ("postfix/sub/mail", 8, "mail", "postfix", True),
    ]
    assert found.unrecognised.to_list() == [3]


def test_a_tag_inside_a_wrapper_counts() -> None:
    for outer in ("bare", None, "stranger"):
        tag = pl.Series([outer, outer, "one[3]"], dtype=pl.String)
        found = Engine(LIBRARY).recognise(tag, pl.Series(["one: x=5", "y=2", "one: x=5"]))
        programs = found.tags["program"].gather(found.tag_code).to_list()
        assert programs[0] == "one"
        assert found.text.to_list()[0] == "x=5"
        # A program with patterns of its own wraps nothing.
        assert programs[2] == "one"
        assert 2 in found.unrecognised


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_order_and_company_of_lines_do_not_matter(data: st.DataObject) -> None:
    reader = SHIPPED.programs["postfix/smtpd"]
    texts = [example.text for _, example in examples(reader)]
    chosen = data.draw(st.lists(st.sampled_from([*texts, "no such line", ""]), min_size=1, max_size=40))
    engine = Engine(SHIPPED)
    assert records(engine, "postfix/smtpd[1]", chosen) == [
        record for text in chosen for record in records(engine, "postfix/smtpd[1]", [text])
    ]


def test_an_empty_chunk() -> None:
    empty = pl.Series([], dtype=pl.String)
    found = Engine(SHIPPED).recognise(empty, empty)
    assert found.parts == []
    assert len(found.unrecognised) == 0


# Texts that two daemons of Postfix write, each meaning something else: without a tag, the frequent one wins.
AMBIGUOUS: Final = {("deleted", "removed")}


@pytest.mark.parametrize(
    "reader", [reader for reader in READERS if reader.family == "postfix"], ids=lambda reader: reader.name
)
def test_a_family_tag_reads_like_the_daemons_own(reader: Program) -> None:
    """RFC 5424 senders cut postfix/smtpd to postfix."""
    wanted = [(p, e) for p, e in examples(reader) if not p.fallback]
    found = records(Engine(SHIPPED), "postfix", [example.text for _, example in wanted])
    for record, (pattern, example) in zip(found, wanted, strict=True):
        assert record is not None, example.text
        if record["event"] != pattern.event:
            assert (pattern.event, record["event"]) in AMBIGUOUS, (pattern.label, example.text, record)
