"""Runs the real pflogsumm, in each release that this machine has.

1.1.5 is Debian 12's package; 1.3.0 is that of a later Debian, which ``.ci/run`` unpacks into build/peers where it
can be fetched.  MAILSCOPE_PFLOGSUMM names a program to use besides.  The clock that they see is set by
faketime(1).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[4]
PLACES = ("/usr/sbin/pflogsumm", "/usr/bin/pflogsumm", str(ROOT / "build/peers/usr/bin/pflogsumm"))


@dataclass(frozen=True)
class Ran:
    """What a run of the real program came to."""

    stdout: bytes
    stderr: bytes
    exit_code: int


@functools.cache
def programs() -> dict[str, str]:
    """Release -> program, of those that run here."""
    found = {}
    for place in (*PLACES, os.environ.get("MAILSCOPE_PFLOGSUMM", "")):
        if place and Path(place).is_file():
            said = subprocess.run(["perl", place, "--version"], capture_output=True, text=True, check=False)
            found[said.stdout.strip().rpartition(" ")[2]] = place
    return found


def missing(release: str) -> str:
    """Why the release cannot be run; empty where it can."""
    if release not in programs():
        return f"pflogsumm {release} is not installed"
    return "" if shutil.which("faketime") else "faketime is not installed"


def run(release: str, arguments: Sequence[str], now: str, stdin: bytes = b"") -> Ran:
    """Run the real program at a time of ours; ``now`` as faketime takes it: YYYY-MM-DD HH:MM:SS."""
    words = ["faketime", "-f", now, "perl", programs()[release], *arguments]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(words, capture_output=True, env=environment, input=stdin, check=False)
    return Ran(done.stdout, done.stderr, done.returncode)
