"""Write the logs of a mail host with people on it, with the labels of what was injected.

    python benchmarks/simulate.py --days 28 --users 300 --seed 1 -o build/simulation

See `simulation/` for how. Times are UTC. The same options give the same bytes.
"""

import argparse
import sys
from pathlib import Path

from mailscope.demo.host import simulate
from mailscope.demo.incidents import NAMES
from mailscope.demo.plan import Plan
from simulation.small_host import simulate_small


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=28, help="days (default %(default)s)")
    parser.add_argument("--users", type=int, default=300, help="people, at least 20 (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same logs (default %(default)s)")
    parser.add_argument(
        "--start", default="2026-02-02", help="first day, UTC; best a Monday (default %(default)s)"
    )
    parser.add_argument(
        "--incidents", help="comma list of names, `none`, or `names` to list them (default: as many as fit)"
    )
    parser.add_argument(
        "--small-host", action="store_true", help="qmail and Courier, no incidents; best with 30 users"
    )
    parser.add_argument("-o", "--output", type=Path, help="directory for the logs")
    options = parser.parse_args(arguments)
    if options.incidents != "names" and not options.output:
        parser.error("say where the logs go: -o DIRECTORY")
    if options.users < 20 or options.days < 1:
        parser.error("at least 20 users and 1 day")
    return options


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = parse(arguments)
    if options.incidents == "names":
        print("\n".join(NAMES))
        return
    incidents = None
    if options.incidents:
        incidents = () if options.incidents == "none" else tuple(options.incidents.split(","))
        unknown = set(incidents) - set(NAMES)
        if unknown:
            sys.exit(f"no such incident: {', '.join(sorted(unknown))}; `--incidents names` lists them")
    make = simulate_small if options.small_host else simulate
    labels = make(Plan(options.days, options.users, options.seed, options.start, incidents), options.output)
    lines = sum(labels["lines"].values())
    print(f"{options.output}: {lines:,} lines, {len(labels['incidents'])} incidents")


if __name__ == "__main__":
    main(sys.argv[1:])
