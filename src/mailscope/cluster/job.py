"""The job, on one page: files -> pieces -> lines -> (taking.py) rows, tallies, links -> the store.

    files --look--> pieces --read (mapInArrow)--> lines --take--> what they came to --commit--> the store

Tasks write beside the store; only ``committing.py`` changes it, at once.  So a task or a worker that dies is
done again elsewhere, and a job that dies has done nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailscope.cluster import bins, committing, pieces, places
from mailscope.cluster.committing import Begun
from mailscope.cluster.pieces import Known, Look, Plan
from mailscope.cluster.reading import Piece, reader
from mailscope.cluster.rows import LINES
from mailscope.cluster.setup import Setup
from mailscope.cluster.taking import Lines, take
from mailscope.intake.reader import Source
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Job:
    """What a job reads and where it writes; ``setup`` without a run, which each try gets of its own."""

    spark: SparkSession
    setup: Setup
    inputs: tuple[str, ...] = ()
    part_bytes: int = pieces.PART_BYTES
    bin_bytes: int = bins.MOST_BYTES

    @property
    def output(self) -> Path:
        """The store."""
        return Path(self.setup.output)


@dataclass
class Loaded:
    """What a job came to; ``known``: how many of its files the store had already."""

    files: int = 0
    known: int = 0
    lines: int = 0
    blank: int = 0
    text_bytes: int = 0
    places: int = 0
    links: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)


def ingest(job: Job) -> Loaded:
    """Store what is new in the files of a job.

    Raises InputError where there is no file at all, MailscopeError where other jobs always came before.
    """
    files, notes, problems = places.found(job.inputs)
    if not files:
        raise problems[0] if problems else InputError("there is no log", ", ".join(job.inputs), "name others")
    looks = pieces.looks(job.spark, files)
    loaded = committing.tried(job.output, lambda begun: _run(job, begun, files, looks))
    loaded.notes += notes
    loaded.problems[:0] = problems
    return loaded


def _run(job: Job, begun: Begun, files: Sequence[Source], looks: Mapping[str, Look]) -> Loaded:
    """One try.  Raises ConflictError where another job came before."""
    setup = replace(job.setup, run=begun.run)
    readable = [file for file in files if not looks[file.name].problems]
    before = pieces.renamed(looks, begun.known)
    plan = Plan(readable, looks, before, setup.timezone, job.part_bytes)
    read, told, lines = _lines(job, setup, plan)
    try:
        known = _known(read, told, before, looks)
        new = {read[each["piece"]].source.name for each in told if each["text_bytes"]}
        loaded = Loaded(
            files=len(readable),
            known=len(readable) - len(new),
            lines=sum(each["lines"] for each in told),
            blank=sum(each["blank"] for each in told),
            text_bytes=sum(each["text_bytes"] for each in told),
            problems=[
                *(problem for look in looks.values() for problem in look.problems),
                *(InputError(*problem) for each in told for problem in each["problems"]),
            ],
        )
        if known:
            sets = {piece.source.name: piece.source.set_id for piece in read}
            found = Lines(lines, sets, _lines_before(read, told))
            taken = take(job.spark, setup, begun, found, job.bin_bytes)
            paths = [before[each.path].path for each in known if each.path in before]
            taken.read, taken.gone = known, [path for path in paths if path not in looks]
            loaded.places, loaded.links = len(taken.places), taken.links
            committing.commit(job.output, taken, setup.timezone)
        return loaded
    finally:
        lines.unpersist()


def _lines(job: Job, setup: Setup, plan: Plan) -> tuple[list[Piece], list[dict[str, Any]], DataFrame]:
    """The pieces, what reading each came to, and their lines, which are kept on the executors' disks."""
    from pyspark import StorageLevel

    while True:
        read = plan.pieces()
        tasks = pieces.tasks(job.spark, read)
        lines = tasks.mapInArrow(reader(setup), LINES).persist(StorageLevel.DISK_ONLY)
        told = [json.loads(row.note) for row in lines.filter("note is not null").select("note").collect()]
        years: dict[str, int] = {}
        for each in told:
            name = read[each["piece"]].source.name
            years[name] = max(years.get(name, 0), each["years"])
        years = {name: more for name, more in years.items() if more}
        if not years:
            return read, told, lines
        lines.unpersist()
        plan.go_back(years)


def _known(
    read: Sequence[Piece],
    told: Sequence[Mapping[str, Any]],
    before: Mapping[str, Known],
    looks: Mapping[str, Look],
) -> list[Known]:
    """The files that were read, as far as they were; ``before``: how far others had read them."""
    found: dict[str, Known] = {}
    for each in told:
        source = read[each["piece"]].source
        old = found.get(source.name) or before.get(source.name)
        size = each["text_bytes"] + (old.size if old else 0)
        lines = each["lines"] + (old.lines if old else 0)
        head = looks[source.name].head(size)
        found[source.name] = Known(source.name, head, size, lines, source.size_bytes or 0)
    return list(found.values())


def _lines_before(read: Sequence[Piece], told: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Of each part of a file but its first, how many lines stand in the parts before it."""
    count = {each["piece"]: each["lines"] for each in told}
    before: dict[int, int] = {}
    lines: dict[str, int] = {}
    for piece in read:
        name = piece.source.name
        if lines.get(name):
            before[piece.number] = lines[name]
        lines[name] = lines.get(name, 0) + count.get(piece.number, 0)
    return before
