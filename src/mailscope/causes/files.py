"""Reading the data files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).parent / "data"


@cache
def read(name: str) -> dict[str, Any]:
    """One file of ``data/``, by its name below it, without ``.toml``."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def names(folder: str) -> Iterator[str]:
    """The files of a folder of ``data/``."""
    return (f"{folder}/{path.stem}" for path in sorted((DATA / folder).glob("*.toml")))
