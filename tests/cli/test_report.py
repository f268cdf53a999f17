"""``mailscope report``: forms, files, exit codes, one clear line for what goes wrong."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LOG = EXAMPLES / "postfix" / "mail.log"
LINE = "Nov 20 10:00:00 mail postfix/smtpd[1]: connect from a.example.org[192.0.2.1]\n"


def report(*args: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as people do."""
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", "report", *map(str, args)],
        input=stdin,
        capture_output=True,
        env={**os.environ, "COLUMNS": "80", "TZ": "UTC", **environment},
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_text_is_plain_where_it_is_no_terminal() -> None:
    done = report(LOG)
    assert done.returncode == 0
    assert done.stdout.startswith("Mail report")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stderr == ""


def test_json_has_what_is_promised() -> None:
    done = report(LOG, "--format", "json", "--tz", "Europe/Rome")
    found = json.loads(done.stdout)
    assert done.stdout.isascii()
    assert set(found["period"]) == {"start", "end", "unit", "name", "from", "until"}
    assert found["period"]["start"].endswith("+01:00")
    assert set(found["lines"]) == {"read", "recognised", "unrecognised", "blank", "duplicate"}
    promised = {"accepted", "finished", "open", "bytes", "received", "internal", "before_log", "refused"}
    assert promised | {"passes", "as_messages"} <= set(found["messages"])
    assert {"sent", "deferred", "bounced", "total", "forwarded"} <= set(found["attempts"])
    assert {"sent", "bounced", "expired", "deleted", "discarded", "queued", "unknown"} <= set(
        found["recipients"]
    )
    assert set(found["rejected"]) == {"total", "by_reason"}
    assert found["by_hour"]["rows"][0]["hour"] == "2026-11-22T03:00:00+01:00"


def test_output_file_is_written_whole(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    done = report(LOG, "--format", "json", "-o", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(out.read_text())["lines"]["read"] > 1000
    assert list(tmp_path.iterdir()) == [out]


def test_output_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    done = report(LOG, "-o", tmp_path / "missing" / "report.txt")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "there is no directory" in done.stderr
    assert report(LOG, "-o", tmp_path).returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_evidence_is_the_lines_themselves() -> None:
    found = json.loads(report(LOG, "--format", "json").stdout)
    number = found["bounces"]["rows"][0]["attempts"]
    done = report(LOG, "--evidence", "bounces:1")
    lines = done.stdout.splitlines()
    assert len(lines) == number
    assert set(lines) <= set(LOG.read_text(errors="replace").splitlines())


def test_evidence_of_what_is_not_there_says_what_is() -> None:
    done = report(LOG, "--evidence", "nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "top_senders" in done.stderr


def test_evidence_needs_files_that_can_be_read_twice() -> None:
    done = report("-", "--evidence", "bounces", stdin=LOG.read_bytes())
    assert done.returncode == 2
    assert "cannot be read twice" in done.stderr


def test_standard_input() -> None:
    done = report("-", "--format", "json", stdin=LOG.read_bytes())
    assert json.loads(done.stdout)["lines"] == json.loads(report(LOG, "--format", "json").stdout)["lines"]


def test_span_and_host() -> None:
    whole = json.loads(report(LOG, "--format", "json").stdout)["lines"]["read"]
    span = ("--since", "2026-11-22T04:00:00", "--until", "2026-11-22T04:02:00")
    part = json.loads(report(LOG, *span, "--format", "json").stdout)
    assert 0 < part["lines"]["read"] < whole
    assert part["period"]["start"] >= "2026-11-22T04:00:00"
    assert part["period"]["end"] < "2026-11-22T04:02:00"
    assert all(equation["remainder"] == 0 for equation in part["balance"])


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["/nonexistent/mail.log"], 1, "no such file"),
        (["EMPTY"], 1, "nothing to read"),
        (["BLANK"], 1, "there are no lines in it"),
        (["DIRECTORY"], 1, "there is no log in it"),
        ([str(LOG), "--since", "2031-01-01"], 1, "no line is of that time and host"),
        ([str(LOG), "--host", "other"], 1, "no line is of that time and host"),
        ([str(LOG), "--tz", "Nowhere"], 2, "unknown zone"),
        ([str(LOG), "--top", "-1"], 2, "--top"),
        ([str(LOG), "--nonsense"], 2, "--nonsense"),
        ([str(LOG), "--section", "nonsense"], 2, "there is no section 'nonsense'"),
        ([str(LOG), "--without", "nonsense"], 2, "sections: "),
        ([str(LOG), "--format", "pdf"], 2, "--format"),
        ([str(LOG), "--lang", "tlh"], 2, "choose one of en, zh, it, sv"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(args: list[str], code: int, told: str, tmp_path: Path) -> None:
    places = {name: tmp_path / name.lower() for name in ("EMPTY", "BLANK", "DIRECTORY")}
    places["EMPTY"].touch()
    places["BLANK"].write_text("\n\n")
    places["DIRECTORY"].mkdir()
    done = report(*(places.get(arg, arg) for arg in args))
    assert done.returncode == code
    assert told in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_what_can_be_read_is_reported_and_the_rest_named(tmp_path: Path) -> None:
    damaged = tmp_path / "mail.log.1.gz"
    damaged.write_bytes((EXAMPLES / "postfix" / "mail.log.2.gz").read_bytes()[:20_000])
    done = report(damaged, LOG, tmp_path / "missing")
    assert done.returncode == 1
    assert done.stdout.startswith("Mail report")
    assert str(damaged) in done.stderr
    assert str(tmp_path / "missing") in done.stderr


def test_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m mailscope report {LOG} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_log_of_several_years_is_read_again_from_the_start(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    months = ("Mar", "Sep", "Jan", "Jun", "Nov", "Feb", "Aug")
    log.write_text("".join(LINE.replace("Nov", month) * 3 for month in months))
    stamp = time.mktime((2026, 9, 1, 0, 0, 0, 0, 0, 0))
    os.utime(log, (stamp, stamp))
    found = json.loads(report(log, "--format", "json").stdout)
    assert found["lines"]["read"] == 3 * len(months)
    assert found["period"]["start"].startswith("2024-03-20")
    assert found["period"]["end"].startswith("2026-08-20")


def on_terminal(command: list[str], **environment: str) -> bytes:
    """What a command writes to a terminal of 120 columns."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    child = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env={**env, "TERM": "xterm-256color", **environment}
    )
    os.close(slave)
    out = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
    os.close(master)
    child.wait()
    return out


def test_terminal_gets_colours_unless_unwanted() -> None:
    command = [sys.executable, "-m", "mailscope", "report", str(LOG), "--top", "1"]
    shown = on_terminal(command)
    assert b"\x1b[1m" in shown
    assert b"#####" in shown
    plain = on_terminal(command, NO_COLOR="1")
    # A slow machine shows a progress bar, which moves the cursor.
    assert not re.search(rb"\x1b\[[0-9;]*m", plain)
    assert b"Mail report" in plain


@pytest.mark.parametrize(
    ("lang", "environment", "title"),
    [
        ("it", {}, "Rapporto di posta"),
        (None, {"LANG": "zh_CN.UTF-8"}, "邮件报告"),
        (None, {"LANG": "sv_SE.UTF-8", "LC_ALL": "C.UTF-8"}, "Mail report"),
    ],
)
def test_report_is_told_in_the_language_asked_for(
    lang: str | None, environment: dict[str, str], title: str
) -> None:
    done = report(LOG, *(("--lang", lang) if lang else ()), **environment, PYTHONIOENCODING="utf-8")
    assert done.stdout.startswith(title)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("r.html", b"<!doctype html>"),
        ("r.md", b"# Mail report"),
        ("r.csv", b"section,row,label_1"),
        ("r.XLSX", b"PK"),
        ("r.json", b"{"),
        ("r.txt", b"Mail report"),
        ("r", b"Mail report"),
    ],
)
def test_ending_of_the_file_says_the_form(name: str, begins: bytes, tmp_path: Path) -> None:
    out = tmp_path / name
    assert report(LOG, "-o", out).returncode == 0
    assert out.read_bytes().startswith(begins)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_form_that_is_asked_for_comes_before_the_ending(tmp_path: Path) -> None:
    out = tmp_path / "report.txt"
    report(LOG, "--format", "csv", "-o", out)
    assert out.read_text().startswith("section,row")


def test_workbook_goes_into_a_pipe_but_not_to_a_terminal() -> None:
    command = [sys.executable, "-m", "mailscope", "report", str(LOG), "--format", "xlsx"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"PK")
    assert b"name a file with -o" in on_terminal(command)


def test_sections_are_chosen() -> None:
    found = json.loads(report(LOG, "--format", "json", "--section", "bounces", "--section", "relays").stdout)
    assert {name for name, part in found.items() if isinstance(part, dict) and "rows" in part} == {
        "bounces",
        "relays",
    }
    shown = report(LOG, "--without", "bounces").stdout
    assert "Deferrals by reason" in shown
    assert "Bounces by reason" not in shown
    assert "By day" in report(LOG, "--section", "by_day").stdout


def test_evidence_command_of_a_section_lists_its_lines() -> None:
    found = json.loads(
        report(LOG, "--format", "json", "--since", "2026-11-22T04:00:00", "--tz", "UTC").stdout
    )["bounces"]
    command = shlex.split(found["evidence"])
    assert command[:4] == ["mailscope", "report", "--evidence", "bounces"]
    assert "--since=2026-11-22T04:00:00Z" in command
    assert len(report(*command[2:]).stdout.splitlines()) == found["totals"]["attempts"]
    command[3] += ":1"
    assert len(report(*command[2:]).stdout.splitlines()) == found["rows"][0]["attempts"]


def test_pipe_has_no_evidence_command() -> None:
    found = json.loads(report("-", "--format", "json", stdin=LOG.read_bytes()).stdout)
    assert found["bounces"]["evidence"] is None


def test_file_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    done = report("/nonexistent/mail.log", "-o", tmp_path / "missing" / "r.html")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert str(tmp_path / "missing" / "r.html") in done.stderr
    assert "it is a directory" in report(LOG, "-o", tmp_path).stderr


def test_help_is_quick_and_names_everything() -> None:
    done = report("--help")
    for option in ("--format", "--output", "--top", "--evidence", "--since", "--until", "--host", "--tz"):
        assert option in done.stdout
