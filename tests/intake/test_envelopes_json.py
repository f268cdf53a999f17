"""Docker's and the journal's JSON, the journal's short-unix, months named in other languages."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from running import NOW, UTC_ZONE

from mailscope.intake.clock import Clock
from mailscope.intake.envelopes import rfc3164
from mailscope.intake.envelopes.localised import LANGUAGES, MONTH_OF
from mailscope.intake.lines import parse_lines

TAG, TEXT = "postfix/smtpd[2345]", "connect from unknown[192.0.2.1]"
INSTANT = datetime(2026, 11, 22, 4, 0, 42, 186609)
MICROS = 1795320042186609


def rows(*lines: str) -> list[dict[str, Any]]:
    """Instant, host, tag, text and priority of every line."""
    header = parse_lines("\n".join(lines).encode()).header
    columns = {"time": Clock("test", UTC_ZONE, NOW.replace(tzinfo=UTC_ZONE)).instants(header)[0].to_list()}
    for name in ("host", "tag", "text", "pri"):
        value = getattr(header, name)
        columns[name] = value.to_list() if isinstance(value, pl.Series) else [value] * len(lines)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def entry(**more: Any) -> str:
    members = {
        "__REALTIME_TIMESTAMP": str(MICROS),
        "_HOSTNAME": "mx1",
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "_PID": "2345",
    }
    return json.dumps(members | {"PRIORITY": "6", "SYSLOG_FACILITY": "2", "MESSAGE": TEXT} | more)


WHOLE = {"time": INSTANT, "host": "mx1", "tag": TAG, "text": TEXT, "pri": 22}


def test_an_entry_of_the_journal() -> None:
    assert rows(entry(), entry().replace('":', '" :').replace('{"', '{ "')) == [WHOLE, WHOLE]


def test_an_entry_lacks_members_or_has_odd_ones() -> None:
    assert rows(entry(MESSAGE=list(b"caf\xe9\nx")))[0]["text"] == "caf� x"
    assert rows(entry(MESSAGE="[1,2]"))[0]["text"] == "[1,2]"
    assert rows(entry(MESSAGE=None))[0]["text"] == ""
    assert rows(entry(MESSAGE=[300]))[0]["text"] == "[300]"
    assert rows(entry(PRIORITY="99"))[0]["pri"] is None
    assert rows(entry(_PID="x"))[0]["tag"] == "postfix/smtpd"
    bare = rows(entry(__REALTIME_TIMESTAMP="never"))[0]
    assert bare["time"] is bare["tag"] is None
    assert bare["text"].startswith("{")


def test_short_unix() -> None:
    expected = WHOLE | {"pri": None}
    assert rows(f"1795320042.186609 mx1 {TAG}: {TEXT}") == [expected]
    mixed = rows("1795320042.186609 new msg 7", f"1795320042.186609 mx1 {TAG}: {TEXT}")
    assert [row["tag"] for row in mixed] == [None, TAG]
    assert mixed[0]["text"] == "new msg 7"


@pytest.mark.parametrize(
    "stamp", ["2026-11-22T04:00:42+0000", "2026-11-22T04:00:42.186609+00:00", "Sun 2026-11-22 04:00:42 UTC"]
)
def test_other_short_forms_of_the_journal(stamp: str) -> None:
    found = rows(f"{stamp} mx1 {TAG}: {TEXT}")[0]
    assert (found["host"], found["tag"], found["text"]) == ("mx1", TAG, TEXT)
    assert found["time"].replace(microsecond=0) == INSTANT.replace(microsecond=0)


def test_docker_s_own_file() -> None:
    def of(log: str, time: str = "2026-11-22T04:00:42.186609123Z") -> str:
        return json.dumps({"log": log, "stream": "stdout", "time": time}, separators=(",", ":"))

    expected = WHOLE | {"pri": None}
    assert rows(of(f"Nov 22 04:00:40 mx1 {TAG}: {TEXT}\n")) == [expected]
    assert rows(of(f"{TAG}: {TEXT}\r\n")) == [expected | {"host": None}]
    both = rows(f"Nov 22 04:00:40 mx1 {TAG}: {TEXT}", of(f"Nov 22 04:00:40 mx1 {TAG}: {TEXT}\n"))
    assert [row["text"] for row in both] == [TEXT, TEXT]
    broken = '{"log":"Nov 22'
    assert rows(broken)[0]["text"] == broken


@pytest.mark.parametrize("language", LANGUAGES)
def test_months_in_other_languages(language: str) -> None:
    for number, name in enumerate(LANGUAGES[language].split(), 1):
        found = rows(f"{name}  2 04:00:42 mx1 {TAG}: {TEXT}")[0]
        assert (found["host"], found["tag"], found["text"]) == ("mx1", TAG, TEXT)
        assert (found["time"].month, found["time"].day) == (number, 2)


def test_a_month_s_name_has_one_meaning() -> None:
    for names in LANGUAGES.values():
        for name, english in zip(names.split(), rfc3164.MONTHS, strict=True):
            assert MONTH_OF.get(name, name) == english


def test_months_of_several_languages_in_one_file() -> None:
    stamps = ("Nov 20", "Okt 21", "11月 22", "nov. 23", "Nov 24")
    found = rows(*(f"{stamp} 04:00:42 mx1 {TAG}: {TEXT}" for stamp in stamps))
    assert [(row["time"].month, row["time"].day) for row in found] == [
        (11, 20),
        (10, 21),
        (11, 22),
        (11, 23),
        (11, 24),
    ]
    assert {row["text"] for row in found} == {TEXT}


CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "lnav" / "raw" / "test"


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpora are not here")
def test_the_corpus() -> None:
    french = rows((CORPUS / "logfile_syslog_fr.0").read_text().splitlines()[0])[0]
    assert (french["host"], french["tag"], french["text"]) == ("nlaptop", "symphorien[4961]", "test")
    lines = (CORPUS / "logfile_journald.json").read_text().splitlines()
    found = rows(*lines)
    assert all(row["time"] and row["host"] and row["tag"] for row in found)
