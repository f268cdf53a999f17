"""A provider refuses our mail because of who we are, or throttles it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.detections.flow import ProviderBlocks as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.mailflow import attempts, with_provider
from mailscope.watch.pulses import Pulses
from mailscope.watch.samples import Samples
from mailscope.watch.seen import Seen
from mailscope.watch.standing import BLOCKED, THROTTLED
from mailscope.watch.window import LAST, SINCE, TIME, Measure, Window, told

PULSE_S: Final = 60
# A provider that gets little mail is judged by refusals in a row within so long.
DAY_S: Final = 86_400
MOST: Final = 5_000
# A provider that puts all off and takes nothing for so long does not only slow a burst down: what was put off
# first has been tried again by then.
PATIENCE: Final = timedelta(seconds=900)
BY_LIST: Final = (Measure("providers", "distinct", "provider"), Measure("refused"))
ADDRESS: Final = r"\b((?:[0-9]{1,3}\.){3}[0-9]{1,3})\b"
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "provider": pl.String,
    "since": TIME,
    "last": TIME,
    "refused": pl.Float64,
    "put_off": pl.Float64,
    "taken": pl.Float64,
    "told": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class Run:
    """What a provider said lately.

    ``refused`` and ``put_off``: in a row, since it last took something; ``taken``: since it last refused;
    ``told``: whether an incident may be open.
    """

    since: datetime
    last: datetime
    refused: float = 0.0
    put_off: float = 0.0
    taken: float = 0.0
    told: bool = False


class ProviderBlocks:
    """Counts what providers say: taken, refused for our standing, put off as we send too fast."""

    about: ClassVar[About] = About(
        name="provider_blocks",
        sees="The replies of one provider say that it blocks this host's address or network, or that it "
        "takes only so much of our mail; or several providers refuse us for the same blocklist.",
        why="Your users' mail to all mailboxes of that provider is lost or late, until somebody asks for "
        "the block to be lifted.",
        false_positives="A provider that always limits how fast mail comes, when a newsletter goes out.",
        advice="Look whether this host has sent spam, and stop that first. Then ask for removal, at the "
        "page that the reply names; keep SPF, DKIM, DMARC and reverse DNS in order. Where we are throttled, "
        "send slower (Postfix: smtp_destination_rate_delay, smtp_destination_concurrency_limit).",
        commands=("mailscope report",),
        # It is over when mail flows again, not when nothing is sent for a while.
        quiet_s=DAY_S,
    )
    needs = FIELDS

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._pulses = Pulses(("provider",), ("taken", "blocked", "throttled"), settings.window_s, PULSE_S)
        self._runs: dict[str, Run] = {}
        self._lists = Window(("blocklist",), BY_LIST, DAY_S)
        self._samples = Samples()

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = self._rows(seen)
        self._pulses.add(rows)
        refused = rows.filter(pl.col("blocked") + pl.col("throttled") > 0) if len(rows) else rows
        self._samples.add(seen, refused, "provider")
        if len(refused):
            yield from self._listed(seen, refused.filter(pl.col("blocked") > 0))
        pulses = self._pulses.ended(seen.now)
        if not len(pulses):
            return
        known = pulses["provider"].is_in(list(self._runs))
        bad = set(pulses.filter(pl.col("blocked_own") + pl.col("throttled_own") > 0)["provider"].to_list())
        concerned = pulses.filter(known | pulses["provider"].is_in(list(bad)))
        for row in concerned.iter_rows(named=True):
            signal = self._judge(seen, row, refused)
            if signal is not None:
                yield signal
        for name in list(self._runs)[:-MOST]:
            del self._runs[name]

    def _judge(self, seen: Seen, row: dict[str, Any], refused: pl.DataFrame) -> Signal | None:
        name = row["provider"]
        run = self._run(row)
        if run is None:
            return None
        trouble = row["blocked_own"] + row["throttled_own"] > 0
        if not trouble:
            if run.told and run.taken >= self.settings.resumed:
                del self._runs[name]
                return self._over(row)
            return None
        alone = run.refused >= self.settings.blocked
        tried = row["taken"] + row["blocked"]
        share = row["blocked"] >= max(self.settings.blocked, self.settings.share * tried)
        stuck = run.put_off >= self.settings.throttled_all and row[LAST] - run.since >= PATIENCE
        throttled = stuck or row["throttled"] >= max(self.settings.throttled, row["taken"])
        if not (alone or share or throttled):
            return None
        self._runs[name] = replace(run, told=True)
        return self._signal(seen, row, run, refused, blocked=alone or share)

    def _run(self, row: dict[str, Any]) -> Run | None:
        """Go on with a provider's run; None where it has none and nothing is refused."""
        name, blocked, taken = row["provider"], row["blocked_own"], row["taken_own"]
        put_off = row["throttled_own"]
        run = self._runs.pop(name, None)
        trouble = blocked + put_off > 0
        if run is None and not trouble:
            return None
        if run is None or (not run.told and (row[LAST] - run.last).total_seconds() > DAY_S):
            run = Run(row[LAST], row[LAST])
        if taken:
            run = replace(run, refused=blocked, put_off=put_off, since=row[LAST])
        else:
            run = replace(run, refused=run.refused + blocked, put_off=run.put_off + put_off)
        run = replace(run, taken=0.0 if trouble else run.taken + taken, last=row[LAST])
        if not run.told and not trouble and run.refused + run.put_off == 0:
            return None
        self._runs[name] = run
        return run

    def _signal(
        self, seen: Seen, row: dict[str, Any], run: Run, refused: pl.DataFrame, *, blocked: bool
    ) -> Signal:
        name = str(row["provider"])
        since = min(row[SINCE], run.since)
        lines = self._samples.lines(seen, refused, "provider", name, since, row[LAST])
        throttled = max(row["throttled"], run.put_off)
        count = max(row["blocked"], run.refused) if blocked else throttled
        address = _told_address([line.raw for line in lines])
        reasons = [Phrase("it names our address: {address}", address=address)] if address else []
        if row["taken"]:
            reasons.append(Phrase("it took {count} others", count=round(row["taken"])))
        nothing_taken = blocked and not row["taken"] and count >= self.settings.critical
        return Signal(
            subject={"provider": name},
            time=row[LAST],
            since=since,
            severity="critical" if nothing_taken else "warning",
            title=Phrase(
                "{provider} blocks us: it refused {count} messages"
                if blocked
                else "{provider} throttles us: it put off {count} messages",
                provider=name,
                count=round(count),
            ),
            figures={
                "blocked": round(max(row["blocked"], run.refused)),
                "throttled": round(throttled),
                "taken": round(row["taken"]),
            }
            | ({"our_address": address} if address else {}),
            reasons=tuple(reasons),
            lines=lines,
        )

    def _listed(self, seen: Seen, refused: pl.DataFrame) -> Iterator[Signal]:
        """Blocklists that several providers name: each may get too little mail to be told of by itself."""
        found = self._lists.add(refused, {"providers": self.settings.listed})
        for row in told(found, ("blocklist",), "providers", self.about.quiet_s).iter_rows(named=True):
            name, count = str(row["blocklist"]), round(row["providers"])
            mine = refused.filter(
                pl.col("blocklist") == name, pl.col("time").is_between(row[SINCE], row[LAST])
            )
            yield Signal(
                subject={"blocklist": name},
                time=row[LAST],
                since=row[SINCE],
                severity="warning",
                title=Phrase(
                    "{count} providers refuse us, as {blocklist} lists us", count=count, blocklist=name
                ),
                figures={"providers": count, "blocked": round(row["refused"])},
                lines=seen.evidence(mine),
            )

    def _over(self, row: dict[str, Any]) -> Signal:
        name = str(row["provider"])
        return Signal(
            subject={"provider": name},
            time=row[LAST],
            since=row[SINCE],
            severity="info",
            title=Phrase("{provider} takes our mail again", provider=name),
            over=True,
        )

    def _rows(self, seen: Seen) -> pl.DataFrame:
        """What each provider said to a message for the first time, or for good."""
        rows = attempts(seen, self.site)
        if not len(rows):
            return rows
        rows = rows.filter(pl.col("away"))
        counts = pl.col("first") | (pl.col("status") == "bounced")
        rows = rows.with_columns(
            (pl.col("status") == "sent").cast(pl.Float64).alias("taken"),
            (pl.col("cause").is_in(BLOCKED).fill_null(False) & counts).cast(pl.Float64).alias("blocked"),
            (pl.col("cause").is_in(THROTTLED).fill_null(False) & counts).cast(pl.Float64).alias("throttled"),
        ).filter(pl.col("taken") + pl.col("blocked") + pl.col("throttled") > 0)
        whose = with_provider(rows).filter(pl.col("provider").is_not_null())
        return whose.select("time", "order", "provider", "blocklist", "taken", "blocked", "throttled")

    def state(self) -> Frames:
        """What it remembers."""
        runs = [
            (name, run.since, run.last, run.refused, run.put_off, run.taken, run.told)
            for name, run in self._runs.items()
        ]
        kept = {"runs": pl.DataFrame(runs, schema=SCHEMA, orient="row")}
        return self._pulses.state() | self._lists.state("lists") | self._samples.state() | kept

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._pulses.resume(state)
        self._lists.resume(state, "lists")
        self._samples.resume(state)
        runs = state.get("runs")
        if runs is not None and runs.schema == pl.Schema(SCHEMA):
            self._runs = {name: Run(*rest) for name, *rest in runs.iter_rows()}


def _told_address(raw: list[str]) -> str | None:
    """The address of ours that replies name: one in them that is not the host's that spoke."""
    found = pl.Series(raw, dtype=pl.String)
    spoke = found.str.extract(r"relay=[^ \[]*\[([0-9.]+)\]", 1).to_list()
    named = found.str.extract(r"\((.*)$", 1).str.extract_all(ADDRESS).to_list()
    for own, addresses in zip(spoke, named, strict=True):
        for address in addresses or ():
            if address != own:
                return str(address)
    return None
