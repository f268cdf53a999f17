"""docs/agreement.md says what pflogsumm, qmailanalog and we say today; what should be equal is equal."""

from __future__ import annotations

import re
from pathlib import Path

import agreement
import polars as pl
import pytest
from agreement import LAB, POSTFIX_LOGS, Ours

pytestmark = pytest.mark.skipif(not LAB.is_dir(), reason="the other programs' output is not at hand")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ours]:
    scratch = tmp_path_factory.mktemp("agreement")
    return {name: agreement.read_postfix(name, scratch) for name in POSTFIX_LOGS}


@pytest.fixture(scope="module")
def qmail() -> Ours:
    return agreement.read(LAB / "qmail" / "multilog-all.tai64n")


@pytest.mark.parametrize("name", POSTFIX_LOGS)
def test_table_of_postfix_log_is_as_documented(name: str, logs: dict[str, Ours]) -> None:
    documented = agreement.documented(f"{name}.mail.log.bsd")
    compared = agreement.compared(name, logs[name])
    assert {line: row[:3] for line, row in documented.items()} == compared
    for line, (*figures, why) in documented.items():
        differ = len(set(figures) - {"-"}) > 1
        assert differ == (why != "all agree"), line


@pytest.mark.parametrize("name", POSTFIX_LOGS)
def test_nothing_of_postfix_is_unrecognised_and_all_adds_up(name: str, logs: dict[str, Ours]) -> None:
    report = logs[name].report
    assert report["lines"]["unrecognised"] == 0
    assert [equation["remainder"] for equation in report["balance"]] == [0, 0, 0, 0]


@pytest.mark.parametrize("name", POSTFIX_LOGS)
def test_messages_that_pflogsumm_counts_as_received_are_accounted_for(
    name: str, logs: dict[str, Ours]
) -> None:
    given = next(found for found in logs[name].report["balance"] if found["name"] == "queue ids given")
    lines = (LAB / "postfix" / f"{name}.mail.log.bsd").read_text(errors="replace")
    proxied = len(re.findall(r"smtpd\[[0-9]+\]: NOQUEUE: client=", lines))
    unknown_service = len(
        re.findall(r"postfix/submission-plain/smtpd\[[0-9]+\]: [0-9A-Za-z]+: client=", lines)
    )
    theirs = int(agreement.totals(agreement.golden(name, "1.1.5"))["received"])
    assert theirs == sum(given["parts"].values()) + proxied - unknown_service
    part = (
        agreement.DOCUMENT.read_text(encoding="utf-8").partition("\n## Received\n")[2].partition("\n## ")[0]
    )
    column = 2 if name == "phaseA" else 1
    told = [
        int(row.strip("|").split("|")[column]) for row in part.splitlines() if re.search(r"[0-9] \|$", row)
    ]
    assert told == [*given["parts"].values(), proxied, -unknown_service, theirs]


@pytest.mark.parametrize("name", ["full-run", "phaseA"])
def test_rejects_are_accounted_for(name: str, logs: dict[str, Ours]) -> None:
    verdicts = logs[name].ledger.result("verdicts").filter(pl.col("event") == "rejected")

    def count(condition: pl.Expr) -> int:
        return int(verdicts.filter(condition)["count"].sum())

    milter = (pl.col("action") == "milter-reject") & (pl.col("stage") != "END-OF-MESSAGE")
    parts = [
        int(agreement.totals(agreement.golden(name, "1.3.0"))["rejected"]),
        count(milter),
        count(pl.col("action") == "rate_limit"),
        count(pl.col("stage") == "ETRN"),
        count(pl.col("stage").is_null()),
    ]
    assert sum(parts) == logs[name].report["rejected"]["total"]
    part = (
        agreement.DOCUMENT.read_text(encoding="utf-8").partition("\n## Rejected\n")[2].partition("\n## ")[0]
    )
    column = 2 if name == "phaseA" else 1
    told = [
        int(row.strip("|").split("|")[column]) for row in part.splitlines() if re.search(r"[0-9] \|$", row)
    ]
    assert told == [*parts, sum(parts)]


@pytest.mark.parametrize("name", ["full-run", "phaseA"])
def test_recipients_by_message_count_are_pflogsumms(name: str, logs: dict[str, Ours]) -> None:
    theirs = agreement.table(agreement.golden(name, "1.3.0"), "Recipients by message count")
    delivered = logs[name].ledger.result("recipients").filter(pl.col("outcome") == "sent")
    ours = {recipient: str(count) for recipient, count in delivered.select("recipient", "count").iter_rows()}
    assert ours == theirs


@pytest.mark.parametrize("name", ["full-run", "phaseA"])
def test_deliveries_and_deferrals_by_domain_are_pflogsumms(name: str, logs: dict[str, Ours]) -> None:
    text = agreement.golden(name, "1.3.0").partition("Message Delivery (")[2].partition("\n\n")[0]
    rows = re.findall(r"^ +([0-9]+) +[0-9]+k? +([0-9]+) .* ([^ ]+)$", text, re.M)
    theirs = {host: (int(sent), int(deferred)) for sent, deferred, host in rows}
    tried = (
        logs[name]
        .ledger.result("recipients")
        .group_by(pl.col("recipient").str.extract("@([^@]*)$", 1).alias("domain"))
    )
    counted = tried.agg(
        pl.col("count").filter(pl.col("outcome") == "sent").sum().alias("sent"),
        pl.col("count").filter(pl.col("outcome") == "deferred").sum().alias("deferred"),
    )
    ours = {domain: (sent, deferred) for domain, sent, deferred in counted.iter_rows() if sent or deferred}
    assert ours == theirs


def test_senders_by_message_count_are_pflogsumms(logs: dict[str, Ours]) -> None:
    theirs = agreement.table(agreement.golden("phaseA", "1.3.0"), "Senders by message count")
    rows = logs["phaseA"].report["top_senders"]["rows"]
    assert {row["sender"] or "from=<>": str(row["messages"]) for row in rows} == theirs


def test_three_forms_of_one_log_give_one_report(tmp_path: Path) -> None:
    forms = [LAB / "postfix" / f"full-run.mail.log.{form}" for form in ("bsd", "rfc3339")]
    reports = [agreement.read(path).report for path in forms]
    for name in (
        "lines",
        "messages",
        "recipients",
        "attempts",
        "rejected",
        "balance",
        "rejects",
        "top_senders",
    ):
        assert reports[0][name] == reports[1][name], name


def test_table_of_qmailanalog_is_as_documented(qmail: Ours) -> None:
    theirs, ours = agreement.zoverall(), agreement.our_zoverall(qmail)
    documented = agreement.documented("qmailanalog zoverall")
    assert {line: row[:2] for line, row in documented.items()} == {
        line: (figure, ours.get(line, "-")) for line, figure in theirs.items()
    }
    for line, (their, our, why) in documented.items():
        assert (their == our) == (why == "agree"), line
