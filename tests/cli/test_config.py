"""The command line of config."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.settings.described import example
from mailscope.vocabulary.settings.reading import parse

GOOD = """hosts = ["mail"]
[[receiver.listen]]
transport = "unix-dgram"
path = "/run/x"
[[receiver.listen]]
transport = "tls"
certificate = "/c"
key = "/k"
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(mailscope, ["config", *map(str, arguments)])


def test_check_names_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "mailscope.toml"
    file.write_text("host = 3\n[load]\ninterval_s = 0\n")
    result = run("check", file)
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == f"{file}: 2 settings cannot be used; correct the lines above"
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [
        f"{file}, line 1",
        f"{file}, line 3",
    ]
    file.write_text(GOOD)
    assert run("check", file).output == f"{file}: every setting can be used\n"


def test_show_tells_values_and_origins(tmp_path: Path) -> None:
    file = tmp_path / "mailscope.toml"
    file.write_text(GOOD)
    shown = run("show", file).stdout
    lines = {
        line.split("#")[0].strip(): line.split("#")[1].strip() for line in shown.splitlines() if "#" in line
    }
    assert lines['hosts = ["mail"]'] == f"{file}, line 1"
    assert lines['certificate = "/c"'] == f"{file}, line 7"
    assert lines["events_days = 28"] == "default"
    # What is shown is itself a file of the same settings.
    assert parse(shown, "shown").settings == parse(GOOD, "good").settings


def test_defaults_are_the_example_file() -> None:
    assert run("show", "--defaults").stdout == example()


def test_help_does_not_import_pydantic() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from mailscope.cli.main import mailscope;"
        "CliRunner().invoke(mailscope, ['config', '--help']); assert 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_file_that_the_environment_names_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mailscope.toml"
    file.write_text('hosts = ["mx1"]\n')
    monkeypatch.setenv("MAILSCOPE_CONFIG", str(file))
    assert run("check").stdout == f"{file}: every setting can be used\n"
    assert f"# {file}, line 1" in run("show").stdout
    monkeypatch.setenv("MAILSCOPE_CONFIG", str(tmp_path / "none.toml"))
    assert "no such file" in str(run("check").exception)


def test_without_the_usual_file_the_defaults_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MAILSCOPE_CONFIG", raising=False)
    monkeypatch.setattr("mailscope.vocabulary.settings.reading.FILE", str(tmp_path / "none.toml"))
    done = run("check")
    assert done.exit_code == 0
    assert "so the defaults hold" in done.stdout
