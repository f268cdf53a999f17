"""Simulate a host, let `mailscope detect` look at its logs, and score what it found.

    python benchmarks/watching.py --seeds 1,2 --days 28 --users 300

Each seed's month has twenty incidents. Logs are kept under `--work` and made anew only if they are not there.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from simulation.host import LOGS, simulate
from simulation.matching import Finding
from simulation.plan import DOMAIN, Plan
from simulation.score import Score

MAILSCOPE = Path(sys.executable).with_name("mailscope")
DETECT = ("detect", "--format", "json", "--tz", "UTC")  # the whole command line but settings and logs
SETTINGS = f"""\
domains = ["{DOMAIN}"]
networks = ["192.0.2.0/24"]
"""


def detect(directory: Path) -> list[Finding]:
    """Run the detections over a simulation's logs, with the settings that its postmaster would make."""
    settings = directory / "mailscope.toml"
    settings.write_text(SETTINGS)
    command = [str(MAILSCOPE), *DETECT, "--config", str(settings), str(directory / LOGS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (directory / "findings.jsonl").write_text(done.stdout)
    return [Finding.of(json.loads(line)) for line in done.stdout.splitlines()]


def labels_of(plan: Plan, directory: Path) -> dict[str, object]:
    """Give the labels of a plan, simulating it if its logs are not there."""
    path = directory / "labels.json"
    if not path.exists():
        simulate(plan, directory)
    labels: dict[str, object] = json.loads(path.read_text())
    return labels


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
        directory = options.work / f"{plan.days}-days-{plan.users}-users-seed-{seed}"
        labels = labels_of(plan, directory)
        began = time.monotonic()
        findings = detect(directory)
        took = time.monotonic() - began
        print(f"\nSeed {seed}: {plan.days} days, {plan.users} users; detect took {took:.0f} s\n")
        print(Score.of(labels, findings).table(), end="", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
