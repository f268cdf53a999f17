"""Simulate a host, let `mailscope detect` look at its logs, and score what it found.

    python benchmarks/simulated_months.py --seeds 1,2 --days 28 --users 300

Each seed's month has twenty incidents; a month of a small host of another kind has none, so that all that is
found there is false. Logs are kept under `--work` and made anew only if they are not there.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailscope.demo.host import LOGS, simulate
from mailscope.demo.plan import DOMAIN, Plan
from simulation.matching import Finding
from simulation.score import Score
from simulation.small_host import DOMAIN as SMALL_DOMAIN
from simulation.small_host import simulate_small

Simulate = Callable[[Plan, Path], dict[str, Any]]
SMALL_USERS = 30
MAILSCOPE = Path(sys.executable).with_name("mailscope")
DETECT = ("detect", "--format", "json", "--tz", "UTC")  # the whole command line but settings and logs
SETTINGS = """\
domains = ["{domain}"]
networks = ["192.0.2.0/24"]
"""


def detect(directory: Path, domain: str) -> list[Finding]:
    """Run the detections over a simulation's logs, with the settings that its postmaster would make."""
    settings = directory / "mailscope.toml"
    words = SETTINGS.format(domain=domain)
    table = (directory / "countries.csv").absolute()
    if table.exists():
        words += f'[detections]\ncountries = "{table}"\n'
    settings.write_text(words)
    command = [str(MAILSCOPE), *DETECT, "--config", str(settings), str(directory / LOGS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    (directory / "findings.jsonl").write_text(done.stdout)
    return [Finding.of(json.loads(line)) for line in done.stdout.splitlines()]


def score(plan: Plan, directory: Path, make: Simulate, domain: str) -> None:
    """Simulate unless the logs are there, detect, and print the tables."""
    path = directory / "labels.json"
    if not path.exists():
        make(plan, directory)
    began = time.monotonic()
    findings = detect(directory, domain)
    took = time.monotonic() - began
    print(f"\n{directory.name}: detect took {took:.0f} s\n")
    print(Score.of(json.loads(path.read_text()), findings).table(), end="", flush=True)


def main(arguments: list[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Score the detections on simulated months.")
    parser.add_argument("--seeds", default="1,2", help="comma list (default %(default)s)")
    parser.add_argument("--days", type=int, default=28, help="days of each (default %(default)s)")
    parser.add_argument("--users", type=int, default=300, help="people of each (default %(default)s)")
    parser.add_argument("--work", type=Path, default=Path("build/simulation"), help="default %(default)s")
    options = parser.parse_args(arguments)
    for seed in map(int, options.seeds.split(",")):
        plan = Plan(options.days, options.users, seed)
        name = f"{plan.days}-days-{plan.users}-users-seed-{seed}"
        score(plan, options.work / name, simulate, DOMAIN)
    plan = Plan(options.days, min(options.users, SMALL_USERS))
    score(plan, options.work / f"{plan.days}-days-small-host", simulate_small, SMALL_DOMAIN)


if __name__ == "__main__":
    main(sys.argv[1:])
