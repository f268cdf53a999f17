"""What of Postfix' main.cf a reader of its queue must know; the defaults where there is none.

Read from the file itself, so that a copy needs no Postfix.  Sources: postconf(5), mail_conf.c and readlline.c
of Postfix 3.7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailscope.vocabulary.errors import InputError

DIRECTORY: Final = Path("/etc/postfix")
SPOOL: Final = Path("/var/spool/postfix")
_LINE: Final = re.compile(r"\s*([^=#\s][^=]*?)\s*=\s*(.*)", re.DOTALL)
_NAME: Final = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|\(([A-Za-z0-9_]+)\)|([A-Za-z0-9_]+))")
_DEEPEST: Final = 8


@dataclass(frozen=True)
class Config:
    """``directory``: where main.cf is, None where none was found; ``values``: what it sets."""

    directory: Path | None
    values: dict[str, str]

    def value(self, name: str, default: str) -> str:
        """A parameter, with the parameters it names put in."""
        text = self.values.get(name, default)
        for _ in range(_DEEPEST):
            if "$" not in text:
                break
            text = _NAME.sub(lambda found: self.values.get(found[1] or found[2] or found[3], ""), text)
        return text.strip()

    @property
    def spool(self) -> Path:
        """queue_directory."""
        return Path(self.value("queue_directory", str(SPOOL)))

    @property
    def long_queue_ids(self) -> bool:
        """enable_long_queue_ids."""
        return self.value("enable_long_queue_ids", "no").lower() == "yes"


def read(directory: Path) -> Config:
    """The main.cf of a directory.  Raises InputError where it cannot be read."""
    path = directory / "main.cf"
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise InputError.from_os_error(error, path) from None
    values: dict[str, str] = {}
    for line in _logical(text):
        if (found := _LINE.fullmatch(line)) is not None:
            values[found[1]] = " ".join(found[2].split())
    return Config(directory, values)


def of(place: Path, directory: Path | None) -> Config:
    """The settings of the Postfix that has a spool: those of ``directory``; else the host's own, if the spool
    is its.

    Raises InputError where ``directory`` has none.
    """
    if directory is not None:
        return read(directory)
    try:
        found = read(DIRECTORY)
    except InputError:
        return Config(None, {})
    return found if _same(found.spool, place) else Config(None, {})


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _logical(text: str) -> list[str]:
    """Lines of the file with their continuations (which begin with a blank); comments and blank lines left
    out.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[:1].isspace() and lines:
            lines[-1] += line
        else:
            lines.append(line)
    return lines
