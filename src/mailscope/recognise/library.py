"""All pattern files together: which program a tag means, and which patterns its lines may match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from mailscope.recognise.leading import Leading
from mailscope.recognise.opening import Opening
from mailscope.recognise.pattern import Pattern
from mailscope.recognise.program import Program, parse_program
from mailscope.vocabulary.errors import PatternError

ADMIN_DIRECTORY: Final = Path("/etc/mailscope/patterns.d")


@dataclass(frozen=True)
class Candidates:
    """Patterns to try in turn, each with the service that it implies.

    ``close``: how many of them agree with all the characters that were compared.
    """

    entries: tuple[tuple[Pattern, str | None], ...]
    close: int


@dataclass(frozen=True)
class Reading:
    """How lines of one program tag are read."""

    programs: tuple[Program, ...]
    # (pattern, service it implies or None), in the order in which they are tried.
    patterns: tuple[tuple[Pattern, str | None], ...]
    strip: str | None
    instance: str | None
    # For each pattern, how late its program is asked (Program.rank).
    ranks: tuple[int, ...]
    # The service where the tag names it and not the program's file.
    named: str | None = None

    @property
    def service(self) -> str | None:
        """The service that the tag itself tells."""
        return self.named or (self.programs[0].service if len(self.programs) == 1 else None)

    @property
    def opening(self) -> Opening | None:
        """How lines begin that other programs log through this one."""
        return self.programs[0].opening if len(self.programs) == 1 else None

    @property
    def queue(self) -> str | None:
        """The name of the queue whose ids their lines hold, where several programs share one."""
        return self.programs[0].queue if len(self.programs) == 1 else None

    @property
    def leading(self) -> Leading | None:
        """What is taken off their texts first."""
        return self.programs[0].leading if len(self.programs) == 1 else None

    def candidates(self, start: str, depth: int) -> Candidates:
        """The patterns that a text with these first characters (``depth`` of them) may match.

        Ordinary ones before fallbacks; among them, those that name the longer beginning first, because
        the others are mostly tried in vain.
        """
        ranked: list[tuple[bool, int, int, int]] = []
        for place, (pattern, _) in enumerate(self.patterns):
            shared = pattern.agreement(start, depth)
            if shared is not None:
                ranked.append((pattern.fallback, self.ranks[place], -shared, place))
        entries = tuple(self.patterns[place] for *_, place in sorted(ranked))
        return Candidates(entries, sum(shared == -depth for _, _, shared, _ in ranked))


class Library:
    """The pattern files that are in force.

    ``programs`` maps a file's name (path without ``.toml``) to its content; an admin's file of the
    same name replaces ours, a new name adds to them and is asked first.
    """

    def __init__(self, programs: Iterable[Program]) -> None:
        self.programs: dict[str, Program] = {program.name: program for program in programs}
        self._readings: dict[str, Reading | None] = {}
        # Programs some of whose lines do not name them.
        self.nameless = tuple(program for program in self.programs.values() if program.nameless)
        for program in self.programs.values():
            outer = self.programs.get(program.inside or "")
            if program.inside and (outer is None or outer.opening is None):
                raise PatternError(
                    program.file,
                    None,
                    f"is inside '{program.inside}', which is no program with a prefix",
                    "name a file whose [program] has one",
                )
            for name in program.includes:
                if name not in self.programs:
                    raise PatternError(
                        program.file,
                        None,
                        f"includes '{name}', which does not exist",
                        f"known files: {', '.join(sorted(self.programs))}",
                    )

    def reading(self, tag: str) -> Reading | None:
        """How lines tagged ``tag`` are read; ``""`` is a line without tag; None: nobody knows it.

        ``outer: inner`` is a program that logs through another one.
        """
        if tag not in self._readings:
            self._readings[tag] = self._resolve(tag)
        return self._readings[tag]

    def _resolve(self, tag: str) -> Reading | None:
        if tag == "":
            return self.merge([program for program in self.programs.values() if program.bare], None)
        outer, _, inner = tag.partition(": ")
        found = self._named(outer, None)
        if found is not None and inner:
            within = self._named(inner, found.programs[0].name)
            # What nobody knows in particular still has the levels that all programs inside share.
            return within if within is not None else replace(found, named=inner)
        if found is not None:
            return found
        # RFC 5424 app-names lose what follows a slash: "postfix" may be any of its daemons.
        family = tag.split("-", 1)[0]
        members = [program for program in self.programs.values() if program.family == family]
        return self.merge(members, tag) if members else None

    def _named(self, tag: str, inside: str | None) -> Reading | None:
        """The program with a tag that matches, among those inside a certain other one or inside none."""
        for program in self.programs.values():
            if program.inside != inside:
                continue
            for regex in program.tags:
                found = regex.fullmatch(tag)
                if found:
                    groups = found.groupdict()
                    reading = self.merge([program], groups.get("instance") or None)
                    # Old releases of Dovecot wrote some names in capitals.
                    service = (groups.get("service") or "").lower()
                    return replace(reading, named=service) if reading and service else reading
        return None

    def opening_of(self, program: Program) -> Opening | None:
        """How the lines of a program begin that logs through another one, or through which others log."""
        return self.programs[program.inside].opening if program.inside else program.opening

    def merge(self, programs: list[Program], instance: str | None) -> Reading | None:
        """One reading for several programs; a pattern that several share implies no service."""
        if not programs:
            return None
        owners: dict[int, tuple[Pattern, list[Program]]] = {}
        for program in programs:
            for pattern in self.patterns_of(program):
                owners.setdefault(id(pattern), (pattern, []))[1].append(program)
        ordered = sorted(owners.values(), key=lambda entry: entry[0].fallback)
        services = [{program.service for program in mine} for _, mine in ordered]
        return Reading(
            programs=tuple(programs),
            patterns=tuple(
                (pattern, next(iter(named)) if len(named) == 1 else None)
                for (pattern, _), named in zip(ordered, services, strict=True)
            ),
            strip=next((program.strip for program in programs if program.strip), None),
            instance=instance,
            ranks=tuple(min(program.rank for program in mine) for _, mine in ordered),
        )

    def patterns_of(self, program: Program) -> Iterator[Pattern]:
        """The program's own patterns, then those of the files that it includes (each once)."""
        seen: set[str] = set()
        pending = [program.name]
        while pending:
            name = pending.pop(0)
            if name in seen:
                continue
            seen.add(name)
            yield from self.programs[name].patterns
            pending.extend(self.programs[name].includes)

    def includers(self, name: str) -> list[Program]:
        """The programs that read lines with the help of the include-only file ``name``."""
        return [
            program
            for program in self.programs.values()
            if program.name != name and name in self._closure(program.name)
        ]

    def _closure(self, name: str) -> set[str]:
        seen: set[str] = set()
        pending = [name]
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending.extend(self.programs[current].includes)
        return seen


def load(directories: Iterable[Path] = ()) -> Library:
    """Our pattern files and those of the given directories, which come first.

    Raises PatternError for a file that cannot be read or is wrong.
    """
    loaded: dict[str, Program] = {}
    for directory in directories:
        for path in sorted(directory.rglob("*.toml")):
            name = path.relative_to(directory).with_suffix("").as_posix()
            try:
                content = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise PatternError(
                    str(path), None, f"cannot be read: {error}", "make it a readable UTF-8 file"
                ) from error
            loaded.setdefault(name, parse_program(name, str(path), content))
    for program in shipped():
        loaded.setdefault(program.name, program)
    return Library(loaded.values())


@lru_cache(maxsize=1)
def shipped() -> tuple[Program, ...]:
    """The pattern files of this package."""
    root = files("mailscope.recognise") / "patterns"
    return tuple(
        # Our own files are held against their examples by the tests; their patterns can wait.
        parse_program(name, f"{name}.toml", entry.read_text(encoding="utf-8"), whole=False)
        for name, entry in sorted(_walk(root, ""))
    )


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".toml"):
            yield f"{prefix}{entry.name.removesuffix('.toml')}", entry


def in_force(extra: Path | None = None) -> Library:
    """The library that commands use: an admin's directory, if there is one, and ours."""
    directories = [path for path in (extra, ADMIN_DIRECTORY) if path is not None and path.is_dir()]
    if extra is not None and not extra.is_dir():
        raise PatternError(str(extra), None, "no such directory", "name a directory of .toml files")
    return load(directories)
