"""The sums of the report of logins as people read them."""

from __future__ import annotations

from typing import Any

from mailscope.language.translator import Translator
from mailscope.reports.sheet import Block, Figure


def balance(report: dict[str, Any], tr: Translator) -> list[Block]:
    """Lines and logins."""
    line, sums = report["lines"], report["sums"]
    lines: Block = [
        Figure(tr("Lines read"), line["read"], style="head"),
        Figure(tr("recognised"), line["recognised"], 1),
        Figure(tr("unrecognised"), line["unrecognised"], 1, "bad" if line["unrecognised"] else ""),
    ]
    logins: Block = [
        Figure(tr("Logins"), sums["succeeded"], style="head"),
        Figure(tr("users"), sums["users"], 1),
        Figure(tr("Submissions"), sums["submissions"]),
    ]
    failed: Block = [
        Figure(tr("Failed logins"), sums["failed"] + sums["failed_alone"], style="head"),
        Figure(tr("told by the password check alone"), sums["failed_alone"], 1),
        Figure(tr("users tried"), sums["users_refused"], 1),
        Figure(tr("clients refused"), sums["clients_refused"], 1),
    ]
    return [lines, logins, failed]


def headline(report: dict[str, Any], tr: Translator) -> list[Figure]:
    """The few numbers that matter most."""
    sums = report["sums"]
    return [
        Figure(tr("Logins"), sums["succeeded"], style="good"),
        Figure(tr("Failed logins"), sums["failed"] + sums["failed_alone"], style="bad"),
        Figure(tr("Submissions"), sums["submissions"]),
        Figure(tr("clients refused"), sums["clients_refused"], style="refused"),
    ]
