"""Lines that stand for several are read as those, and stay one line."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import Run, pipeline, source

from mailscope.recognise import repeated
from mailscope.tallies.ledger import Ledger

LOGIN = "warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: authentication failure"
REJECT = (
    "NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 <a@example.org>: Relay access denied; "
    "from=<b@example.net> to=<a@example.org> proto=ESMTP helo=<x>"
)


def line(text: str, program: str = "postfix/smtpd[10]") -> str:
    return f"2026-11-22T03:42:44Z mail {program}: {text}\n"


def run(folder: Path, *lines: str) -> Run:
    path = folder / "mail.log"
    path.write_text("".join(lines), encoding="utf-8")
    ledger, batches = Ledger(), []
    for batch, outcome in pipeline([source(path)]).follow():
        ledger.add(batch, outcome)
        batches += [batch] if batch else []
    return Run(ledger, batches)


def told(found: Run) -> list[tuple[int, str]]:
    """Line numbers and events."""
    return sorted(
        (int(events.number[row]), part.pattern.event)
        for batch in found.batches
        for events in batch
        for part in events.parts
        for row in part.frame["row"]
    )


def totals(found: Run) -> dict[str, Any]:
    names = ("read", "recognised", "unrecognised")
    return {name: found.ledger.totals[name] for name in names}


def test_the_line_within_is_read_as_often_as_it_came(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        line(LOGIN),
        line(f"message repeated 3 times: [ {LOGIN}]"),
        line("lost connection after AUTH from x[192.0.2.1]"),
    )
    assert told(found) == [(1, "login_failed"), *[(2, "login_failed")] * 3, (3, "connection_lost")]
    assert totals(found) == {"read": 3, "recognised": 3, "unrecognised": 0}
    [[events]] = found.batches
    assert events.text[1] == LOGIN
    assert events.raw[1].endswith(f"message repeated 3 times: [ {LOGIN}]")
    table = events.table(["login_failed"], ["client_ip"], core=True)
    assert table["client_ip"].to_list() == ["192.0.2.66"] * 4
    assert table["pid"].to_list() == [10] * 4


def test_what_is_counted_is_what_would_have_been_counted(tmp_path: Path) -> None:
    short = run(
        tmp_path,
        line(LOGIN),
        line(f"message repeated 3 times: [ {LOGIN}]"),
        line(f"message repeated 2 times: [ {REJECT}]"),
    )
    long = run(tmp_path, *[line(LOGIN)] * 4, *[line(REJECT)] * 2)
    for name in ("login_failures", "logins", "verdicts_by_time", "losses"):
        assert short.ledger.result(name).to_dicts() == long.ledger.result(name).to_dicts(), name
    assert short.ledger.result("login_failures")["count"].to_list() == [4]
    assert [event for _, event in told(short)] == [event for _, event in told(long)]


@pytest.mark.parametrize(
    "text",
    [
        "message repeated 2 times: [ 4B5C61F00D: removed]",
        "message repeated 2 times: [ no pattern knows this]",
        f"message repeated 2 times: [ warning: {'x' * 795}]",
        "message repeated 10001 times: [ connect from x[192.0.2.1]]",
        "message repeated 99999999999999999999 times: [ connect from x[192.0.2.1]]",
        "message repeated 2 times: [ message repeated 2 times: [ connect from x[192.0.2.1]]]",
    ],
)
def test_what_cannot_be_read_so_is_told_as_lost(tmp_path: Path, text: str) -> None:
    found = run(tmp_path, line(text))
    assert told(found) == [(1, "lines_lost")]
    assert totals(found) == {"read": 1, "recognised": 1, "unrecognised": 0}


def test_what_only_looks_like_it_is_not_guessed_at(tmp_path: Path) -> None:
    found = run(tmp_path, line("message repeated many times: [ connect from x[192.0.2.1]]"))
    assert told(found) == []
    assert totals(found) == {"read": 1, "recognised": 0, "unrecognised": 1}


def test_one_chunk_is_not_unfolded_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "MOST_EVENTS", 5)
    found = run(tmp_path, *[line(f"message repeated 2 times: [ {LOGIN}]")] * 3)
    assert told(found) == [*[(1, "login_failed")] * 2, *[(2, "login_failed")] * 2, (3, "lines_lost")]


def test_the_classic_form_names_no_line_and_is_told_as_lost(tmp_path: Path) -> None:
    found = run(tmp_path, line(LOGIN), "2026-11-22T03:42:45Z mail last message repeated 2 times\n")
    assert told(found) == [(1, "login_failed"), (2, "lines_lost")]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from([LOGIN, REJECT, "4B5C61F00D: removed", "gibberish"]), st.integers(0, 4)),
        max_size=12,
    )
)
def test_every_line_is_counted_once(lines: list[tuple[str, int]]) -> None:
    texts = [
        line(text if times == 0 else f"message repeated {times} times: [ {text}]") for text, times in lines
    ]
    with TemporaryDirectory() as folder:
        found = run(Path(folder), *texts)
    sums = found.ledger.totals
    assert sums.get("read", 0) == len(texts) == sums.get("recognised", 0) + sums.get("unrecognised", 0)


def test_what_rsyslog_itself_wrote(tmp_path: Path) -> None:
    """rsyslogd 8 with $RepeatedMsgReduction, given 4 equal logins, 3 equal long warnings, and others between."""
    log = Path(__file__).parents[1] / "data" / "rsyslog-repeated.log"
    found = run(tmp_path, log.read_text())
    assert told(found) == [
        *[(1, "login_failed"), (2, "login_failed"), (2, "login_failed"), (2, "login_failed")],
        *[(3, "disconnected"), (4, "warned"), (5, "lines_lost"), (6, "disconnected")],
    ]
