"""Strangers try to send mail to others through this host; worse, one succeeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.columns import own
from mailscope.vocabulary.settings.detections.flow import RelayProbing as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.mailflow import REFUSALS, attempts, domain_of, refusals, strangers
from mailscope.watch.providers import PROVIDERS
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, TIME, Measure, Window, told

DENIED: Final = "relay_denied"
KEYS: Final = ("network",)
TRIES: Final = (
    Measure("refused"),
    Measure("targets", "distinct", "recipient"),
    Measure("clients", "distinct", "client_ip"),
)
# Addresses of one network that try together.
SEVERAL: Final = 3
RELAYED: Final = (
    Measure("messages"),
    Measure("domains", "distinct", "domain"),
    Measure("sender_domains", "distinct", "sender_domain"),
)
# How a message comes in from outside; what is made here (forwards, notices) has another origin.
OUTSIDE: Final = ("smtpd", "exim", "sendmail", "opensmtpd")
# From so many networks mail for a domain comes in, so that it is one that we relay for.
FEWEST_NETWORKS: Final = 3
# While it is learned who may relay, a stranger with so many senders' and recipients' domains is none of them.
LEARNING_DOMAINS: Final = 20
MOST, MOST_EACH = 20_000, 30
SEEN_TO: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "domain": pl.String,
    "network": pl.String,
    "time": TIME,
}
EARLY: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "network": pl.String,
    "sender_domain": pl.String,
    "time": TIME,
}
OURS_AFTER: Final = timedelta(days=1)


class RelayProbing:
    """Counts refused tries to relay by network, and mail of strangers that went out to others.

    A domain is ours if the settings say so, if mail for it was delivered on this host, or if several
    networks send mail for it, as to a backup MX.  A network may relay if it did while that was learned.
    """

    about: ClassVar[About] = About(
        name="relay_probing",
        blockable=True,
        sees="One network tries to send mail to others through this host. It is critical if a stranger's "
        "mail, without a login, went out to several domains that are not yours.",
        why="Spammers look for hosts that pass on anybody's mail. One that does is on the blocklists within "
        "hours.",
        false_positives="A user's mail program that sends without logging in. A customer's or office's "
        "server that may send through this host, if its network is neither in `networks` nor in "
        "`detections.trusted_networks`, and domains that you relay for, if they are not in `domains`.",
        advice="If mail went out, close the relay at once (Postfix: mynetworks, smtpd_relay_restrictions) "
        "and hold what waits. Tries that are refused do no harm; block the network if it goes on.",
        commands=("mailscope about {network}",),
    )
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {**FIELDS, **REFUSALS}

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site
        self._tries = Window(KEYS, TRIES, settings.window_s)
        self._relayed = Window(KEYS, RELAYED, settings.window_s)
        self._local: set[str] = set(site.domains)
        self._seen_to = pl.DataFrame(schema=SEEN_TO)
        self._early = pl.DataFrame(schema=EARLY)
        self._begun: datetime | None = None

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        yield from self._probes(seen)
        yield from self._relays(seen)

    def _probes(self, seen: Seen) -> Iterator[Signal]:
        rows = refusals(seen, self.site)
        if not len(rows):
            return
        rows = rows.filter(pl.col("cause") == DENIED, pl.col("sasl_user").is_null())
        found = self._tries.add(
            rows,
            {
                "refused": min(self.settings.refused, self.settings.refused_together),
                "targets": self.settings.targets,
            },
        )
        if len(found):
            one = pl.col("refused") >= self.settings.refused
            several = (pl.col("clients") >= SEVERAL) & (pl.col("refused") >= self.settings.refused_together)
            found = found.filter(one | several)
        for row in told(found, KEYS, "refused", self.about.quiet_s).iter_rows(named=True):
            network, count = row["network"], round(row["refused"])
            mine = rows.filter(pl.col("network") == network, pl.col("time").is_between(row[SINCE], row[LAST]))
            yield Signal(
                subject={"network": network},
                time=row[LAST],
                since=row[SINCE],
                severity="info",
                title=Phrase(
                    "{network} tried {count} times to send mail to others through this host",
                    network=network,
                    count=count,
                ),
                figures={
                    "refused": count,
                    "targets": round(row["targets"]),
                    "window_s": self.settings.window_s,
                },
                lines=seen.evidence(mine),
            )

    def _relays(self, seen: Seen) -> Iterator[Signal]:
        rows = self._went_out(seen)
        if not len(rows):
            return
        found = self._relayed.add(rows, {"domains": self.settings.relayed})
        if not len(found):
            return
        learned = pl.col(LAST) >= self._learned()
        many = (pl.col("domains") >= LEARNING_DOMAINS) & (pl.col("sender_domains") >= LEARNING_DOMAINS)
        found = found.filter(learned | many)
        for row in told(found, KEYS, "messages", self.about.quiet_s).iter_rows(named=True):
            network, count = row["network"], round(row["messages"])
            mine = rows.filter(pl.col("network") == network, pl.col("time").is_between(row[SINCE], row[LAST]))
            yield Signal(
                subject={"network": network},
                time=row[LAST],
                since=row[SINCE],
                severity="critical",
                title=Phrase(
                    "Open relay: {count} messages of {network}, without a login, went out to {domains} "
                    "other domains",
                    count=count,
                    network=network,
                    domains=round(row["domains"]),
                ),
                figures={
                    "relayed": count,
                    "domains": round(row["domains"]),
                    "window_s": self.settings.window_s,
                },
                lines=seen.evidence(mine),
            )

    def _went_out(self, seen: Seen) -> pl.DataFrame:
        """Mail of strangers, without a login, that others took and that is for no domain of ours."""
        rows = attempts(seen, self.site)
        if not len(rows):
            return rows
        self._learn(rows)
        rows = rows.filter(
            pl.col("status") == "sent",
            pl.col("away"),
            pl.col("relay_ip").is_not_null(),
            pl.col("sasl_user").is_null(),
            pl.col("origin").is_in(OUTSIDE),
            # Forwarded: it was for somebody here.
            pl.col("orig_recipient").is_null() | (pl.col("orig_recipient") == pl.col("recipient")),
        )
        rows = strangers(rows, self.site).with_columns(
            domain_of("sender").fill_null("").alias("sender_domain")
        )
        if not len(rows):
            return rows
        self._seen_to = _first_seen(self._seen_to, rows, SEEN_TO)
        end = self._learned()
        self._early = _first_seen(self._early, rows.filter(pl.col("time") < end), EARLY)
        senders = self._early.group_by("network").len()
        allowed = senders.filter(pl.col("len") < LEARNING_DOMAINS)["network"].to_list()
        return (
            rows.join(_relayed_for(self._seen_to), on="domain", how="left", maintain_order="left")
            .filter(
                ~pl.col("domain").is_in(list(self._local)).fill_null(True),
                (pl.col("_ours_since") > pl.col("time")).fill_null(True),
                (pl.col("time") < end) | ~pl.col("network").is_in(allowed),
            )
            .drop("_ours_since")
        )

    def _learn(self, rows: pl.DataFrame) -> None:
        """Which domains have mailboxes here."""
        here = rows.filter(~pl.col("away"), pl.col("status") == "sent")["domain"].unique().drop_nulls()
        if len(self._local) < MOST:
            self._local.update(here.to_list())
        first = rows["time"].min()
        if self._begun is None and isinstance(first, datetime):
            self._begun = first

    def _learned(self) -> datetime:
        """Until when it is learned who may relay."""
        assert self._begun is not None
        return self._begun + timedelta(hours=self.settings.learn_h)

    def state(self) -> Frames:
        """What it remembers."""
        return {
            **self._tries.state("tries"),
            **self._relayed.state("relayed"),
            "local": pl.DataFrame({"domain": sorted(self._local)}, schema={"domain": pl.String}),
            "early": self._early,
            "seen_to": self._seen_to,
            "begun": pl.DataFrame({"time": [self._begun]}, schema={"time": TIME}),
        }

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._tries.resume(state, "tries")
        self._relayed.resume(state, "relayed")
        if "local" in state:
            self._local.update(state["local"]["domain"].to_list())
        if "early" in state and state["early"].schema == pl.Schema(EARLY):
            self._early = state["early"]
        if "seen_to" in state and state["seen_to"].schema == pl.Schema(SEEN_TO):
            self._seen_to = state["seen_to"]
        if "begun" in state and len(state["begun"]):
            self._begun = state["begun"]["time"][0]


def _first_seen(
    known: pl.DataFrame, rows: pl.DataFrame, columns: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """Pairs of values, each with the instant at which it was met first."""
    keys = [name for name in columns if name != "time"]
    if not len(rows):
        return known
    new = rows.group_by(keys).agg(pl.col("time").min()).filter(pl.all_horizontal(pl.col(keys).is_not_null()))
    together = pl.concat([known, own(new.select(list(columns)))]).group_by(keys).agg(pl.col("time").min())
    kept = together.sort("time", *keys).group_by(keys[0], maintain_order=True).head(MOST_EACH)
    return kept.select(list(columns)).tail(MOST)


def _relayed_for(seen_to: pl.DataFrame) -> pl.DataFrame:
    """The domains that several networks send mail to, and since when they count as ours: long enough after
    for a wave of spam not to make its targets ours; never where everybody has a mailbox.
    """
    third = (
        seen_to.filter(~pl.col("domain").is_in(list(PROVIDERS)))
        .sort("time")
        .group_by("domain", maintain_order=True)
        .agg(pl.col("time").get(FEWEST_NETWORKS - 1, null_on_oob=True))
    )
    return third.select("domain", (pl.col("time") + OURS_AFTER).alias("_ours_since"))
