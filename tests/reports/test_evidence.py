"""Every number can be opened, and as many lines come out as it says."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from replaying import Replay, replay

from mailscope.recognise.library import in_force
from mailscope.reports.evidence import lines, parse
from mailscope.reports.section import Section
from mailscope.reports.sections import BY_NAME, SECTIONS
from mailscope.tallies.registry import BY_NAME as TALLIES
from mailscope.tallies.tables import TABLES_OF_LINES
from mailscope.vocabulary.errors import UsageError

OF_LINES = TABLES_OF_LINES | {"lines"}


def opened(run: Replay, asked: str) -> list[str]:
    return list(lines(run.pipeline, parse(asked, run.ledger, "UTC"), run.ledger, "UTC"))


def counts_lines(section: Section, name: str) -> bool:
    number = section.openable[name]
    return number.opens and TALLIES[number.tally].table in OF_LINES


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_as_many_lines_come_out_as_the_number_says(section: Section, examples: Replay) -> None:
    rows = section.rows(examples.ledger, "UTC")
    for name in section.openable:
        if not counts_lines(section, name):
            continue
        for place, row in enumerate(rows.head(12).iter_rows(named=True), start=1):
            assert len(opened(examples, f"{section.name}:{place}:{name}")) == row[name], (place, name)
        if section.name != "delays":
            assert len(opened(examples, f"{section.name}:all:{name}")) == rows[name].sum()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_messages_behind_a_number_show_their_lines(section: Section, examples: Replay) -> None:
    rows = section.rows(examples.ledger, "UTC")
    for name in section.openable:
        if TALLIES[section.openable[name].tally].table in OF_LINES or not len(rows):
            continue
        place, number = next((p, row[name]) for p, row in enumerate(rows.to_dicts(), start=1) if row[name])
        found = opened(examples, f"{section.name}:{place}:{name}")
        assert len(found) >= number


def test_lines_of_the_wanted_kind_come_out(examples: Replay) -> None:
    assert all("status=bounced" in line or "failure:" in line for line in opened(examples, "bounces"))
    assert all("reject" in line or "rate limit" in line for line in opened(examples, "rejects"))
    assert all("root" in line for line in opened(examples, "unrecognised:root"))
    assert all("from=<bob@lab.example>" in line for line in opened(examples, "top_senders:bob@lab.example"))
    expired = opened(examples, "fates:expired")
    assert sum("status=expired" in line for line in expired) == 12
    assert any("client=" in line or "uid=" in line for line in expired)


def test_a_row_is_named_by_number_or_by_label(examples: Replay) -> None:
    rows = BY_NAME["relays"].rows(examples.ledger, "UTC")
    assert opened(examples, "relays:1") == opened(examples, f"relays:{rows['relay'][0]}")
    assert opened(examples, "relays:deferred") == opened(examples, "relays:all:deferred")


def test_hours_are_named_as_in_the_json(examples: Replay) -> None:
    first = examples.report()["by_hour"]["rows"][0]
    named = opened(examples, f"by_hour:{first['hour']}:deferred")
    assert len(named) == first["deferred"]


def test_slow_deliveries_can_be_opened(examples: Replay) -> None:
    late = opened(examples, "delays:total:p95_s")
    total = examples.report()["delays"]["rows"][0]
    assert 0 < len(late) <= total["deliveries"] // 10
    assert len(opened(examples, "delays:total:max_s")) < len(late)


def test_lost_lines_can_be_opened(tmp_path: Path) -> None:
    patterns = tmp_path / "patterns"
    patterns.mkdir()
    (patterns / "rsyslogd.toml").write_text(
        "[program]\nname = 'rsyslogd'\nservice = 'rsyslogd'\ntags = ['rsyslogd']\n"
        "[[event]]\nevent = 'lines_lost'\nmatch = 'imuxsock lost {value} messages from pid {subject_pid}'\n"
        "meaning = 'The rate limit of the socket was exceeded.'\n"
        "[[event.example]]\ntext = 'imuxsock lost 7 messages from pid 12'\n"
        "fields = { value = 7, subject_pid = 12 }\n"
    )
    log = tmp_path / "mail.log"
    log.write_text("Nov 20 10:00:00 mail rsyslogd: imuxsock lost 7 messages from pid 1234\n" * 3)
    run = replay(log, patterns=in_force(patterns))
    report = run.report()
    assert report["log_loss"]["totals"] == {"notes": 3}
    assert report["problems"][0]["section"] == "log_loss"
    assert len(opened(run, "log_loss:1")) == 3


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("nonsense", "there is no section 'nonsense'"),
        ("rejects:no such reason", "has no row 'no such reason'"),
        ("rejects:100000", "has no row '100000'"),
        ("by_hour:1:bytes", "has no row '1:bytes'"),
        ("delays:total:median_s", "has no row 'total:median_s'"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_is(asked: str, told: str, examples: Replay) -> None:
    with pytest.raises(UsageError, match="--evidence") as caught:
        parse(asked, examples.ledger, "UTC")
    assert told in str(caught.value)


def test_tables_of_lines_have_the_rank_of_their_lines(examples: Replay) -> None:
    from mailscope.tallies.tables import tables

    for batch, outcome in examples.follow():
        for name, frame in tables(batch, outcome):
            assert ("order" in frame.columns) == (name in TABLES_OF_LINES)
            if name in TABLES_OF_LINES:
                assert frame["order"].dtype == pl.UInt32
