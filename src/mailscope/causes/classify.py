"""From a reason and its codes to a cause.

What counts, in this order: words that tell a cause (``wording.py``); a precise enhanced code; words that
tell little; a vague enhanced code (such as 5.7.1); the reply code; what the status alone tells.  So 5.1.1
with words of a full mailbox is a full mailbox.  What none of them knows is ``unclassified``.

Everything is looked at as a shape (``recognise/shape.py``): a stranger's address or host name in a reason
must not decide, and a report, which keeps shapes, must say the same as the line itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from mailscope.causes import wording
from mailscope.causes.catalogue import (
    EXPIRED,
    INCOMING,
    LOCAL_PROGRAM,
    OUTGOING,
    POLICY,
    UNCLASSIFIED,
    Direction,
)
from mailscope.causes.codes import enhanced, reply
from mailscope.causes.lists import LISTED, named_list
from mailscope.recognise.shape import reason_shape

INPUTS: Final = {
    "shape": pl.String, "status": pl.String, "dsn_status": pl.String, "reply_code": pl.Int64,
}  # fmt: skip
OUTPUTS: Final = {
    "cause": pl.String, "basis": pl.String, "rule": pl.UInt32, "blocklist": pl.String,
}  # fmt: skip
# Distinct inputs whose causes are remembered: some hundred bytes each.
MOST_REMEMBERED: Final = 4_000
# What told the cause.
WORDS, ENHANCED, REPLY, STATUS, NOTHING = "words", "enhanced_code", "reply_code", "status", "nothing"
ENHANCED_IN_TEXT: Final = r"(?:^|[ #(:])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ :;,)/]|$)"
REPLY_IN_TEXT: Final = r"(?:^|said: |said:|to talk to me: |reply: )([245][0-9][0-9])(?:[ -]|/?$)"
BLANK: Final = r"^[ /]*$"
GIVEN_UP: Final = ("expired", "force-expired")


_KNOWN: Final[dict[Direction, dict[tuple[Any, ...], tuple[Any, ...]]]] = {OUTGOING: {}, INCOMING: {}}


def classify(frame: pl.DataFrame, direction: Direction = OUTGOING) -> pl.DataFrame:
    """The causes of reasons.

    In: a frame with ``shape`` (``shaped`` makes it of reasons) and, as far as they are known, ``status``,
    ``dsn_status`` and ``reply_code``; whether deliveries of ours failed or we refused.  Out: for each row
    ``cause``, ``basis`` (what told it: words, enhanced_code, reply_code, status, nothing), ``rule`` (the
    place in ``wording.rules()``, null if not by words) and ``blocklist`` (the list that is named); all null
    where the shape is.
    """
    inputs = frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in INPUTS.items()
    )
    distinct = inputs.unique(maintain_order=True)
    judged = pl.concat([distinct, _remembered(distinct, direction)], how="horizontal")
    return inputs.join(judged, on=list(INPUTS), how="left", nulls_equal=True, maintain_order="left").drop(
        INPUTS
    )


def shaped(reason: pl.Expr) -> pl.Expr:
    """The shapes of reasons, as ``classify`` wants them; where there are no words, an empty one."""
    return reason_shape(reason.fill_null("")).alias("shape")


def told(column: str, direction: Direction, *inputs: pl.Expr | str) -> pl.Expr:
    """A column of ``classify`` as an expression.

    In: its name; the direction; the inputs, of which those are the least that there are.
    """
    return pl.struct(*inputs).map_batches(
        lambda rows: classify(rows.struct.unnest(), direction)[column], return_dtype=pl.String
    )


def _remembered(distinct: pl.DataFrame, direction: Direction) -> pl.DataFrame:
    """The causes of distinct rows; the same few come again and again, in each batch and for each report."""
    known = _KNOWN[direction]
    # What is taken from memory is held here: another thread may make room meanwhile.
    mine = {row: known.get(row) for row in distinct.iter_rows()}
    new = [row for row, causes in mine.items() if causes is None]
    if new:
        judged = dict(
            zip(new, _judged(pl.DataFrame(new, INPUTS, orient="row"), direction).rows(), strict=True)
        )
        mine.update(judged)
        if len(known) + len(judged) > MOST_REMEMBERED:
            known.clear()
        known.update(list(judged.items())[:MOST_REMEMBERED])
    return pl.DataFrame(list(mine.values()), OUTPUTS, orient="row")


def _judged(distinct: pl.DataFrame, direction: Direction) -> pl.DataFrame:
    """The causes of distinct rows."""
    shape = pl.col("shape").fill_null("")
    known = distinct.select(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        there=pl.col("shape").is_not_null(),
        text=wording.normal(shape),
        # A program that wrote nothing, or qmail's reason (its lines end with slashes) that is no reply.
        from_program=shape.str.contains(BLANK)
        | (shape.str.contains("/", literal=True) & ~shape.str.contains("emote host said", literal=True)),
        in_text=shape.str.extract(ENHANCED_IN_TEXT, 1),
        logged="dsn_status",
        reply_code=pl.coalesce("reply_code", shape.str.extract(REPLY_IN_TEXT, 1).cast(pl.Int64)),
        given_up=pl.col("status").is_in(GIVEN_UP).fill_null(False),
    )
    known = known.with_columns(
        final=pl.coalesce(pl.col("reply_code") // 100, pl.col("logged").str.slice(0, 1).cast(pl.Int64)) == 5,
    )
    known = known.join(_by_words(known, direction), on="row", how="left", maintain_order="left")
    # Codes are asked, and their tables read, only where words do not decide.
    open_still = known["said"].is_null() | known["weak"]
    known = known.with_columns(
        *_by_code(known["in_text"], open_still),
        *_by_code(known["logged"], open_still),
        _by_reply(known["reply_code"], open_still),
    )
    program = (direction == OUTGOING) & pl.col("from_program") & pl.col("reply_code").is_null()
    judges = (
        (WORDS, pl.when(~pl.col("weak")).then("said")),
        (ENHANCED, pl.coalesce("in_text_precise", "logged_precise")),
        (STATUS, pl.when(program & pl.col("logged").is_null()).then(pl.lit(LOCAL_PROGRAM))),
        (WORDS, pl.col("said")),
        (ENHANCED, pl.coalesce("in_text_vague", "logged_vague")),
        (REPLY, pl.col("by_reply")),
        (STATUS, pl.when("given_up").then(pl.lit(EXPIRED))),
        # What we refused in words of our own, a rule of ours refused.
        (STATUS, pl.lit(POLICY if direction == INCOMING else None, pl.String)),
    )
    cause = pl.coalesce(*(judged for _, judged in judges), pl.lit(UNCLASSIFIED))
    basis = pl.coalesce(
        *(pl.when(judged.is_not_null()).then(pl.lit(how)) for how, judged in judges), pl.lit(NOTHING)
    )
    # A tally's rows that were pooled have no shape: of them nothing is known.
    there = pl.col("there")
    named = pl.when(cause.is_in(LISTED)).then(named_list(pl.col("text")))
    return known.select(
        pl.when(there).then(cause).alias("cause"),
        pl.when(there).then(basis).alias("basis"),
        pl.when(basis == WORDS).then("rule").alias("rule"),
        pl.when(there).then(named).alias("blocklist"),
    )


def _by_words(known: pl.DataFrame, direction: Direction) -> pl.DataFrame:
    """What the words tell: ``row``, ``rule``, ``said`` (the cause), ``weak``."""
    rules = wording.rules()
    found = wording.found(known["text"], known["final"], direction)
    causes = pl.Series("said", [rule.cause for rule in rules])
    weak = pl.Series("weak", [rule.weak for rule in rules])
    return found.with_columns(causes.gather(found["rule"]), weak.gather(found["rule"]))


def _by_code(codes: pl.Series, asked: pl.Series) -> tuple[pl.Series, pl.Series]:
    """What enhanced codes tell: the causes of precise ones, and of vague ones."""
    table = {code: enhanced(code) for code in _distinct(codes, asked)}
    precise = {
        code: found.cause for code, found in table.items() if found and found.cause and not found.vague
    }
    vague = {code: found.cause for code, found in table.items() if found and found.vague}
    return _mapped(codes, precise, f"{codes.name}_precise"), _mapped(codes, vague, f"{codes.name}_vague")


def _by_reply(codes: pl.Series, asked: pl.Series) -> pl.Series:
    """What reply codes tell."""
    table = {code: reply(code) for code in _distinct(codes, asked)}
    return _mapped(codes, {code: found.cause for code, found in table.items() if found}, "by_reply")


def _distinct(codes: pl.Series, asked: pl.Series) -> pl.Series:
    return codes.filter(asked).unique().drop_nulls()


def _mapped(codes: pl.Series, causes: Mapping[Any, str | None], name: str) -> pl.Series:
    """Causes in place of codes; null where a code tells none."""
    told = {code: cause for code, cause in causes.items() if cause and cause != UNCLASSIFIED}
    return codes.replace_strict(told, default=None, return_dtype=pl.String).alias(name)
