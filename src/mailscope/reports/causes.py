"""Causes as labels of the rows of tallies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from mailscope.causes.catalogue import INCOMING, OUTGOING
from mailscope.causes.classify import told

ATTEMPT: Final = ("shape", "status", "dsn_status")
# A refusal without words is told by what was done, such as rate_limit.
WORDS: Final = (
    pl.when(pl.col("shape").fill_null("").str.strip_chars() == "")
    .then(pl.col("action").str.replace_all("_", " ", literal=True))
    .otherwise("shape")
    .alias("shape")
)
VERDICT: Final = (WORDS, "dsn_status", "reply_code")


def of_attempts(column: str) -> Callable[[str], pl.Expr]:
    """What ``classify`` tells of rows of the tally ``reasons``: cause, blocklist ..."""
    return lambda zone: told(column, OUTGOING, *ATTEMPT)


def of_verdicts(column: str) -> Callable[[str], pl.Expr]:
    """What ``classify`` tells of rows of the tally ``verdicts``."""
    return lambda zone: told(column, INCOMING, *VERDICT)
