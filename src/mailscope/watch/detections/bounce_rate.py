"""A share of mail comes back that is far above what is usual: at one domain, or in all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
from mailscope.watch.window import LAST, SINCE, TIME

ALL: Final = "*"
# Fates that are certain.
FINAL: Final = ("sent", "bounced", "expired")
RETURNED: Final = ("bounced", "expired")
# Where little mail goes, an hour is too short: there all in a row must come back, within a day of each other,
# of several recipients, as one address that is gone may be written to all night.
DAY: Final = timedelta(days=1)
RECIPIENTS: Final = 3
MOST: Final = 5_000
RUNS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "domain": pl.String,
    "since": TIME,
    "last": TIME,
    "bounced": pl.Int64,
    "recipients": pl.List(pl.String),
}
# Standard deviations above the usual share; below, it may be chance.
CERTAIN: Final = 5.0
MOST_CAUSES: Final = 3


@dataclass(frozen=True, slots=True)
class Run:
    """What came back of a domain in a row, since it last took something; some of the ``recipients``."""

    since: datetime
    last: datetime
    bounced: int
    recipients: tuple[str, ...]


class BounceRate:
    """Compares the share of bounces of the last hour with that of the last weeks, by domain and in all; and
    tells of domains that take nothing any more.
    """

    about: ClassVar[About] = About(
        name="bounce_rate",
        sees="A share of the deliveries to one domain, or of all, comes back that is far above what is "
        "usual there; or all mail to a domain that used to take it.",
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
        self._runs: dict[str, Run] = {}
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
        self._shares.add(pulses, "domain", "finals_own", "bounced_own")
        yield from self._in_a_row(seen, rows, bounces)
        if not len(pulses):
            return
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
        return self._unusual(row["bounced"], row["finals"], usual)

    def _unusual(self, bounced: float, finals: float, usual: Share) -> bool:
        far = bounced / finals >= self.settings.times * usual.share
        return far and certain(bounced, finals, usual.share) >= CERTAIN

    def _in_a_row(self, seen: Seen, rows: pl.DataFrame, bounces: pl.DataFrame) -> Iterator[Signal]:
        """Domains that took mail until lately, and return all of it now."""
        names = set(rows["domain"].unique()) if len(rows) else set()
        returned = set(bounces["domain"].unique()) if len(bounces) else set()
        concerned = [name for name in names if name in returned or name in self._runs]
        mine = rows.filter(pl.col("domain").is_in(concerned), pl.col("domain") != ALL) if concerned else rows
        if not concerned or not len(mine):
            return
        # A new part begins with each message that was taken, and after a pause.
        pause = (pl.col("time").diff().over("domain") > DAY).fill_null(False)
        part = ((pl.col("bounced") == 0) | pause).cum_sum().over("domain").alias("_part")
        mine = mine.sort("time", "order").with_columns(part)
        newest = dict(mine.group_by("domain").agg(pl.col("_part").max()).iter_rows())
        parts = (
            mine.filter(pl.col("bounced") > 0)
            .group_by("domain", "_part", maintain_order=True)
            .agg(
                pl.col("time"),
                pl.col("recipient").str.to_lowercase().unique(maintain_order=True).head(RECIPIENTS),
            )
        )
        before = {name: self._runs.pop(name) for name in newest if name in self._runs}
        for name, number, times, recipients in parts.iter_rows():
            run = _longer(before.get(name) if number == 0 else None, times, recipients)
            if number == newest[name]:
                self._runs[name] = run
            if run.bounced < self.settings.bounced or len(run.recipients) < RECIPIENTS:
                continue
            usual = self._shares.usual(name, run.last)
            if usual.cases < self.settings.cases or not self._unusual(run.bounced, run.bounced, usual):
                continue
            more = run.bounced - self.settings.bounced
            if 0 < more < len(times):
                # It could be known with the one that reached the limit.
                reached = replace(run, last=times[-1 - more], bounced=self.settings.bounced)
                yield self._signal_of_run(seen, name, reached, usual, bounces)
            yield self._signal_of_run(seen, name, run, usual, bounces)
        for name in list(self._runs)[:-MOST]:
            del self._runs[name]

    def _signal_of_run(
        self, seen: Seen, domain: str, run: Run, usual: Share, bounces: pl.DataFrame
    ) -> Signal:
        return Signal(
            subject={"domain": domain},
            time=run.last,
            since=run.since,
            severity="warning",
            title=Phrase(
                "All mail to {domain} comes back: {bounced} messages in a row",
                domain=domain,
                bounced=run.bounced,
            ),
            figures={
                "bounced": run.bounced,
                "deliveries": run.bounced,
                "usual_share": round(usual.share, 4),
                "cases": usual.cases,
            },
            reasons=(_usually(usual),),
            lines=self._samples.lines(seen, bounces, "domain", domain, run.since, run.last),
        )

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
            reasons.append(_usually(usual))
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
            "recipient",
            pl.lit(1.0).alias("finals"),
            pl.col("status").is_in(RETURNED).cast(pl.Float64).alias("bounced"),
            pl.col("cause").fill_null(UNCLASSIFIED),
        )
        return pl.concat([rows, rows.with_columns(pl.lit(ALL).alias("domain"))])

    def state(self) -> Frames:
        """What it remembers."""
        runs = [
            (name, run.since, run.last, run.bounced, list(run.recipients)) for name, run in self._runs.items()
        ]
        return {
            **self._pulses.state(),
            **self._causes.state("causes"),
            **self._shares.state(),
            **self._samples.state(),
            "runs": pl.DataFrame(runs, schema=RUNS, orient="row"),
        }

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._pulses.resume(state)
        self._causes.resume(state, "causes")
        self._shares.resume(state)
        self._samples.resume(state)
        runs = state.get("runs")
        if runs is not None and runs.schema == pl.Schema(RUNS):
            self._runs = {
                name: Run(since, last, bounced, tuple(recipients))
                for name, since, last, bounced, recipients in runs.iter_rows()
            }


def _longer(run: Run | None, times: list[datetime], recipients: list[str]) -> Run:
    """A run with what came back since."""
    if run is None or times[0] - run.last > DAY:
        return Run(times[0], times[-1], len(times), tuple(recipients))
    known = tuple(dict.fromkeys((*run.recipients, *recipients)))[:RECIPIENTS]
    return Run(run.since, times[-1], run.bounced + len(times), known)


def _usually(usual: Share) -> Phrase:
    return Phrase(
        "usual share: {percent} %, of {cases} deliveries on {days} days",
        percent=round(100 * usual.share, 1),
        cases=usual.cases,
        days=usual.days,
    )


def _words(cause: str) -> Told:
    """A cause by its title, in all languages."""
    known = get(cause)
    return Told(known.text("en").title, {language: known.text(language).title for language in known.words})
