"""Somebody tries to get the rights of root, or uses them for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.access import PrivilegeMisuse as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Severity, Signal
from mailscope.watch.guessing import minutes, reasons
from mailscope.watch.seen import Seen
from mailscope.watch.switching import NEEDS, became_root, refused
from mailscope.watch.window import LAST, SINCE, TIME, Measure, Window, told

KEYS: Final = ("user", "host")
MEASURES: Final = (
    Measure("passwords", "sum", "wrong", pl.col("wrong") > 0),
    Measure("runs", where=(pl.col("wrong") > 0) & (pl.col("service") == "su")),
    Measure("became", where=pl.col("became")),
)
# What sudo says of those whom its rules do not allow something; that nobody typed a password (a program
# without a terminal) is no misuse.
FORBIDDEN: Final = (
    r"^(?:user NOT|command not allowed|command in current|user not allowed|sorry, you are not allowed)"
)
WRONG: Final = r"incorrect password|authentication failure|PAM authentication error"
MOST_USERS: Final = 10_000
ROOTS: Final = pl.Schema({"user": pl.String(), "first": TIME})


class PrivilegeMisuse:
    """Looks at what su, sudo and doas refuse, and at who becomes root for the first time."""

    about: ClassVar[About] = About(
        name="privilege_misuse",
        sees="A user whom the rules of sudo or doas do not allow what was tried; many wrong passwords for "
        "sudo, su or doas; a user's first command or session as root.",
        why="Who has got into an account tries to become root next.",
        false_positives="A new administrator, a job whose rule in sudoers was changed, a password that was "
        "forgotten.",
        advice="Ask the user. If it was somebody else, lock the account, and look at where it logged in "
        "from and what it did since.",
        commands=("mailscope logins --user {user}",),
        again_s=86_400,
    )
    needs = NEEDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(KEYS, MEASURES, settings.window_s)
        # Users who were root, since when; those least lately heard of first.
        self._roots: dict[str, datetime] = {}

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        became, failed = became_root(seen), refused(seen)
        new = self._learn(became) if len(became) else []
        if len(failed):
            yield from self._forbidden(seen, failed)
        yield from self._passwords(seen, failed, became)
        for row in new:
            if seen.places.days(row["time"]) >= self.settings.history_days:
                yield self._first(seen, row)

    def _learn(self, became: pl.DataFrame) -> list[dict[str, Any]]:
        """Enter who became root; gives the first times."""
        new = []
        for row in became.unique("user", keep="first", maintain_order=True).iter_rows(named=True):
            known = self._roots.pop(row["user"], None)
            self._roots[row["user"]] = known or row["time"]
            if known is None:
                new.append(row)
        while len(self._roots) > MOST_USERS:
            del self._roots[next(iter(self._roots))]
        return new

    def _forbidden(self, seen: Seen, failed: pl.DataFrame) -> Iterator[Signal]:
        doas = (pl.col("service") == "doas") & pl.col("command").is_not_null()
        rows = failed.filter(pl.col("reason").str.contains(FORBIDDEN).fill_null(False) | doas)
        for (user, host), part in rows.group_by("user", "host", maintain_order=True):
            yield Signal(
                subject={"user": str(user), "host": str(host)},
                time=part["time"][-1],
                since=part["time"][0],
                severity="warning",
                title=Phrase(
                    "{user} may not do on {host} what was tried with {service}",
                    user=user,
                    host=host,
                    service=part["service"][0],
                ),
                figures={"refused": len(part)},
                reasons=reasons(
                    Phrase("it was said: {words}", words=part["reason"][0]) if part["reason"][0] else None
                ),
                lines=seen.evidence(part),
            )

    def _passwords(self, seen: Seen, failed: pl.DataFrame, became: pl.DataFrame) -> Iterator[Signal]:
        rows = pl.concat(
            [frame for frame in (_wrong(failed), _became(became)) if len(frame)] or [_wrong(failed)]
        )
        if not len(rows):
            return
        limits = {"passwords": self.settings.passwords}, {"runs": self.settings.su_failures}
        found = self._window.add(rows.sort("time", maintain_order=True), *limits)
        for row in told(found, KEYS, "passwords", self.about.quiet_s).iter_rows(named=True):
            user, host = str(row["user"]), str(row["host"])
            first = self._roots.get(user)
            got = bool(row["became"]) and first is not None and row[SINCE] <= first <= row[LAST]
            mine = rows.filter(pl.col("user") == user, pl.col("host") == host, pl.col("wrong") > 0)
            yield Signal(
                subject={"user": user, "host": host},
                time=row[LAST],
                since=row[SINCE],
                severity="critical" if got else "warning",
                title=Phrase(
                    "{count} wrong passwords of {user} on {host} within {minutes} minutes",
                    count=round(row["passwords"]),
                    user=user,
                    host=host,
                    minutes=minutes(self.settings.window_s),
                ),
                figures={"passwords": round(row["passwords"]), "window_s": self.settings.window_s},
                reasons=reasons(
                    Phrase("then {user} became root, for the first time", user=user) if got else None
                ),
                lines=seen.evidence(mine) if len(mine) else (),
            )

    def _first(self, seen: Seen, row: dict[str, Any]) -> Signal:
        at_terminal = row["tty"] not in (None, "unknown", "none")
        severity: Severity = "warning" if at_terminal else "info"
        return Signal(
            subject={"user": row["user"], "host": row["host"]},
            time=row["time"],
            since=row["time"],
            severity=severity,
            title=Phrase(
                "{user} acted as root on {host} ({service}), for the first time",
                user=row["user"],
                host=row["host"],
                service=row["service"],
            ),
            lines=seen.evidence(pl.DataFrame({"order": [row["order"]]}, {"order": pl.UInt32}), most=1),
        )

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state() | {"roots": pl.DataFrame(list(self._roots.items()), ROOTS, orient="row")}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        roots = state.get("roots")
        if roots is not None and roots.schema == ROOTS:
            self._roots = dict(roots.iter_rows())


def _wrong(rows: pl.DataFrame) -> pl.DataFrame:
    """Refusals for wrong passwords, with their number."""
    if not len(rows):
        return pl.DataFrame()
    su = (pl.col("service") == "su") & pl.col("reason").is_null()
    doas = (pl.col("service") == "doas") & pl.col("command").is_null()
    wrong = rows.filter(pl.col("reason").str.contains(WRONG).fill_null(False) | su | doas)
    return wrong.select(
        "time",
        "order",
        "user",
        "host",
        "service",
        pl.col("value").fill_null(1).clip(1, 100).cast(pl.Int64).alias("wrong"),
        pl.lit(False).alias("became"),
    )


def _became(rows: pl.DataFrame) -> pl.DataFrame:
    if not len(rows):
        return pl.DataFrame()
    return rows.select(
        "time",
        "order",
        "user",
        "host",
        "service",
        pl.lit(0, pl.Int64).alias("wrong"),
        pl.lit(True).alias("became"),
    )
