"""Programs that log through another one, and what stands before the text proper of their lines.

Dovecot's processes all log under one tag and say in the text who they are, and for whom they work:

    dovecot: imap(alice)<11506><2Adx79VgKt9>: Disconnected: Logged out in=152 out=1191
    dovecot: auth: Error: ...

The file of the outer program says in ``prefix`` how such a beginning looks.  Its groups: ``inner``, the
inner program's name; ``pid``, its process id; ``level``, a level in front of the name, which is put back in
front of the text; ``rest``, the text proper; and fields of the vocabulary, which become fields of the
line.  A group that stands in several alternatives is numbered: ``user``, ``user_2``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from mailscope.vocabulary.fields import BY_NAME

GROUP: Final = re.compile(r"\(\?P<([A-Za-z_]+?)(?:_[0-9]+)?>")
OWN: Final = frozenset({"inner", "level", "rest", "pid"})
NUMBERED: Final = re.compile(r"_[0-9]+$")


@dataclass(frozen=True)
class Opening:
    """The beginning of lines that several programs share; ``regex`` without anchors."""

    regex: str

    @property
    def names(self) -> frozenset[str]:
        """The groups, without their numbers."""
        return frozenset(GROUP.findall(self.regex))

    @property
    def fields(self) -> tuple[str, ...]:
        """The vocabulary's fields that it gives."""
        return tuple(sorted(self.names - OWN))

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """For single texts."""
        return re.compile(f"^(?:{self.regex})$", re.DOTALL | re.ASCII)

    def faults(self) -> str | None:
        """What is wrong with it, None if nothing."""
        try:
            names = set(self.names) if re.compile(self.regex) else set()
        except re.error as error:
            return f"not a regex: {error}"
        unknown = names - OWN - BY_NAME.keys()
        if unknown:
            return f"unknown group '{min(unknown)}'"
        other = [name for name in names - OWN if BY_NAME[name].kind != "str"]
        if other:
            return f"'{min(other)}' is no text"
        return None if {"inner", "rest"} <= names else "it needs the groups 'inner' and 'rest'"

    def read(self, text: str) -> tuple[str, dict[str, str], str] | None:
        """Inner program, fields and text proper of one text; None if it has no such beginning."""
        found = self.compiled.match(text)
        if found is None:
            return None
        given: dict[str, str] = {}
        for name, value in found.groupdict().items():
            if value:
                given.setdefault(NUMBERED.sub("", name), value)
        level = f"{given['level']}: " if "level" in given else ""
        record = {name: given[name] for name in self.fields if name in given}
        return given["inner"], record, level + given.get("rest", "")

    def split(self, texts: pl.Series) -> pl.DataFrame:
        """The same for a column: inner (null: no such beginning), pid, rest and the fields."""
        found = texts.str.extract_groups(f"^(?:{self.regex})$").struct.unnest()
        columns: dict[str, list[str]] = {}
        for name in found.columns:
            columns.setdefault(NUMBERED.sub("", name), []).append(name)
        frame = found.select(
            pl.coalesce(
                pl.col(each).replace("", None) if name in self.fields else pl.col(each) for each in several
            ).alias(name)
            for name, several in columns.items()
        )
        if "level" in columns:
            level = pl.when(pl.col("level").is_not_null()).then(pl.concat_str("level", pl.lit(": ")))
            frame = frame.with_columns(pl.concat_str(level.otherwise(pl.lit("")), "rest").alias("rest"))
        if "pid" not in columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("pid"))
        return frame.select("inner", "pid", "rest", *self.fields)
