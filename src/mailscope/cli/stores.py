"""Which store is meant, and how it is reached: through the daemon that has it open, or directly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from mailscope.vocabulary.errors import InputError, MailscopeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailscope.cli.inputs import Inputs
    from mailscope.store.asking import Asked, Door
    from mailscope.store.remote import Remote
    from mailscope.store.spool import Spool
    from mailscope.vocabulary.settings.settings import Settings

Result = TypeVar("Result")
CONFIG: Final = "MAILSCOPE_CONFIG"
DATABASE: Final = "mailscope.duckdb"
# Of a click context: what gives another way to the store, such as a cluster's.
ELSEWHERE: Final = "mailscope.elsewhere"
# Beside it: what is sealed.
MANIFEST: Final = "manifest.jsonl"


def settings(file: Path | None = None) -> Settings:
    """The daemon's settings: of a named file, of MAILSCOPE_CONFIG, of the usual file, or the defaults."""
    from mailscope.vocabulary.settings.reading import FILE, load

    named = file or os.environ.get(CONFIG)
    return load(named or FILE, must_exist=bool(named)).settings


def directory(store: Path | None) -> Path:
    """The store's directory: the one that is named, or that of the settings."""
    return store if store is not None else Path(settings().store.directory)


def exists(place: Path) -> bool:
    """Whether there is a store; one that may not be looked into counts as one."""
    try:
        return any((place / name).is_file() for name in (DATABASE, MANIFEST))
    except PermissionError:
        return True


def door(inputs: Inputs) -> Door | None:
    """The way to the store that a command without FILES reads; None where there is none.  It is closed with
    the command, however that ends.

    Raises what says that there is one which cannot be used.
    """
    context = click.get_current_context(silent=True)
    if context is not None and ELSEWHERE in context.meta:
        elsewhere: Door = context.meta[ELSEWHERE](inputs)
        return elsewhere
    place = directory(inputs.store)
    if not exists(place):
        if inputs.store is None:
            return None
        raise InputError("there is no store", str(place), "load logs with 'mailscope ingest FILES'")
    found = _opened(place, inputs)
    if context is not None:
        context.call_on_close(found.close)
    return found


def _opened(place: Path, inputs: Inputs) -> Door:
    """The store here, or the daemon that answers for it."""
    from mailscope.store.reader import Reader
    from mailscope.store.refusals import DamagedError, StoreError

    try:
        return Reader.open(place, inputs.library(), inputs.zone)
    except DamagedError as damage:
        from mailscope.store.sealed_only import SealedOnly

        # The days that are sealed can be looked at all the same; what is left out is said.
        return Reader(SealedOnly(place, damage), inputs.library(), inputs.zone)
    except (StoreError, InputError) as refused:
        # The daemon has it, or it alone may open it: it answers for it.
        path = Path(settings().api.socket)
        if not path.exists():
            raise
        from mailscope.store.remote import NOT_ALLOWED, Remote

        try:
            return Remote(path)
        except InputError as error:
            raise (error if error.what == NOT_ALLOWED else refused) from None


def either(place: Path, here: Callable[[], Result], there: Callable[[Remote], Result]) -> Result:
    """Do something to a store: here, or, where the daemon has it or it alone may open it, there.

    Raises what doing it raises; where nobody answers for the store, why it cannot be opened here.
    """
    from mailscope.store.refusals import InUseError

    try:
        return here()
    except InUseError as refused:
        answering = _answering(place, refused)
    except InputError as refused:
        # It may not be opened; what else cannot be read is nothing that the daemon could help with.
        if refused.where not in (str(place.absolute()), str(place.absolute() / DATABASE)):
            raise
        answering = _answering(place, refused)
    try:
        return there(answering)
    finally:
        answering.close()


def _answering(place: Path, refused: MailscopeError) -> Remote:
    """The daemon that has a store.  Raises why the store cannot be opened where there is none."""
    from mailscope.store.remote import NOT_ALLOWED, Remote

    path = Path(settings().api.socket)
    if not path.exists():
        raise refused
    try:
        found = Remote(path)
    except InputError as error:
        raise (error if error.what == NOT_ALLOWED else refused) from None
    if Path(found.status()["directory"]) != place.absolute():
        found.close()
        # It answers for another store.
        raise refused
    return found


def entered(way: Door, asked: str) -> None:
    """Enter in the audit log who runs this command and what is asked.  Raises OutputError where it cannot be.

    The daemon enters by itself what is asked of it.
    """
    from mailscope.store.reader import Reader

    if isinstance(way, Reader):
        enter(way.database.directory, asked)


def enter(place: Path, asked: str) -> None:
    """The same for the store in a directory."""
    import click

    from mailscope.store import audit

    command = click.get_current_context().command_path.split(" ", 1)[-1]
    audit.enter(place, audit.user(), command, asked)


def spooled(way: Door, asked: Asked) -> Spool:
    """The lines of a store that are asked for, as files."""
    from mailscope.store.spool import Spool

    spool = Spool()
    spool.put(way.lines(asked))
    return spool
