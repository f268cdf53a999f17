"""Measure Mailscope on generated Postfix logs, beside pflogsumm and beside itself.

    python benchmarks/bench.py                       all parts but month, 2,440,000 lines, 3 runs each
    python benchmarks/bench.py --only pflogsumm --only small --runs 5 --json build/bench.json

Logs are made by `generate.py` and kept in --cache. Nothing else should run on the machine meanwhile.
"""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from logs import Logs
from measure import CommandError
from parts import PARTS, Bench, Finding

ROOT = Path(__file__).parent.parent
LINES = 2_440_000


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=LINES, help="size of the log (default %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each command (default %(default)s)")
    parser.add_argument("--days", type=int, default=28, help="of the part month (default %(default)s)")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="this part; may be repeated")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "bench", help="where logs are kept")
    parser.add_argument("--json", type=Path, help="write all runs and findings to this file")
    return parser.parse_args(arguments)


def say(text: str) -> None:
    """Tell a watching person what is going on."""
    print(f"  {text}", file=sys.stderr, flush=True)


def show(findings: list[Finding]) -> str:
    """Write findings as a table."""
    rows = [("part", "what", "figure", "goal")]
    for found in findings:
        verdict = "" if found.met is None else "  met" if found.met else "  NOT MET"
        rows.append((found.part, found.what, found.figure, found.goal + verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def machine() -> dict[str, str | int | None]:
    """Describe the machine in a few words."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": len(os.sched_getaffinity(0)),
    }


def main(arguments: list[str]) -> int:
    """Run the parts; returns 1 if one of them could not run."""
    options = parse(arguments)
    bench = Bench(Logs(options.cache, say), options.lines, options.runs, say, days=options.days)
    findings: list[Finding] = []
    failures: list[str] = []
    for name in options.only or [part for part in PARTS if part != "month"]:
        try:
            findings += PARTS[name](bench)
        except CommandError as error:
            failures.append(f"{name}: {error}")
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(f"{options.lines:,} lines, {options.runs} runs, in turn: median (least to greatest)\n")
    if findings:
        print(show(findings))
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    if options.json:
        made = {
            part: {name: [asdict(run) for run in runs] for name, runs in by_name.items()}
            for part, by_name in bench.made.items()
        }
        facts = {"machine": about, "lines": options.lines, "runs": made}
        facts |= {"findings": [asdict(found) for found in findings], "failures": failures}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(facts, indent=1) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
