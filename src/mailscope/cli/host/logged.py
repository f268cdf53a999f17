"""Reading a file of logins whole, as who, users and w do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailscope.cli.host.options import Common
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from mailscope.host.layouts.utmp import Record

UTMP = "/run/utmp"


def records(common: Common, path: str | None) -> list[Record]:
    """The records of a file; of this host's utmp, only those whose processes are there."""
    from mailscope.host.logins.records import LoginFile, each

    if path is None and not os.path.exists(UTMP):
        raise InputError("this host keeps no utmp", UTMP, "name a file with --file")
    with LoginFile(path or UTMP) as file:
        found = list(each(file))
        common.problems += file.problems
    if path is None:
        machine = common.machine
        # As coreutils has it: a login whose process has gone is none.
        found = [record for record in found if not is_stale(record, machine)]
    return found


def is_stale(record: Record, machine: object) -> bool:
    """Whether a record of a login is left over: its process is gone."""
    from mailscope.host.logins.who import is_user
    from mailscope.host.machine import Machine

    assert isinstance(machine, Machine)
    return is_user(record) and record.pid > 0 and not machine.is_running(record.pid)


def hard_locale() -> bool:
    """Whether times are written with their year, as coreutils does in every locale but C and POSIX."""
    return _locale("LC_TIME") not in ("C", "POSIX")


def is_wide() -> bool:
    """Whether the locale's characters are those of UTF-8."""
    return "utf" in _locale("LC_CTYPE").lower()


def _locale(category: str) -> str:
    names = (os.environ.get(name, "") for name in ("LC_ALL", category, "LANG"))
    return next((name for name in names if name), "C")
