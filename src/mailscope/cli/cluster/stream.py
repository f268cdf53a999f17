"""``mailscope cluster stream``: lines as they come, from Kafka or a socket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailscope.cli.cluster.options import flow, output, settings, setup, spark
from mailscope.cli.inputs import say
from mailscope.vocabulary.errors import UsageError

if TYPE_CHECKING:
    from mailscope.cluster.job import Loaded
    from mailscope.cluster.streaming import Stream


@click.command()
@click.option("--kafka", metavar="HOST:PORT", help="Servers of Kafka, with commas between them.")
@click.option("--topic", "topics", multiple=True, metavar="NAME", help="A topic of Kafka (repeatable).")
@click.option("--socket", metavar="HOST:PORT", help="A TCP server that sends lines.")
@click.option("--name", metavar="NAME", help="What the stream is called in the store.")
@click.option("--every", type=float, default=10.0, show_default=True, metavar="S", help="Store so often.")
@click.option("--once", is_flag=True, help="Store what is there now, and end.")
@output
@flow
@spark
def stream(
    kafka: str | None,
    topics: tuple[str, ...],
    socket: str | None,
    name: str | None,
    every: float,
    once: bool,
    place: Path,
    patterns: Path | None,
    tz: str | None,
    master: str | None,
    conf: tuple[str, ...],
) -> None:
    """Load lines as they come, from Kafka or a socket.

    With Kafka each line is stored once, whatever dies: where reading goes on is kept in DIR/streams.  A
    socket cannot be read again.  Kafka needs Spark's connector: --conf spark.jars.packages=...

    \b
    mailscope cluster stream --kafka broker:9092 --topic syslog --output /srv/mail
    mailscope cluster stream --socket 192.0.2.1:5140 --output /srv/mail
    """
    from mailscope.cluster.job import Job
    from mailscope.cluster.session import session
    from mailscope.cluster.streaming import start

    asked = _stream(kafka, topics, socket, name)
    with session(master, "mailscope stream", settings(conf)) as there:
        job = Job(there, setup(place, tz, patterns))
        kept = job.output / "streams" / asked.name.replace("/", "_")
        kept.mkdir(mode=0o750, parents=True, exist_ok=True)
        running = start(job, asked, str(kept), None if once else every, _say)
        running.awaitTermination()


def _say(loaded: Loaded) -> None:
    if loaded.lines:
        say(f"{loaded.lines:,} lines of {loaded.places:,} hosts stored, {loaded.links:,} messages linked")


def _stream(kafka: str | None, topics: tuple[str, ...], socket: str | None, name: str | None) -> Stream:
    """What is asked for.  Raises UsageError."""
    from mailscope.cluster.streaming import KAFKA, SOCKET, Stream

    if (kafka is None) == (socket is None):
        raise UsageError(
            "it takes one of --kafka and --socket", "cluster stream", "name where lines come from"
        )
    if kafka is not None:
        if not topics:
            raise UsageError("no topic is named", "--topic", "name at least one")
        told = {
            "kafka.bootstrap.servers": kafka,
            "subscribe": ",".join(topics),
            "startingOffsets": "earliest",
        }
        return Stream(name or "-".join(topics), KAFKA, told)
    assert socket is not None
    host, sign, port = socket.rpartition(":")
    if not sign or not port.isdigit():
        raise UsageError(f"'{socket}' is no address", "--socket", "such as 192.0.2.1:5140")
    return Stream(name or socket, SOCKET, {"host": host.strip("[]"), "port": port})
