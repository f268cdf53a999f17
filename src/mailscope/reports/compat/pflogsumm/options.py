"""Every option of both releases, and the settings that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from mailscope.reports.compat.pflogsumm.addresses import Munging
from mailscope.reports.compat.pflogsumm.config import CONFIGURABLE, Configured, read
from mailscope.reports.compat.pflogsumm.dates import Span, older_span, span
from mailscope.reports.compat.pflogsumm.getopt import Kind, Value, parse
from mailscope.reports.compat.pflogsumm.usage import USAGE
from mailscope.vocabulary.errors import UsageError

RELEASES: Final = ("1.3.0", "1.1.5")
ALL: Final = -1
DIED: Final = 255  # the exit code of a Perl program that dies

OLDER: Final[dict[str, Kind]] = {
    "bounce-detail": "number", "d": "text", "deferral-detail": "number", "detail": "number", "e": "flag",
    "help": "flag", "h": "number", "ignore-case": "flag", "i": "flag", "iso-date-time": "flag",
    "mailq": "flag", "m": "flag", "no-bounce-detail": "flag", "no-deferral-detail": "flag",
    "no-no-msg-size": "flag", "no-reject-detail": "flag", "no-smtpd-warnings": "flag",
    "problems-first": "flag", "q": "flag", "rej-add-from": "flag", "reject-detail": "number",
    "smtp-detail": "number", "smtpd-stats": "flag", "smtpd-warning-detail": "number", "syslog-name": "text",
    "u": "number", "uucp-mung": "flag", "verbose-msg-detail": "flag", "verp-mung": "number or nothing",
    "version": "flag", "zero-fill": "flag",
}  # fmt: skip
SHORT: Final = {
    "d": "date-range", "x": "debug", "e": "extended-detail", "h": "host-cnt", "i": "ignore-case",
    "q": "quiet", "u": "user-cnt", "m": "uucp-mung",
}  # fmt: skip
SUPPRESSIBLE: Final = ("host/domain", "per-hour", "rdns-warnings", "size-detail")
_LIMITS: Final = (
    "bounce-detail", "deferral-detail", "expired-detail", "host-cnt", "pscrn-detail", "reject-detail",
    "warning-detail", "user-cnt",
)  # fmt: skip
_OLDER_LIMITS: Final = (
    "bounce-detail", "deferral-detail", "host-cnt", "reject-detail", "smtp-detail", "warning-detail",
    "user-cnt",
)  # fmt: skip
# 1.1.5's switches that set a limit to nothing.
_NOTHING: Final = {
    "no-bounce-detail": "bounce-detail", "no-deferral-detail": "deferral-detail",
    "no-reject-detail": "reject-detail", "no-smtpd-warnings": "smtpd-warning-detail",
}  # fmt: skip


@dataclass(frozen=True)
class Answer(Exception):
    """A text to print instead of a report: one that was asked for, or what is wrong with the command line."""

    text: str
    exit_code: int = 0
    to_stderr: bool = False


@dataclass(frozen=True)
class Settings:
    """What was asked for.  Limits: ALL for no limit, 0 for none at all."""

    release: str
    files: tuple[str, ...]
    limits: Mapping[str, int]
    munging: Munging
    flags: frozenset[str]
    suppressed: frozenset[str] = frozenset()
    days: Span | None = None
    syslog_name: str = "postfix"
    width: int = 80
    unread_file: Path | None = None
    debug_file: Path | None = None
    deprecated: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    strict: bool = False
    now: datetime = field(default_factory=datetime.now)

    @property
    def current(self) -> bool:
        """Whether the text is that of 1.3.0."""
        return self.release == "1.3.0"

    def has(self, flag: str) -> bool:
        """Whether a switch is on, by its long name."""
        return flag in self.flags

    def limit(self, name: str) -> int:
        """A limit, by the long name of its option."""
        return self.limits[name]


def refused(release: str, *complaints: str) -> Answer:
    """What is wrong with a command line, and how to write one."""
    return Answer("\n".join([*complaints, USAGE[release]]), DIED, to_stderr=True)


def settings(arguments: Sequence[str], release: str, now: datetime, *, strict: bool = False) -> Settings:
    """Read a command line as one release does.

    Raises Answer where there is to be a text instead of a report, UsageError for a wrong ``--config`` file.
    """
    given = [argument.replace("_", "-") if argument[:2] == "--" else argument for argument in arguments]
    if release == "1.1.5":
        return _older(_until_end(arguments, given), now, strict=strict)
    return _current(list(arguments), now, strict=strict)


def _until_end(arguments: Sequence[str], given: list[str]) -> list[str]:
    end = list(arguments).index("--") if "--" in arguments else len(given)
    return [*given[:end], *arguments[end:]]


def _older(arguments: list[str], now: datetime, *, strict: bool) -> Settings:
    parsed = parse(arguments, OLDER)
    values, warnings = parsed.values, []
    if parsed.complaints:
        raise refused("1.1.5", *parsed.complaints)
    for switch, name in _NOTHING.items():
        if switch in values:
            values[name] = 0
            old, new = switch.replace("-", "_"), name
            warnings.append(f'pflogsumm: "{old}" is deprecated, use "{new}=0" instead')
    if "smtpd-warning-detail" in values:
        values["warning-detail"] = values.pop("smtpd-warning-detail")
    values = {SHORT.get(name, name): value for name, value in values.items()}
    _answer(values, "1.1.5")
    days = None
    if "date-range" in values:
        days = older_span(str(values["date-range"]), now)
        if days is None:
            raise refused("1.1.5", f"'{values['date-range']}' is neither today nor yesterday")
    limits = dict.fromkeys(_LIMITS, ALL)
    limits |= _limits(values, _OLDER_LIMITS)
    return Settings(
        "1.1.5", tuple(parsed.files), limits, _munging(values), _flags(values), days=days,
        syslog_name=str(values.get("syslog-name") or "postfix"), warnings=tuple(warnings),
        strict=strict, now=now,
    )  # fmt: skip


def _current(arguments: list[str], now: datetime, *, strict: bool) -> Settings:
    configured = Configured()
    # Only these very words, and only the first pair of them, name a file that is read.
    if "--config" in arguments[:-1]:
        at = arguments.index("--config")
        configured = read(Path(arguments[at + 1]), strict=strict)
        del arguments[at : at + 2]
    arguments, deprecated = _with_dashes(arguments)
    names: dict[str, Kind] = dict(CONFIGURABLE)
    names |= {short: CONFIGURABLE[long] for short, long in SHORT.items()}
    parsed = parse(arguments, names)
    if parsed.complaints:
        raise refused("1.3.0", *parsed.complaints, "Invalid command-line arguments", "")
    values: dict[str, Value | None] = {"colwidth": 80, **configured.values}
    values |= {SHORT.get(name, name): value for name, value in parsed.values.items()}
    deprecated += _without_effect(values)
    if values.get("smtpd-warning-detail"):
        values["warning-detail"] = values["smtpd-warning-detail"]
    limits = _limits(values, _LIMITS)
    suppressed = _suppressed(str(values.get("suppress") or ""))
    _answer(values, "1.3.0")
    days = None
    if values.get("date-range") is not None:
        try:
            days = span(str(values["date-range"]), now, weeks_from_monday=bool(values.get("dow0mon")))
        except UsageError as error:
            raise Answer(f"{error.what}\n", DIED, to_stderr=True) from error
    width = values["colwidth"]
    if "dump-config" in values:
        raise Answer(dump(values, limits))
    debug, unread = values.get("debug"), values.get("unprocd-file")
    return Settings(
        "1.3.0", tuple(parsed.files), limits, _munging(values), _flags(values), suppressed, days,
        str(values.get("syslog-name") or "postfix"),
        0 if values.get("verbose-msg-detail") else ALL if width is None else int(width),
        Path(str(unread)) if unread else None, Path(str(debug)) if debug is not None else None,
        tuple(deprecated), tuple(configured.warnings), strict, now,
    )  # fmt: skip


def _with_dashes(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Arguments with ``_`` in names of options written ``-``, and what is to be said of it."""
    changed: list[str] = []
    deprecated: dict[str, str] = {}
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for argument in arguments[:end]:
        name, equals, value = argument[2:].partition("=")
        dashed = name.replace("_", "-")
        if argument.startswith("--") and dashed != name and dashed in CONFIGURABLE:
            deprecated.setdefault(name, f'Option "{argument}" deprecated, use "--{dashed}{equals}" instead')
            argument = f"--{dashed}={value}" if equals else f"--{dashed}"
        changed.append(argument)
    return changed + arguments[end:], list(deprecated.values())


def _without_effect(values: Mapping[str, Value | None]) -> list[str]:
    said = []
    if values.get("smtp-detail"):
        said.append('Option "--smtp-detail" deprecated (no longer has any effect)')
    if values.get("smtpd-warning-detail"):
        said.append('Option "--smtpd-warning-detail" deprecated - use --warning-detail')
    return said


def _limits(values: Mapping[str, Value | None], names: Sequence[str]) -> dict[str, int]:
    limits = {}
    for name in names:
        value = values.get(name)
        limits[name] = ALL if value is None else int(value)
        # -1 is how "all" is kept, so a limit of -1 gives way as none does.
        if limits[name] == ALL and values.get("detail") is not None:
            limits[name] = int(values["detail"] or 0)
    return limits


def _munging(values: Mapping[str, Value | None]) -> Munging:
    verp = values.get("verp-mung")
    return Munging(
        bool(values.get("ignore-case")),
        bool(values.get("uucp-mung")),
        None if verp is None else int(verp),
        values.get("srs-mung") is not None,
    )


def _flags(values: Mapping[str, Value | None]) -> frozenset[str]:
    return frozenset(name for name, value in values.items() if value is True)


def _suppressed(reports: str) -> frozenset[str]:
    valid = "".join(f"    {name}\n" for name in SUPPRESSIBLE)
    for report in reports.split():
        if report == "help":
            raise Answer(f"Valid --suppress options:\n{valid}")
        if report not in SUPPRESSIBLE:
            what = f'pflogsumm: Invalid --suppress option "{report}" — valid options are:\n'
            raise Answer(what + valid, exit_code=1, to_stderr=True)
    return frozenset(reports.split())


def _answer(values: Mapping[str, Value | None], release: str) -> None:
    if values.get("help"):
        raise Answer(USAGE[release])
    if values.get("version"):
        raise Answer(f"pflogsumm {release}\n")


def dump(values: Mapping[str, Value | None], limits: Mapping[str, int]) -> str:
    """The options in force, as 1.3.0 writes them (and reads them again with ``--config``)."""
    in_force: dict[str, Value | None] = dict.fromkeys(CONFIGURABLE) | dict(values) | dict(limits)
    if in_force.get("verbose-msg-detail"):
        in_force["colwidth"] = 0
    widest = max(map(len, in_force))
    lines = []
    for name in sorted(in_force):
        value = in_force[name]
        if name == "dump-config":
            continue
        if CONFIGURABLE[name] == "flag":
            shown = "" if value is None else "true"
        elif value is None:
            shown = ""
        elif isinstance(value, int) or value.lstrip("-").isdigit():
            shown = {0: "none", ALL: "all"}.get(int(value), str(value))
        else:
            shown = value
        lines.append(f"{name:>{widest + 2}} = {shown}\n")
    return "".join(lines)
