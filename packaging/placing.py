"""Files that are made, written below a directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def main(arguments: list[str], made: Mapping[str, str]) -> int:
    """Write files, each by its place, below the directory that a command line names."""
    (directory,) = arguments
    for name, text in made.items():
        path = Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0
