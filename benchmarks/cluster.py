"""The flow on a cluster: what a core does in a second, and what a second worker is worth.

    python benchmarks/cluster.py rates --lines 400000
    python benchmarks/cluster.py workers --hosts 8 --lines 60000

``rates``: processor time of each stage of a job, called in this process as a task calls it, on the generated
log of one host; from it, what 10, 100 and 1,000 hosts and 10 TB a day need.  ``workers``: the same job on a
standalone cluster of one worker and of two (a core each; master and workers are processes on loopback), and
`mailscope ingest` of the same logs in the same run; ``--share 0.5`` gives each worker half a processor, so
that the head and Spark's own threads do not compete with it (as root, with control groups).
"""

from __future__ import annotations

import argparse
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIB = 1 << 30
# Text of a line of the generated log, with its line feed; a host that is busy logs so many lines a day.
BUSY_LINES = 2_000_000
DAY_S = 86_400


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of some work in this process, and its result."""
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def rates(lines: int) -> None:
    """Stages one after the other, each on what the one before gave."""
    import polars as pl

    from mailscope.cluster import committing
    from mailscope.cluster.chaining import chainer, digester
    from mailscope.cluster.following import follower
    from mailscope.cluster.merging import merger
    from mailscope.cluster.pieces import Plan, look
    from mailscope.cluster.reading import lines as read
    from mailscope.cluster.rows import STATE_TYPES, as_arrow
    from mailscope.cluster.setup import Setup, cleaning, engine
    from mailscope.intake.files import expand

    with tempfile.TemporaryDirectory(prefix="rates-") as place:
        log = Path(place) / "mail.log"
        generate(log, lines, "mx1", 1)
        size = log.stat().st_size
        begun = committing.begin(Path(place) / "store")
        setup = Setup(str(Path(place) / "store"), begun.run, "UTC")
        files = expand([str(log)]).sources
        clean = cleaning(setup)
        engine(setup)
        plan = Plan(files, {source.name: look(source) for source in files}, {}, setup.timezone, 1 << 40)
        reading, rows = timed(lambda: pl.concat(list(read(plan.pieces()[0], clean))))
        rows = rows.filter(pl.col("place").is_not_null()).with_columns(pl.lit(0, pl.Int32).alias("bin"))
        table = as_arrow(rows)
        sets = {source.name: source.set_id for source in files}
        digesting, digests = timed(lambda: digester(setup, sets, {})(None, table))
        chaining, _ = timed(lambda: list(chainer({})(iter(digests.to_batches()))))
        following, found = timed(
            lambda: follower(setup, sets, {"mx1": 0}, {})(
                None, table, as_arrow(pl.DataFrame(schema=STATE_TYPES))
            )
        )
        hours = pl.from_arrow(found)
        assert isinstance(hours, pl.DataFrame)
        hours = hours.filter(pl.col("kind") == "hour")
        merging, _ = timed(
            lambda: [
                merger("UTC")((_Scalar(hour),), as_arrow(part))
                for (hour,), part in hours.partition_by("hour", as_dict=True).items()
            ]
        )
    told = {
        "read": reading,
        "follow": following,
        "merge tallies": merging,
        "digest": digesting,
        "chain": chaining,
    }
    print(f"{lines:,} lines, {size / 1e6:.0f} MB, pickled digests {len(pickle.dumps(digests)) / 1e6:.0f} MB")
    for name, took in told.items():
        print(f"{name:16}{took:8.2f} s {lines / took if took else 0:12,.0f} lines a second and core")
    whole = reading + following + merging
    cut = whole + digesting + chaining
    a_line = size / lines
    for name, cost in (("hosts as they are", whole), ("all cut in time", cut)):
        print(f"{name}: {lines / cost:,.0f} lines, {size / cost / 1e6:.1f} MB a second and core")
    for hosts in (10, 100, 1_000):
        day = hosts * BUSY_LINES
        cores = day * whole / lines / DAY_S
        gigabytes = day * a_line / 1e9
        print(f"{hosts:5,} hosts of {BUSY_LINES:,} lines a day ({gigabytes:,.0f} GB): {cores:.2f} cores busy")
    busy, most = (10e12 / size * cost / DAY_S for cost in (whole, cut))
    print(f"10 TB a day: {busy:,.0f} cores busy ({most:,.0f} if all are cut)")


class _Scalar:
    """A key as Arrow hands it over."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def as_py(self) -> Any:
        """Its value."""
        return self._value


def generate(path: Path, lines: int, host: str, seed: int) -> None:
    """A busy host's log, made by another process."""
    words = ["--lines", str(lines), "--days", "1", "--host", host, "--seed", str(seed), "-o", str(path)]
    subprocess.run([sys.executable, str(Path(__file__).with_name("generate.py")), *words], check=True)


def logs_of(place: Path, hosts: int, lines: int) -> int:
    """Make the hosts' logs where they are not there yet; gives their size in bytes."""
    size = 0
    for number in range(hosts):
        log = place / f"mx{number}" / "mail.log"
        if not log.exists():
            log.parent.mkdir(parents=True)
            generate(log, lines, f"mx{number}", number + 1)
        size += log.stat().st_size
    return size


def workers(hosts: int, lines: int, kept: Path | None, share: float | None) -> None:
    """One worker, two workers, and (but where each has a share) one machine without a cluster."""
    from standalone import standalone

    with tempfile.TemporaryDirectory(prefix="workers-") as name:
        place = Path(name)
        logs = kept or place / "logs"
        size = logs_of(logs, hosts, lines)
        took: dict[str, float] = {}

        def told(name: str, seconds: float) -> None:
            took[name] = seconds
            print(f"{name:26}{seconds:8.1f} s {seconds / size * GIB:10.0f} s a GiB", flush=True)

        for count in (1, 2):
            with standalone(place / f"cluster-{count}", workers=count, share=share) as cluster:
                words = ["cluster", "ingest", "--master", cluster.url, "--conf", "spark.executor.memory=1g"]
                told(f"{count} worker{'s' * (count > 1)}", run([*words, "--output"], place, logs))
        if share is None:
            told("one machine, no cluster", run(["ingest", "--store"], place, logs))
    print(f"two workers take {took['2 workers'] / took['1 worker']:.2f} of the time of one")


def run(words: list[str], place: Path, logs: Path) -> float:
    """Seconds that a command takes to store the logs in a new store."""
    store = place / "store"
    shutil.rmtree(store, ignore_errors=True)
    command = [sys.executable, "-m", "mailscope", *words, str(store), "--tz", "UTC", str(logs)]
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    asked = kinds.add_parser("rates", help="processor time of each stage")
    asked.add_argument("--lines", type=int, default=400_000)
    asked = kinds.add_parser("workers", help="one worker, two, and none")
    asked.add_argument("--hosts", type=int, default=8)
    asked.add_argument("--lines", type=int, default=60_000, help="of each host")
    asked.add_argument("--logs", type=Path, help="keep the logs here; those that are there are used")
    asked.add_argument(
        "--share", type=float, help="of a processor, for each worker: those of head and Spark are others then"
    )
    told = parser.parse_args()
    if told.kind == "rates":
        rates(told.lines)
    else:
        workers(told.hosts, told.lines, told.logs, told.share)


if __name__ == "__main__":
    main()
