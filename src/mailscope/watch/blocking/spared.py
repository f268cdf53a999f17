"""The address of whoever runs a command over SSH: it must not lock itself out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NAMES: Final = ("SSH_CONNECTION", "SSH_CLIENT")
MOST_PARENTS: Final = 32


def own_addresses(
    environment: Mapping[str, str] | None = None, proc: Path = Path("/proc")
) -> tuple[str, ...]:
    """Addresses in the environment, and in those of the processes above: sudo and su do not hand it on."""
    found = set(_of(os.environ if environment is None else environment))
    pid = os.getppid()
    for _ in range(MOST_PARENTS):
        try:
            status = (proc / str(pid) / "status").read_text()
            pid_above = int(next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1])
        except (OSError, ValueError, StopIteration):
            break
        try:
            content = (proc / str(pid) / "environ").read_bytes().decode(errors="replace")
            found.update(_of(dict(each.partition("=")[::2] for each in content.split("\0"))))
        except OSError:
            # Another user's; those above it may be ours again.
            pass
        pid = pid_above
        if pid <= 1:
            break
    return tuple(sorted(found))


def _of(environment: Mapping[str, str]) -> list[str]:
    # An address of a link has its interface behind %.
    return [
        environment[name].split()[0].partition("%")[0] for name in NAMES if environment.get(name, "").strip()
    ]
