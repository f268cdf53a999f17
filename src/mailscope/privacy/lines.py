"""Lines with pseudonyms for persons and clients, that every pattern still knows as the same event.

A line that a pattern knows is taken apart by that pattern (``cover.py``): each field that tells of a person
gets the pseudonym of its kind, free text is searched for addresses and for the names in the line's own
fields, and the words of the pattern stay.  What no pattern knows is searched only; so are the records of a
line that splogger cut.  Secrets are masked first.

A line's result depends on nothing but the line and the key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from mailscope.intake.lines import parse_lines, split_lines
from mailscope.privacy import secrets
from mailscope.privacy.cover import Cover, cover
from mailscope.privacy.kept import ROLES, WORDS
from mailscope.privacy.matches import mapped, reworded
from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.privacy.sweep import Sweep
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library
from mailscope.recognise.recognised import Part, Recognised
from mailscope.vocabulary.columns import take
from mailscope.vocabulary.fields import FIELDS

# Field -> the way of Pseudonyms in which its value is replaced.
WAYS: Final[dict[str, str]] = {
    **dict.fromkeys(("sender", "recipient", "orig_recipient", "sasl_sender"), "address"),
    **dict.fromkeys(("user", "sasl_user", "target_user"), "user"),
    **dict.fromkeys(("client_ip", "orig_client_ip", "relay_ip", "server_ip"), "ip"),
    **dict.fromkeys(("client_host", "orig_client_host", "server_host"), "host"),
    **dict.fromkeys(("message_id", "resent_message_id"), "message_id"),
    "recipients": "addresses_of",
    "relay_host": "relay",
    "helo": "peer",
    "domain": "domain",
    "subject": "text",
    "header": "header",
    "mailbox": "mailbox",
    "lookup_key": "lookup",
}
# Fields that are searched: their words count (causes are told from reasons), but may name anybody.
LOOSE: Final = frozenset(
    {field.name for field in FIELDS if field.privacy != "none" and field.name not in WAYS}
    | {"command", "commands", "path", "directory", "transport", "referer", "selector"}
)
# Fields whose values, and local parts, are looked for in the free text of the same line.
NAMES: Final = tuple(
    name for name, way in WAYS.items() if way in ("address", "user", "host", "peer", "relay")
)
SHORTEST_NAME: Final = 2
LEVEL: Final = r"^(?:Debug|Warning|Warn|Error|Fatal|Panic): "
CUT: Final = r"(?:^|[^0-9])[0-9]{9,11}\.[0-9]{6}(?:\+| .{700})"
ESCAPED: Final = (["\\", '"', "\t"], ["\\\\", '\\"', "\\t"])


class Anonymiser:
    """Rewrites chunks of whole lines; ``unrecognised`` counts those that no pattern knows."""

    def __init__(self, library: Library, names: Pseudonyms) -> None:
        self.names = names
        self.unrecognised = 0
        self.sweep = Sweep(names)
        self._engine = Engine(library)
        self._openings = [
            cover(program.opening.regex, frozenset(WAYS), frozenset())
            for program in library.programs.values()
            if program.opening is not None
        ]

    def chunk(self, data: bytes) -> bytes:
        """The lines of a chunk, rewritten; their number stays."""
        lines = secrets.masked(split_lines(data), self.names.session)
        end = b"\n" if data.endswith(b"\n") else b""
        parsed = parse_lines("\n".join(lines).encode() + b"\n")
        if not len(parsed.raw):
            return "\n".join(lines).encode() + end
        new = self._lines(parsed.raw, self._engine.recognise(parsed.header.tag, parsed.header.text))
        if parsed.number is not None:
            # Two records that stood in one line do so again; blank lines are where they were.
            frame = pl.DataFrame({"at": parsed.number, "line": new})
            frame = frame.group_by("at", maintain_order=True).agg(pl.col("line").str.join(" "))
            new = lines.clone().scatter(frame["at"], frame["line"])
        return "\n".join(new).encode() + end

    def _lines(self, raw: pl.Series, found: Recognised) -> pl.Series:
        self.unrecognised += len(found.unrecognised)
        places = _placed(raw, found.text, found.proper)
        apart = (places["before"].is_not_null() & ~raw.str.contains(CUT)).alias("apart")
        rows = apart.arg_true()
        whole = (~apart).arg_true()
        out = raw.clone().scatter(whole, self.sweep.unknown(take(raw, whole)))
        put = places.with_columns(
            self.sweep.texts(places["before"]),
            self.sweep.texts(places["behind"]),
            self._fronts(places["front"]),
            self._proper(found).alias("proper"),
        )
        proper = pl.when("levelled").then(pl.col("proper").str.replace(LEVEL, "")).otherwise("proper")
        text = pl.concat_str("front", proper)
        text = pl.when("escaped").then(text.str.replace_many(*ESCAPED)).otherwise(text)
        line = put.select(pl.concat_str("before", text, "behind")).to_series()
        return out.scatter(rows, take(line, rows))

    def _proper(self, found: Recognised) -> pl.Series:
        """The texts proper of all rows, rewritten."""
        out = found.proper.clone()
        out = out.scatter(found.unrecognised, self.sweep.unknown(take(out, found.unrecognised)))
        for part in found.parts:
            frame = part.frame.unique("row", keep="first", maintain_order=True) if part.copied else part.frame
            rows = frame["row"]
            out = out.scatter(rows, self._part(part, frame, take(found.proper, rows)))
        return out

    def _part(self, part: Part, frame: pl.DataFrame, text: pl.Series) -> pl.Series:
        """Texts that one pattern knows."""
        names: pl.DataFrame | None = None

        def free(column: pl.Series) -> pl.Series:
            nonlocal names
            if names is None:
                names = self._names(frame)
            return reworded(self.sweep.texts(column), names)

        shape = cover(part.pattern.expanded, frozenset(WAYS), LOOSE)
        new, fits = self._covered(text, shape, free)
        if fits.all():
            return new
        # A pattern knows it, but its cover does not: that would be a mistake of cover.py.
        rows = (~fits).arg_true()
        return new.scatter(rows, self.sweep.unknown(take(text, rows)))

    def _covered(
        self, text: pl.Series, shape: Cover, free: Callable[[pl.Series], pl.Series]
    ) -> tuple[pl.Series, pl.Series]:
        """Texts with other values in the places of their fields; and which of them are of the shape."""
        if not shape.groups:
            return text, pl.Series([True]).new_from_index(0, len(text))
        pieces = text.str.extract_groups(shape.regex).struct.unnest()
        columns: list[pl.Series] = []
        for group, name in zip(shape.groups, pieces.columns, strict=True):
            column = pieces[name]
            if column.null_count() < len(column):
                if group.kind == "field":
                    column = mapped(column, getattr(self.names, WAYS[group.field]))
                    # A technical header may name anybody.
                    column = free(column) if group.field == "header" else column
                elif group.kind == "free":
                    column = free(column)
            columns.append(column.alias(name))
        whole = pieces.select(pl.concat_str(pl.all(), ignore_nulls=True)).to_series()
        new = pl.select(pl.concat_str(columns, ignore_nulls=True)).to_series()
        return new, (whole == text).fill_null(False)

    def _names(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The names in the fields of each line, with what stands for them: ``row``, ``old``, ``new``."""
        at = pl.int_range(len(frame), dtype=pl.UInt32, eager=True).alias("row")
        found: list[pl.DataFrame] = []
        for name in NAMES:
            if name not in frame.columns:
                continue
            value = frame[name]
            pairs = [(value, getattr(self.names, WAYS[name]))]
            if WAYS[name] in ("address", "user"):
                halves = value.str.extract_groups(r"^(.*)@([^@]*)$").struct.unnest()
                pairs += [(halves["1"], self.names.user), (halves["2"], self.names.domain)]
            found += [
                pl.DataFrame([at, old.alias("old"), mapped(old, function).alias("new")])
                for old, function in pairs
            ]
        names = pl.concat(found) if found else pl.DataFrame({"row": [], "old": [], "new": []}, NO_NAMES)
        folded = pl.col("old").str.to_lowercase()
        return names.filter(
            (pl.col("old").str.len_chars() >= SHORTEST_NAME) & ~folded.is_in(list(WORDS | ROLES))
        )

    def _fronts(self, front: pl.Series) -> pl.Series:
        """What stands between a tag and the text proper: queue ids, and accounts that Dovecot works for."""
        rows = front.str.contains("(", literal=True).fill_null(False).arg_true()
        if not len(rows):
            return front
        out = take(front, rows)
        for shape in self._openings:
            new, fits = self._covered(out, shape, self.sweep.texts)
            out = pl.select(pl.when(fits).then(new).otherwise(out)).to_series()
        return front.clone().scatter(rows, out)


NO_NAMES: Final = {"row": pl.UInt32, "old": pl.String, "new": pl.String}


def _placed(raw: pl.Series, text: pl.Series, proper: pl.Series) -> pl.DataFrame:
    """Where in each line its text stands, and in that the text proper.

    ``before`` and ``behind`` the text (null: it is not found there), ``escaped``: as JSON writes it;
    ``front``: of the text, what stands before the text proper, which is ``levelled`` if a level was put in
    front of it.
    """
    frame = pl.DataFrame({"raw": raw, "text": text, "proper": proper}).with_columns(
        at_end=pl.col("raw").str.ends_with(pl.col("text")),
        bare=pl.col("proper").str.replace(LEVEL, ""),
        json=pl.col("text").str.replace_many(*ESCAPED),
    )
    frame = frame.with_columns(
        once=pl.when(~pl.col("at_end")).then(pl.col("raw").str.split(pl.col("text"))),
        quoted=pl.when(~pl.col("at_end") & (pl.col("json") != pl.col("text"))).then(
            pl.col("raw").str.split(pl.col("json"))
        ),
        levelled=~pl.col("text").str.ends_with(pl.col("proper")),
    )
    once, quoted = pl.col("once").list.len() == 2, pl.col("quoted").list.len() == 2
    return frame.select(
        before=pl.when("at_end")
        .then(pl.col("raw").str.strip_suffix(pl.col("text")))
        .when(once)
        .then(pl.col("once").list.first())
        .when(quoted)
        .then(pl.col("quoted").list.first()),
        behind=pl.when("at_end")
        .then(pl.lit(""))
        .when(once)
        .then(pl.col("once").list.last())
        .when(quoted)
        .then(pl.col("quoted").list.last()),
        escaped=quoted.fill_null(False) & ~once.fill_null(False) & ~pl.col("at_end"),
        front=pl.when("levelled")
        .then(pl.col("text").str.strip_suffix(pl.col("bare")))
        .otherwise(pl.col("text").str.strip_suffix(pl.col("proper"))),
        levelled="levelled",
    )
