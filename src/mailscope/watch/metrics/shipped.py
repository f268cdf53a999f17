"""What is shipped beside the metrics: alert rules for Prometheus, and the panels of the dashboard."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final

DATA: Final = files("mailscope.watch.metrics") / "data"


def rules() -> str:
    """The alert rules, as a file that Prometheus' ``rule_files`` names."""
    return (DATA / "mailscope.rules.yml").read_text(encoding="utf-8")


@cache
def panels() -> dict[str, Any]:
    """The dashboard's rows of panels, as ``data/panels.toml`` has them."""
    return tomllib.loads((DATA / "panels.toml").read_text(encoding="utf-8"))
