"""The daemon under load: how late a line is in the store, and what it costs to follow logs.

    python benchmarks/live.py --seconds 60 --rate 2000

Lines of a generated log, with stamps of now, are written to a file that is rotated.  Ten times a second a
probe is written as well; the daemon's tail shows it once it is stored, and that is when it counts as visible.
Then the daemon follows 20 files into which nothing is written.  ``--profile FILE`` keeps what cProfile saw of
the loop.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from mailscope.store.calling import Connection

HERE = Path(__file__).parent
PROBE = "mailscope-probe"
STEP_S = 0.02
PROBE_S = 0.1
ROTATE_S = 15.0
KEPT_FILES = 20
# `Mar  2 00:00:00 ` of RFC 3164.
STAMP = 16


@dataclass
class Daemon:
    """A daemon of its own in a directory, which is measured from outside."""

    place: Path
    profile: Path | None = None
    logs: list[Path] = field(default_factory=list)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        config = self.place / "mailscope.toml"
        named = ", ".join(f'"{log}"' for log in self.logs)
        config.write_text(
            f'time_zone = "UTC"\n[sources]\ndiscover = false\nfiles = [{named}]\n'
            f'[store]\ndirectory = "{self.place}/store"\n[api]\nsocket = "{self.place}/api.sock"\n'
        )
        words = [sys.executable, "-m", "mailscope", "serve", "--config", str(config)]
        if self.profile is not None:
            words[1:1] = ["-m", "cProfile", "-o", str(self.profile)]
        self.process = psutil.Popen(words, stderr=subprocess.DEVNULL)
        while not (self.place / "api.sock").exists():
            if self.process.poll() is not None:
                sys.exit("the daemon did not start")
            time.sleep(0.1)
        time.sleep(1)

    def cpu_s(self) -> float:
        """Give its processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        """Give its resident memory."""
        return float(self.process.memory_info().rss) / 1e6

    def stop(self) -> None:
        """Stop it as systemd does."""
        self.process.terminate()
        self.process.wait(60)


class Watch(threading.Thread):
    """When each probe was seen in the store."""

    def __init__(self, place: Path) -> None:
        super().__init__(daemon=True)
        self._connection = Connection(place / "api.sock")
        self.seen: dict[int, float] = {}

    def run(self) -> None:
        """Read the daemon's tail until it ends."""
        self._connection.request("GET", f"/v1/tail?program={PROBE}")
        answer = self._connection.getresponse()
        while line := answer.readline():
            if line.strip():
                self.seen[int(json.loads(line)["text"])] = time.monotonic()


class Scrapes(threading.Thread):
    """How long the daemon's figures take, asked as Prometheus does."""

    def __init__(self, place: Path, every_s: float) -> None:
        super().__init__(daemon=True)
        self._socket, self._every_s = place / "api.sock", every_s
        self.over = threading.Event()
        self.took: list[float] = []
        self.bytes = 0

    def run(self) -> None:
        """Ask until told to stop."""
        while not self.over.wait(self._every_s):
            connection = Connection(self._socket)
            begun = time.monotonic()
            connection.request("GET", "/metrics")
            self.bytes = len(connection.getresponse().read())
            self.took.append(time.monotonic() - begun)
            connection.close()

    def told(self) -> dict[str, float]:
        """Figures of all scrapes but the first, which loads code."""
        took = sorted(self.took[1:])
        if not took:
            return {}
        return {
            "scrapes": len(took),
            "scrape p50 ms": took[len(took) // 2] * 1000,
            "scrape p95 ms": took[int(len(took) * 0.95)] * 1000,
            "scrape max ms": took[-1] * 1000,
            "first scrape ms": self.took[0] * 1000,
            "scrape KB": self.bytes / 1000,
        }


def write(
    log: Path, lines: list[bytes], rate: int, seconds: float, daemon: Daemon
) -> tuple[dict[int, float], float]:
    """Write the load; gives when each probe was written, and the daemon's greatest resident memory."""
    probes: dict[int, float] = {}
    begun = probed = rotated = time.monotonic()
    written, peak = 0, 0.0
    while (now := time.monotonic()) - begun < seconds:
        stamp = datetime.now(UTC).isoformat(timespec="microseconds").encode() + b" "
        owed = int((now - begun) * rate) - written
        piece = [stamp + lines[(written + n) % len(lines)][STAMP:] for n in range(owed)]
        written += owed
        if now - probed >= PROBE_S:
            probed += PROBE_S
            probes[len(probes)] = now
            piece.append(stamp + f"mail {PROBE}[1]: {len(probes) - 1}\n".encode())
        with log.open("ab") as file:
            file.write(b"".join(piece))
        if now - rotated >= ROTATE_S:
            rotated = now
            rotate(log)
            peak = max(peak, daemon.rss_mb())
        time.sleep(STEP_S)
    return probes, max(peak, daemon.rss_mb())


def rotate(log: Path) -> None:
    """Rename a log as logrotate does."""
    for number in range(KEPT_FILES, 0, -1):
        old = log.with_name(f"{log.name}.{number}")
        if old.exists():
            old.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))


def busy(
    place: Path, rate: int, seconds: float, profile: Path | None, scrape_s: float = 0
) -> dict[str, float]:
    """Measure the daemon while lines come."""
    made = place / "made.log"
    # So many different messages that none comes twice.
    count = int(rate * seconds * 1.1) + 1000
    words = [sys.executable, str(HERE / "generate.py"), "--lines", str(count), "-o", str(made)]
    subprocess.run(words, check=True)
    lines = made.read_bytes().splitlines(keepends=True)
    log = place / "mail.log"
    log.touch()
    daemon = Daemon(place, profile, [log])
    daemon.start()
    watch = Watch(place)
    watch.start()
    scrapes = Scrapes(place, scrape_s)
    if scrape_s:
        scrapes.start()
    time.sleep(1)
    cpu, begun = daemon.cpu_s(), time.monotonic()
    probes, peak = write(log, lines, rate, seconds, daemon)
    share = (daemon.cpu_s() - cpu) / (time.monotonic() - begun)
    scrapes.over.set()
    until = time.monotonic() + 30
    while len(watch.seen) < len(probes) and time.monotonic() < until:
        time.sleep(0.1)
    late = sorted(watch.seen[n] - at for n, at in probes.items() if n in watch.seen)
    daemon.stop()
    if not late:
        sys.exit("no probe was seen")
    return {
        "lines a second": rate,
        "seconds": seconds,
        "probes": len(probes),
        "probes not seen": len(probes) - len(late),
        "latency p50 s": late[len(late) // 2],
        "latency p95 s": late[int(len(late) * 0.95)],
        "latency max s": late[-1],
        "share of one processor, %": share * 100,
        "memory MB": peak,
        **scrapes.told(),
    }


def idle(place: Path, seconds: float) -> dict[str, float]:
    """Measure the daemon while nothing comes in 20 files."""
    logs = [place / f"idle-{number}.log" for number in range(20)]
    for log in logs:
        log.write_bytes(b"")
    daemon = Daemon(place, None, logs)
    daemon.start()
    time.sleep(5)
    cpu, begun = daemon.cpu_s(), time.monotonic()
    time.sleep(seconds)
    share = (daemon.cpu_s() - cpu) / (time.monotonic() - begun)
    told = {"idle: share of one processor, %": share * 100, "idle: memory MB": daemon.rss_mb()}
    daemon.stop()
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="of each part (default %(default)s)")
    parser.add_argument("--rate", type=int, default=2000, help="lines a second (default %(default)s)")
    parser.add_argument("--profile", type=Path, help="write what cProfile saw of the daemon's loop here")
    parser.add_argument("--scrape", type=float, default=0, metavar="S", help="ask for /metrics so often")
    parser.add_argument("--only", choices=("busy", "idle"), help="this part")
    options = parser.parse_args()
    for name in ("busy", "idle"):
        if options.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            told = (
                busy(place, options.rate, options.seconds, options.profile, options.scrape)
                if name == "busy"
                else idle(place, options.seconds)
            )
        for what, figure in told.items():
            print(f"{what:<32}{figure:10.2f}")


if __name__ == "__main__":
    main()
