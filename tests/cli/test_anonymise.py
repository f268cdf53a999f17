"""The command line of anonymise."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.vocabulary.errors import InputError, OutputError

LINE = "Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: from=<alice@example.org>, size=1, nrcpt=1 (queue active)\n"


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(mailscope, ["anonymise", *map(str, arguments)], input=text)


def test_a_key_is_made_and_used_again(tmp_path: Path) -> None:
    key, log = tmp_path / "key", tmp_path / "mail.log.gz"
    log.write_bytes(gzip.compress(LINE.encode()))
    first = run("--key-file", key, log)
    assert first.exit_code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert "a key was made" in first.stderr
    assert "alice" not in first.stdout
    second = run("--key-file", key, text=LINE)
    assert second.stdout == first.stdout
    assert second.stderr == ""
    assert run(log).stdout != first.stdout


def test_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a" * 64)
    key.chmod(0o644)
    result = run("--key-file", key, text=LINE)
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == f"{key}: others than its owner can use it; run: chmod 600 {key}"
    key.chmod(0o600)
    assert run("--key-file", key, text=LINE).exit_code == 0
    key.write_text("short")
    assert "it holds no key" in str(run("--key-file", key, text=LINE).exception)
    assert isinstance(run("--key-file", tmp_path / "none" / "key", text=LINE).exception, OutputError)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LINE)
    assert isinstance(run(tmp_path / "none.log").exception, InputError)
    result = run(tmp_path / "none.log", log)
    assert result.exit_code == 1
    assert "none.log: no such file" in result.stderr
    assert "queue active" in result.stdout


def test_unknown_lines_are_told() -> None:
    assert "1 lines that no pattern knows" in run(text="Nov 22 04:00:42 mail foo[1]: text\n").stderr


def test_a_live_log_comes_out_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mailscope", "anonymise"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINE.encode())
        process.stdin.flush()
        begin = time.monotonic()
        assert b"queue active" in process.stdout.readline()
        assert time.monotonic() - begin < 30
        assert process.poll() is None
        process.stdin.write(LINE.encode()[:-1])
        process.stdin.close()
        assert process.stdout.read().endswith(b"(queue active)")
        assert process.wait() == 0
