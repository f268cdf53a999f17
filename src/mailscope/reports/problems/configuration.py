"""What only the administrator can have caused: transports, tables, parameters, aliases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# Postfix 3.7: src/global/mail_params.c, mail_conf*.c, src/util/dict_open.c, dict.c, src/master, src/qmgr,
# src/local/alias.c, src/postalias; qmail-send.c, qmail-lspawn.c ("Unable to read control files"; "unable to
# ... control").
WORDS: Final = "|".join(
    (
        r"unknown mail transport|mail transport unavailable|unsupported dictionary type|unsupported map",
        r"table lookup (problem|error)|alias database|open database|is older than source file",
        r"bad (numeric|string|boolean|time|parameter)|parameter .*(undefined|unknown|bad|unused|missing)",
        r"unknown (parameter|restriction|service|user name|group)|(unused|undefined) parameter",
        r"missing .*(argument|parameter|value|definition)|bad command startup|not owned by",
        r"alias.* loop|possible mail loop|unreasonable .*(nesting|expansion)|unable to .*control",
        r"do not list domain .* in both|unable to get own|no such file or directory|permission denied",
        r"cannot (load|get) .*(certificate|key)|connect to .*(mysql|pgsql|ldap)",
    )
)
MEANING: Final = Phrase("The configuration names something that is not there, or contradicts itself.")
ADVICE: Final = Phrase(
    "Correct it (postfix check, postconf -n, postmap or newaliases for tables that are out of date), then "
    "reload and look whether the lines stop."
)
PLACES: Final = (
    ("errors", "error", "times"),
    ("warnings", "warning", "times"),
    ("deferrals", "reason", "attempts"),
)


def find(view: View) -> Iterator[Problem]:
    """Any such line; of deferrals only our own words, not those of a host."""
    for section, label, number in PLACES:
        rows = view.matching(section, label, WORDS)
        if section == "deferrals":
            rows = rows.filter(~pl.col(label).str.contains("^host ").fill_null(False))
        if len(rows):
            yield view.problem(
                "serious", "configuration", Phrase("lines that tell of an error in the configuration"),
                MEANING, ADVICE, section=section, number=number, rows=rows,
            )  # fmt: skip
