"""Who logged in to what, from where; who got in after failing; what programs said that check passwords.

A failed login is often told twice: by the server that the client talked to, and by the program that it
asked (Dovecot's auth, saslauthd).  It is counted at the server's line.  What the other one said is shown in a
table of its own, with the name and reason that the server may not know.  It counts as a failure of its own
(``alone``) where no server's line can be the same failure: none is of that address, or, where the verdict
names no address, none is of that user.  docs/logins.md goes through the programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section
from mailscope.tallies.ledger import Ledger

SUCCEEDED: Final = pl.col("event") == "login_succeeded"
FAILED: Final = pl.col("event") == "login_failed"
USER: Final = Label("user", "User")
SERVICE: Final = Label("service", "Service")
CLIENT: Final = Label("client", "Client")


class _Both(Section):
    """Rows in which none of the numbers is 0."""

    def rows(self, ledger: Ledger, zone: str) -> pl.DataFrame:
        """Those rows only."""
        return super().rows(ledger, zone).filter(pl.all_horizontal(pl.col(n.name) > 0 for n in self.numbers))


@dataclass(frozen=True)
class _Verdicts(Section):
    """What programs said that check passwords; ``alone`` tells which of it no server's line speaks of."""

    def _told(self, ledger: Ledger, tally: str, zone: str) -> pl.DataFrame:
        failures = ledger.result("login_failures")
        clients, users = (failures[name].drop_nulls().unique() for name in ("client_ip", "user"))
        spoken = (
            pl.when(pl.col("client_ip").is_not_null())
            .then(pl.col("client_ip").is_in(clients.implode()))
            .otherwise(pl.col("user").is_in(users.implode()))
        )
        # Of rows that were pooled nothing is known.
        known = pl.any_horizontal(pl.col("client_ip", "user").is_not_null())
        return (
            super()._told(ledger, tally, zone).with_columns((known & ~spoken).fill_null(False).alias("alone"))
        )


BY_USER: Final = Section(
    "logins_by_user",
    "Logins by user",
    "Who logged in to what, and from where.",
    (USER, SERVICE, CLIENT),
    (Number("succeeded", "Succeeded", "login_users", only=SUCCEEDED),),
    pages=("logins",),
)
AFTER_FAILURES: Final = _Both(
    "logins_after_failures",
    "Clients that failed and got in",
    "Clients with failed and with successful logins: mistyped passwords, or guessed ones.",
    (CLIENT,),
    (
        Number("failed", "Failed", "login_users", only=FAILED & pl.col("client").is_not_null()),
        Number("succeeded", "Succeeded", "login_users", only=SUCCEEDED & pl.col("client").is_not_null()),
    ),
    problem=True,
    pages=("logins",),
)
VERDICTS: Final = _Verdicts(
    "auth_verdicts",
    "Refused by the password check",
    "What Dovecot's auth and saslauthd said of failed logins, which servers tell of as well; alone: no "
    "server's line can be the same failure.",
    (
        Label("client", "Client", lambda zone: pl.col("client_ip")),
        USER,
        Label("reason", "Reason", lambda zone: pl.col("shape")),
    ),
    (
        Number("alone", "Alone", "auth_verdicts", only=pl.col("alone")),
        Number("verdicts", "Verdicts", "auth_verdicts"),
    ),
    pages=("logins",),
)
SWITCHES: Final = Section(
    "acting_as",
    "Acting as another user",
    "Commands and sessions of users that became another one, with su, sudo or doas.",
    (USER, Label("target_user", "As"), SERVICE),
    (Number("times", "Times", "switches"),),
    pages=("logins",),
)
