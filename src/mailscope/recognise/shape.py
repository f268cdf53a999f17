"""The shape of a text: what is left when addresses, hosts, numbers and ids are taken out.

Lines that differ only in such things have one shape, so that they are counted together.
"""

from __future__ import annotations

from typing import Final

import polars as pl

REPLACEMENTS: Final = (
    (r"(?:127\.0\.0\.1|localhost)\[(?:127\.0\.0\.1|::1)\](?::[0-9]+)?", "LOCALHOST"),
    (r"host [^ ]+\[[^\]]*\](?::[0-9]+)? (said|refused)", "host $1"),
    (r"<[^<>]*>", "<>"),
    (r"[^ <>()\[\],;:=]+@[^ <>()\[\],;:=]+", "ADDRESS"),
    (r"[A-Za-z0-9_.-]+\[[0-9A-Fa-f:.]+\](?::[0-9]+)?", "HOST[IP]"),
    (r"\[?\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b\]?(?::[0-9]+)?", "IP"),
    (r"\b[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]+\b", "IP"),
    (r"\b[0-9A-Za-z]*[0-9][0-9A-Za-z-]*[A-Za-z][0-9A-Za-z]*[0-9][0-9A-Za-z-]{5,}\b", "ID"),
    (r"\b(?:[0-9]{5,}[A-F][0-9A-F]*|[0-9]{1,4}[A-F][0-9A-F]{4,}|[A-F]+[0-9][0-9A-F]{4,})\b", "ID"),
    (r"\b[0-9]{4,}\b", "N"),
    (r"[0-9]+(?:\.[0-9]+)? (second|minute|hour|day|byte|message|connection)", "N $1"),
)
LONGEST: Final = 160
# A reason tells its cause late: a provider's own code stands behind two sentences.
LONGEST_REASON: Final = 320


def reason_shape(text: pl.Expr) -> pl.Expr:
    """The shape of reasons; qmail's, in which blanks are underlines, made readable first."""
    return _cut(
        pl.when(text.str.contains(" ", literal=True)).then(text).otherwise(spaced(text)), LONGEST_REASON
    )


def spaced(text: pl.Expr) -> pl.Expr:
    """Texts with their underlines as the blanks that qmail has made them of."""
    return text.str.replace_all("_", " ", literal=True)


def shape(text: pl.Expr) -> pl.Expr:
    """The shape of texts, at most LONGEST characters."""
    return _cut(text, LONGEST)


def _cut(text: pl.Expr, longest: int) -> pl.Expr:
    for pattern, replacement in REPLACEMENTS:
        text = text.str.replace_all(pattern, replacement)
    return text.str.slice(0, longest)
