"""The rows that go from stage to stage, as Spark names their columns.

Instants are microseconds since 1970 in UTC: no zone of a session can change them.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

# A line; or, with ``note`` and without ``place``, what reading a piece came to (JSON).
LINES: Final = (
    "piece int, place string, source string, rank int, number long, time long, quality string, key long, "
    "raw string, blank int, note string"
)
LINE_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "piece": pl.Int32, "place": pl.String, "source": pl.String, "rank": pl.Int32, "number": pl.Int64,
    "time": pl.Int64, "quality": pl.String, "key": pl.Int64, "raw": pl.String, "blank": pl.Int32,
    "note": pl.String,
}  # fmt: skip

# What tasks give back; ``kind`` says which of the columns mean anything.
RESULTS: Final = (
    "kind string, place string, name string, day string, path string, rows long, size long, first long, "
    "last long, checksum string, hour long, data binary"
)
RESULT_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "kind": pl.String, "place": pl.String, "name": pl.String, "day": pl.String, "path": pl.String,
    "rows": pl.Int64, "size": pl.Int64, "first": pl.Int64, "last": pl.Int64, "checksum": pl.String,
    "hour": pl.Int64, "data": pl.Binary,
}  # fmt: skip
# A segment that was written; packed tallies of an hour, and what messages under way would add to them; the
# state of a place, and messages under way there; deliveries to other hosts, and messages that they may have
# become; spellings.
SEGMENT, HOUR, UNDER_WAY = "segment", "hour", "under way"
STATE, OPEN, SPELLINGS = "state", "open", "spellings"
CLAIMS, MESSAGES = "claims", "messages"
# Rows of a table that belong to no day, as no instant of theirs is known.
DAYLESS = "dayless"

# Where following goes on: the state of a place at the beginning of a bin (``apart``: of logs that are
# followed by themselves; null where that is not known yet); what is pulled out of a bin to find it.
STATES: Final = "bin int, place string, state binary, apart boolean"
DIGESTS: Final = "bin int, place string, number int, digest binary"


STATE_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "bin": pl.Int32, "place": pl.String, "state": pl.Binary, "apart": pl.Boolean,
}  # fmt: skip
DIGEST_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "bin": pl.Int32, "place": pl.String, "number": pl.Int32, "digest": pl.Binary,
}  # fmt: skip


def as_arrow(frame: pl.DataFrame) -> Any:
    """Rows as an Arrow table, with the types that Spark has for them."""
    import pyarrow as pa

    kinds = {
        pl.String: pa.string(), pl.Binary: pa.binary(), pl.Int32: pa.int32(), pl.Int64: pa.int64(),
        pl.Boolean: pa.bool_(),
    }  # fmt: skip
    schema = pa.schema([(name, kinds[type(kind)]) for name, kind in frame.schema.items()])
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)


def results(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows of RESULTS."""
    return pl.DataFrame(rows, schema=RESULT_TYPES)
