"""Detections on logs of days on which nothing was staged for them: what they find there is to be true."""

from __future__ import annotations

from corpora.reading import folder
from watch.watching import found_in

# Log, days that it covers, and what really was wrong on them: detection and whom it is about.
DAYS = {
    "lab/imap/courier.log.bsd": (1, set()),
    "lab/imap/dovecot.log.bsd": (1, set()),
    "lab/imap/dovecot-lmtp.log.bsd": (1, set()),
    # The file system of queue/bounce was full.
    "lab/qmail/splogger.log.bsd": (1, {("system_trouble", "qmail")}),
    # 80 and 23 failed logins of root by one client each, within minutes.
    "corpora/loghub/raw/Linux/Linux_2k.log": (
        43, {("brute_force", "150.183.249.110"), ("brute_force", "207.243.167.114")},
    ),
}  # fmt: skip


def test_at_most_one_finding_a_day_is_false() -> None:
    false, days = [], 0
    for name, (covered, true) in DAYS.items():
        path = folder(name.partition("/")[0]) / name.partition("/")[2]
        found = found_in(path)
        days += covered
        told = {(each.detection, value) for each in found for value in each.subject.values()}
        assert true <= told, f"{name}: {told}"
        false += [each for each in found if not {(each.detection, v) for v in each.subject.values()} & true]
    assert len(false) <= days, [str(each.title) for each in false]
    # What there is today; a detection that begins to tell more of such days has to be looked at.
    assert [str(each.title) for each in false] == []
