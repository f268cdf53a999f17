"""One domain's view: whose mail counts, from which batch on it is known, and that its numbers open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from running import at, light, pipeline, postfix, run, source

from mailscope.cli.main import mailscope
from mailscope.tallies.domain import DomainView
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tables import needed_fields

LOG = """
    10:00:00 smtpd 4A0F1C0DA: client=a.example.com[192.0.2.1]
    10:00:01 qmgr 4A0F1C0DA: from=<x@example.com>, size=100, nrcpt=2 (queue active)
    10:00:02 smtpd 4A0F1C0DB: client=a.example.com[192.0.2.1]
    10:00:03 qmgr 4A0F1C0DB: from=<x@example.com>, size=200, nrcpt=1 (queue active)
    10:00:04 smtp 4A0F1C0DA: to=<a@Example.org>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)
    10:00:04 smtp 4A0F1C0DA: to=<b@example.net>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)
    10:00:05 smtp 4A0F1C0DB: to=<b@example.net>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)
    10:00:06 qmgr 4A0F1C0DA: removed
    10:00:06 qmgr 4A0F1C0DB: removed
    10:00:07 smtpd 4A0F1C0DC: client=b.example.org[192.0.2.2], sasl_method=PLAIN, sasl_username=u@example.org
    10:00:08 qmgr 4A0F1C0DC: from=<u@example.org>, size=400, nrcpt=1 (queue active)
    10:00:09 smtp 4A0F1C0DC: to=<c@example.net>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (no)
    10:00:10 smtpd NOQUEUE: reject: RCPT from d[192.0.2.3]: 550 5.1.1 <n@example.org>: Recipient address rejected: User unknown; from=<z@example.net> to=<n@example.org> proto=ESMTP helo=<d>
    10:00:11 smtpd NOQUEUE: reject: RCPT from d[192.0.2.3]: 550 5.1.1 <n@example.com>: Recipient address rejected: User unknown; from=<z@example.net> to=<n@example.com> proto=ESMTP helo=<d>
"""


def counted(path: Path, chunk_bytes: int) -> Ledger:
    flow = pipeline([source(path)], chunk_bytes=chunk_bytes, needed=needed_fields(addresses=True))
    ledger = Ledger(view=DomainView(["example.org"]))
    for batch, outcome in flow.follow():
        ledger.add(batch, outcome)
    return ledger


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(postfix(LOG))
    return path


def test_mail_from_and_to_the_domain_counts_however_the_log_is_cut(log: Path) -> None:
    whole, cut = counted(log, 1 << 20), counted(log, 1)
    for name in ("arrivals", "senders", "recipients", "messages", "fates", "verdicts", "users"):
        columns = [column for column in whole.result(name).columns if column != "first_negated"]
        assert (
            whole.result(name)
            .select(columns)
            .sort(columns)
            .equals(cut.result(name).select(columns).sort(columns))
        ), name
    assert whole.result("senders")["sender"].sort().to_list() == ["u@example.org", "x@example.com"]
    assert whole.result("senders")["bytes"].sum() == 500
    assert whole.result("recipients")["recipient"].sort().to_list() == ["a@Example.org", "c@example.net"]
    assert whole.result("messages")["count"].sum() == 2
    assert whole.result("verdicts")["count"].sum() == 1
    # Lines are those of all mail.
    assert whole.totals["read"] == len(log.read_text().splitlines())


def test_all_other_tallies_are_as_without_a_view_for_a_domain_of_all_mail(log: Path) -> None:
    log.write_text(
        log.read_text().replace("example.com", "example.org").replace("example.net", "Example.org")
    )
    plain = run([source(log)], needed=light()).ledger
    viewed = counted(log, 1)
    for name in ("arrivals", "senders", "recipients", "relays", "reasons", "fates", "verdicts", "received"):
        assert viewed.result(name).sort(pl.all()).equals(plain.result(name).sort(pl.all())), name


def test_the_report_adds_up_and_its_numbers_open(log: Path) -> None:
    def report(*words: str) -> str:
        done = CliRunner().invoke(
            mailscope, ["report", "--tz", "UTC", "--domain", "EXAMPLE.org", *words, str(log)]
        )
        assert done.exit_code == 0, done.output
        return done.output

    found: dict[str, Any] = json.loads(report("--format", "json"))
    assert found["domains"] == ["example.org"]
    assert [equation["remainder"] for equation in found["balance"]] == [0, 0, 0, 0]
    assert found["messages"]["accepted"] == 2
    opened = report("--evidence", "top_senders:messages").splitlines()
    assert [line.split(": ")[1] for line in opened] == ["4A0F1C0DA", "4A0F1C0DC"]
    assert opened[0].startswith(at("10:00:01").isoformat())
    assert "only mail of example.org" in report()
