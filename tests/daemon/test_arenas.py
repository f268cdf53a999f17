"""The daemon's threads share what they have freed."""

from __future__ import annotations

import platform
import re
import subprocess
import sys

import pytest

# Threads that all hold some memory at once; then glibc is asked how many arenas there are.
THREADS = """
import ctypes, sys, threading
from mailscope.daemon.memory import share_arenas
if sys.argv[1] == "shared":
    assert share_arenas()
libc = ctypes.CDLL(None)
met = threading.Barrier(8)
def hold():
    libc.malloc(5000)
    met.wait()
threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_stats()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_threads_share_arenas() -> None:
    def arenas(how: str) -> int:
        words = [sys.executable, "-c", THREADS, how]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stderr
        return len(re.findall(r"^Arena \d+:", told, re.MULTILINE))

    assert arenas("shared") <= 2 < arenas("usual")
