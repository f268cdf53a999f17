"""No result depends on how a log is cut into chunks and chunks into batches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import Run, examples, light, run, source

from mailscope.intake.files import expand
from mailscope.intake.reader import Source

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ONE_LINE = 1


def assert_same(one: Run, two: Run) -> None:
    """Everything that came of two runs is the same."""
    assert one.totals == two.totals
    assert (one.ledger.first, one.ledger.last) == (two.ledger.first, two.ledger.last)
    for name in ("messages", "recipients", "deliveries", "links"):
        assert getattr(one, name) == getattr(two, name), name
    first, second = one.tallies, two.tallies
    assert [name for name in first if first[name] != second[name]] == []


def generated(folder: Path, *options: str) -> Path:
    """A log made by the benchmarks' generator."""
    path = folder / "mail.log"
    command = [sys.executable, str(ROOT / "benchmarks" / "generate.py"), *options, "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def hold(sources: Iterable[Source], sizes: Iterable[tuple[int, int]]) -> Run:
    """Hold runs in chunks of several sizes, and so many chunks a batch, against a run in one piece."""
    sources = list(sources)
    whole = run(sources)
    for chunk_bytes, chunks_a_batch in sizes:
        assert_same(run(sources, chunk_bytes=chunk_bytes, chunks_a_batch=chunks_a_batch), whole)
    return whole


def excerpt(folder: Path, name: str, begin: int, count: int) -> Source:
    """Some lines of an example."""
    path = folder / name.replace("/", "-")
    path.write_bytes(b"\n".join((EXAMPLES / name).read_bytes().split(b"\n")[begin : begin + count]))
    return source(path)


@pytest.mark.parametrize(
    ("name", "begin"),
    [("postfix/mail.log", 0), ("postfix/mail.log", 2900), ("postfix/mail.log.1", 1000), ("qmail/maillog", 0), ("qmail/maillog", 700)],
)  # fmt: skip
def test_a_line_at_a_time(tmp_path: Path, name: str, begin: int) -> None:
    hold([excerpt(tmp_path, name, begin, 40)], [(ONE_LINE, 1), (500, 2)])


@pytest.mark.parametrize(
    ("name", "chunk_bytes"),
    [("postfix", 150_000), ("qmail/maillog", 3_000), ("qmail/multilog", 3_000), ("qmail", 50_000)],
)
def test_the_examples(name: str, chunk_bytes: int) -> None:
    sources = expand([str(EXAMPLES / name)]).sources
    whole = hold(sources, [(chunk_bytes, 3), (1 << 20, 1)])
    assert_counts_alike(run(sources, chunk_bytes=90_000, needed=light()), whole)


@pytest.mark.parametrize("queue_ids", ["short", "long"])
@pytest.mark.parametrize("days", ["0.05", "40"])
def test_generated_logs(tmp_path: Path, queue_ids: str, days: str) -> None:
    """A rush in which ids come back within seconds, and weeks in which messages expire."""
    path = generated(tmp_path, "--lines", "3000", "--days", days, "--queue-ids", queue_ids, "--seed", "11")
    hold([source(path, mtime=datetime(2026, 6, 1))], [(40_000, 1), (100_000, 2)])


def test_what_is_counted_does_not_depend_on_which_fields_are_captured(tmp_path: Path) -> None:
    path = generated(tmp_path, "--lines", "3000", "--queue-ids", "short", "--seed", "3")
    sources = [source(path, mtime=datetime(2026, 6, 1))]
    assert_counts_alike(run(sources, needed=light()), run(sources))


def assert_counts_alike(one: Run, two: Run) -> None:
    """The tallies of a run that captures the needed fields only are those of one that captures all."""
    assert one.totals == two.totals
    first, second = one.tallies, two.tallies
    assert [name for name in first if first[name] != second[name]] == []


@settings(max_examples=examples(4, most=60), deadline=None)
@given(st.integers(0, 2_500), st.integers(200, 6_000), st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_cut_of_lines_that_are_dealt_out_to_files(
    tmp_path_factory: pytest.TempPathFactory,
    begin: int,
    chunk_bytes: int,
    chunks_a_batch: int,
    random: Random,
) -> None:
    """Some lines of an example in one file, and in two that overlap in time: as whole and in chunks."""
    folder = tmp_path_factory.mktemp("dealt")
    lines = (EXAMPLES / "postfix" / "mail.log").read_bytes().splitlines(keepends=True)[begin : begin + 80]
    # In files of their own, lines of one second would change places.
    lines = [line for number, line in enumerate(lines) if number == 0 or line[:15] != lines[number - 1][:15]]
    dealt: list[list[bytes]] = [[], []]
    for line in lines:
        random.choice(dealt).append(line)
    sources = []
    for name, part in (("all", lines), ("one", dealt[0]), ("two", dealt[1])):
        (folder / name).write_bytes(b"".join(part))
        sources.append(source(folder / name))
    whole = run(sources[:1])
    assert_same(run(sources[:1], chunk_bytes=chunk_bytes, chunks_a_batch=chunks_a_batch), whole)
    assert_same(run(sources[1:], chunk_bytes=chunk_bytes, chunks_a_batch=chunks_a_batch), whole)
