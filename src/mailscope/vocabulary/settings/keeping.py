"""Settings of what is kept, for how long, and how much of it tells of persons."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mailscope.vocabulary.settings.values import Days, OptionalPath, Path, Table


class Store(Table):
    """Where and how events are kept."""

    directory: Path = Field("/var/lib/mailscope", description="The store; owned by the daemon's user.")
    memory_limit_mb: Annotated[int, Field(ge=64, le=1_048_576)] = Field(
        256, description="Memory that DuckDB may use, in MiB."
    )
    batch_interval_s: Annotated[float, Field(ge=0.1, le=60)] = Field(
        1.0, description="How often what has come is stored, in one transaction."
    )
    ship_to: OptionalPath = Field(
        "", description='A cluster\'s store, to which sealed days are brought every hour; "": none.'
    )


class SealedArchive(Table):
    """A copy of every line that is taken, of which no line can be changed unseen."""

    directory: OptionalPath = Field(
        "", description='The archive, as `mailscope archive begin` makes it; "": none.'
    )


class Retention(Table):
    """After how many days each kind of data is deleted."""

    events_days: Days = Field(28, description="Events: the lines, with all that they tell.")
    messages_days: Days = Field(28, description="Messages: sender, Message-ID, client.")
    deliveries_days: Days = Field(28, description="Deliveries: each attempt for each recipient.")
    sessions_days: Days = Field(28, description="Sessions and logins.")
    findings_days: Days = Field(90, description="What detections found.")
    marks_days: Days = Field(366, description="Marks: changes of configuration, notes of persons.")
    host_load_days: Days = Field(28, description="The host's load.")
    queue_snapshots_days: Days = Field(28, description="States of the queues.")
    tallies_days: Days = Field(1_098, description="Hourly counts that name no person.")
    reports_days: Days = Field(1_098, description="Reports that were sent.")
    audit_days: Days = Field(366, description="Who looked at whose data.")


class Privacy(Table):
    """What becomes of addresses and names of persons, and of network addresses of clients."""

    at: Literal["ingest", "export"] = Field(
        "export",
        description="Where it is done: before anything is stored (it cannot be undone), or when data "
        "leaves the store in an export.",
    )
    addresses: Literal["keep", "pseudonymise", "truncate"] = Field(
        "keep",
        description="Mail addresses and login names: kept, replaced by keyed pseudonyms (the same one each "
        "time), or cut to the domain.",
    )
    ips: Literal["keep", "pseudonymise", "truncate"] = Field(
        "keep",
        description="Network addresses: kept, replaced by keyed pseudonyms that keep networks together, or "
        "cut to /24 (IPv6: /48).",
    )
    keep_domains: bool = Field(
        True, description="Of a pseudonymised address or host name, the domain stays readable."
    )
    key_file: OptionalPath = Field(
        "/etc/mailscope/pseudonym.key",
        description="The key, as `mailscope anonymise --key-file` makes it; only for pseudonymise.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if "pseudonymise" in (self.addresses, self.ips) and not self.key_file:
            raise ValueError("pseudonymise needs 'key_file'")
        return self
