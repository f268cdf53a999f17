"""A real standalone cluster on loopback: a master and workers, each a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 120.0
# The controller of processor time, as version 1 of Linux's control groups has it.
CGROUPS = Path("/sys/fs/cgroup/cpu")
SPARK = "org.apache.spark.deploy"


def usable() -> str:
    """Why no cluster can be started here; empty where one can."""
    if shutil.which("java") is None:
        return "there is no Java"
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "PySpark is not installed"
    return ""


@dataclass
class Standalone:
    """The processes of a cluster."""

    place: Path
    master: subprocess.Popen[bytes]
    url: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _shares: list[Path] = field(default_factory=list)

    def worker(
        self, cores: int = 1, memory: str = "2g", share: float | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one more worker, and wait until the master knows it.

        ``share``: it and its executors have so much of a processor and no more, as a machine of their own.
        """
        number = len(self.workers)
        log = self.place / f"worker-{number}.log"
        words = ["worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", str(cores)]
        words += ["--memory", memory, "--work-dir", str(self.place / f"work-{number}"), self.url]
        self.workers.append(_started(words, log))
        if share is not None:
            self._shares.append(_confined(self.workers[-1], share))
        _said(log, "Successfully registered with master", self.workers[-1])
        return self.workers[-1]

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker and its executors at once, as a machine that loses its power."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)


@contextmanager
def standalone(
    place: Path, workers: int = 2, cores: int = 1, share: float | None = None
) -> Iterator[Standalone]:
    """A running cluster; its processes end with it.  ``share``: of a processor, for each worker."""
    place.mkdir(parents=True, exist_ok=True)
    log = place / "master.log"
    master = _started(["master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"], log)
    found: Standalone | None = None
    try:
        url = _said(log, r"Starting Spark master at (spark://\S+)", master)
        found = Standalone(place, master, url)
        for _ in range(workers):
            found.worker(cores, share=share)
        yield found
    finally:
        for process in [*(found.workers if found else ()), master]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in [*(found.workers if found else ()), master]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        for group in found._shares if found else ():
            _freed(group)


def _confined(process: subprocess.Popen[bytes], share: float) -> Path:
    """Put a process, and all that it starts, into a control group with a share of a processor (root only)."""
    group = CGROUPS / f"mailscope-worker-{process.pid}"
    group.mkdir()
    (group / "cpu.cfs_quota_us").write_text(str(int(share * int((group / "cpu.cfs_period_us").read_text()))))
    (group / "cgroup.procs").write_text(str(process.pid))
    return group


def _freed(group: Path) -> None:
    """Remove a control group as soon as its processes have ended."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            group.rmdir()
            return
        except OSError:
            time.sleep(0.2)


def _started(words: list[str], log: Path) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "SPARK_NO_DAEMONIZE": "1",
        "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }  # fmt: skip
    name, *rest = words
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(home / "bin" / "spark-class"), f"{SPARK}.{name}", *rest],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


def _said(log: Path, words: str, process: subprocess.Popen[bytes]) -> str:
    """Wait until a process has said something; gives what the expression holds."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        text = log.read_text(errors="replace")
        if found := re.search(words, text):
            return found[1] if found.groups() else found[0]
        assert process.poll() is None, text[-2000:]
        time.sleep(0.1)
    raise AssertionError(f"it never said '{words}': {log.read_text(errors='replace')[-2000:]}")
