"""Alert rules and dashboard: each rule fires and stays quiet where it should, each query asks for what exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailscope.watch.metrics.dashboard import UNITS, WIDTH, dashboard
from mailscope.watch.metrics.families import FAMILIES
from mailscope.watch.metrics.shipped import panels, rules

PROMTOOL = shutil.which("promtool")
CASES = Path(__file__).parents[2] / "data" / "metrics" / "rules.toml"
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not there")
ALERTS = re.findall(r"- alert: (\w+)", rules())
# Prometheus' own, and those of the client library for any process.
FOREIGN = {"up": {"job", "instance"}, "process_resident_memory_bytes": {"job", "instance"}}


def existing() -> dict[str, set[str]]:
    """Every name that can be asked for, with its labels."""
    found = dict(FOREIGN)
    for family in FAMILIES.values():
        labels = {*family.labels, "job", "instance"}
        if family.kind == "histogram":
            found |= {f"{family.name}_bucket": labels | {"le"}}
            found |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
        else:
            found[family.shown] = labels
    return found


def queries() -> list[str]:
    return [query["expr"] for row in panels()["row"] for panel in row["panel"] for query in panel["query"]]


def asked(text: str) -> set[str]:
    return set(re.findall(r"\b(?:mailscope|process)_\w+|\bup\b", text))


def promtool(place: Path, *words: str, **files: Any) -> subprocess.CompletedProcess[str]:
    """Run it over files; JSON is YAML."""
    assert PROMTOOL is not None
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (place / name).write_text(text)
    return subprocess.run(
        [PROMTOOL, *words], cwd=place, capture_output=True, text=True, check=False, timeout=120
    )


@needs_promtool
def test_promtool_takes_the_rules(tmp_path: Path) -> None:
    done = promtool(tmp_path, "check", "rules", "--lint-fatal", "rules", rules=rules())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout
    assert len(set(ALERTS)) == len(ALERTS)


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(CASES.read_text())["case"]
    return found


def test_every_alert_has_a_case_that_fires_and_one_that_is_quiet() -> None:
    assert {case["alert"] for case in cases() if case["fires"]} == set(ALERTS)
    assert {case["alert"] for case in cases() if not case["fires"]} == set(ALERTS)


@needs_promtool
@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['alert']}, {case['what']}")
def test_alerts_fire_and_stay_quiet(tmp_path: Path, case: dict[str, Any]) -> None:
    # Which alerts fire; their texts are looked at below.
    firing = f'count by (alertname) (ALERTS{{alertname="{case["alert"]}", alertstate="firing"}})'
    samples = [{"labels": f'{{alertname="{case["alert"]}"}}', "value": 1}]
    test = {
        "rule_files": ["rules"],
        "evaluation_interval": case.get("interval", "1m"),
        "tests": [
            {
                "interval": case.get("interval", "1m"),
                "input_series": [
                    {"series": name, "values": values} for name, values in case["series"].items()
                ],
                "promql_expr_test": [
                    {"expr": firing, "eval_time": case["at"], "exp_samples": samples if case["fires"] else []}
                ],
            }
        ],
    }
    done = promtool(tmp_path, "test", "rules", "test", rules=rules(), test=test)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_an_alert_tells_what_it_is_about(tmp_path: Path) -> None:
    """Labels and annotations as a person gets them."""
    test = {
        "rule_files": ["rules"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {
                        "series": 'mailscope_delivery_failures_total{status="bounced", cause="ip_blocklisted", '
                        'dsn_class="5", instance="mx"}',
                        "values": "0+1x90",
                    },
                    {"series": 'mailscope_queue_oldest_age_seconds{queue="active", instance="mx"}', "values": "5400x90"},
                ],
                "alert_rule_test": [
                    {
                        "eval_time": "80m",
                        "alertname": "MailBlockedByOthers",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "critical", "instance": "mx", "cause": "ip_blocklisted"},
                                "exp_annotations": {
                                    "summary": "Others refuse mail of mx: ip_blocklisted, 60 times within an hour",
                                    "description": "'mailscope explain ip_blocklisted' tells what to do.",
                                },
                            }
                        ],
                    },
                    {
                        "eval_time": "80m",
                        "alertname": "MailQueueStuck",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "critical", "instance": "mx"},
                                "exp_annotations": {
                                    "summary": "A message on mx has waited 1h 30m 0s for its first attempt",
                                    "description": "Is the queue manager running, and is a content filter in the "
                                    "way? 'mailscope trace' shows its last step.",
                                },
                            }
                        ],
                    },
                ],
            }
        ],
    }  # fmt: skip
    done = promtool(tmp_path, "test", "rules", "test", rules=rules(), test=test)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboard_ask_for_what_exists() -> None:
    known = existing()
    for text in [rules(), *queries()]:
        # The text of rules also names metrics for people, without more.
        assert asked(text) <= set(known), text
    for name, selectors in re.findall(r"\b(mailscope_\w+)\{([^}]*)\}", rules() + "\n".join(queries())):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selectors))
        assert labels <= known[name], f"{name} has no label {labels - known[name]}"


def test_every_metric_of_mail_is_on_the_dashboard() -> None:
    asked_for = asked("\n".join(queries()))
    known = {name for name in existing() if name.startswith("mailscope_") and "_daemon_" not in name}
    left = {name.removesuffix("_bucket") for name in known - asked_for}
    unseen = {family.shown for family in FAMILIES.values() if family.shown in left}
    assert unseen <= {
        "mailscope_lines_skipped_total", "mailscope_log_losses_total", "mailscope_findings_total",
        "mailscope_build_info", "mailscope_sources", "mailscope_scrape_duration_seconds",
        "mailscope_receiver_messages_total", "mailscope_receiver_bytes_total", "mailscope_receiver_connections",
        "mailscope_store_rows", "mailscope_store_sealed_files", "mailscope_store_damaged_files",
        "mailscope_store_readable",
        "mailscope_store_last_sealing_timestamp_seconds", "mailscope_last_line_timestamp_seconds",
        *(name for name in known if name.startswith("mailscope_host_")),
    }  # fmt: skip


@needs_promtool
def test_every_query_of_the_dashboard_parses(tmp_path: Path) -> None:
    found = [
        target["expr"].replace("$instance", ".*")
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]
    assert len(found) == len(queries())
    recorded = [{"record": f"q:{nth}", "expr": expr} for nth, expr in enumerate(found)]
    content = {"groups": [{"name": "dashboard", "rules": recorded}]}
    done = promtool(tmp_path, "check", "rules", "dashboard", dashboard=content)
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_stand_side_by_side_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_is_whole() -> None:
    made = dashboard()
    numbers = [panel["id"] for panel in made["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert json.loads(json.dumps(made)) == made
    assert {variable["name"] for variable in made["templating"]["list"]} == {"datasource", "instance"}
    for panel in made["panels"]:
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS.values()
            assert all("$instance" in target["expr"] for target in panel["targets"])
