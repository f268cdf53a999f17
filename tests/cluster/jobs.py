"""Run several jobs in one session: `jobs.py MASTER` with JSON on standard input, a list of jobs.

A job is {"output": DIR, "inputs": [...], "bin_bytes": N, "part_bytes": N}.  Prints what each came to, as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from mailscope.cluster.job import Job, ingest
from mailscope.cluster.session import session
from mailscope.cluster.setup import Setup


def main() -> None:
    """Run what is asked for."""
    asked: list[dict[str, Any]] = json.load(sys.stdin)
    told = []
    with session(sys.argv[1], settings={"spark.executor.memory": "1g", "spark.ui.enabled": "false"}) as spark:
        for each in asked:
            sizes = {name: each[name] for name in ("bin_bytes", "part_bytes") if name in each}
            loaded = ingest(Job(spark, Setup(each["output"], 0, "UTC"), tuple(each["inputs"]), **sizes))
            told.append({**vars(loaded), "problems": [str(problem) for problem in loaded.problems]})
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
