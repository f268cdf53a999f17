"""The documents that are made from the code are up to date; what is written by hand names every key."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from mailscope.recognise.coverage import Coverage
from mailscope.recognise.explain import explain_line
from mailscope.recognise.program import EVENT_KEYS, PROGRAM_KEYS
from mailscope.reports.coverage import summary
from mailscope.reports.report import Settings, build
from mailscope.tallies.ledger import Ledger
from mailscope.trails.narrative.record import record
from mailscope.trails.narrative.trail import Attempt, Link, Recipient, Trail

DOCS: Final = Path(__file__).parents[2] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def documents() -> dict[str, str]:
    """The documents as a process of its own makes them: commands that tests have run know other options."""
    code = "import json, runpy; print(json.dumps(runpy.run_path('docs/generate.py')['documents']()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=DOCS.parent, capture_output=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "commands.md",
        "fields.md",
        "events.md",
        "causes.md",
        "settings.md",
        "../packaging/mailscope.toml",
        "json.md",
        "patterns.md",
        "exports.md",
    ],
)
def test_generated_documents_are_up_to_date(name: str) -> None:
    wanted = documents()[name]
    assert (DOCS / name).read_text(encoding="utf-8") == wanted, "run: python docs/generate.py"


def section(title: str) -> str:
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def undocumented(keys: Iterable[str], title: str) -> list[str]:
    text = section(title)
    return [key for key in keys if f"`{key}`" not in text]


def test_every_key_of_a_report_is_documented() -> None:
    report: dict[str, Any] = build(Ledger(), Settings(ZoneInfo("UTC")))
    assert undocumented(report, "report") == []
    for part in ("period", "lines", "messages", "recipients", "rejected", "by_hour"):
        assert undocumented(report[part], "report") == []
    assert undocumented(report["balance"][0], "report") == []


def test_every_key_of_a_trail_is_documented() -> None:
    trail = Trail(1, "mx", "postfix", "4B5C61F00D", None)
    trail.recipients = [Recipient("a@example.org", "sent", [Attempt(None, "sent", {})], count=2)]
    trail.links = [Link("filtered", "to", "0", "4B5C61F00E", "", "certain")]
    told = record(trail)
    assert undocumented(told, "trace") == []
    assert undocumented(told["links"][0], "trace") == []
    assert undocumented(told["recipients"][0], "trace") == []


def test_every_key_of_coverage_is_documented() -> None:
    told = summary(Coverage(), 10)
    keys = {*told, *told["lines"], *told["covered"], *told["not_covered"]}
    assert undocumented(keys, "coverage") == []


def test_every_key_of_a_tried_line_is_documented() -> None:
    for line in (
        "Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: removed",
        "mail postfix/qmgr: 4B5C61F00D: gone",
    ):
        assert undocumented(explain_line(line), "patterns") == []


def test_every_key_of_a_pattern_file_is_documented() -> None:
    page = (DOCS / "patterns.md").read_text(encoding="utf-8")
    assert [key for key in {*PROGRAM_KEYS, *EVENT_KEYS} - {"meaning"} if f"| `{key}` |" not in page] == []


def test_links_between_documents_lead_somewhere() -> None:
    for page in DOCS.rglob("*.md"):
        # Regexes between backticks may hold what looks like a link.
        text = re.sub(r"`[^`\n]*`", "", page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)#]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
