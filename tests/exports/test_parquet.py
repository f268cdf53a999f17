"""Parquet files, read by two other programs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from exporting import EVENTS, HOSTILE, busy, events, write
from pyarrow import parquet
from running import pipeline, source

from mailscope.exports.choice import EXPORTED, Choice
from mailscope.exports.drain import Drain
from mailscope.exports.forms import BY_NAME
from mailscope.exports.forms import parquet as ours
from mailscope.exports.forms.sinks import file_sink
from mailscope.vocabulary.errors import UsageError


def test_rows_are_those_of_the_json_lines(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    result = events(log, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{EVENTS} events written to {out}" in result.stderr
    rows = parquet.read_table(out).to_pylist()
    wanted = [json.loads(line) for line in events(log).stdout.splitlines()]
    for row, event in zip(rows, wanted, strict=True):
        held = {name: value for name, value in row.items() if value is not None}
        held["time"] = held["time"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert held == event


def test_the_schema_is_the_vocabularys_whatever_the_log_holds(log: Path, tmp_path: Path) -> None:
    other = write(tmp_path, "2026-11-22T03:42:44Z mail unheard-of: hello\n", "other.log")
    schemas = []
    for number, path in enumerate((log, other)):
        out = tmp_path / f"{number}.parquet"
        assert events(path, "-o", out).exit_code == 0
        schemas.append(parquet.read_schema(out))
    assert schemas[0].equals(schemas[1], check_metadata=True)
    assert schemas[0].names == [field.name for field in EXPORTED]
    assert schemas[0].field("time").type == pa.timestamp("us", tz="UTC")
    assert schemas[0].field("pid").type == pa.int64()
    assert schemas[0].field("delay_s").type == pa.float64()
    assert schemas[0].field("sender").metadata[b"privacy"] == b"address"


def test_duckdb_reads_it(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    events(log, "-o", out)
    found = duckdb.sql(f"select recipient, delay_s, time from '{out}' where status = 'sent'").fetchall()
    assert found == [
        ("bob@example.net", 1.2, datetime(2026, 11, 22, 3, 42, 45, 852449, tzinfo=UTC).astimezone())
    ]


def test_row_groups_are_written_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "ROWS", 400)
    names, out = ("size_bytes", "time"), io.BytesIO()
    drain = Drain(BY_NAME["parquet"].encoder(Choice(), names), lambda: file_sink("parquet", out, names))
    drain.drain(pipeline([source(write(tmp_path, busy(3000)))], chunk_bytes=1 << 14))
    drain.close()
    file = parquet.ParquetFile(out)
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert len(sizes) > 4
    assert min(sizes[:-1]) >= 400
    assert file.read(columns=["size_bytes"])["size_bytes"].to_pylist() == list(range(3000))


def test_fields_and_limit(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    assert events(log, "-o", out, "--fields", "queue_id,time", "--limit", 3).exit_code == 0
    table = parquet.read_table(out)
    assert table.column_names == ["queue_id", "time"]
    assert table["queue_id"].to_pylist() == [None, "4B5C61F00D", "4B5C61F00D"]
    assert table["time"].null_count == 0


def test_a_field_that_no_line_holds_is_null_in_every_row(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    assert events(log, "-o", out, "--fields", "qp").exit_code == 0
    assert parquet.read_table(out)["qp"].to_pylist() == [None] * EVENTS


def test_no_event_at_all_is_a_file_without_rows(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    assert events(log, "-o", out, "--event", "held").exit_code == 0
    assert parquet.read_table(out).num_rows == 0


def test_text_is_as_it_was_logged(tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    events(write(tmp_path, f"2026-11-22T03:42:44Z mail unheard-of[1]: {HOSTILE}\n"), "-o", out)
    assert parquet.read_table(out)["text"].to_pylist() == [HOSTILE]


def test_it_can_be_piped(log: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mailscope", "events", str(log), "--format", "parquet"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert parquet.read_table(pa.BufferReader(done.stdout)).num_rows == EVENTS


def test_it_is_not_for_a_terminal(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    result = events(log, "--format", "parquet")
    assert isinstance(result.exception, UsageError)
