"""The report of logins as plain data: a page of the whole report, with sums of its own.

In: the whole report, and the ledger that it was made from.  Out: the same kind of data with the sections
about logins only; ``page`` says which page it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from mailscope.reports.report import BY_NAME
from mailscope.reports.sections import SECTIONS
from mailscope.tallies.ledger import Ledger

PAGE: Final = "logins"
# In the order in which a person asks: who got in, who tried, and what the other programs say.
FIRST: Final = ("logins", "logins_by_user", "logins_after_failures")
NAMES: Final = (
    *FIRST,
    *(section.name for section in SECTIONS if PAGE in section.pages and section.name not in FIRST),
)
KEPT: Final = ("mailscope", "sources", "zone", "period", "domains", "lines", "problems", "pooled")


def page(
    report: dict[str, Any], ledger: Ledger, only: Sequence[str], without: Sequence[str]
) -> dict[str, Any]:
    """The page; ``only`` (none: all of it) and ``without`` choose sections."""
    wanted = [name for name in (only or NAMES) if name in BY_NAME and name not in without]
    kept = {name: report[name] for name in KEPT}
    problems = [problem for problem in report["problems"] if problem["section"] in NAMES]
    lines = [equation for equation in report["balance"] if equation["name"] == "lines read"]
    return (
        kept
        | {"page": PAGE, "balance": lines, "problems": problems, "sums": sums(ledger)}
        | {name: report[name] for name in wanted}
    )


def sums(ledger: Ledger) -> dict[str, int]:
    """The sums of the page, named as ``docs/json.md`` has them."""
    logins = ledger.result("login_users")
    succeeded = logins.filter(pl.col("event") == "login_succeeded")
    failed = logins.filter(pl.col("event") == "login_failed")
    alone = BY_NAME["auth_verdicts"].rows(ledger, "UTC")["alone"].sum()
    return {
        "succeeded": int(succeeded["count"].sum()),
        "failed": int(failed["count"].sum()),
        "failed_alone": int(alone or 0),
        "submissions": int(ledger.result("users")["count"].sum()),
        "users": succeeded["user"].drop_nulls().n_unique(),
        "users_refused": failed["user"].drop_nulls().n_unique(),
        "clients_refused": failed["client"].drop_nulls().n_unique(),
    }
