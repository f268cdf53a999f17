"""Several frames, and what is told about them, as one piece of bytes and back.

The form is an Arrow file of three columns (name, rows, about): one row per frame, its rows an Arrow file of
their own, and one row without a name whose ``about`` is a JSON object.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl


def bundled(frames: Mapping[str, pl.DataFrame], about: Mapping[str, Any]) -> bytes:
    """Frames by name, with what is told about them."""
    frame = pl.DataFrame(
        {
            "name": [None, *frames],
            "rows": [None, *map(packed, frames.values())],
            "about": [json.dumps(about, ensure_ascii=True), *(None for _ in frames)],
        },
        schema={"name": pl.String, "rows": pl.Binary, "about": pl.String},
    )
    return packed(frame)


def unbundled(
    data: bytes, wanted: Callable[[str], bool] = lambda _: True
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """What ``bundled`` was given; of the frames, those whose names are wanted."""
    frame = pl.read_ipc(io.BytesIO(data))
    about: dict[str, Any] = json.loads(frame["about"].drop_nulls()[0])
    rows = frame.select("name", "rows").iter_rows()
    return {name: pl.read_ipc(io.BytesIO(held)) for name, held in rows if name and wanted(name)}, about


def packed(frame: pl.DataFrame) -> bytes:
    """A frame as bytes, its texts in one piece: what was taken out of a frame is not written with it."""
    out = io.BytesIO()
    frame.write_ipc(out, compression="zstd", compat_level=pl.CompatLevel.oldest())
    return out.getvalue()
