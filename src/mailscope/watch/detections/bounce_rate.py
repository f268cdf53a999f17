"""A share of mail comes back that is far above what is usual: at one domain, or in all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.causes.catalogue import UNCLASSIFIED, get
from mailscope.language.phrase import Phrase, Told
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import BounceRate as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.mailflow import attempts
from mailscope.watch.pulses import PULSE, Pulses
from mailscope.watch.samples import Samples
from mailscope.watch.seen import Seen
from mailscope.watch.shares import Share, Shares, certain
from mailscope.watch.window import LAST, SINCE

ALL: Final = "*"
# Fates that are certain.
FINAL: Final = ("sent", "bounced", "expired")
RETURNED: Final = ("bounced", "expired")
# Standard deviations above the usual share; below, it may be chance.
CERTAIN: Final = 5.0
MOST_CAUSES: Final = 3


class BounceRate:
    """Compares the share of bounces of the last hour with that of the last weeks, by domain and in all."""

    about: ClassVar[About] = About(
        name="bounce_rate",
        sees="A share of the deliveries to one domain, or of all, comes back that is far above what is "
        "usual there.",
        why="A domain has moved or is broken, our mail is refused, a list of addresses is old, or an "
        "account of ours sends spam.",
        false_positives="A mailing to a domain whose addresses are mostly gone.",
        advice="Read the causes. If they say that addresses do not exist, look who sends to them; if they "
        "say that we are blocked, ask the domain's postmaster; if the domain is one of ours, mend its "
        "server and send again.",
        commands=("mailscope report --domain {domain}",),
    )
    needs = FIELDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._pulses = Pulses(("domain",), ("finals", "bounced"))
        self._causes = Pulses(("domain", "cause"), ("n",))
        self._shares = Shares()
        self._samples = Samples()

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = self._rows(seen)
        self._pulses.add(rows)
        bounces = rows.filter(pl.col("bounced") > 0) if len(rows) else rows
        if len(bounces):
            self._causes.add(bounces.with_columns(pl.lit(1.0).alias("n")))
            self._samples.add(seen, bounces, "domain")
        pulses, causes = self._pulses.ended(seen.now), self._causes.ended(seen.now)
        if not len(pulses):
            return
        self._shares.add(pulses, "domain", "finals_own", "bounced_own")
        # Only where there were bounces just now: it does not begin with mail that arrives.
        for row in pulses.filter(self._much(), pl.col("bounced_own") > 0).iter_rows(named=True):
            usual = self._shares.usual(row["domain"], row[PULSE])
            if self._far(row, usual):
                yield self._signal(seen, row, usual, causes, bounces)

    def _much(self) -> pl.Expr:
        """Enough bounces, and a large enough share, to tell of."""
        everything, share = pl.col("domain") == ALL, pl.col("bounced") / pl.col("finals")
        least = pl.when(everything).then(self.settings.bounced_all).otherwise(self.settings.bounced)
        part = pl.when(everything).then(self.settings.share_all).otherwise(self.settings.share)
        return (pl.col("bounced") >= least) & (share >= part)

    def _far(self, row: dict[str, Any], usual: Share) -> bool:
        share = row["bounced"] / row["finals"]
        if usual.cases < self.settings.cases:
            return bool(share >= self.settings.gross)
        z = certain(row["bounced"], row["finals"], usual.share)
        return bool(share >= self.settings.times * usual.share and z >= CERTAIN)

    def _signal(
        self, seen: Seen, row: dict[str, Any], usual: Share, causes: pl.DataFrame, bounces: pl.DataFrame
    ) -> Signal:
        domain, bounced, finals = str(row["domain"]), round(row["bounced"]), round(row["finals"])
        percent = round(100 * bounced / finals)
        mine = causes.filter(pl.col("domain") == domain, pl.col(PULSE) <= row[PULSE])
        newest = (
            mine.sort(PULSE)
            .unique("cause", keep="last", maintain_order=True)
            .sort("n", "cause", descending=True)
        )
        reasons = [
            Phrase("{cause}: {count}", cause=_words(cause), count=round(n))
            for cause, n in newest.select("cause", "n").head(MOST_CAUSES).iter_rows()
        ]
        if usual.cases >= self.settings.cases:
            reasons.append(
                Phrase(
                    "usual share: {percent} %, of {cases} deliveries on {days} days",
                    percent=round(100 * usual.share, 1),
                    cases=usual.cases,
                    days=usual.days,
                )
            )
        title = (
            Phrase(
                "{percent} % of all mail comes back: {bounced} of {finals} in an hour",
                percent=percent,
                bounced=bounced,
                finals=finals,
            )
            if domain == ALL
            else Phrase(
                "{percent} % of the mail to {domain} comes back: {bounced} of {finals} in an hour",
                percent=percent,
                domain=domain,
                bounced=bounced,
                finals=finals,
            )
        )
        return Signal(
            subject={} if domain == ALL else {"domain": domain},
            time=row[LAST],
            since=row[SINCE],
            severity="critical" if domain == ALL and percent >= 100 * self.settings.gross else "warning",
            title=title,
            figures={
                "bounced": bounced,
                "deliveries": finals,
                "usual_share": round(usual.share, 4),
                "cases": usual.cases,
            },
            reasons=tuple(reasons),
            lines=self._samples.lines(seen, bounces, "domain", domain, row[SINCE], row[LAST]),
        )

    def _rows(self, seen: Seen) -> pl.DataFrame:
        """Final attempts by domain, and all of them once more: ``finals``, ``bounced``, ``cause``."""
        rows = attempts(seen, self.site)
        if not len(rows):
            return rows
        rows = rows.filter(pl.col("status").is_in(FINAL), pl.col("domain").is_not_null()).select(
            "time",
            "order",
            "domain",
            pl.lit(1.0).alias("finals"),
            pl.col("status").is_in(RETURNED).cast(pl.Float64).alias("bounced"),
            pl.col("cause").fill_null(UNCLASSIFIED),
        )
        return pl.concat([rows, rows.with_columns(pl.lit(ALL).alias("domain"))])

    def state(self) -> Frames:
        """What it remembers."""
        return {
            **self._pulses.state(),
            **self._causes.state("causes"),
            **self._shares.state(),
            **self._samples.state(),
        }

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._pulses.resume(state)
        self._causes.resume(state, "causes")
        self._shares.resume(state)
        self._samples.resume(state)


def _words(cause: str) -> Told:
    """A cause by its title, in all languages."""
    known = get(cause)
    return Told(known.text("en").title, {language: known.text(language).title for language in known.words})
