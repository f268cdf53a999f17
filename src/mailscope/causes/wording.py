"""The words of mail servers: rules that know a cause by what a reason says.

A phrase is plain text in small letters; ``*`` stands for anything, ``^`` at its beginning for the beginning
of the reason.  A rule applies where one of its phrases is found; of several rules the first wins, in the
order of FILES and of the rules in a file.  So what a provider says on its own stands before what many say.

All phrases are looked for in one pass, a phrase with a ``*`` by its longest piece; the few texts that hold it
are then looked at once more.  There is no regex that a hostile text could slow down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import polars as pl

from mailscope.causes.catalogue import Direction
from mailscope.causes.files import read

FILES: Final = (
    "postfix", "qmail", "gmail", "microsoft", "yahoo", "apple", "chinese", "russian", "german", "american",
    "french", "exim", "gateways", "servers", "general", "weak",
)  # fmt: skip
# Marks the beginning and the end of a text; no reason holds it, as control characters are taken out.
EDGE: Final = "\x02"
# A reply code and its enhanced code at the start of each line of a reply stand in the middle of sentences.
CODES: Final = r"(?:^|[ /])[245][0-9][0-9](?:-| |$)(?:#?[245]\.[0-9]{1,3}\.[0-9]{1,3}(?:[ :]|$))?"
SUSPENDED: Final = "delivery temporarily suspended: "


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases that tell one cause.

    ``only``: a direction that it is limited to.  ``final``: only for replies that are final, or only for
    those that are not.  ``weak``: words that say so little that a precise enhanced code counts more.
    """

    cause: str
    says: tuple[str, ...]
    examples: tuple[str, ...]
    provider: str
    references: tuple[str, ...]
    only: str | None
    final: bool | None
    weak: bool
    file: str
    number: int

    @property
    def label(self) -> str:
        """Where the rule stands."""
        return f"causes/data/wording/{self.file}.toml rule {self.number} ({self.cause})"


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order in which they count."""
    return tuple(_rules())


def _rules() -> Iterator[Rule]:
    for file in FILES:
        content = read(f"wording/{file}")
        for number, entry in enumerate(content["rule"], start=1):
            yield _rule(entry, content, file, number)


def _rule(entry: Mapping[str, Any], content: Mapping[str, Any], file: str, number: int) -> Rule:
    return Rule(
        cause=entry["cause"],
        says=tuple(entry["says"]),
        examples=tuple(entry["examples"]),
        provider=entry.get("provider", content["provider"]),
        references=tuple(entry.get("references", content["references"])),
        only=entry.get("only"),
        final=entry.get("final"),
        weak=content.get("weak", False),
        file=file,
        number=number,
    )


def normal(text: pl.Expr) -> pl.Expr:
    """Texts as phrases are held against them: small letters, single blanks, no codes within sentences."""
    text = (
        text.str.to_lowercase()
        .str.replace_all("[\u2018\u2019`\u00b4]", "'")
        .str.replace_all(r"[\x00-\x1f]", " ")
    )
    text = text.str.strip_prefix(SUSPENDED)
    for _ in range(2):
        # What stands between two codes belongs to both matches, so one pass may miss the second.
        text = text.str.replace_all(CODES, " ")
    text = text.str.replace_all("_", " ", literal=True).str.replace_all(" {2,}", " ").str.strip_chars_end(" ")
    return pl.lit(EDGE) + text + pl.lit(EDGE)


def found(texts: pl.Series, final: pl.Series, direction: Direction) -> pl.DataFrame:
    """For every text the first rule that applies: ``row``, ``rule`` (its place in ``rules()``).

    In: normal texts, and whether their reply is final (null: not known).  A text that no rule knows has no
    row.
    """
    table = _phrases(direction)
    known = table["piece"].unique().implode()
    held = (
        pl.DataFrame({"text": texts})
        .with_row_index("row")
        .select("row", pl.col("text").str.extract_many(known, overlapping=True).list.unique().alias("piece"))
        .explode("piece", empty_as_null=False)
        .join(table, on="piece")
    )
    held = held.filter(pl.col("final").is_null() | (pl.col("final") == final.gather(held["row"])))
    parted = held["parts"].is_not_null()
    if parted.any():
        parts = held.filter(parted)
        said = [
            in_order(text, phrase)
            for text, phrase in zip(texts.gather(parts["row"]), parts["parts"].to_list(), strict=True)
        ]
        held = pl.concat([held.filter(~parted), parts.filter(pl.Series(said))])
    return held.group_by("row").agg(pl.col("rule").min())


def in_order(text: str, parts: list[str]) -> bool:
    """Whether a text holds the parts of a phrase, one behind the other."""
    place = 0
    for part in parts:
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


@cache
def _phrases(direction: Direction) -> pl.DataFrame:
    """Every phrase of a direction's rules: its longest piece, all its parts if it has a ``*``, its rule."""
    rows = [
        (*pieces(phrase), place, rule.final)
        for place, rule in enumerate(rules())
        if rule.only in (None, direction)
        for phrase in rule.says
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "piece": pl.String,
        "parts": pl.List(pl.String),
        "rule": pl.UInt32,
        "final": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def pieces(phrase: str) -> tuple[str, list[str] | None]:
    """The longest plain piece of a phrase, and all of them where there are several."""
    phrase = phrase.replace("_", " ")
    phrase = EDGE + phrase[1:] if phrase.startswith("^") else phrase
    parts = phrase.split("*")
    return max(parts, key=len), None if len(parts) == 1 else parts
