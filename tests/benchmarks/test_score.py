"""The scorer, with findings made up."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulation.matching import Finding, agree
from simulation.score import Score, main, short


def incident(kind: str, start: str, knowable: str, end: str, **subject: Any) -> dict[str, Any]:
    day = "2026-02-10T"
    times = {"start": start, "knowable": knowable, "end": end}
    return {"kind": kind, "variant": "obvious", "subject": subject} | {
        name: f"{day}{time}:00Z" for name, time in times.items()
    }


LABELS = {
    "days": 14,
    "incidents": [
        incident("brute_force", "10:00", "10:02", "10:40", user="anna@example.org", ip="203.0.113.9"),
        incident("provider_blocks", "12:00", "12:10", "15:00", domain="bigmail.example"),
        incident("silence", "20:00", "20:15", "22:00", program="dovecot"),
    ],
    "trips": [{"user": "sven@example.org", "start": "2026-02-09T00:00:00Z", "end": "2026-02-12T00:00:00Z"}],
}  # fmt: skip


def finding(detection: str, time: str, severity: str = "warning", **subject: str) -> Finding:
    stamp = f"2026-02-10T{time}:00+00:00"
    data = {"detection": detection, "first_time": stamp, "found_time": stamp, "severity": severity}
    return Finding.of(data | {"subject": subject, "title": "made up"})


def score(*findings: Finding) -> Score:
    return Score.of(LABELS, list(findings))


def test_found_early_late_and_by_the_first() -> None:
    told = score(
        finding("brute_force", "10:09", client_ip="203.0.113.9", user="anna@example.org"),
        finding("brute_force", "10:06", user="anna@example.org"),
        finding("provider_blocks", "12:07", domain="bigmail.example"),
    )
    assert [each.kind for each in told.found] == ["brute_force", "provider_blocks"]
    assert [each.delay for each in told.found] == [timedelta(minutes=4), timedelta(0)]
    assert told.median_delay == timedelta(minutes=2)
    assert told.goals == {"found": False, "delay": True, "false": True}
    assert told.false == []


def test_another_subject_time_or_detection_does_not_find() -> None:
    told = score(
        finding("brute_force", "10:06", user="otto@example.org", client_ip="198.51.100.1"),
        finding("brute_force", "09:59", user="anna@example.org"),
        finding("brute_force", "12:41", user="anna@example.org"),
        finding("silence", "10:06", service="lmtp"),
        finding("provider_blocks", "12:30", domain="webpost.example"),
    )
    assert told.found == []
    assert len(told.false) == 5
    assert told.false_a_week == 2.5
    assert told.median_delay is None
    assert told.goals == {"found": False, "delay": False, "false": True}


def test_what_follows_is_neither_false_nor_found() -> None:
    told = score(finding("bounce_rate", "12:30", domain="bigmail.example"), finding("queue_size", "16:59"))
    assert told.found == []
    assert told.false == []
    assert [len(each.followers) for each in told.incidents] == [0, 2, 0]


def test_new_places_of_travellers_are_harmless_and_others_false() -> None:
    told = score(
        finding("new_login_place", "08:00", user="sven@example.org"),
        finding("new_login_place", "08:00", user="karin@example.org"),
        finding("compromised_account", "08:00", user="sven@example.org"),
    )
    assert (len(told.harmless), len(told.false)) == (1, 2)


def test_no_incidents_and_no_findings_is_a_good_month() -> None:
    told = Score.of({"days": 28, "incidents": [], "trips": []}, [])
    assert told.goals == {"found": True, "delay": True, "false": True}


@pytest.mark.parametrize(
    ("subject", "label", "same"),
    [
        (("203.0.113.0/24",), ("203.0.113.9",), True),
        (("203.0.113.9",), ("203.0.113.0/24",), True),
        (("203.0.114.9",), ("203.0.113.0/24",), False),
        (("anna",), ("anna@example.org",), True),
        (("anna@example.com",), ("anna@example.org",), False),
        (("mx1.bigmail.example",), ("bigmail.example",), True),
        (("2001:db8::1",), ("203.0.113.9",), False),
        ((), ("anna@example.org",), True),
        (("anna@example.org", "198.51.100.7"), ("anna@example.org", "203.0.113.9"), True),
        (("198.51.100.7",), ("anna@example.org",), True),
    ],
)
def test_subjects_agree(subject: tuple[str, ...], label: tuple[str, ...], same: bool) -> None:
    assert agree(subject, label) is same


def test_tables_name_what_was_missed_and_what_was_false() -> None:
    text = score(
        finding("brute_force", "10:06", user="anna@example.org"),
        finding("tls_failures", "03:00", "info", service="smtpd"),
    ).table()
    assert "| brute_force, obvious | 02-10 10:00 | brute_force | 4 min | 6 min |  |" in text
    assert "| silence, obvious | 02-10 20:00 | **missed** | | |  |" in text
    assert "| Incidents found | 1 of 3 | 18 of 20 | **not met** |" in text
    assert "| Median delay | 4 min | under 5 min | met |" in text
    assert "| False findings a week | 0.5 | at most 3 | met |" in text
    assert text.endswith("| brute_force | 1 | 0 | 0 | 0 | 0 |\n| tls_failures | 0 | 0 | 0 | 1 | 1 |\n")


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, findings = tmp_path / "labels.json", tmp_path / "findings.jsonl"
    labels.write_text(json.dumps(LABELS))
    row = {"detection": "silence", "found_time": "2026-02-10T20:16:00Z", "first_time": "2026-02-10T20:00:00Z"}
    findings.write_text(json.dumps(row | {"subject": {"program": "dovecot"}}) + "\n")
    assert main([str(labels), str(findings), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["found"] == ["silence_obvious"]
    assert told["median_delay_s"] == 60
    assert main([str(labels), str(findings), "--check"]) == 1
    findings.write_text('{"detection": "silence"}\n')
    with pytest.raises(SystemExit) as raised:
        main([str(labels), str(findings)])
    assert str(raised.value) == f"score: {findings}:1: a finding without 'first_time'"


def test_durations() -> None:
    assert [short(timedelta(seconds=number)) for number in (0, 99, 100, 7199, 7200)] == [
        "0 s",
        "99 s",
        "2 min",
        "120 min",
        "2.0 h",
    ]
