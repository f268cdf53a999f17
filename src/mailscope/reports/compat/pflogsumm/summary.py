"""Everything that the report says, counted over all chunks of a log."""

from __future__ import annotations

import operator
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from typing import Final, NamedTuple

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import mapped, narrow
from mailscope.reports.compat.pflogsumm.connections import Connections, paired
from mailscope.reports.compat.pflogsumm.hosts import folded, host_name
from mailscope.reports.compat.pflogsumm.lives import Lives, follow
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.order import keys
from mailscope.reports.compat.pflogsumm.picked import CONNECTIONS, EVENTS, EXPIRED, SCREENED, TRAFFIC, Done
from mailscope.reports.compat.pflogsumm.stamps import Day


class Host(NamedTuple):
    """A domain that mail went to: messages, bytes, deferrals; mean and longest delay in seconds."""

    number: int
    size: int
    deferrals: int
    mean_s: float
    longest_s: float


# Addresses or domains: messages and bytes.
USERS: Final = {"name": pl.String, "number": pl.Int64, "size": pl.Int64}


class Named(NamedTuple):
    """A message of the message detail: sender, then recipients."""

    queue_id: str
    addresses: list[str]


@dataclass
class Summary:
    """What the report is written from.  ``runs`` are the days in the order in which the log has them."""

    settings: Settings
    runs: list[Day] = field(default_factory=list)
    first: Day | None = None
    last: Day | None = None
    numbers: Counter[str] = field(default_factory=Counter)
    hours: dict[str, list[int]] = field(default_factory=lambda: {kind: [0] * 24 for kind in TRAFFIC})
    by_run: dict[int, Counter[str]] = field(default_factory=dict)
    senders: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=USERS))
    sender_hosts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=USERS))
    recipients: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=USERS))
    recipient_hosts: dict[str, Host] = field(default_factory=dict)
    unsized: dict[str, str] = field(default_factory=dict)
    messages: list[Named] = field(default_factory=list)
    smtpd: Connections | None = None
    screened: Connections | None = None
    unread: list[str] = field(default_factory=list)
    _events: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: {name: [] for name in EVENTS})
    _details: dict[str, dict[tuple[str, ...], int]] = field(default_factory=dict)
    _groups: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _ended: list[pl.DataFrame] = field(default_factory=list)
    _smtpd: list[pl.DataFrame] = field(default_factory=list)
    _screened: list[pl.DataFrame] = field(default_factory=list)

    def add(self, done: Done) -> None:
        """Add the next chunk."""
        picked, runs, first, last = done
        self.first = self.first if self.first is not None else first
        self.last = last if last is not None else self.last
        # A day that goes on where the chunk before it ended is the same run.
        goes_on = bool(runs and self.runs and runs[0].day == self.runs[-1].day)
        shift = len(self.runs) - goes_on
        self.runs += runs[goes_on:]
        self.numbers.update(picked.numbers)
        self.unread += picked.unread
        for section, counts in picked.details.items():
            known = self._details.setdefault(section, {})
            for path, count in counts.items():
                known[path] = known.get(path, 0) + count
        for section, frames in picked.groups.items():
            self._groups.setdefault(section, []).extend(frames)
        for traffic in picked.traffic:
            for kind, run, hour, count in traffic.iter_rows():
                self.numbers[kind] += count
                if hour < len(self.hours[kind]):
                    self.hours[kind][hour] += count
                self.by_run.setdefault(run + shift, Counter())[kind] += count
        for name, frames in picked.events.items():
            self._events[name] += frames
        self._ended += picked.ended
        for pieces, more in ((self._smtpd, picked.smtpd), (self._screened, picked.screened)):
            if more is not None:
                pieces.append(more.with_columns(pl.col("run") + shift))

    def finish(self) -> None:
        """Count what needs the whole log."""
        events = {
            name: pl.concat(
                [pl.DataFrame(schema=schema), *(frame.select(list(schema)) for frame in self._events[name])]
            )
            for name, schema in EVENTS.items()
        }
        events["sent"] = events["sent"].sort("row")
        ended = pl.concat([pl.DataFrame(schema={"row": pl.UInt64, "queue_id": pl.String}), *self._ended])
        self.numbers["messages deferred"] = events["waiting"]["queue_id"].n_unique()
        lives = follow(events, ended, current=self.settings.current)
        sent = events["sent"].with_columns(
            lives.sizes.alias("size"), self._recipients(events["sent"]["address"])
        )
        self._count_senders(lives)
        self._count_recipients(sent, events["waiting"])
        if self.settings.current:
            for relay in lives.expired:
                self._count_detail(EXPIRED, (host_name(relay),))
            self.numbers["received"] -= self.numbers["cancelled"] + self.numbers["refused late"]
            if self.numbers["sized"]:
                self.numbers["received"] -= lives.unsized
        if not self.settings.has("no-no-msg-size"):
            none = sent.filter(pl.col("size").is_null() | (pl.col("size") == 0))
            self.unsized = dict(none.select("queue_id", "address").iter_rows())
        if self.settings.has("extended-detail"):
            self._list_messages(lives, sent)
        if self.settings.has("smtpd-stats"):
            self.smtpd = paired(pl.concat([pl.DataFrame(schema=CONNECTIONS), *self._smtpd]))
        if self._screened or self.settings.has("pscrn-stats"):
            self._pair_screened()

    def reasons(self, section: str) -> pl.DataFrame:
        """The counts of a section: keys, from the first to the last, and then ``count``."""
        counts, frames = self._details.get(section, {}), self._groups.get(section, [])
        if not counts and not frames:
            return pl.DataFrame()
        names = frames[0].columns[:-1] if frames else [f"{at}" for at in range(len(next(iter(counts))))]
        schema = {**dict.fromkeys(names, pl.String), "count": pl.Int64}
        one_by_one = pl.DataFrame(
            [(*path, count) for path, count in counts.items()], schema=schema, orient="row"
        )
        every = pl.concat([one_by_one, *(frame.cast(schema) for frame in frames)])  # type: ignore[arg-type]
        return every.group_by(names).agg(pl.col("count").sum())

    def days(self) -> dict[Day, list[int | None]]:
        """Traffic by day, as far as each day's columns go: what comes after the last count is not there."""
        zero_fill = self.settings.has("zero-fill")
        found: dict[Day, dict[str, int]] = {}
        for run, day in enumerate(self.runs):
            counts = found.setdefault(day, {})
            if zero_fill:
                counts["rejected"] = 0  # even where the day comes a second time
            for kind, count in self.by_run.get(run, {}).items():
                counts[kind] = counts.get(kind, 0) + count
        columns = {}
        for day in sorted(day for day, counts in found.items() if counts):
            last = max(TRAFFIC.index(kind) for kind in found[day])
            columns[day] = [found[day].get(kind) for kind in TRAFFIC[: last + 1]]
        return columns

    def _recipients(self, addresses: pl.Series) -> pl.Series:
        return self._munged(addresses, self.settings.munging.recipient).alias("address")

    def _munged(self, addresses: pl.Series, function: object) -> pl.Series:
        assert callable(function)
        if self.settings.munging.plain:
            # Capital letters and empty addresses are all that can change.
            odd = addresses.str.contains("[A-Z]") | (addresses == "")
            if not odd.any():
                return addresses
            changed = mapped(addresses.filter(odd), function)
            return addresses.clone().scatter(odd.arg_true(), changed)
        return mapped(addresses, function)

    def _domains(self, addresses: pl.Series) -> pl.Series:
        """The domain of each address."""
        if not self.settings.current:
            return addresses.str.replace("^[^@]+@", "")
        usual = addresses.str.contains("^[^@[:space:]<>]+@[^@[:space:]<>]+$") & narrow(addresses)
        behind = addresses.str.slice(addresses.str.find("@", literal=True) + 1)
        hosts = mapped(behind, folded)
        if usual.all():
            return hosts
        return hosts.scatter((~usual).arg_true(), mapped(addresses.filter(~usual), folded))

    def _count_senders(self, lives: Lives) -> None:
        senders = lives.senders.filter(pl.col("whence").is_not_null())
        senders = senders.with_columns(
            self._munged(senders["address"], self.settings.munging.sender).alias("address")
        )
        address, whence = senders["address"], pl.col("whence")
        domain = self._domains(address).alias("domain")
        if self.settings.current:
            none = (pl.col("address") == "from=<>") | (pl.col("domain") == "")
        else:
            none = ~pl.col("address").str.contains("^[^@]+@.")
            whence = pl.when(whence == "pickup").then("address").otherwise(whence)
        senders = senders.with_columns(domain).with_columns(
            pl.when(none).then(whence).otherwise("domain").alias("domain")
        )
        self.numbers["bytes received"] = int(senders["size"].sum())
        self.senders = self._with_keys(_users(senders, "address"))
        self.sender_hosts = _users(senders, "domain")

    def _count_recipients(self, sent: pl.DataFrame, waiting: pl.DataFrame) -> None:
        self.recipients = self._with_keys(_users(sent, "address"))
        self.numbers["bytes delivered"] = int(sent["size"].sum())
        waiting = waiting.with_columns(self._recipients(waiting["address"]))
        parts = []
        for frame, is_sent in ((sent, True), (waiting, False)):
            domain, delay = (
                self._domains(frame["address"]).alias("domain"),
                numbers(frame["delay"]).alias("delay"),
            )
            size = frame["size"] if is_sent else pl.lit(None, pl.Int64).alias("size")
            parts.append(frame.select("row", domain, delay, pl.lit(is_sent).alias("sent"), size))
        hosts = pl.concat(parts).group_by("domain").agg(
            pl.col("sent").sum().alias("count"), pl.col("size").sum().alias("size"), pl.len().alias("all"),
            pl.col("delay").filter("sent").alias("delays"), pl.col("delay").max().alias("longest"),
        )  # fmt: skip
        for domain, count, size, every, delays, longest in hosts.iter_rows():
            # One after the other, as Perl adds them: the last digit of a mean depends on it.
            mean = reduce(operator.add, delays, 0.0) / count if count else 0.0
            self.recipient_hosts[domain] = Host(count, size, every - count, mean, longest)

    def _with_keys(self, users: pl.DataFrame) -> pl.DataFrame:
        """Add ``key``, which addresses are sorted by."""
        return users.with_columns(keys(users["name"], current=self.settings.current).alias("key"))

    def _list_messages(self, lives: Lives, sent: pl.DataFrame) -> None:
        address = self._munged(lives.senders["address"], self.settings.munging.sender).alias("address")
        senders = lives.senders.select(
            "row", "queue_id", address,
            pl.lit(1, pl.Int64).alias("size"),
        )  # fmt: skip
        lines = pl.concat([senders, sent.select("row", "queue_id", "address", "size")])
        lines = lines.sort("row", maintain_order=True)
        found: dict[str, list[str]] = {}
        for queue_id, address, size in lines.select("queue_id", "address", "size").iter_rows():
            known = found.setdefault(queue_id, [])
            if not size:
                known.append("(sender not in log)")
            known.append(address)
        self.messages = [Named(queue_id, addresses) for queue_id, addresses in found.items()]

    def _pair_screened(self) -> None:
        lines = pl.concat([pl.DataFrame(schema=CONNECTIONS), *self._screened])
        parts = lines["host"].str.split_exact("\t", 1).struct.unnest()
        ip = pl.Series("host", parts["field_1"].fill_null(parts["field_0"]))
        self.screened = paired(lines.with_columns(ip, parts["field_0"].alias("act")))
        if self.settings.limit("pscrn-detail") != 0:
            for act, host in self.screened.ended.select("act", "host").iter_rows():
                if act.startswith("PASS"):
                    self._count_detail(SCREENED, (act, host))

    def _count_detail(self, section: str, path: tuple[str, ...]) -> None:
        counts = self._details.setdefault(section, {})
        counts[path] = counts.get(path, 0) + 1


def _users(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    groups = frame.group_by(pl.col(key).alias("name"))
    return groups.agg(pl.len().alias("number"), pl.col("size").sum()).cast(USERS)  # type: ignore[arg-type]


def numbers(texts: pl.Series) -> pl.Series:
    """Texts as Perl takes them for numbers: the digits they begin with, 0 where there are none."""
    values = texts.str.strip_chars().cast(pl.Float64, strict=False)
    if not values.null_count() and values.is_finite().all():
        return values
    return pl.Series(texts.name, [_number(text) for text in texts.to_list()], dtype=pl.Float64)


def _number(text: str | None) -> float:
    found = re.match(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)", text or "")
    return float(found[1]) if found else 0.0


__all__ = ["USERS", "Host", "Named", "Summary"]
