"""Write a realistic Postfix mail log of any size, with a file that says what is in it.

    python benchmarks/generate.py --lines 2400000 --seed 1 -o big.log --truth big.json

See `loggen/` for how. Times are UTC. The same options give the same bytes.
"""

import argparse
import json
import sys
from bisect import bisect
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

from loggen.arrivals import Arrivals
from loggen.housekeeping import Housekeeping
from loggen.intruders import Intruders
from loggen.queue import Queue
from loggen.site import Plan, Site, run
from loggen.timeline import ENVELOPES, SECOND_US, Timeline
from loggen.truth import Truth


def generate(plan: Plan, path: Path) -> Truth:
    """Write the log; returns the truth about it."""
    truth = Truth()
    with path.open("wb", buffering=1 << 20) as file:
        timeline = Timeline(file, ENVELOPES[plan.envelope], plan.host, plan.lines, truth)
        site = Site(plan, timeline)
        arrivals = Arrivals(site, Queue(site))
        intruders = Intruders(site)
        shares: dict[Callable[[int], None], float] = {
            arrivals.from_other_site: 0.50,
            arrivals.from_user: 0.12,
            arrivals.from_this_machine: 0.01,
            intruders.refused: 0.24,
            intruders.failed_login: 0.08,
            intruders.lost: 0.05,
        }
        kinds, bounds = list(shares), list(accumulate(shares.values()))

        def start_activity(now: int) -> None:
            kinds[bisect(bounds, site.chance() * bounds[-1])](now)

        run(site, start_activity, Housekeeping(site).report)
    return truth


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=200_000, help="lines to write (default %(default)s)")
    parser.add_argument("--days", type=float, default=1, help="days that they cover (default %(default)s)")
    parser.add_argument("--start", default="2026-03-02", help="first day, UTC (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same log (default %(default)s)")
    parser.add_argument("--host", default="mail", help="host name in each line (default %(default)s)")
    parser.add_argument("--format", choices=sorted(ENVELOPES), default="rfc3164", help="envelope")
    parser.add_argument("--queue-ids", choices=("long", "short"), default="long", help="their form")
    parser.add_argument("--truth", type=Path, help="write the counts to this JSON file")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the log to write")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = parse(arguments)
    start = datetime.fromisoformat(options.start).replace(tzinfo=UTC)
    plan = Plan(
        options.lines, options.days, options.seed, int(start.timestamp()) * SECOND_US, options.host,
        options.format, options.queue_ids == "long",
    )  # fmt: skip
    truth = generate(plan, options.output)
    if options.truth:
        facts = {name: value for name, value in vars(options).items() if name not in ("output", "truth")}
        options.truth.write_text(json.dumps(facts | truth.as_dict(), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
