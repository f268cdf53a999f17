"""Rows of the table of findings, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from mailscope.vocabulary.tables import SQL_TYPES, TABLES


def finding(name: str, now: datetime, row: Mapping[str, Any]) -> pl.DataFrame:
    """A row of the table; ``name``: a letter that its id is made of."""
    whole = {
        "id": name * 16, "detection": "brute_force", "severity": "warning", "title": "an attack", "subject": json.dumps({"client_ip": "203.0.113.9"}),
        "first_time": now, "last_time": now, "found_time": now, "over_time": None, "score": None, "figures": "{}",
        "reasons": "[]", "signals": 1, "episodes": 1, "subjects": 1, "lines": "[]", "phrases": "{}",
        "closed": False, **row,
    }  # fmt: skip
    kinds = {
        "time": pl.Datetime("us"),
        "float": pl.Float64,
        "int": pl.Int64,
        "bool": pl.Boolean,
        "str": pl.String,
    }
    columns = TABLES["findings"].columns
    assert set(whole) <= {column.name for column in columns}
    assert {column.kind for column in columns} <= set(kinds) <= set(SQL_TYPES)
    # Columns that nothing here looks at stay empty.
    complete = {column.name: whole.get(column.name) for column in columns}
    return pl.DataFrame([complete], schema={column.name: kinds[column.kind] for column in columns})
