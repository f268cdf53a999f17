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

    def worker(self, cores: int = 1, memory: str = "2g") -> subprocess.Popen[bytes]:
        """Start one more worker, and wait until the master knows it."""
        number = len(self.workers)
        log = self.place / f"worker-{number}.log"
        words = ["worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", str(cores)]
        words += ["--memory", memory, "--work-dir", str(self.place / f"work-{number}"), self.url]
        self.workers.append(_started(words, log))
        _said(log, "Successfully registered with master", self.workers[-1])
        return self.workers[-1]

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker and its executors at once, as a machine that loses its power."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)


@contextmanager
def standalone(place: Path, workers: int = 2, cores: int = 1) -> Iterator[Standalone]:
    """A running cluster; its processes end with it."""
    place.mkdir(parents=True, exist_ok=True)
    log = place / "master.log"
    master = _started(["master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"], log)
    found: Standalone | None = None
    try:
        url = _said(log, r"Starting Spark master at (spark://\S+)", master)
        found = Standalone(place, master, url)
        for _ in range(workers):
            found.worker(cores)
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
