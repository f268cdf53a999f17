"""The bodies of answers: what FastAPI checks, documents and writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


# An instant of ours, as RFC 3339 wants it: with its offset.
Utc = Annotated[datetime, AfterValidator(_utc)]


class Strict(BaseModel):
    """No field that is not declared."""

    model_config = ConfigDict(extra="forbid")


class Question(Strict):
    """Which lines: of a span, of hosts, about something."""

    since: datetime | None = Field(None, description="From this instant on (UTC).")
    until: datetime | None = Field(None, description="Before this instant (UTC).")
    hosts: list[str] = Field([], description="Of these hosts; none: of all.")
    about: str | None = Field(
        None, description="What the lines tell of: an id, an address, an IP ...", max_length=998
    )
    kinds: list[str] = Field([], description="What that may be: queue-id, address, domain, ip ...")
    limit: int = Field(100, ge=1, le=100_000, description="How many messages are followed.")


class Names(Strict):
    """A person."""

    names: list[str] = Field(
        description="All mail addresses and login names of the person.", min_length=1, max_length=100
    )


class Erasure(Names):
    """Whom to erase."""

    dry_run: bool = Field(False, description="Only tell what would be changed.")


class Erased(BaseModel):
    """What names a person; and the receipt, once the person is erased."""

    counts: dict[str, int] = Field(description="Rows that name the person, by table.")
    alone: int = Field(description="Rows where a login name stands alone, and nothing tells whose it is.")
    receipt: dict[str, Any] | None = None


class Loaded(BaseModel):
    """What loading came to, in lines."""

    read: int
    stored: int
    known: int = Field(description="The store, or another of the files, had them already.")
    blank: int


class Verification(Strict):
    """How the store is to be verified."""

    set_aside: bool = Field(False, description="Leave damaged files out of what is read from now on.")


class Receipt(Strict):
    """A receipt that is to be verified."""

    receipt: dict[str, Any] = Field(description="As `mailscope privacy erase` gave it.")
    names: list[str] = Field([], description="Whom it should be about; none: anybody.", max_length=100)


class Verdict(BaseModel):
    """What a receipt is."""

    verdict: Literal["genuine", "another person", "false"]


class Statement(Strict):
    """A question in SQL."""

    statement: str = Field(description="One SELECT.", max_length=100_000)


class Mark(Strict):
    """A note on the time line."""

    title: str = Field(description="What happened, in a few words.", min_length=1, max_length=200)
    details: str = Field("", description="More words.", max_length=20_000)
    time: datetime | None = Field(None, description="When (UTC); otherwise now.")


class Refused(BaseModel):
    """Why a question is not answered."""

    what: str
    where: str = ""
    what_to_do: str = ""


class Health(BaseModel):
    """Whether the daemon stores what comes."""

    status: str = Field(description="ok, or what keeps it from storing")


class Daemon(BaseModel):
    """How the daemon is."""

    started: Utc
    lines: int = Field(description="Lines stored since then.")
    batches: int
    last_batch: Utc | None
    waiting_bytes: int = Field(description="Of followed files and received messages, what is not taken yet.")
    problems: list[str]


class Rows(BaseModel):
    """What a table holds."""

    rows: int
    hot_rows: int = Field(description="Of these, in the database and not in sealed files.")
    files: int
    sealed_bytes: int


class SourceStatus(BaseModel):
    """What is read."""

    source: str
    updated: Utc


class Damage(BaseModel):
    """What is wrong with a part of the store."""

    place: str
    what: str
    index: bool = Field(False, description="It is an index, without which answers take longer only.")


class StoreStatus(BaseModel):
    """How the store is."""

    directory: str
    version: int
    first: Utc | None
    last: Utc | None
    bytes: int
    tables: dict[str, Rows]
    sources: list[SourceStatus]
    damage: list[Damage]


class Damages(BaseModel):
    """What is wrong with the store."""

    damage: list[Damage]


class Status(BaseModel):
    """How the daemon and its store are."""

    daemon: Daemon
    store: StoreStatus
