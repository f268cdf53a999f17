"""The dashboard for Grafana, made of ``data/panels.toml``.

Out: Grafana's JSON model of a dashboard (schema 39: Grafana 11), with a variable for the Prometheus that is
asked and one for the instance that is shown.
"""

from __future__ import annotations

from typing import Any, Final

from mailscope.watch.metrics.shipped import panels

WIDTH, HEIGHT = 24, 8
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
# Grafana's names of units.
UNITS: Final = {
    "": "short", "per second": "ops", "bytes": "bytes", "bytes per second": "Bps", "seconds": "s",
    "share": "percentunit", "instant": "dateTimeFromNow",
}  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The whole model."""
    found: list[dict[str, Any]] = []
    y = 0
    for row in panels()["row"]:
        found.append(
            {
                "type": "row", "title": row["title"], "collapsed": False, "panels": [], "id": len(found) + 1,
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            }
        )  # fmt: skip
        y += 1
        x = highest = 0
        for told in row["panel"]:
            width, height = told.get("width", 8), told.get("height", HEIGHT)
            if x + width > WIDTH:
                x, y, highest = 0, y + highest, 0
            found.append(_panel(told, len(found) + 1, {"x": x, "y": y, "w": width, "h": height}))
            x, highest = x + width, max(highest, height)
        y += highest
    return {
        "title": "Mailscope",
        "uid": "mailscope",
        "description": "Mail, its delays, the queue, logins, and how Mailscope itself does.",
        "tags": ["mail", "mailscope"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(), _instance()]},
        "panels": found,
    }


def _panel(told: dict[str, Any], number: int, place: dict[str, int]) -> dict[str, Any]:
    kind = told.get("kind", "timeseries")
    defaults: dict[str, Any] = {"unit": UNITS[told.get("unit", "")], "min": 0}
    if kind == "timeseries":
        stacked = {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 30}
        defaults["custom"] = {
            "lineWidth": 1,
            "showPoints": "never",
            **(stacked if told.get("stacked") else {}),
        }
    if "red_from" in told:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": told["red_from"]}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    return {
        "id": number,
        "type": kind,
        "title": told["title"],
        "description": told["description"],
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(kind),
        "targets": [
            {
                "refId": chr(ord("A") + nth), "datasource": SOURCE, "expr": query["expr"], "range": True,
                "legendFormat": query.get("legend", ""),
            }
            for nth, query in enumerate(told["query"])
        ],
    }  # fmt: skip


def _options(kind: str) -> dict[str, Any]:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    return {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _instance() -> dict[str, Any]:
    query = "label_values(mailscope_build_info, instance)"
    return {
        "name": "instance", "label": "Instance", "type": "query", "datasource": SOURCE, "refresh": 2,
        "definition": query, "query": {"query": query, "refId": "instance"}, "includeAll": True,
        "multi": True, "current": {"text": ["All"], "value": ["$__all"]}, "sort": 1,
    }  # fmt: skip
