"""qmailanalog's filters: the lab's golden outputs byte for byte, and the originals where they are installed."""

from __future__ import annotations

import os
import subprocess
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from analog import AWK, BY_NAME, GOLDEN, ORIGINALS, log, match, original, records, run
from hypothesis import given, settings
from hypothesis import strategies as st

from mailscope.reports.compat.qmailanalog import ordering
from mailscope.reports.compat.qmailanalog.columnt import columnt
from mailscope.reports.compat.qmailanalog.numbers import less, number, numbers, numeric, printed, unescaped
from mailscope.reports.compat.qmailanalog.selections import xqp, xrecipient, xsender

# Their order is that of awk's hash table.
UNSORTED = ("deferrals", "failures", "successes", "recipients", "rhosts", "senders", "suids")
LOGS = ("", "-splogger")


@pytest.mark.parametrize("which", LOGS)
@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith("z")])
def test_the_reports_are_those_of_the_original(name: str, which: str) -> None:
    matched = (GOLDEN / f"matchup{which}.out").read_bytes()
    assert run(name, matched) == (GOLDEN / f"{name}{which}.out").read_bytes()


@pytest.mark.parametrize("which", LOGS)
def test_matchup_is_that_of_the_original(which: str) -> None:
    out, pending = match((GOLDEN / f"input{which}.frac").read_bytes())
    assert out == (GOLDEN / f"matchup{which}.out").read_bytes()
    assert pending == (GOLDEN / f"matchup{which}.fd5").read_bytes()


def test_the_selections_are_those_of_the_original() -> None:
    matched = (GOLDEN / "matchup.out").read_bytes()
    sender = xsender(BytesIO(matched), b"alice@qm.lab.example")
    assert b"".join(line + b"\n" for line in sender) == (GOLDEN / "xsender-alice.out").read_bytes()
    recipient = xrecipient(BytesIO(matched), b"local.alice@qm.lab.example")
    assert b"".join(line + b"\n" for line in recipient) == (GOLDEN / "xrecipient-alice.out").read_bytes()
    assert (
        b"".join(line + b"\n" for line in xqp(BytesIO(matched), b"29137"))
        == (GOLDEN / "xqp.out").read_bytes()
    )


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_in_is_no_error(name: str) -> None:
    out = run(name, b"")
    assert not out or name.startswith("z")
    assert run(name, b"\n") in (out, b"\n", b"-nan  \n")


def test_a_stage_keeps_the_order_of_first_sight() -> None:
    lines = b"d z 1 2 3 0 <> local.b ? ? second\nd z 1 2 3.5 0 <> local.a ? ? first\nd z 1 2 3 0 <> local.b ? ? second\n"
    assert run("deferrals", lines) == b"2 2.00 second\n1 1.50 first\n"
    assert run("zdeferrals", lines).endswith(
        b"del  xdelay  reason\n  1    1.50  first\n  2    2.00  second\n"
    )


def test_whole_numbers_are_printed_in_full() -> None:
    lines = b"m 1 2 5000000000 1 0 0 <> 1 2\n"
    assert b"Bytes in completed messages: 5000000000\n" in run("zoverall", lines)


def test_division_by_zero_is_shown() -> None:
    assert run("rxdelay", b"0 0 0 1.00 local.a\n0 0 0 0.00 local.b\n") == b"-nan 0 local.b\ninf 0 local.a\n"


def test_table_of_uneven_rows() -> None:
    assert columnt([b"a bb  c", b"", b" 1\t2", b"10 x y"]) == b" a  bb  c\n\n 1   2  \n10   x  y\n"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("ab01. -\t_", max_size=12), max_size=12))
def test_orders_are_those_of_sort(texts: list[str]) -> None:
    lines = [text.encode() for text in texts]
    data = b"".join(line + b"\n" for line in lines)
    for options, key in (
        (("-n",), ordering.by_value),
        (("-k2",), lambda line: ordering.by_text_from(2, line)),
        (("-k4",), lambda line: ordering.by_text_from(4, line)),
        (("-n", "-k7"), lambda line: ordering.by_value_from(7, line)),
    ):
        done = subprocess.run(
            ["sort", *options], input=data, capture_output=True, env={"LC_ALL": "C"}, check=True
        )
        assert done.stdout == b"".join(line + b"\n" for line in sorted(lines, key=key)), options


def test_numbers_are_read_as_awk_reads_them() -> None:
    texts = [
        b"12abc",
        b"1e3",
        b"+5",
        b".5",
        b"5.",
        b"x",
        b"",
        b"1_0",
        b"nan",
        b"inf",
        b"0x10",
        b"-0.5",
        b"1e",
    ]
    values = [12, 1000, 5, 0.5, 5, 0, 0, 1, 0, 0, 0, -0.5, 1]
    assert [number(text) for text in texts] == values
    assert numbers(texts) == values
    assert numeric(b"12abc") is numeric(b"inf") is numeric(b"") is None
    assert less(b"9", b"10")
    assert less(b"10", b"9x")
    assert [printed(value) for value in (0.1 + 0.2, 1e-5, 2.0**53, 1234567.5, -0.0)] == [
        b"0.3",
        b"1e-05",
        b"9007199254740992",
        b"1.23457e+06",
        b"0",
    ]
    assert unescaped(rb"a\tb\\c\101\"\q") == b'a\tb\\cA"q'


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_blocks_of_any_size_give_the_same(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = records(Random(1), 300)
    whole = {name: run(name, data) for name in BY_NAME}
    monkeypatch.setattr("mailscope.reports.compat.qmailanalog.records.BLOCK_BYTES", size)
    assert {name: run(name, data) for name in BY_NAME} == whole


@pytest.mark.skipif(
    not (ORIGINALS / "zoverall").exists() or not AWK, reason="no qmailanalog, or no one true awk"
)
@settings(max_examples=8, deadline=None)
@given(st.integers(min_value=0))
def test_the_originals_give_the_same(seed: int) -> None:
    random = Random(seed)
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"mailscope-awk-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    awk = folder / "awk"
    if not awk.exists():
        awk.symlink_to(str(AWK))
    try:
        _compare(random, folder)
    finally:
        awk.unlink()
        folder.rmdir()


def _compare(random: Random, folder: Path) -> None:
    data = log(random, random.choice((5, 60, 400))).removesuffix(random.choice((b"", b"\n")))
    command = f"exec {ORIGINALS / 'matchup'} 5>&2"
    done = subprocess.run(["sh", "-c", command], input=data, capture_output=True, check=True)
    matched, pending = match(data)
    assert (matched, pending) == (done.stdout, done.stderr)
    for lines in (matched.replace(b"\0", b""), records(random, random.choice((1, 20, 200, 3000)))):
        for name in BY_NAME:
            given_lines = run("recipients", lines) if name == "rxdelay" else lines
            theirs, ours = original(name, given_lines, folder=folder), run(name, given_lines)
            if name in UNSORTED and theirs is not None:
                theirs, ours = (b"\n".join(sorted(each.split(b"\n"))) for each in (theirs, ours))
            assert theirs in (ours, None), name
        for name, select, argument in (
            ("xsender", xsender, random.choice((b"bob@example.net", b"", b"o\xe9@example.com"))),
            ("xrecipient", xrecipient, random.choice((b"local.plain", b".5", b"0"))),
            ("xqp", xqp, random.choice((b"1", b"01", b"3.0", b"1e0", b"?", rb"\63"))),
        ):
            selected = b"".join(line + b"\n" for line in select(BytesIO(lines), argument))
            assert selected == original(name, lines, argument, folder=folder), (name, argument)
