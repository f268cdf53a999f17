"""Every deferral, bounce and reject of the lab and of the open corpora has a cause."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailscope.cli.main import mailscope

SHARED = Path(__file__).parents[2].parent / "shared"
LAB = ("lab/postfix/full-run.mail.log.bsd", "lab/postfix/multiday.mail.log.bsd", "lab/qmail/multilog")


def unclassified(*paths: Path) -> list[str]:
    result = CliRunner().invoke(
        mailscope, ["coverage", "--causes", "--format", "json", "--tz", "UTC", *map(str, paths)]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["failures"] > 0
    return [row["sample"] for row in found["shapes"]]


@pytest.mark.parametrize("name", LAB)
def test_the_lab(name: str) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the lab is not here")
    assert unclassified(path) == []


def test_the_open_corpora(tmp_path: Path) -> None:
    files = sorted((SHARED / "corpora").glob("*/cases.jsonl"))
    if not files:
        pytest.skip("the corpora are not here")
    lines = [json.loads(line).get("line") for file in files for line in file.read_text("utf-8").splitlines()]
    path = tmp_path / "mail.log"
    path.write_text("\n".join(line.rstrip("\n") for line in lines if line) + "\n", "utf-8")
    assert unclassified(path) == []
