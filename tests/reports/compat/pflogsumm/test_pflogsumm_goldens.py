"""Our report beside what both releases wrote on the test bench, where neither need be installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pflogsumm_ours import made
from pflogsumm_ties import settled

LAB = Path(__file__).parents[5] / "shared" / "lab" / "postfix"
NOW = "2026-11-22 12:00:00"
# What each option's name meant there (the bench's options.txt and NOTES.txt).
CURRENT = {
    "default": "", "verbose": "--verbose-msg-detail", "zero": "--zero-fill", "iso": "--iso-date-time",
    "problems": "--problems-first", "stats": "--smtpd-stats --pscrn-stats", "detail5": "--detail 5", "ext": "-e",
    "host5user5": "-h 5 -u 5", "rejfromto": "--rej-add-from --rej-add-to",
    "quiet": "-q --bounce-detail 0 --deferral-detail 0 --reject-detail 0",
    "colwidth": "--colwidth 120 --verbose-msg-detail", "origto": "--use-orig-to --ignore-case",
    "warn3": "--warning-detail 3 --expired-detail 2 --pscrn-detail 4",
    "all": "--verbose-msg-detail --zero-fill --iso-date-time --problems-first --smtpd-stats --pscrn-stats -e",
}  # fmt: skip
OLDER = {
    "default": "", "verbose": "--verbose-msg-detail", "zero": "--zero-fill", "iso": "--iso-date-time",
    "smtpd": "--smtpd-stats --smtpd-warning-detail 5", "today": "-d today", "yday": "-d yesterday",
    "all": "--verbose-msg-detail --zero-fill --iso-date-time",
}  # fmt: skip
OLDER_LOGS = {
    "full-run-bsd": "full-run.mail.log.bsd", "full-run-rfc3339": "full-run.mail.log.rfc3339",
    "multiday": "multiday.mail.log.bsd", "phaseA-bsd": "phaseA.mail.log.bsd",
}  # fmt: skip
# Of this log the bench kept the report without a limit.
UNLIMITED = {("multiday", "smtpd"): "--smtpd-stats"}
CURRENT_LOGS = ("full-run.mail.log.rfc3339", "multiday.mail.log.bsd", "phaseA.mail.log.bsd")
CASES = [
    ("1.3.0", log, words, f"pflogsumm-1.3.0/{log}.{name}.txt")
    for log in CURRENT_LOGS
    for name, words in CURRENT.items()
] + [
    ("1.1.5", log, UNLIMITED.get((short, name), words), f"pflogsumm/{short}.{name}.txt")
    for short, log in OLDER_LOGS.items()
    for name, words in OLDER.items()
]


@pytest.mark.parametrize(("release", "log", "words", "golden"), CASES, ids=[case[3] for case in CASES])
def test_the_same_as_on_the_bench(release: str, log: str, words: str, golden: str) -> None:
    if not LAB.is_dir():
        pytest.skip("the lab's logs are not here")
    ours = made(release, [*words.split(), str(LAB / log)], NOW)
    assert settled(ours, release) == settled((LAB / golden).read_text(encoding="latin-1"), release)
