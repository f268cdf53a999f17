"""The file that ``--config`` names: ``option = value`` lines, as Config::Simple(3pm) reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailscope.reports.compat.pflogsumm.getopt import Kind, Value
from mailscope.vocabulary.errors import UsageError

CONFIGURABLE: Final[dict[str, Kind]] = {
    "bounce-detail": "number", "colwidth": "number", "config": "text", "date-range": "text", "debug": "text",
    "deferral-detail": "number", "detail": "number", "dow0mon": "flag", "dump-config": "flag",
    "expired-detail": "number", "extended-detail": "flag", "help": "flag", "host-cnt": "number",
    "ignore-case": "flag", "iso-date-time": "flag", "mailq": "flag", "no-no-msg-size": "flag",
    "problems-first": "flag", "pscrn-detail": "number", "pscrn-stats": "flag", "quiet": "flag",
    "rej-add-from": "flag", "rej-add-to": "flag", "reject-detail": "number", "smtp-detail": "number",
    "smtpd-stats": "flag", "smtpd-warning-detail": "number", "srs-mung": "flag", "syslog-name": "text",
    "suppress": "text", "ssl-tls-stats": "flag", "unprocd-file": "text", "use-orig-to": "flag",
    "user-cnt": "number", "uucp-mung": "flag", "verbose-msg-detail": "flag", "verp-mung": "number or nothing",
    "version": "flag", "warning-detail": "number", "zero-fill": "flag",
}  # fmt: skip
# Switches that 1.3.0 asks only whether they were set at all, be it to "no".
_SET_AT_ALL: Final = frozenset(
    {
        "problems-first", "pscrn-stats", "smtpd-stats", "srs-mung", "ssl-tls-stats", "verbose-msg-detail",
        "zero-fill", "help", "version", "dump-config",
    }
)  # fmt: skip
_WORDS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class ConfigError(UsageError):
    """A file of options that is not there or holds something else."""


@dataclass
class Configured:
    """Options from a file; ``warnings`` are about what was passed over."""

    values: dict[str, Value | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read(path: Path, *, strict: bool) -> Configured:
    """Read options from a file.

    ``strict``: a switch set to "no" is on where 1.3.0 asks only whether it was set.
    Raises ConfigError where there is no such file or a line of it is none of an option.
    """
    if not path.is_file():
        raise ConfigError(
            f'Config file "{path}" not found: No such file or directory', "--config", "name a file"
        )
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise ConfigError(error.strerror or "not readable", str(path), "see its permissions") from error
    configured = Configured()
    for section, name, value in _entries(text, path):
        if section != "default":
            configured.warnings.append(f"Ignoring unsupported config section key: {section}.{name}")
        elif name not in CONFIGURABLE:
            configured.warnings.append(f"Ignoring unknown option in config file: {name}")
        else:
            _set(name, value, configured, strict=strict)
    return configured


def _set(name: str, value: str, configured: Configured, *, strict: bool) -> None:
    kind = CONFIGURABLE[name]
    if kind == "text":
        configured.values[name] = value
    elif kind == "flag":
        on = _WORDS.get(value.lower())
        if on is None:
            configured.warnings.append(f"Ignoring invalid boolean for {name}: {value}")
        elif on or (strict and name in _SET_AT_ALL):
            configured.values[name] = True
        else:
            configured.values[name] = None
    elif re.fullmatch(r"[1-9][0-9]*", value):
        configured.values[name] = int(value)
    elif value in ("none", "all"):
        configured.values[name] = 0 if value == "none" else None
    else:
        configured.warnings.append(f"Ignoring invalid integer for {name}: {value}")


def _entries(text: str, path: Path) -> list[tuple[str, str, str]]:
    """Section, name and value of each line."""
    section = "default"
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if found := re.fullmatch(r"\[\s*([^\]]+?)\s*\]", line):
            section = found[1]
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            what = "not a line of the form 'option = value'"
            raise ConfigError(what, f"{path}, line {number}", "see what --dump-config writes")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        entries.append((section, name.strip(), value))
    return entries
