"""The store's blobs, which are frames within a frame (``tallies/kept.py``, ``state.py``), with other texts.

In each: one row per inner frame (``name``, ``rows``), and one without a name whose ``about`` is JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, Final

import polars as pl

# Texts in one piece, without what they were cut from: what was taken out of a frame is not written.
WHOLE: Final = pl.CompatLevel.oldest()


def packed(frame: pl.DataFrame) -> bytes:
    """A frame as bytes."""
    out = io.BytesIO()
    frame.write_ipc(out, compression="zstd", compat_level=WHOLE)
    return out.getvalue()


def rewritten(
    data: bytes, change: Callable[[str, pl.DataFrame], pl.DataFrame], told: Callable[[Any], Any]
) -> bytes | None:
    """A blob with its inner frames and what is told about them changed; None where nothing is.

    ``change`` gives back the very frame where it changes nothing.
    """
    frame = pl.read_ipc(io.BytesIO(data))
    names, rows, abouts = (frame[name].to_list() for name in ("name", "rows", "about"))
    changed = False
    for place, name in enumerate(names):
        if name is None:
            before = json.loads(abouts[place])
            after = told(before)
            if after != before:
                abouts[place], changed = json.dumps(after, ensure_ascii=True), True
            continue
        before = pl.read_ipc(io.BytesIO(rows[place]))
        after = change(name, before)
        if after is not before:
            rows[place], changed = packed(after), True
    if not changed:
        return None
    return packed(pl.DataFrame({"name": names, "rows": rows, "about": abouts}, schema=frame.schema))
