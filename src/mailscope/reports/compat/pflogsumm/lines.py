"""A chunk of a log becomes the lines that pflogsumm looks at, as columns.

Nearly all lines of a log are alike: a stamp of one length, ``HOST postfix/SERVICE[PID]: `` and a text.
They are cut by position, and a distinct tag is looked up once.  Lines of any other form (no pid, other
stamps, a text that begins strangely, characters beyond ASCII) go one by one through the whole rule,
in ``read_one``.

Columns of a frame of lines: ``row`` (place in the chunk), ``date`` (number in ``Matched.days``), ``hour``,
``second`` (of the day), ``service``, ``pid``, ``queue_id`` (the first word, whatever it is) and ``text``: of
1.3.0 what follows the queue id, of 1.1.5 everything from the program's name on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import among, narrow
from mailscope.reports.compat.pflogsumm.stamps import Calendar, Day, Shape, shape_of

# The digits of Postfix's long queue ids: all but vowels (its file safe_ultostr.c).
BASE_52: Final = "0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z"
QUEUE_ID: Final = f"(?:NOQUEUE|[0-9A-F]+|[{BASE_52}]+):"
# Solaris puts a message number between tag and text.
_MESSAGE_NUMBER: Final = r": \[ID [0-9]+ [^\]]+\] "
_BLANK: Final = " \t\r\f\v"
# What Polars takes for the beginning of a zlib stream and tries to unpack.
_ZLIB: Final = (b"x\x01", b"x^")
_IGNORED: Final = -1
_ODD: Final = -2
SCHEMA: Final = {
    "row": pl.UInt32, "date": pl.Int32, "hour": pl.Int8, "second": pl.Int32,
    "service": pl.String, "pid": pl.String, "queue_id": pl.String, "text": pl.String,
}  # fmt: skip


@dataclass
class Matched:
    """Lines of one chunk.

    ``lines`` are those of Postfix, in order; ``days`` what their dates mean; ``first`` and ``last`` the
    """

    lines: pl.DataFrame
    days: list[Day]
    first: Day | None = None
    last: Day | None = None
    unread: list[str] = field(default_factory=list)


class Reader:
    """Reads chunks for one release.

    ``name`` is a regular expression, as it is to pflogsumm.  ``with_sessions``: beginnings and ends of
    sessions are wanted, with pids and times; else their lines count for the day that they are of, and go.
    """

    def __init__(
        self, calendar: Calendar, name: str, *, keep_unread: bool = False, with_sessions: bool = True
    ) -> None:
        self.with_sessions = with_sessions
        self.calendar = calendar
        self.current = calendar.release == "1.3.0"
        self.keep_unread = keep_unread
        self.name = name
        program = rf"(?:postfix|{name})(?:/(?:smtps|submission))?/"
        self._tag = re.compile(
            rf"(?P<host>\S+) {program}(?P<service>[^\[:\s]*)\[(?P<pid>[0-9]+)\]: ", re.ASCII
        )
        if self.current:
            end = r":?\s+(?:-\s+)?(?P<queue_id>[^:\s]+):?\s"
            whole = rf"{program}(?P<service>[^\[]+)\[(?P<pid>[0-9]+)\]{end}"
            bare = rf"(?P<service>postfix(?:-script)?)(?:\[(?P<pid>[0-9]+)\])?{end}"
        else:
            whole = rf"{program}(?P<service>[^\[:]*).*?: (?P<queue_id>[^:\s]+)"
            bare = r"(?P<service>postfix(?:-script)?)(?:\[[0-9]+\])?: (?P<queue_id>[^:\s]+)"
        self._forms = (re.compile(whole, re.ASCII), re.compile(bare, re.ASCII))
        self._before = re.compile(rf".*?\[[0-9]+\]:?[ \t]+(?:-\s+)?(?:{QUEUE_ID}[ \t]+)?", re.ASCII)

    def read(self, chunk: bytes) -> Matched:
        """Read the lines of a chunk."""
        lines = split(chunk)
        if not len(lines):
            return Matched(pl.DataFrame(schema=SCHEMA), [])
        if lines.str.contains(": [ID ", literal=True).any():
            lines = lines.str.replace(_MESSAGE_NUMBER, ": ")
        shape = shape_of(lines[0])
        whole = lines.to_frame("line").with_row_index("row")
        if shape is None:
            return self._one_by_one(whole)
        # Places are found in bytes and cut in characters: that must be the same.
        fits = lines.str.contains(shape.expression)
        if not chunk.isascii():
            fits &= narrow(lines)
        if fits.all():
            regular, odd = whole, whole.clear()
        else:
            regular, odd = whole.filter(fits), whole.filter(~fits)
        return self._by_position(regular, odd, shape)

    def _by_position(self, whole: pl.DataFrame, odd: pl.DataFrame, shape: Shape) -> Matched:
        dates = whole["line"].str.slice(*shape.date)
        # Mostly all lines of a chunk are of one day, or of two.
        texts = dates.head(1).to_list() if (dates == dates[0]).all() else dates.unique().to_list()
        known = {text: self.calendar.day(text) for text in texts}
        if None in known.values():
            wanted = dates.is_in([text for text, day in known.items() if day is not None])
            whole, dates = whole.filter(wanted), dates.filter(wanted)
        matched = Matched(pl.DataFrame(schema=SCHEMA), [])
        texts = [text for text, day in known.items() if day is not None]
        matched.days = [day for day in known.values() if day is not None]
        if len(texts) <= 1:
            numbers = pl.zeros(len(dates), pl.Int32, eager=True)
        else:
            numbers = dates.replace_strict(texts, list(range(len(texts))), return_dtype=pl.Int32)
        stamped = _ends(whole["row"], numbers, matched.days)

        place = whole["line"].str.find("]: ", literal=True)
        whole = whole.with_columns(numbers.alias("date"), place.alias("place"))
        tags = whole.select(pl.col("line").str.slice(shape.length, pl.col("place") + (3 - shape.length)))[
            "line"
        ]
        hosts, services, codes, pids = self._look_up(tags.unique().to_list())
        code = tags.replace_strict(list(codes), list(codes.values()), default=_ODD, return_dtype=pl.Int32)
        whole = whole.with_columns(code.alias("code"), tags.alias("tag"))
        more = whole.clear().select("row", "line")
        if (code < 0).any():
            more = whole.filter(code == _ODD).select("row", "line")
            if self.keep_unread:
                more = pl.concat([more, whole.filter(code == _IGNORED).select("row", "line")])
            whole = whole.filter(code >= 0)
        kept, more = self._cut(whole, more, shape, hosts, services)
        matched.lines = kept.select(*self._columns(shape, services, pids))
        others = self._one_by_one(pl.concat([odd, more]), stamped) if len(odd) + len(more) else None
        if others is None:
            if stamped:
                matched.first, matched.last = stamped[0][1], stamped[-1][1]
            return matched
        shifted = others.lines.with_columns(pl.col("date") + len(matched.days))
        matched.lines = pl.concat([matched.lines, shifted]).sort("row")
        matched.days += others.days
        matched.first, matched.last, matched.unread = others.first, others.last, others.unread
        return matched

    def _columns(self, shape: Shape, services: list[str], pids: dict[str, str]) -> list[pl.Expr]:
        """The columns of SCHEMA from those of cut lines."""
        hour, minute, second = (
            pl.col("line").str.slice(shape.hour + at, 2).cast(pl.Int32, strict=False) for at in (0, 3, 6)
        )
        by_number = pl.lit(pl.Series(services, dtype=pl.String)).gather(pl.col("code"))
        pid = pl.lit(None, pl.String)
        clock = pl.lit(0, pl.Int32)
        if self.with_sessions:
            pid = pl.col("tag").replace_strict(
                list(pids), list(pids.values()), default=None, return_dtype=pl.String
            )
            clock = hour * 3600 + minute * 60 + second
        return [
            pl.col("row"), pl.col("date"), hour.cast(pl.Int8).alias("hour"), clock.alias("second"),
            by_number.alias("service"), pid.alias("pid"), pl.col("queue_id"), pl.col("text"),
        ]  # fmt: skip

    def _look_up(self, tags: list[str | None]) -> tuple[list[str], list[str], dict[str, int], dict[str, str]]:
        """What distinct tags mean: hosts, services, and for each tag its service's number and its pid."""
        hosts: dict[str, int] = {}
        services: dict[str, int] = {}
        codes: dict[str, int] = {}
        pids: dict[str, str] = {}
        # A tag of another program is passed over, but only where no part of it could be ours.
        ours = re.compile(rf"\S+ (?:postfix|{self.name})", re.ASCII)
        for tag in tags:
            if tag is None:
                continue
            if found := self._tag.fullmatch(tag):
                codes[tag] = services.setdefault(found["service"], len(services))
                pids[tag] = found["pid"]
                hosts.setdefault(found["host"], len(hosts))
            else:
                codes[tag] = _ODD if ours.match(tag) else _IGNORED
        return list(hosts), list(services), codes, pids

    def _cut(
        self, lines: pl.DataFrame, odd: pl.DataFrame, shape: Shape, hosts: list[str], services: list[str]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Add queue id and text; give the lines whose text begins too strangely for that besides."""
        lines = lines.with_columns(pl.col("line").str.slice(pl.col("place") + 3).alias("text"))
        if not self.with_sessions and not self.keep_unread:
            lines = lines.filter(self._of_interest(lines, services))
        lines = lines.with_columns(pl.col("text").str.find(" ", literal=True).alias("space"))
        lines = lines.with_columns(pl.col("text").str.slice(0, pl.col("space")).alias("word"))
        if self.current:
            # Only what a blank follows is a line at all.
            word = lines["word"]
            plain = word.str.contains(r"^[^:[:space:]]+:?$") & (word != "-") & lines["space"].is_not_null()
            if not (sound := plain.fill_null(False)).all():
                strange = ~sound & (
                    word.is_null() | word.str.contains("[[:space:]]") | (word.is_in(["", "-"]))
                )
                strange &= lines["text"].str.contains("[[:space:]]")
                odd = pl.concat([odd, lines.filter(strange).select("row", "line")])
                lines = lines.filter(sound)
            identified = lines["word"].str.contains(f"^{QUEUE_ID}$")
            behind = pl.col("text").str.slice(pl.col("space") + 1)
            lines = lines.with_columns(
                pl.col("word").str.strip_suffix(":").alias("queue_id"),
                pl.when(identified).then(behind).otherwise("text").alias("text"),
            )
            padded = identified & lines["text"].str.contains("^[ \t]")
            if padded.any():
                shorter = pl.when(padded).then(pl.col("text").str.strip_chars_start(" \t")).otherwise("text")
                lines = lines.with_columns(shorter.alias("text"))
            return lines, odd
        lines = lines.with_columns(pl.coalesce("word", "text").alias("word"))
        plain = lines["word"].str.contains(r"^[^:[:space:]]+:?$")
        name = pl.col("word").str.strip_suffix(":")
        if not plain.all():
            first = pl.col("word").str.extract(r"^([^:[:space:]]+)")
            name = pl.when(plain).then(name).otherwise(first)
        lines = lines.with_columns(name.alias("queue_id"))
        if lines["queue_id"].null_count():
            odd = pl.concat([odd, lines.filter(pl.col("queue_id").is_null()).select("row", "line")])
            lines = lines.filter(pl.col("queue_id").is_not_null())
        if len(hosts) == 1:
            text = pl.col("line").str.slice(shape.length + len(hosts[0]) + 1)
        else:
            text = pl.col("line").str.slice(shape.length).str.replace("^[^ ]+ ", "")
        return lines.with_columns(text.alias("text")), odd

    def _of_interest(self, lines: pl.DataFrame, services: list[str]) -> pl.Series:
        """Leave out what is most frequent and says nothing, but keep a first line for each day."""
        text, code = lines["text"], lines["code"]
        numbers = {name: number for number, name in enumerate(services)}
        idle = pl.zeros(len(lines), pl.Boolean, eager=True)
        if "smtpd" in numbers:
            idle |= among(code == numbers["smtpd"], text, "^(?:(?:dis)?connect from|Anonymous TLS) ")
        if "cleanup" in numbers:
            idle |= among(code == numbers["cleanup"], text, "^[0-9A-Za-z]+: message-id=[^ ]*$")
        date = lines["date"]
        before = pl.select(pl.when(idle).then(date).forward_fill().shift(1)).to_series()
        return ~idle | (date != date.shift(1)).fill_null(True) | (date != before).fill_null(True)

    def _one_by_one(self, whole: pl.DataFrame, stamped: Iterable[tuple[int, Day]] = ()) -> Matched:
        """Read lines that may have any form; ``stamped`` are rows of others whose days are known."""
        days: dict[Day, int] = {}
        ends = list(stamped)
        found: list[tuple[int, int, int, int, str, str | None, str, str]] = []
        unread = []
        for row, line in whole.sort("row").select("row", "line").iter_rows():
            moment = self.calendar.read(line)
            if moment is None:
                continue
            ends.append((row, moment.day))
            parts = self.read_one(moment.rest)
            if parts is None:
                if "postfix" in moment.rest:
                    unread.append(line)
                continue
            hour, minute, second = moment.clock
            number = days.setdefault(moment.day, len(days))
            found.append((row, number, hour, hour * 3600 + minute * 60 + second, *parts))
        matched = Matched(pl.DataFrame(found, schema=SCHEMA, orient="row"), list(days), unread=unread)
        if ends:
            matched.first, matched.last = min(ends)[1], max(ends)[1]
        return matched

    def read_one(self, rest: str) -> tuple[str, str | None, str, str] | None:
        """Service, pid, queue id and text of what follows a host name; None where it is not Postfix's."""
        for form in self._forms:
            if found := form.match(rest):
                pid = found.groupdict().get("pid")
                text = self._before.sub("", rest, count=1) if self.current else rest
                return found["service"], pid, found["queue_id"], text
        return None


def split(chunk: bytes) -> pl.Series:
    """The lines of a chunk, each byte one character."""
    if not chunk:
        return pl.Series("line", [], dtype=pl.String)
    if not chunk.isascii():
        chunk = chunk.decode("latin-1").encode()
    if chunk.startswith(_ZLIB):
        return pl.read_lines(b"\n" + chunk)["line"].slice(1)
    return pl.read_lines(chunk)["line"]


def _ends(rows: pl.Series, numbers: pl.Series, days: list[Day]) -> list[tuple[int, Day]]:
    """Row and day of the first and of the last line."""
    if not len(rows):
        return []
    return [(rows[at], days[numbers[at]]) for at in (0, -1)]
