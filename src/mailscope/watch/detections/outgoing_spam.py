"""One source on this host, or behind it, sends far more than it does, and much of it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.columns import own
from mailscope.vocabulary.settings.detections.flow import OutgoingSpam as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.hourly import Hourly, Limit
from mailscope.watch.mailflow import attempts, domain_of
from mailscope.watch.seen import Seen
from mailscope.watch.standing import SPAM
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

UID, CLIENT, DOMAIN = "uid", "client_ip", "domain"
HOUR_S: Final = 3_600
TITLES: Final = {
    UID: Phrase("The local user {value} (uid) sends to {count} recipients of {domains} domains in an hour"),
    CLIENT: Phrase("The host {value} sends to {count} recipients of {domains} domains in an hour"),
    DOMAIN: Phrase("Senders of {value} write to {count} recipients of {domains} domains in an hour"),
}
MEASURES: Final = (
    Measure("recipients"),
    Measure("refused", where=pl.col("refused")),
    Measure("domains", "distinct", "domain"),
)
# Refusals from which a wave is one of spam, and the share of them that makes it critical.
FEWEST_REFUSED, CRITICAL_SHARE = 15, 0.3
# Local messages whose user is remembered until they are delivered.
MOST_LOCAL: Final = 50_000
LOCAL: Final[dict[str, pl.DataType | type[pl.DataType]]] = {"trail": pl.UInt64, "uid": pl.String}
LOOPBACK: Final = r"^(?:127\.|::1$)"


class OutgoingSpam:
    """Counts recipients elsewhere by who sent to them: a user here, a host of ours, a sender's domain."""

    about: ClassVar[About] = About(
        name="outgoing_spam",
        sees="A program, a host of ours or a sender's domain sends far more mail than it does at such an "
        "hour, to many domains, and many of them refuse it.",
        why="A web form, a stolen key or an infected machine sends spam through this host; soon others "
        "refuse all its mail.",
        false_positives="The first newsletter to an old list of addresses, of which many are gone.",
        advice="Hold or delete what waits of this source, find the program or machine that sends it and "
        "stop it, and look whether a blocklist has this host's address already.",
        commands=("mailscope queue list --sender {sender_domain}", "mailscope about {client_ip}"),
    )
    needs = FIELDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._window = Window(("source",), MEASURES, HOUR_S)
        floor = settings.recipients
        self._usual = Hourly(floor / 4, floor, settings.gross, settings.times, settings.history_h)
        self._local = pl.DataFrame(schema=LOCAL)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        self._remember(seen)
        rows = self._rows(seen)
        counted = (
            rows.select("time", pl.col("source").alias("key"), pl.lit(1.0).alias("n")) if len(rows) else rows
        )
        self._usual.add(seen, counted)
        if not len(rows):
            return
        found = self._window.add(
            rows, {"recipients": self.settings.recipients, "domains": self.settings.domains}
        )
        judged = [self._judged(row) for row in found.iter_rows(named=True)]
        limits = {(row["source"], row[LAST]): limit for row, limit in judged if limit is not None}
        if not limits:
            return
        spam = pl.Series([limit is not None for _, limit in judged], dtype=pl.Boolean)
        for row in told(found.filter(spam), ("source",), "recipients", self.about.quiet_s).iter_rows(
            named=True
        ):
            mine = rows.filter(pl.col("source") == row["source"], pl.col("time") <= row[LAST])
            yield self._signal(seen, row, limits[row["source"], row[LAST]], mine)

    def _judged(self, row: dict[str, Any]) -> tuple[dict[str, Any], Limit | None]:
        """A source's hour, with the limit that it passed if it is a wave of spam."""
        limit = self._usual.limit(row["source"], row[LAST])
        count, refused = row["recipients"], row["refused"]
        spam = refused >= max(FEWEST_REFUSED, self.settings.refused_share * count)
        # Without history a source is judged by what comes back alone.
        volume = count >= limit.value if limit.hours else count >= self.settings.recipients
        gross = bool(limit.hours) and count >= max(self.settings.gross, 2 * limit.value)
        return row, limit if (spam and volume) or gross else None

    def _signal(self, seen: Seen, row: dict[str, Any], limit: Limit, mine: pl.DataFrame) -> Signal:
        kind, _, value = str(row["source"]).partition(":")
        count, refused = round(row["recipients"]), round(row["refused"])
        reasons = (Phrase("{count} of them were refused", count=refused),) if refused else ()
        return Signal(
            subject={"sender_domain" if kind == DOMAIN else kind: value},
            time=row[LAST],
            since=row[SINCE],
            severity="critical"
            if refused >= CRITICAL_SHARE * count or count >= self.settings.gross
            else "warning",
            title=Phrase(TITLES[kind].template, value=value, count=count, domains=round(row["domains"])),
            figures={
                "recipients": count,
                "refused": refused,
                "domains": round(row["domains"]),
                "usual": limit.median,
            },
            reasons=(*reasons, *limit.reasons),
            lines=seen.evidence(mine),
        )

    def _rows(self, seen: Seen) -> pl.DataFrame:
        """First attempts at recipients elsewhere, of mail sent without a login: ``source``, ``refused``."""
        rows = attempts(seen, self.site)
        if not len(rows):
            return rows
        rows = rows.filter(
            pl.col("away"), pl.col("first"), pl.col("sasl_user").is_null(), pl.col("sender") != ""
        )
        rows = rows.join(self._local, on="trail", how="left", maintain_order="left")
        inside = [each for each in rows["client_ip"].unique().drop_nulls() if self.site.owns(each)]
        client = pl.col("client_ip").is_in(inside) & ~pl.col("client_ip").str.contains(LOOPBACK)
        source = (
            pl.when(pl.col("uid").is_not_null())
            .then(pl.concat_str(pl.lit(f"{UID}:"), "uid"))
            .when(client)
            .then(pl.concat_str(pl.lit(f"{CLIENT}:"), "client_ip"))
            .otherwise(pl.concat_str(pl.lit(f"{DOMAIN}:"), domain_of("sender")))
        )
        refused = (pl.col("status") == "bounced") | pl.col("cause").is_in(SPAM).fill_null(False)
        return rows.with_columns(source.alias("source"), refused.alias("refused"))

    def _remember(self, seen: Seen) -> None:
        """Whose the local messages are."""
        new = [
            rows.filter(pl.col("uid").is_not_null(), *where).select("trail", pl.col("uid").cast(pl.String))
            for rows, where in (
                (seen.outcome.arrivals, (pl.col("service") == "pickup",)),
                (seen.outcome.sized, ()),
            )
            if len(rows) and "uid" in rows.columns
        ]
        new = [own(rows) for rows in new if len(rows)]
        if new:
            self._local = (
                pl.concat([self._local, *new])
                .unique("trail", keep="last", maintain_order=True)
                .tail(MOST_LOCAL)
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._window.state() | self._usual.state() | {"local": self._local}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._window.resume(state)
        self._usual.resume(state)
        local = state.get("local")
        if local is not None and local.schema == pl.Schema(LOCAL):
            self._local = local
