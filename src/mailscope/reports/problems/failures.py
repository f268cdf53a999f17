"""Programs that gave up: panics, full disks, other fatal errors; services that mail waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems import configuration
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# Postfix: mail_queue.c, mail_stream.c, cleanup_out.c; smtpd_check.c ("insufficient system storage");
# write(2).
DISK: Final = "|".join(
    (
        r"no space left|disk quota exceeded|queue file write error|insufficient system storage",
        r"not enough free space|file too large|read-only file system|input/output error",
        r"unable to .*queue|trouble (writing|creating) .*queue",
    )
)
# smtpd(8) and cleanup(8) with milter, policy servers and before-queue filters.
FILTER: Final = "|".join(
    (
        r"milter.*(refused|timed? ?out|unreachable|no such|can't|error)",
        "policy server|proxy filter|problem talking to server",
    )
)
# The resolver, not the names: NXDOMAIN is the sender's typing error.
NAMES: Final = "|".join(
    (
        "try again|temporary lookup failure|name server failure",
        "CNAME_lookup_failed_temporarily|resolver.*fail",
    )
)
# A domain whose name server is down makes a handful of such deferrals a day; a resolver of our own that is
# down, all of it.
FEWEST_NAMES: Final = 20
SHARE_NAMES: Final = 0.05
FEWEST_FILTER: Final = 3

PANIC_MEANING: Final = Phrase(
    "A mail program met a state that its authors held to be impossible, and gave up."
)
PANIC_ADVICE: Final = Phrase(
    "Read the lines before it; look for a known error of this version, a damaged queue file or bad memory; "
    "upgrade, or report it."
)
DISK_MEANING: Final = Phrase("The queue or a mailbox cannot be written, so that mail is refused or waits.")
DISK_ADVICE: Final = Phrase(
    "Make room on the file system of the queue (df -h, df -i), find what filled it, and see that it is not "
    "mounted read-only."
)
FATAL_MEANING: Final = Phrase(
    "A program could not do its work; it is started again, and mail waits meanwhile."
)
FATAL_ADVICE: Final = Phrase("The first line tells why: correct it, and look whether it comes again.")
FILTER_MEANING: Final = Phrase(
    "A milter, policy server or content filter does not answer, and mail waits or is turned away."
)
FILTER_ADVICE: Final = Phrase(
    "Look whether the service runs and listens where the MTA expects it, and read its own log."
)
NAMES_MEANING: Final = Phrase(
    "Names could not be looked up for so much mail that the resolver itself is in doubt."
)
NAMES_ADVICE: Final = Phrase(
    "Try the resolvers of /etc/resolv.conf by hand (dig MX example.org) and run a local caching one."
)


def panics(view: View) -> Iterator[Problem]:
    """Panics: any at all."""
    told = view.ledger.result("problems").filter(pl.col("event") == "panicked")
    rows = view.rows("errors").join(
        told.select("program", pl.col("shape").alias("error")),
        on=["program", "error"],
        how="semi",
        nulls_equal=True,
    )
    if len(rows):
        yield view.problem(
            "critical", "panic", Phrase("programs met an internal inconsistency (panic)"),
            PANIC_MEANING, PANIC_ADVICE, section="errors", number="times", rows=rows,
        )  # fmt: skip


def disk(view: View) -> Iterator[Problem]:
    """Anything that says that there is no room: any at all."""
    for section, label, number in (
        ("errors", "error", "times"),
        ("warnings", "warning", "times"),
        ("rejects", "reason", "rejects"),
    ):
        rows = view.matching(section, label, DISK)
        if len(rows):
            yield view.problem(
                "critical", "disk_full", Phrase("lines say that a disk is full or cannot be written"),
                DISK_MEANING, DISK_ADVICE, section=section, number=number, rows=rows,
            )  # fmt: skip


def fatal(view: View) -> Iterator[Problem]:
    """Other errors of programs."""
    told = view.ledger.result("problems").filter(pl.col("event") == "panicked")
    rows = view.rows("errors").join(
        told.select("program", pl.col("shape").alias("error")),
        on=["program", "error"],
        how="anti",
        nulls_equal=True,
    )
    elsewhere = f"(?i){DISK}|{configuration.WORDS}"
    rows = rows.filter(~pl.col("error").str.contains(elsewhere).fill_null(False))
    if len(rows):
        yield view.problem(
            "serious", "fatal", Phrase("errors that ended a program"),
            FATAL_MEANING, FATAL_ADVICE, section="errors", number="times", rows=rows,
        )  # fmt: skip


def filters(view: View) -> Iterator[Problem]:
    """A filter that does not answer: more than a restart of it explains."""
    rows = view.matching("warnings", "warning", FILTER)
    if len(rows) and rows["times"].sum() >= FEWEST_FILTER:
        yield view.problem(
            "serious", "filter_unavailable",
            Phrase("warnings that a content filter or policy service does not answer"),
            FILTER_MEANING, FILTER_ADVICE, section="warnings", number="times", rows=rows,
        )  # fmt: skip


def names(view: View) -> Iterator[Problem]:
    """Look-ups of names that fail for much of the mail."""
    rows = view.matching("deferrals", "reason", NAMES)
    attempts = int(view.ledger.result("attempts")["count"].sum())
    if len(rows) and rows["attempts"].sum() >= max(FEWEST_NAMES, SHARE_NAMES * attempts):
        yield view.problem(
            "serious", "dns_failing", Phrase("deliveries put off as DNS gave no answer"),
            NAMES_MEANING, NAMES_ADVICE, section="deferrals", number="attempts", rows=rows,
        )  # fmt: skip
