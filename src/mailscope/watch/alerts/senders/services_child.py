"""The process that asks services, one after the other; in: JSON (``services.py``), out: who took it."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

# Its warnings hold parts of URLs.
logging.disable(logging.CRITICAL)


def told(asked: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Send to each service; ``took`` and ``failed`` by the number of its line."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType, OverflowMode

    asset = AppriseAsset(app_id="Mailscope", app_desc="Mailscope", app_url="", async_mode=False)
    took: dict[str, str] = {}
    failed: dict[str, str] = {}
    for number, url in asked["urls"].items():
        found = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if found is None:
            failed[number] = "it is no URL that apprise knows"
            continue
        name = str(found.service_name)
        if found.overflow_mode == OverflowMode.UPSTREAM:
            # Otherwise a service refuses what is longer than it takes.
            found.overflow_mode = OverflowMode.TRUNCATE
        service = Apprise(asset=asset)
        service.add(found)
        done = service.notify(
            body=asked["text"],
            title=asked["title"],
            notify_type=NotifyType(asked["type"]),
            body_format=NotifyFormat.TEXT,
        )
        if done:
            took[number] = name
        else:
            failed[number] = f"{name} did not take it"
    return {"took": took, "failed": failed}


if __name__ == "__main__":
    # What the library prints must not be taken for the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    json.dump(told(json.load(sys.stdin)), answer)
