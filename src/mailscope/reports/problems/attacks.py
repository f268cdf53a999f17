"""Passwords being guessed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# A person, or a telephone with an old password, fails some times; a phone that asks every quarter of an hour
# makes about a hundred failures a day, but for one account.
FEWEST_A_DAY: Final = 100
FEWEST_ON_ACCOUNT: Final = 50
FEWEST_ADDRESSES: Final = 5
CLIENT_MEANING: Final = Phrase("Somebody tries passwords, mostly those of other sites that were stolen.")
CLIENT_ADVICE: Final = Phrase(
    "Block the addresses (fail2ban does it by itself), allow logins on the submission ports only, and see "
    "that none of them succeeded."
)
ACCOUNT_MEANING: Final = Phrase(
    "Many addresses try the passwords of one account, so that a limit for each address does not hold."
)
ACCOUNT_ADVICE: Final = Phrase(
    "See whether the account exists and has a strong password, and limit failures for each account (not only "
    "for each address)."
)


def by_client(view: View) -> Iterator[Problem]:
    """Addresses with more failures than mistyping explains."""
    rows = view.rows("login_failures_by_client").filter(
        (pl.col("failures") >= FEWEST_A_DAY * view.days) & pl.col("client_ip").is_not_null()
    )
    if len(rows):
        clients = rows["client_ip"].n_unique()
        worst = rows["client_ip"][0]
        title = (
            Phrase("failed logins from {client}", client=worst)
            if clients == 1
            else Phrase("failed logins from {n} addresses, most from {client}", n=clients, client=worst)
        )
        yield view.problem(
            "serious", "password_guessing", title, CLIENT_MEANING, CLIENT_ADVICE,
            section="login_failures_by_client", number="failures", rows=rows,
        )  # fmt: skip


def on_account(view: View) -> Iterator[Problem]:
    """Accounts that many addresses tried."""
    tried = (
        view.ledger.result("login_failures")
        .filter(pl.col("user").is_not_null() & (pl.col("user") != ""))
        .group_by("user")
        .agg(pl.col("client_ip").n_unique().alias("addresses"), pl.col("count").sum())
        .filter(
            (pl.col("addresses") >= FEWEST_ADDRESSES) & (pl.col("count") >= FEWEST_ON_ACCOUNT * view.days)
        )
    )
    rows = view.rows("login_failures_by_user").join(
        tried.select("user"), on="user", how="semi", maintain_order="left"
    )
    if len(rows):
        accounts, worst = rows["user"].n_unique(), rows["user"][0]
        title = (
            Phrase("failed logins on the account {user}, from many addresses", user=worst)
            if accounts == 1
            else Phrase(
                "failed logins on {n} accounts, from many addresses; most on {user}", n=accounts, user=worst
            )
        )
        yield view.problem(
            "serious", "account_attacked", title, ACCOUNT_MEANING, ACCOUNT_ADVICE,
            section="login_failures_by_user", number="failures", rows=rows,
        )  # fmt: skip
