"""The recognised lines of one chunk, with their instants: what every later stage works on.

Fields stay in one narrow frame per line format (``Part``); a stage asks for the events and columns
it needs and gets one frame with exactly those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

import polars as pl

from mailscope.recognise.engine import DTYPES
from mailscope.recognise.recognised import Part, Recognised
from mailscope.vocabulary.columns import constant, take
from mailscope.vocabulary.fields import BY_NAME

TIME: Final = pl.Datetime("us")
CORE: Final = ("event", "host", "program", "service", "instance", "pid")


@dataclass(frozen=True)
class Events:
    """Lines of one source, recognised and timed.

    One row per line that is not blank.  ``order`` ranks the lines of a batch (by time where several
    sources overlap); ``alive`` marks the lines that count (null: all), the others being duplicates
    or outside the time and hosts asked for.  ``number`` is the line's number in its source; ``set_id`` is
    the same for all files that one log was rotated into.
    """

    source: str
    raw: pl.Series
    text: pl.Series
    time: pl.Series
    quality: pl.Series | int
    host: pl.Series | str | None
    pri: pl.Series | None
    number: pl.Series
    recognised: Recognised
    blank: int = 0
    duplicate: int = 0
    order: pl.Series | None = None
    alive: pl.Series | None = None
    set_id: str | None = None

    @property
    def parts(self) -> list[Part]:
        """The recognised lines, one part per line format."""
        return self.recognised.parts

    @cached_property
    def read(self) -> int:
        """Lines that count, without blank and duplicate ones."""
        return len(self.raw) if self.alive is None else int(self.alive.sum())

    @property
    def instants(self) -> pl.Series:
        """When the lines were written that count (naive UTC, null where unknown)."""
        return self.time if self.alive is None else self.time.filter(self.alive)

    @cached_property
    def unrecognised(self) -> pl.Series:
        """Rows that no pattern knows."""
        rows = self.recognised.unrecognised
        return rows if self.alive is None else rows.filter(take(self.alive, rows))

    def select(self, keep: pl.Series, duplicate: int = 0) -> Events:
        """The same lines with only those alive that are kept (and were alive before)."""
        alive = keep if self.alive is None else keep & self.alive
        parts = [
            replace(part, frame=part.frame.filter(keep.gather(part.frame["row"])))
            for part in self.recognised.parts
        ]
        recognised = replace(self.recognised, parts=[part for part in parts if len(part.frame)])
        return replace(
            self, alive=alive, recognised=recognised, duplicate=self.duplicate + duplicate, blank=self.blank
        )

    def hosts(self, rows: pl.Series) -> pl.Series:
        """Host of some rows."""
        if isinstance(self.host, pl.Series):
            return take(self.host, rows).alias("host")
        return pl.Series("host", [self.host], dtype=pl.String).new_from_index(0, len(rows))

    def tagged(self, column: str, rows: pl.Series) -> pl.Series:
        """program, pid, service or instance, as the tags of some rows tell them."""
        return take(self.recognised.tags[column], take(self.recognised.tag_code, rows))

    def table(
        self, kinds: Iterable[str], columns: Sequence[str], *, core: bool | Sequence[str] = False
    ) -> pl.DataFrame:
        """Events of some kinds as one frame in line order.

        Columns: ``row``, ``order``, ``time``, ``queue_id`` and ``columns`` (fields that a line does
        not carry are null); with ``core`` also event, host, program, service, instance and pid (or those
        of them that it names).
        """
        wanted = frozenset(kinds)
        names = CORE if core is True else tuple(core or ())
        frames = [
            self._part(part, columns, bool(names)) for part in self.parts if part.pattern.event in wanted
        ]
        if not frames:
            return no_rows(tuple(columns), names)
        frame = pl.concat(frames).sort("row") if len(frames) > 1 else frames[0]
        rows = frame["row"]
        order = rows if self.order is None else take(self.order, rows)
        frame = frame.hstack([take(self.time, rows).alias("time"), order.cast(pl.UInt32).alias("order")])
        return frame.with_columns(self._core(frame, names)) if names else frame

    def _core(self, frame: pl.DataFrame, names: Sequence[str]) -> Iterator[pl.Series | pl.Expr]:
        """The named columns that the lines' tags and headers tell."""
        rows = frame["row"]
        for name in names:
            if name == "host":
                yield self.hosts(rows)
            elif name == "service":
                own = self.tagged("service", rows)
                if own.null_count():
                    yield pl.coalesce(own, pl.col("service")).alias("service")
                else:
                    yield own.alias("service")
            elif name != "event":
                yield self.tagged(name, rows).alias(name)

    def _part(self, part: Part, columns: Sequence[str], core: bool) -> pl.DataFrame:
        have = set(part.frame.columns)
        constants = part.pattern.constants
        length = len(part.frame)
        out = [part.frame["row"], part.frame["queue_id"]]
        for name in columns:
            if name in have:
                if name != "queue_id":
                    out.append(part.frame[name])
            else:
                out.append(constant(constants.get(name), length, DTYPES[BY_NAME[name].kind], name))
        if core:
            out.append(constant(part.pattern.event, length, pl.String, "event"))
            out.append(constant(part.service, length, pl.String, "service"))
        return pl.DataFrame(out)


@lru_cache(maxsize=256)
def no_rows(columns: tuple[str, ...], core: tuple[str, ...]) -> pl.DataFrame:
    """An empty table, with its columns in the order of others; most kinds are missing from most chunks."""
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"row": pl.UInt32, "queue_id": pl.String}
    schema |= {name: DTYPES[BY_NAME[name].kind] for name in columns}
    if core:
        schema |= {"event": pl.String, "service": pl.String}
    schema |= {"time": TIME, "order": pl.UInt32}
    schema |= {name: pl.Int64 if name == "pid" else pl.String for name in core}
    return pl.DataFrame(schema=schema)


def null_column(name: str, length: int) -> pl.Series:
    """A field that no row holds."""
    return constant(None, length, DTYPES[BY_NAME[name].kind], name)
