"""Copies of a store: whole or not at all, and checked before they count."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import BinaryIO, Final

from mailscope.store import audit, manifest_log, receipts, upkeep
from mailscope.store.connecting import log_of
from mailscope.store.database import FILE, Database
from mailscope.store.index import SUFFIX as INDEX
from mailscope.store.index import place_of
from mailscope.store.places import synced
from mailscope.store.refusals import StoreError
from mailscope.store.sealing import SUFFIX
from mailscope.vocabulary.errors import InputError, OutputError

UNFINISHED: Final = ".unfinished"
LOG_FILE: Final = log_of(Path(FILE)).name


def backup(store: Path, target: Path) -> int:
    """Copy a store that nobody writes to a new directory; gives its size in bytes.

    Raises OutputError where the target exists or cannot be written, StoreError where the store is in use or
    damaged.
    """
    database = Database(store, read_only=True)
    try:
        return _copied(database, store, target)
    finally:
        database.close()


def restore(source: Path, store: Path) -> int:
    """Copy a backup to where no store is."""
    if (store / FILE).exists():
        raise OutputError("there is a store already", str(store), "move it away first")
    if store.is_dir() and not any(store.iterdir()):
        # A package or an administrator has made the directory.
        store.rmdir()
    return backup(source, store)


def snapshot(database: Database, into: Path) -> None:
    """Copy an open store that nobody writes meanwhile to a new directory on the same file system.

    Sealed files, which are never changed, get a second name.  Raises OutputError.
    """
    store = database.directory
    try:
        into.mkdir(mode=0o700)
        for name in (FILE, LOG_FILE):
            if (store / name).exists():
                # By another process: to close the file here would give up DuckDB's lock on it.
                subprocess.run(
                    ["cp", "--", str(store / name), str(into / name)], check=True, capture_output=True
                )
        for name in _others(database, store):
            place = into / name
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if Path(name).suffix in (SUFFIX, INDEX):
                os.link(store / name, place)
            else:
                shutil.copyfile(store / name, place)
    except OSError as error:
        raise OutputError.from_os_error(error, into) from error
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="replace").strip()
        raise OutputError(
            f"the store cannot be copied ({words})", str(into), "see whether there is room"
        ) from error


def received(pieces: BinaryIO, target: Path) -> int:
    """Make a directory of the copy that ``snapshot`` made, packed as tar; gives its size in bytes.

    Raises OutputError where the target exists or cannot be written, InputError for a copy that is not whole.
    """
    if target.exists():
        raise OutputError("it exists already", str(target), "name a new directory")
    begun = target.with_name(target.name + UNFINISHED)
    try:
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(mode=0o750, parents=True)
        with tarfile.open(fileobj=pieces, mode="r|") as packed:
            # Nothing of it leads out of the directory, whatever the daemon sends.
            packed.extractall(begun, filter="data")
        size = 0
        for path in (begun / "store").rglob("*"):
            if path.is_file():
                size += path.stat().st_size
                path.chmod(0o640)
                synced(path)
            else:
                path.chmod(0o750)
        (begun / "store").rename(target)
        begun.rmdir()
    except tarfile.TarError as error:
        shutil.rmtree(begun, ignore_errors=True)
        raise InputError(f"the copy is not whole ({error})", str(target), "run it again") from error
    except OSError as error:
        shutil.rmtree(begun, ignore_errors=True)
        raise OutputError.from_os_error(error, target) from error
    _compare(target)
    return size


def _others(database: Database, store: Path) -> list[str]:
    """The files of a store besides the DuckDB file and its log."""
    paths = [path for (path,) in database.connection.execute("select path from own.manifest").fetchall()]
    own = [name for name in (manifest_log.FILE, audit.FILE) if (store / name).exists()]
    own += [f"{receipts.DIRECTORY}/{kept.name}" for kept in (store / receipts.DIRECTORY).glob("*.json")]
    paths += [place_of(Path(path)).as_posix() for path in paths]
    return [*own, *(path for path in paths if (store / path).exists())]


def _compare(target: Path) -> None:
    copy = Database(target, read_only=True)
    try:
        damages = [damage for damage in upkeep.check(copy, thorough=True) if not damage.index]
    finally:
        copy.close()
    if damages:
        raise InputError(
            f"the copy differs: {damages[0].place}: {damages[0].what}", str(target), "copy again"
        )


def _copied(database: Database, store: Path, target: Path) -> int:
    # An index can be made again.
    damages = [damage for damage in upkeep.check(database, thorough=True) if not damage.index]
    if damages:
        raise StoreError(f"{damages[0].place}: {damages[0].what}", str(store), "see 'mailscope store verify'")
    if target.exists():
        raise OutputError("it exists already", str(target), "name a new directory")
    begun = target.with_name(target.name + UNFINISHED)
    paths = [path for (path,) in database.connection.execute("select path from own.manifest").fetchall()]
    indexes = [place_of(Path(path)).as_posix() for path in paths]
    paths += [path for path in indexes if (store / path).exists()]
    # What was committed last may stand in the log beside the file.
    own = [
        FILE,
        *(
            name
            for name in (log_of(Path(FILE)).name, manifest_log.FILE, audit.FILE)
            if (store / name).exists()
        ),
    ]
    own += [f"{receipts.DIRECTORY}/{kept.name}" for kept in (store / receipts.DIRECTORY).glob("*.json")]
    size = 0
    try:
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(mode=0o750, parents=True)
        for name in [*own, *paths]:
            place = begun / name
            place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            shutil.copyfile(store / name, place)
            shutil.copymode(store / name, place)
            size += place.stat().st_size
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        begun.rename(target)
    except OSError as error:
        shutil.rmtree(begun, ignore_errors=True)
        raise OutputError.from_os_error(error, target) from error
    _compare(target)
    return size
