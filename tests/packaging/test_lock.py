"""The lock file has all that pyproject.toml asks for, the bill of materials all of the lock file; the container uses both."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sbom

ROOT = Path(__file__).parents[2]
LOCK = sbom.LOCK.read_text(encoding="utf-8")
PINS = {pin.name: pin for pin in sbom.pins(LOCK)}


def asked() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["geoip"])
    ]


@pytest.mark.parametrize("wanted", asked(), ids=lambda wanted: wanted.name)
def test_what_the_project_asks_for_is_pinned_with_what_that_needs(wanted: Requirement) -> None:
    seen: set[str] = set()
    left = [wanted]
    while left:
        each = left.pop()
        name = canonicalize_name(each.name)
        assert name in PINS, f"{name} is not in the lock file: run packaging/lock.sh"
        assert each.specifier.contains(PINS[name].version), (
            f"{each}: {PINS[name].version} is pinned; run packaging/lock.sh"
        )
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        if name in seen:
            continue
        seen.add(name)
        for extra in ("", *each.extras):
            environment = {**default_environment(), "extra": extra}
            found = map(Requirement, needed)
            left += [need for need in found if need.marker is None or need.marker.evaluate(environment)]


def test_the_lock_file_names_versions_and_hashes_and_no_host() -> None:
    assert len(PINS) > 30
    assert all(
        pin.hashes and all(re.fullmatch("[0-9a-f]{64}", each) for each in pin.hashes) for pin in PINS.values()
    )
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK


def test_the_bill_of_materials_is_one() -> None:
    text = sbom.bill(LOCK, 1795000000)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    assert {(each["name"], each["version"]) for each in told["components"]} == {
        (p.name, p.version) for p in PINS.values()
    }
    assert all(each["hashes"] and each["purl"].startswith("pkg:pypi/") for each in told["components"])
    assert told["metadata"]["component"]["name"] == "mailscope"
    assert told["metadata"]["timestamp"].startswith("2026-11-18")
    ours = next(each for each in told["dependencies"] if each["ref"].startswith("pkg:pypi/mailscope@"))
    names = {re.sub(r"pkg:pypi/(.+)@.*", r"\1", ref) for ref in ours["dependsOn"]}
    assert names == {canonicalize_name(each.name) for each in asked()}
    licensed = [each["name"] for each in told["components"] if not each.get("licenses")]
    assert len(licensed) < 8, f"of these no licence is known: {licensed}"
    assert sbom.bill(LOCK, 1795000000) == text


def test_the_container_file_uses_what_is_there() -> None:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Containerfile").read_text(encoding="utf-8"))
    words = {line.split()[0]: line for line in text.splitlines() if line and not line.startswith("#")}
    assert list(words) == ["FROM", "COPY", "RUN", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"]
    copied = re.findall(r"^COPY (\S+) (\S+)$", text, re.MULTILINE)
    assert copied == [
        ("packaging/requirements.lock", "/tmp/requirements.lock"),
        ("dist/mailscope-*-py3-none-any.whl", "/tmp/"),
    ]
    assert "--require-hashes" in words["RUN"]
    assert words["USER"] == "USER mailscope"
    entry = json.loads(words["ENTRYPOINT"].removeprefix("ENTRYPOINT "))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert entry == list(scripts)
    from mailscope.cli.main import COMMANDS
    from mailscope.vocabulary.settings.settings import Settings

    assert json.loads(words["CMD"].removeprefix("CMD "))[0] in COMMANDS
    assert words["VOLUME"].split()[1] == Settings().store.directory
    base = re.search(r"python:(\d+\.\d+)", words["FROM"])
    assert base is not None
    python = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert Requirement(f"python{python}").specifier.contains(base[1])
