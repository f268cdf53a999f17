"""A bill of materials (CycloneDX 1.6, JSON): mailscope, and every library of requirements.lock with hashes.

    python packaging/sbom.py > mailscope.cdx.json

In: the lock file, and what is installed here, for licences and for which library needs which.  The same input
gives the same bill: its number is made of the lock file, its time is SOURCE_DATE_EPOCH (1970 without it).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mailscope import __version__

LOCK: Final = Path(__file__).parent / "requirements.lock"
NAME: Final = "mailscope"
EXTRAS: Final = frozenset({"", "geoip"})
# Where a distribution names its licence by a classifier alone.
CLASSIFIED: Final = re.compile(r"License :: (?:OSI Approved :: )?(.+)")


@dataclass(frozen=True)
class Pin:
    """A library of the lock file."""

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str


def pins(text: str) -> list[Pin]:
    """The libraries of a lock file."""
    found = []
    for entry in re.sub(r"\\\n\s*", " ", text).splitlines():
        if entry.strip() and not entry.startswith("#"):
            wanted, *hashes = re.split(r"\s+--hash=sha256:", entry.strip())
            requirement = Requirement(wanted)
            (version,) = requirement.specifier
            found.append(
                Pin(
                    canonicalize_name(requirement.name),
                    version.version,
                    tuple(hashes),
                    str(requirement.marker or ""),
                )
            )
    return found


def bill(lock: str, stamp: int = 0) -> str:
    """The bill of a lock file, as JSON."""
    factory = LicenseFactory()
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{NAME} {__version__}\n{lock}"))
    bom.metadata.timestamp = datetime.fromtimestamp(stamp, UTC)
    bom.metadata.component = _component(NAME, __version__, ComponentType.APPLICATION, (), ["MIT"], factory)
    known = {
        each.name: _component(
            each.name,
            each.version,
            ComponentType.LIBRARY,
            each.hashes,
            licences(installed(each.name)),
            factory,
        )
        for each in pins(lock)
    }
    for component in known.values():
        bom.components.add(component)
    for name, component in {NAME: bom.metadata.component, **known}.items():
        bom.register_dependency(component, [known[need] for need in needs(name, known)])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(
    name: str,
    version: str,
    kind: ComponentType,
    hashes: Iterable[str],
    named: Iterable[str],
    factory: LicenseFactory,
) -> Component:
    link = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name,
        version=version,
        type=kind,
        bom_ref=str(link),
        purl=link,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
        licenses=[factory.make_from_string(each) for each in named],
    )


def installed(name: str) -> Distribution | None:
    """What is known here of a library; nothing of one for other platforms."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licences(found: Distribution | None) -> list[str]:
    """An SPDX expression where there is one; else the first line of what its makers say."""
    if found is None:
        return []
    said = found.metadata.json
    if expression := said.get("license_expression"):
        return [str(expression)]
    classified = [match[1] for each in said.get("classifier", []) if (match := CLASSIFIED.match(each))]
    words = str(said.get("license") or "").strip().splitlines()
    return classified[:1] or words[:1]


def needs(name: str, known: Mapping[str, object]) -> Iterator[str]:
    """Which of the libraries one of them needs."""
    found = installed(name)
    for text in (found.requires or []) if found is not None else []:
        requirement = Requirement(text)
        extras = EXTRAS if name == NAME else frozenset({""})
        wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in extras)
        if wanted and canonicalize_name(requirement.name) in known:
            yield canonicalize_name(requirement.name)


if __name__ == "__main__":
    sys.stdout.write(bill(LOCK.read_text(encoding="utf-8"), int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
