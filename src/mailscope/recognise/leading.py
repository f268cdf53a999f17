"""What may stand before the text proper of a program's lines: a scan's number, a level, a queue id.

    amavis:   (12345-01) Passed CLEAN ...
    opendkim: 4B5C61F00D: DKIM verification successful
    rspamd:   <b120f6>; task; rspamd_task_write_log: ...

The program's file gives it as ``leading``, a regex without anchors.  It is taken off before the text is held
against patterns, so that those begin with literal text.  A group ``queue_id`` gives that field; this
is for programs that are told the ids of whatever MTA asks them (Postfix's own are ``strip``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

QUEUE_ID: Final = "queue_id"
GROUP: Final = re.compile(r"\(\?P<([^>]*)>")


@dataclass(frozen=True)
class Leading:
    """The beginning that is taken off; ``regex`` without anchors."""

    regex: str

    @cached_property
    def _whole(self) -> str:
        return f"^(?:{self.regex})(?P<rest>.*)$"

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._whole, re.DOTALL | re.ASCII)

    def faults(self) -> str | None:
        """What is wrong with it, None if nothing."""
        try:
            re.compile(self._whole)
        except re.error as error:
            return f"not a regex: {error}"
        other = set(GROUP.findall(self.regex)) - {QUEUE_ID}
        return f"group '{min(other)}', where only 'queue_id' can stand" if other else None

    def read(self, text: str) -> tuple[str | None, str]:
        """Queue id and text proper of one text; a text without such a beginning is proper as it is."""
        found = self._compiled.match(text)
        if found is None:
            return None, text
        groups = found.groupdict()
        return groups.get(QUEUE_ID), groups["rest"]

    def split(self, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The same for a column."""
        found = texts.str.extract_groups(self._whole).struct.unnest()
        rest = pl.select(pl.coalesce(found["rest"], texts)).to_series()
        if QUEUE_ID in found.columns:
            return found[QUEUE_ID], rest
        return pl.Series(QUEUE_ID, [None], dtype=pl.String).new_from_index(0, len(texts)), rest
