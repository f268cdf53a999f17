"""Who became another user: with su, sudo or doas, and who was refused that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from mailscope.watch.seen import Seen

ROOT: Final = "root"
SWITCHERS: Final = ("su", "sudo", "doas")
FIELDS: Final = ("user", "target_user", "tty")
BECAME: Final = ("command_run", "session_opened")
REFUSED: Final = "login_failed"
REFUSED_FIELDS: Final = (*FIELDS, "reason", "value", "command")
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(BECAME, FIELDS),
    REFUSED: REFUSED_FIELDS,
}


def became_root(seen: Seen) -> pl.DataFrame:
    """Commands and sessions of other users as root, by time: ``time``, ``order``, ``host``, ``service``,
    ``user``, ``target_user``, ``tty``.
    """
    return seen.derived("became_root", lambda: _became_root(seen))


def refused(seen: Seen) -> pl.DataFrame:
    """Refused attempts to become another user, by time, with ``reason``, ``value`` (wrong passwords),
    ``command``.
    """
    if REFUSED not in seen.kinds or not seen.services.intersection(SWITCHERS):
        return pl.DataFrame()
    return _of_users(seen.events((REFUSED,), REFUSED_FIELDS))


def _became_root(seen: Seen) -> pl.DataFrame:
    if not seen.kinds.intersection(BECAME) or not seen.services.intersection(SWITCHERS):
        return pl.DataFrame()
    return _of_users(seen.events(BECAME, FIELDS)).filter(pl.col("target_user") == ROOT)


def _of_users(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(
        pl.col("service").is_in(SWITCHERS), pl.col("user").is_not_null(), pl.col("user") != ROOT
    ).with_columns(pl.col("host").fill_null(""))
