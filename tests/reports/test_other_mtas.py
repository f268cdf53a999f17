"""Logs that Exim 4.96, Sendmail 8.17.1 and OpenSMTPD 6.8.0 wrote of one series of messages (tests/data/mtas).

The figures were counted from the logs by hand and with grep.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from replaying import Replay, replay

from mailscope.reports import balance

DATA = Path(__file__).parents[1] / "data" / "mtas"
FILES = {"exim": "exim-mainlog", "sendmail": "sendmail.log", "opensmtpd": "opensmtpd.log"}


@pytest.fixture(scope="module", params=FILES)
def mta(request: pytest.FixtureRequest) -> tuple[str, Replay]:
    return request.param, replay(DATA / FILES[request.param])


def test_the_balance_adds_up(mta: tuple[str, Replay]) -> None:
    name, run = mta
    assert [each.remainder for each in balance.equations(run.ledger)] == [0, 0, 0, 0]
    wanted = {
        # Lines with "<="; those that name what they are about (R=) were made here; lines with "Completed".
        "exim": {"accepted": 17, "received": 15, "internal": 2, "finished": 13, "open": 4},
        # Lines with "nrcpts=" and more than none; "DSN:" makes a message too; no line tells the end.
        "sendmail": {"accepted": 23, "received": 20, "internal": 3, "finished": 18, "open": 5},
        "opensmtpd": {"accepted": 19, "received": 19, "internal": 0, "finished": 14, "open": 5},
    }[name]
    found = balance.messages(run.ledger)
    assert {key: found[key] for key in wanted} == wanted
    assert found["before_log"] == 0


def test_recipients_and_their_fates(mta: tuple[str, Replay]) -> None:
    name, run = mta
    wanted = {
        "exim": {"sent": 12, "bounced": 4, "deleted": 2, "discarded": 1, "queued": 3},
        "sendmail": {"sent": 20, "bounced": 3, "queued": 5},
        "opensmtpd": {"sent": 16, "bounced": 3, "queued": 5},
    }[name]
    found = balance.recipients(run.ledger)
    assert {key: found[key] for key in wanted} == wanted
    assert found["total"] == sum(wanted.values())


def test_every_line_is_known(mta: tuple[str, Replay]) -> None:
    _, run = mta
    unknown = balance.lines(run.ledger)["unrecognised"]
    # Exim's warning about TLS goes on in a line without a stamp, each time it starts.
    assert unknown == (2 if mta[0] == "exim" else 0)


def test_the_same_refusals_in_mainlog_and_rejectlog_count_once() -> None:
    both = replay(DATA / "exim-mainlog", DATA / "exim-rejectlog")
    alone = replay(DATA / "exim-mainlog")
    # A malformed command is in the rejectlog only (log_selector = smtp_syntax_error is off).
    assert both.ledger.result("verdicts")["count"].sum() == alone.ledger.result("verdicts")["count"].sum() + 1
    # Of the headers below a refused message, one goes on in a line that could be anybody's.
    assert balance.lines(both.ledger)["unrecognised"] == balance.lines(alone.ledger)["unrecognised"] + 1
