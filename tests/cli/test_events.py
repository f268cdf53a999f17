"""``mailscope events``: every event once, in the order of the lines, in a form that others can read."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from mailscope.cli.main import mailscope
from mailscope.cli.terminal import safe
from mailscope.vocabulary.errors import InputError, UsageError

LOG: Final = """\
2026-11-22T03:42:44.452449+00:00 mail postfix/smtpd[10]: connect from mx.example.org[192.0.2.7]
2026-11-22T03:42:44.552449+00:00 mail postfix/smtpd[10]: 4B5C61F00D: client=mx.example.org[192.0.2.7]
2026-11-22T03:42:44.652449+00:00 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.org>
2026-11-22T03:42:44.752449+00:00 mail postfix/qmgr[12]: 4B5C61F00D: from=<>, size=912, nrcpt=1 (queue active)

2026-11-22T03:42:45.852449+00:00 mail postfix/smtp[13]: 4B5C61F00D: to=<bob@example.net>, \
relay=mx1.example.net[192.0.2.25]:25, delay=1.2, delays=0.05/0.01/0.64/0.5, dsn=2.0.0, \
status=sent (250 2.0.0 Ok: queued as 4B5C8120A3)
2026-11-22T03:42:45.952449+00:00 mail postfix/qmgr[12]: 4B5C61F00D: removed
2026-11-22T03:42:46.052449+00:00 mail postfix/submission/smtpd[14]: no such line is known
2026-11-22T03:42:46.152449+00:00 mail unheard-of[15]: hello
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(LOG)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(mailscope, ["events", "--tz", "UTC", *map(str, arguments)])


def lines(*arguments: object) -> list[dict[str, Any]]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_per_line_with_absent_fields_left_out(log: Path) -> None:
    found = lines(log)
    assert [event["event"] for event in found] == [
        "connected",
        "accepted",
        "identified",
        "queued",
        "delivery_attempted",
        "removed",
        "unrecognised",
        "unrecognised",
    ]
    assert [event["line_number"] for event in found] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert found[3] == {
        "time": "2026-11-22T03:42:44.752449Z",
        "host": "mail",
        "program": "postfix/qmgr",
        "service": "qmgr",
        "instance": "postfix",
        "pid": 12,
        "event": "queued",
        "text": "4B5C61F00D: from=<>, size=912, nrcpt=1 (queue active)",
        "source": str(log),
        "line_number": 4,
        "queue_id": "4B5C61F00D",
        "sender": "",
        "size_bytes": 912,
        "recipient_count": 1,
    }


def test_what_a_reply_tells_is_read_from_it(log: Path) -> None:
    [attempt] = lines("--event", "delivery_attempted", log)
    assert attempt["reply_code"] == 250
    assert attempt["dsn_status"] == "2.0.0"
    assert attempt["next_queue_id"] == "4B5C8120A3"


def test_time_quality_is_named_where_the_instant_is_not_exact(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("Nov  1 00:00:01 mail postfix/qmgr[12]: 4B5C61F00D: removed\n")
    [event] = lines(path)
    assert event["time_quality"] == "year_inferred,zone_assumed"
    assert event["time"].endswith("-11-01T00:00:01.000000Z")


def test_priorities_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("<22>" + LOG.splitlines()[0] + "\n")
    [event] = lines(path)
    assert (event["facility"], event["severity"]) == ("mail", "info")


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("postfix/qmgr", [4, 7]),
        ("qmgr", [4, 7]),
        ("smtpd", [1, 2, 8]),
        ("postfix/submission/smtpd", [8]),
        ("postfix", [1, 2, 3, 4, 6, 7, 8]),
        ("unheard-of", [9]),
        ("nobody", []),
    ],
)
def test_programs_are_chosen_by_tag_service_or_family(log: Path, name: str, numbers: list[int]) -> None:
    assert [event["line_number"] for event in lines("--program", name, log)] == numbers


def test_choices_may_be_repeated_and_combined(log: Path) -> None:
    two = lines("--program", "qmgr", "--program", "cleanup", log)
    assert [event["line_number"] for event in two] == [3, 4, 7]
    one = lines("--program", "qmgr", "--event", "removed", "--event", "connected", log)
    assert [event["line_number"] for event in one] == [7]


def test_an_events_fields_are_whole_when_it_is_chosen(log: Path) -> None:
    for event in lines(log):
        assert event in lines("--event", event["event"], log)


def test_fields_are_given_in_the_order_asked_for(log: Path) -> None:
    result = run("--fields", "queue_id, event,next_queue_id", log)
    assert result.stdout.splitlines()[4] == (
        '{"queue_id":"4B5C61F00D","event":"delivery_attempted","next_queue_id":"4B5C8120A3"}'
    )
    assert result.stdout.splitlines()[0] == '{"event":"connected"}'


def test_fields_that_a_line_lacks_leave_an_empty_object(log: Path) -> None:
    assert run("--fields", "qp", log).stdout == "{}\n" * 8


def test_limit_stops_early(log: Path) -> None:
    assert [event["line_number"] for event in lines("--limit", 3, log)] == [1, 2, 3]
    assert lines("--limit", 0, log) == []
    assert len(lines("--limit", 100, log)) == 8


def test_json_is_one_list(log: Path) -> None:
    assert json.loads(run("--format", "json", log).stdout) == lines(log)
    assert json.loads(run("--format", "json", "--event", "held", log).stdout) == []


def test_overlapping_files_come_in_order_of_time(tmp_path: Path) -> None:
    even, odd = tmp_path / "even.log", tmp_path / "odd.log"
    all_lines = [line for line in LOG.splitlines(keepends=True) if line.strip()]
    even.write_text("".join(all_lines[::2]))
    odd.write_text("".join(all_lines[1::2]))
    assert [event["text"] for event in lines(odd, even)] == [
        line.rstrip("\n").split("]: ", 1)[1] for line in all_lines
    ]


def test_a_line_met_in_two_files_is_given_once(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "mail.err"
    other.write_text("\n".join(LOG.splitlines()[6:8]) + "\n")
    assert len(lines(log, other)) == 8


def test_since_until_and_host(log: Path) -> None:
    span = lines("--since", "2026-11-22 03:42:45", "--until", "2026-11-22 03:42:46", log)
    assert [event["line_number"] for event in span] == [6, 7]
    assert isinstance(run("--host", "elsewhere", log).exception, InputError)


def test_standard_input_is_read(log: Path) -> None:
    command = [sys.executable, "-m", "mailscope", "events", "-"]
    done = subprocess.run(command, input=LOG.encode(), capture_output=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event.pop("source") for event in found} == {"standard input"}
    assert found == [{n: v for n, v in event.items() if n != "source"} for event in lines(log)]


# ---------------------------------------------------------------- CSV


def rows(*arguments: object) -> list[dict[str, str]]:
    result = run("--format", "csv", *arguments)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_csv_holds_the_same_as_json(log: Path) -> None:
    for row, event in zip(rows(log), lines(log), strict=True):
        given = {name: value for name, value in row.items() if value != ""}
        expected = {name: value for name, value in event.items() if value != ""}
        assert given.keys() == expected.keys()
        for name, value in expected.items():
            assert given[name] == value if isinstance(value, str) else float(given[name]) == value


def test_csv_columns_do_not_depend_on_the_lines(log: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.log"
    short.write_text(LOG.splitlines()[0] + "\n")
    header = run("--format", "csv", log).stdout.splitlines()[0]
    assert run("--format", "csv", short).stdout.splitlines()[0] == header
    assert header.startswith("time,time_quality,host,program,service,instance,pid,")


def test_csv_of_one_event_has_its_fields_only(log: Path) -> None:
    [row] = rows("--event", "queued", log)
    assert {"queue_id", "sender", "size_bytes", "qp"} <= row.keys()
    assert "client_ip" not in row
    assert list(rows("--fields", "event,pid", log)[0]) == ["event", "pid"]


def test_csv_is_safe_for_spreadsheets_and_terminals(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(
        "2026-11-22T03:42:44Z mail postfix/qmgr[1]: 4B5C61F00D: from=<=cmd|' /C calc'!A0>, size=9, nrcpt=1 "
        "(queue active)\n"
        "2026-11-22T03:42:45Z mail postfix/qmgr[1]: 4B5C61F00E: from=<a\x1b]0;x\x07@example.org>, size=9, "
        "nrcpt=1 (queue active)\n"
        '2026-11-22T03:42:46Z mail postfix/qmgr[1]: 4B5C61F00F: from=<"a,\u202eb"@example.org>, size=9, '
        "nrcpt=1 (queue active)\n",
        encoding="utf-8",
    )
    senders = [row["sender"] for row in rows(path)]
    assert senders == ["'=cmd|' /C calc'!A0", r"a\x1b]0;x\x07@example.org", '"a,\\u202eb"@example.org']


# ---------------------------------------------------------------- hostile lines, wrong use


def test_json_never_drives_a_terminal_and_loses_nothing(tmp_path: Path) -> None:
    hostile = 'x\x1b[2J\x07\x7f\x9b31m\u202e\u2028\ufeff\U000e0041\t"\\'
    path = tmp_path / "mail.log"
    path.write_text(f"2026-11-22T03:42:44Z mail unheard-of[1]: {hostile}\n", encoding="utf-8")
    output = run(path).stdout
    [event] = [json.loads(output)]
    assert event["text"] == hostile
    assert safe(output.rstrip("\n")) == output.rstrip("\n")


def test_text_that_looks_like_an_absent_field_stays(tmp_path: Path) -> None:
    text = 'from=<a>,"pid":null,"x":null ,"y":null} {"time":null,'
    path = tmp_path / "mail.log"
    path.write_text(f"2026-11-22T03:42:44Z mail unheard-of: {text}\nno stamp here\n")
    assert [event["text"] for event in lines(path)] == [text, "no stamp here"]


# White space as Unicode has it; Python counts four control characters in.
WHITE: Final = "".join(
    char for char in map(chr, range(0x3001)) if char.isspace() and not "\x1c" <= char <= "\x1f"
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line and b"\r" not in line), max_size=8)
)
def test_every_line_that_is_not_blank_is_one_event(chunks: list[bytes]) -> None:
    data = b"\n".join([LOG.splitlines()[0].encode(), *chunks])
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        found = lines(file.name)
    assert len(found) == sum(bool(line.decode(errors="replace").strip(WHITE)) for line in data.split(b"\n"))


def test_unknown_events_and_fields_are_wrong_use(log: Path) -> None:
    for arguments in (("--event", "exploded"), ("--fields", "colour"), ("--fields", "offset")):
        result = run(*arguments, log)
        assert isinstance(result.exception, UsageError)
        assert arguments[1] in str(result.exception)


def test_a_missing_file_is_an_error_and_the_others_are_read(log: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "absent.log", log)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 8
    assert "absent.log: no such file" in result.stderr


def test_nothing_at_all_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_text("")
    assert isinstance(run(empty).exception, InputError)


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(LOG * 4000)
    with subprocess.Popen(
        [sys.executable, "-m", "mailscope", "events", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"time"')
        process.stdout.close()
        assert process.stderr.read() == b""
