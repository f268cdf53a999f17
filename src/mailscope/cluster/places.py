"""Files wherever they lie: on a file system that all machines share, or in an object store or HDFS by a URL.

    s3a://logs/*/mail.log-*.gz     hdfs://nameserv/logs/mx1/     /srv/logs/*/mail.log*

What lies behind a URL is read through pyarrow.fs, with the credentials that it finds in its usual places
(for S3 those of the environment, of ~/.aws or of the machine's role; ``AWS_ENDPOINT_URL`` names a server that
is not Amazon's).  A file is copied to a temporary one before it is read, so that it is read as any file is.
"""

from __future__ import annotations

import fnmatch
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mailscope.intake.files import expand, ranked
from mailscope.intake.reader import Source
from mailscope.intake.rotation import place_of, shown
from mailscope.vocabulary.errors import InputError

WILD: Final = "*?["
# Hadoop's names of S3, which pyarrow calls by its first one.
S3_SCHEMES: Final = ("s3a", "s3n", "s3")
COPIED_AT_ONCE: Final = 4 << 20
# Of a packed file that is only looked at, so much is copied.
BEGINNING: Final = 256 << 10


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    return "://" in path


def found(paths: tuple[str, ...]) -> tuple[list[Source], list[str], list[InputError]]:
    """The files behind some paths, as ``expand`` finds and orders them; notes for people; what failed."""
    here = [name for path in paths if not is_remote(path) for name in _globbed(path)]
    expansion = expand(here) if here else None
    there: list[Source] = []
    problems = list(expansion.problems) if expansion else []
    for path in paths:
        if is_remote(path):
            try:
                there += _listed(path)
            except InputError as error:
                problems.append(error)
    files = list(expansion.sources) if expansion else []
    return files + ranked(there), list(expansion.notes) if expansion else [], problems


def _globbed(path: str) -> list[str]:
    """What fits a pattern that no shell has resolved; where nothing does, the path itself, to be told of."""
    if not any(sign in path for sign in WILD) or os.path.exists(path):
        return [path]
    import glob

    return sorted(glob.glob(path)) or [path]


def _listed(url: str) -> list[Source]:
    """The files behind a URL, which may hold ``*``, ``?`` and ``[...]`` in any part, or name a directory."""
    from pyarrow.fs import FileSelector, FileType

    system, path = _system(url)
    parts = PurePosixPath(path).parts
    fixed = 0
    while fixed < len(parts) and not any(sign in parts[fixed] for sign in WILD):
        fixed += 1
    top = "/".join(parts[:fixed]).replace("//", "/")
    try:
        if fixed == len(parts) and system.get_file_info(top).type == FileType.File:
            infos = [system.get_file_info(top)]
        else:
            infos = system.get_file_info(FileSelector(top, recursive=True, allow_not_found=True))
    except OSError as error:
        raise InputError(_words(error), shown(url), "check the address and the credentials") from error
    scheme = url.partition("://")[0]
    files = [
        info
        for info in infos
        if info.type == FileType.File and info.size and _fits(info.path, parts, fixed == len(parts))
    ]
    if not files:
        raise InputError("there is no file behind it", shown(url), "check the address")
    return [_source(scheme, url, info) for info in sorted(files, key=lambda info: info.path)]


def _fits(path: str, parts: tuple[str, ...], below: bool) -> bool:
    names = PurePosixPath(path).parts
    if below:
        # A directory: all that is in it, but for what is hidden.
        return not any(name.startswith((".", "_")) for name in names[len(parts) :])
    return len(names) == len(parts) and all(map(fnmatch.fnmatchcase, names, parts))


def _source(scheme: str, url: str, info: Any) -> Source:
    authority = "" if scheme in S3_SCHEMES else url.partition("://")[2].partition("/")[0]
    path = f"{scheme}://{authority}{info.path}"
    place = place_of(os.path.basename(path))
    mtime = info.mtime.timestamp() if info.mtime is not None else None
    set_id = f"{path.rpartition('/')[0]}/{place.base}"
    # What it is packed with is told by its first bytes, when it is looked at.
    return Source(path, shown(path), set_id, 0, mtime, info.size, "none")


def _system(url: str) -> tuple[Any, str]:
    """The file system behind a URL, and the path there.  Raises InputError where there is none."""
    from pyarrow.fs import FileSystem, S3FileSystem

    scheme, _, rest = url.partition("://")
    try:
        if scheme in S3_SCHEMES:
            endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            return S3FileSystem(endpoint_override=endpoint, region=os.environ.get("AWS_REGION")), rest
        system, path = FileSystem.from_uri(url)
        return system, path
    except (OSError, ValueError) as error:
        raise InputError(_words(error), shown(url), "use s3a://, hdfs://, gs:// or a path") from error


@contextmanager
def opened(source: Source, beginning: int | None = None) -> Iterator[Source]:
    """The source as a file of this machine; ``beginning``: only so many bytes are wanted of a remote one.

    Raises InputError where it cannot be had.
    """
    if not is_remote(source.path):
        yield source
        return
    system, path = _system(source.path)
    descriptor, name = tempfile.mkstemp(prefix="mailscope-")
    try:
        with os.fdopen(descriptor, "wb") as copy, system.open_input_stream(path) as stream:
            left = beginning
            while left != 0 and (
                data := stream.read(COPIED_AT_ONCE if left is None else min(left, COPIED_AT_ONCE))
            ):
                copy.write(data)
                left = None if left is None else left - len(data)
        yield replace(source, path=name)
    except OSError as error:
        raise InputError(_words(error), source.name, "check the address and the credentials") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
