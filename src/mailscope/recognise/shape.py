"""The shape of a text: what is left when addresses, hosts, numbers and ids are taken out.

Lines that differ only in such things have one shape, so that they are counted together.
"""

from __future__ import annotations

from typing import Final

import polars as pl

REPLACEMENTS: Final = (
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


def shape(text: pl.Expr) -> pl.Expr:
    """The shape of texts, at most LONGEST characters."""
    for pattern, replacement in REPLACEMENTS:
        text = text.str.replace_all(pattern, replacement)
    return text.str.slice(0, LONGEST)
