"""The registry of sections, and what the sections say of the example logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from replaying import Replay

from mailscope.reports import sections
from mailscope.reports.section import Section
from mailscope.reports.sections import SECTIONS
from mailscope.tallies.keys import column
from mailscope.tallies.registry import BY_NAME as TALLIES


@pytest.fixture(scope="module")
def report(examples: Replay) -> dict[str, Any]:
    return examples.report()


def test_every_file_of_the_folder_is_in_the_registry() -> None:
    folder = Path(sections.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    declared: set[str] = set()
    for name in files:
        module = getattr(sections, name)
        own = [value for value in vars(module).values() if isinstance(value, Section)]
        assert own, f"{name}.py declares no section"
        assert all(section in SECTIONS for section in own), name
        declared |= {section.name for section in own}
    assert declared == {section.name for section in SECTIONS}
    assert len(declared) == len(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_numbers_are_measures_of_declared_tallies(section: Section) -> None:
    assert section.title
    assert section.meaning.endswith(".")
    for number in section.numbers:
        tally = TALLIES[number.tally]
        assert number.measure in {measure.name for measure in tally.measures}
    assert section.openable, "a section whose numbers cannot be opened"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_labels_do_not_hide_a_key_of_the_tally(section: Section) -> None:
    for number in section.numbers:
        keys = {column(name) for name in TALLIES[number.tally].keys}
        hiding = [label.name for label in section.labels if label.of is not None and label.name in keys]
        assert not hiding


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_rows_carry_what_is_declared(section: Section, report: dict[str, Any]) -> None:
    table = report[section.name]
    shown = [number for number in section.numbers if not number.hidden]
    names = ["row", *(label.name for label in section.labels), *(number.name for number in shown)]
    assert all(list(row) == names for row in table["rows"])
    assert [row["row"] for row in table["rows"]] == list(range(1, len(table["rows"]) + 1))
    assert [number["tally"] for number in table["numbers"]] == [number.tally for number in shown]


def test_names_of_sections_are_free_in_the_report(report: dict[str, Any]) -> None:
    own = {"mailscope", "period", "lines", "messages", "recipients", "attempts", "rejected", "balance"}
    assert not own & {section.name for section in SECTIONS}
    assert own <= set(report)


def test_top_limits_rows_but_not_totals(examples: Replay) -> None:
    few, all_ = examples.report(top=3), examples.report(top=0)
    assert len(few["top_recipients"]["rows"]) == 3
    assert few["top_recipients"]["rows"] == all_["top_recipients"]["rows"][:3]
    assert few["top_recipients"]["totals"] == all_["top_recipients"]["totals"]
    assert few["top_recipients"]["rows_total"] == len(all_["top_recipients"]["rows"])
    assert few["by_hour"]["rows"] == all_["by_hour"]["rows"]


def test_tables_agree_with_each_other(report: dict[str, Any]) -> None:
    message, attempt = report["messages"], report["attempts"]
    for volume in ("by_day", "by_hour", "by_hour_of_day"):
        totals = report[volume]["totals"]
        assert totals["received"] == message["received"]
        assert totals["bytes"] == message["received_bytes"]
        assert totals["delivered"] == attempt["sent"] - attempt["forwarded"]
        assert totals["rejected"] == report["rejected"]["total"]
    assert report["messages_by_origin"]["totals"]["messages"] == message["passes"]
    assert report["fates"]["totals"]["recipients"] == report["recipients"]["total"]
    for table in ("top_recipients", "recipient_domains", "relays"):
        totals = report[table]["totals"]
        assert totals["sent"] == attempt["sent"]
        assert totals["deferred"] == report["deferrals"]["totals"]["attempts"] == attempt["deferred"]
        assert totals["bounced"] == report["bounces"]["totals"]["attempts"] == attempt["bounced"]
    assert report["top_senders"]["totals"] == report["sender_domains"]["totals"]
    programs = report["programs"]["totals"]
    assert programs["lines"] == report["lines"]["recognised"] + report["lines"]["unrecognised"]
    assert programs["unrecognised"] == report["unrecognised"]["totals"]["lines"]
    failures = report["login_failures_by_client"]["totals"]["failures"]
    assert failures == report["login_failures_by_user"]["totals"]["failures"]
    assert failures == report["logins"]["totals"]["failed"]


def test_delays_are_in_order(report: dict[str, Any]) -> None:
    rows = {row["stage"]: row for row in report["delays"]["rows"]}
    assert list(rows) == ["total", "before_queue", "in_queue", "connect", "transmit"]
    for row in rows.values():
        assert row["median_s"] <= row["p95_s"] <= row["max_s"]
    assert rows["total"]["max_s"] == 727.0


def test_domains_are_told_in_lower_case_and_without_one_kept_apart(report: dict[str, Any]) -> None:
    domains = [row["domain"] for row in report["sender_domains"]["rows"]]
    assert "" in domains
    assert all(domain == domain.lower() for domain in domains if domain)
