"""What every task of a job needs to know, and what each process makes of it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.privacy.cleaning import cleaner
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import in_force
from mailscope.store import manifest_log
from mailscope.vocabulary.settings.settings import Settings

INCOMING: Final = "incoming"


@dataclass(frozen=True)
class Setup:
    """A run of a job: the store that it writes, by paths that mean the same on every machine.

    ``run``: its number, the ``batch`` of its rows; ``patterns``: a directory of own pattern files; ``zone``:
    of stamps without one, and of the days that tallies tell apart; ``settings``: how lines are cleaned.
    """

    output: str
    run: int
    zone: str
    patterns: str | None = None
    settings: str = "{}"

    @property
    def timezone(self) -> ZoneInfo:
        """The zone of stamps and of tallies."""
        return ZoneInfo(self.zone)

    @property
    def staging(self) -> Path:
        """Where what the tasks write lies until the run is committed."""
        return staging_of(Path(self.output), self.run)


def staging_of(output: Path, run: int) -> Path:
    """Where what the tasks of a run write lies, beside the store."""
    return output / INCOMING / f"run-{run:06}"


@lru_cache(maxsize=2)
def engine(setup: Setup) -> Engine:
    """The patterns, loaded once in each process."""
    return Engine(in_force(Path(setup.patterns) if setup.patterns else None))


@lru_cache(maxsize=2)
def secret(setup: Setup) -> bytes:
    """The store's secret.  It is read where the store is, so that it is part of no task and no plan."""
    told = manifest_log.read(Path(setup.output)).secret
    assert told is not None
    return bytes.fromhex(told)


@lru_cache(maxsize=2)
def cleaning(setup: Setup) -> Callable[[bytes], bytes]:
    """What is done to lines before anything is kept of them."""
    settings = Settings.model_validate_json(setup.settings)
    return cleaner(settings, engine(setup).library, secret(setup))
