"""Settings of what the daemon samples beside the logs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mailscope.vocabulary.settings.values import Path, Table


class Load(Table):
    """The host's load: processor, memory, disks."""

    interval_s: Annotated[int, Field(ge=1, le=3_600)] = Field(10, description="How often it is sampled.")
    paths: tuple[Path, ...] = Field(
        ("/", "/var/spool", "/var/log"), description="Paths whose file systems are watched for space."
    )


class Queues(Table):
    """What waits in the queues of this host's MTAs, read from the spool."""

    enabled: bool = Field(True, description="Whether the queues are looked at.")
    interval_s: Annotated[int, Field(ge=10, le=86_400)] = Field(
        60,
        description="How often; a long queue is looked at less often, as it takes longer.",
    )
    spools: tuple[Path, ...] = Field(
        (), description="Queue directories; none: those of the MTAs that are found here."
    )


class Changes(Table):
    """Changes of the mail system's configuration, noted with a diff in which secrets are masked."""

    enabled: bool = Field(True, description="Whether changes are noted.")
    discover: bool = Field(
        True,
        description="Watch Postfix' main.cf, master.cf and the tables that they name, qmail's control files "
        "and Dovecot's configuration with what it includes.",
    )
    files: tuple[Path, ...] = Field(
        (), description="Other files to watch; `*`, `?` and `[...]` as in a shell."
    )
    interval_s: Annotated[int, Field(ge=1, le=86_400)] = Field(10, description="How often they are read.")
    max_diff_kb: Annotated[int, Field(ge=1, le=1_024)] = Field(
        64, description="Longest diff that is kept, in KiB; the rest is counted."
    )
