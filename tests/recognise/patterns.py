"""Small pattern files for the tests of this folder, and the shipped ones with tags that mean them."""

from __future__ import annotations

import re
from typing import Any, Final

import polars as pl

from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library, shipped
from mailscope.recognise.program import Program, parse_program
from mailscope.recognise.recognised import Part
from mailscope.recognise.tokens import TOKENS

SHIPPED: Final = Library(shipped())
# Programs that read lines of their own (the others are there to be included).
READERS: Final = [p for p in SHIPPED.programs.values() if p.tags or p.bare]

EVENT: Final = """
[[event]]
event   = "removed"
match   = 'gone: {queue_id}'
meaning = "It is gone."
[[event.example]]
text    = 'gone: 4B5C61F00D'
fields  = { queue_id = "4B5C61F00D" }
"""


def program(name: str = "site/x", header: str = "tags = ['x']", events: str = EVENT) -> Program:
    """A pattern file of one program."""
    return parse_program(name, f"{name}.toml", f'[program]\nname = "{name}"\n{header}\n{events}')


def event(match: str, text: str, fields: str, *more: str) -> str:
    """One event that is "noted", with an example; ``more`` are further keys of it."""
    keys = "\n".join(("[[event]]", 'event = "noted"', f"match = '{match}'", 'meaning = "M."', *more))
    return f"{keys}\n[[event.example]]\ntext = '{text}'\nfields = {{ {fields} }}\n"


def sample_tag(reader: Program) -> str:
    """A program tag, as it may be logged, that means this program; "" for lines without one."""
    if reader.inside:
        # Its lines carry the tag of the program that it logs through, and name it in the text.
        return sample_tag(SHIPPED.programs[reader.inside])
    if not reader.tags:
        return ""
    plain = reader.tags[0].pattern.replace(TOKENS["postfix"], "postfix")
    plain = re.sub(r"\(\?:[^()]*\)\?|\[[^\]]*\]\?", "", plain)
    plain = re.sub(r"\(\?(?::|P<[a-z]+>)([^()|]*)[^()]*\)", r"\1", plain).replace("\\", "")
    assert reader.tags[0].fullmatch(plain), f"{reader.name}: {plain}"
    return plain


def records(engine: Engine, tag: str | None, texts: list[str]) -> list[dict[str, Any] | None]:
    """What the engine makes of texts: event, service and fields of each; None where it knows none."""
    found = engine.recognise(
        pl.Series([tag] * len(texts), dtype=pl.String), pl.Series(texts, dtype=pl.String)
    )
    out: list[dict[str, Any] | None] = [None] * len(texts)
    for part in found.parts:
        for row in part.frame.iter_rows(named=True):
            at = row.pop("row")
            assert out[at] is None, "a line was given twice"
            out[at] = record(part, row)
    assert [at for at, each in enumerate(out) if each is None] == found.unrecognised.to_list()
    return out


def record(part: Part, row: dict[str, Any]) -> dict[str, Any]:
    """One line's event, and its fields without those that it lacks."""
    held = {name: value for name, value in row.items() if value is not None}
    return {"event": part.pattern.event, "fields": {**part.pattern.constants, **held}}
