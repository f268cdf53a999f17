"""Options as Perl's Getopt::Long takes them in its default configuration.

One dash or two; any unambiguous beginning of a name, in capital letters or small; ``--name=value`` or
``--name value``; options and files mixed; ``--`` ends the options.  Source: Getopt::Long(3perl).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["flag", "number", "number or nothing", "text"]
Value = bool | int | str

_NUMBER: Final = re.compile(r"[-+]?_*[0-9][0-9_]*")
_OPTION: Final = re.compile(r"--?(?P<name>[^=]+)(?:=(?P<value>.*))?", re.DOTALL)


@dataclass
class Parsed:
    """What a command line holds; ``complaints`` are in the words of Getopt::Long."""

    values: dict[str, Value] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def parse(arguments: Sequence[str], options: Mapping[str, Kind]) -> Parsed:
    """Part arguments into options and files.  ``options`` are all names, short ones too."""
    parsed = Parsed()
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            parsed.files += left
            break
        found = _OPTION.fullmatch(argument)
        if found is None:
            parsed.files.append(argument)
            continue
        name = _name(found["name"], options, parsed)
        if name is not None:
            _take(name, options[name], found["value"], left, parsed)
    return parsed


def _name(given: str, options: Mapping[str, Kind], parsed: Parsed) -> str | None:
    wanted = given.lower()
    if wanted in options:
        return wanted
    hits = sorted(name for name in options if name.startswith(wanted))
    if len(hits) == 1:
        return hits[0]
    if hits:
        parsed.complaints.append(f"Option {wanted} is ambiguous ({', '.join(hits)})")
    else:
        parsed.complaints.append(f"Unknown option: {wanted}")
    return None


def _take(name: str, kind: Kind, given: str | None, left: list[str], parsed: Parsed) -> None:
    """Give an option its value, from the same argument or from the next."""
    if kind == "flag":
        if given is not None:
            parsed.complaints.append(f"Option {name} does not take an argument")
        else:
            parsed.values[name] = True
        return
    if kind == "number or nothing":
        if given is None:
            given = left.pop(0) if left and _NUMBER.fullmatch(left[0]) else "0"
        given = given or "0"
    elif given is None:
        if not left or (kind == "number" and left[0] == "--"):
            parsed.complaints.append(f"Option {name} requires an argument")
            return
        given = left.pop(0)
    if kind == "text":
        if given == "" and kind != "text":
            return
        parsed.values[name] = given
    elif _NUMBER.fullmatch(given):
        parsed.values[name] = int(given.replace("_", ""))
    else:
        parsed.complaints.append(f'Value "{given}" invalid for option {name} (number expected)')
