"""``mailscope cluster ingest``: logs of many hosts into a store, as a Spark job."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.cluster.options import finish, flow, output, settings, setup, spark
from mailscope.cli.inputs import say
from mailscope.vocabulary.errors import UsageError


@click.command()
@click.argument("files", nargs=-1)
@click.option("--input", "inputs", multiple=True, metavar="GLOB", help="The same as FILES (repeatable).")
@output
@flow
@spark
def ingest(
    files: tuple[str, ...],
    inputs: tuple[str, ...],
    place: Path,
    patterns: Path | None,
    tz: str | None,
    master: str | None,
    conf: tuple[str, ...],
) -> None:
    """Load logs of many hosts into a store, side by side.

    FILES are paths, directories or URLs (s3a://, hdfs://, gs://) and may hold * and ?.  What the store holds
    of them is not loaded again, so the same command can be run as often as one likes, also several at a
    time.  A run that fails or is killed has changed nothing.

    \b
    mailscope cluster ingest --master spark://head:7077 --output /srv/mail 's3a://logs/*/mail.log-*.gz'
    mailscope cluster ingest --master 'local[4]' --output /srv/mail --tz UTC /var/log/hosts
    """
    from mailscope.cluster.job import Job
    from mailscope.cluster.job import ingest as load
    from mailscope.cluster.session import session

    named = (*files, *inputs)
    if not named:
        raise UsageError("nothing is named", "FILES", "name the logs, such as 's3a://logs/*/mail.log-*.gz'")
    with session(master, "mailscope ingest", settings(conf)) as there:
        loaded = load(Job(there, setup(place, tz, patterns), named))
    say(
        f"{loaded.lines:,} lines of {loaded.files - loaded.known:,} files and {loaded.places:,} hosts stored "
        f"in {place}, {loaded.known:,} files known before, {loaded.blank:,} lines blank, "
        f"{loaded.links:,} messages linked"
    )
    finish(loaded.notes, loaded.problems)
