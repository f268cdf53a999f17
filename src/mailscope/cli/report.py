"""``mailscope report``: the day at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailscope.cli.inputs import Inputs, inputs
from mailscope.cli.mailing import Mailing, mailing
from mailscope.cli.period import METAVAR
from mailscope.cli.showing import shown
from mailscope.vocabulary.errors import UsageError

if TYPE_CHECKING:
    from mailscope.pipeline import Pipeline
    from mailscope.tallies.ledger import Ledger


@click.command()
@inputs
@mailing
@shown
@click.option(
    "--evidence",
    metavar="SECTION[:ROW][:NUMBER]",
    help="Instead of the report, the log lines behind a number: of a row (its number or name), or of all.",
)
@click.option(
    "--period",
    metavar=METAVAR,
    help="Report one day, week or month (the last whole one, or WHICH); lines before it are its history.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="DOMAIN",
    help="Only mail with a sender or recipient of this domain (repeatable).",
)
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
def report(
    inputs: Inputs,
    mailing: Mailing | None,
    form: str | None,
    output: Path | None,
    top: int,
    only: tuple[str, ...],
    without: tuple[str, ...],
    evidence: str | None,
    period: str | None,
    domains: tuple[str, ...],
    lang: str | None,
) -> None:
    """Sum up what the logs say: volume, fates, delays, problems.

    \b
    mailscope report /var/log/mail.log*
    mailscope report --since yesterday --until today -o report.html
    mailscope report --evidence deferrals:1 /var/log/mail.log
    """
    from mailscope.cli.counting import (
        NoLinesError,
        count_part,
        counted,
        nothing,
        parse_period,
        pipeline_over,
    )
    from mailscope.cli.output import writable, write
    from mailscope.cli.presenting import again, check_sections, form_of, paper, piped, present, refuse_nothing
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator

    tr, chosen_form = translator(choose(lang)), form_of(form, output)
    writable(output)
    if mailing is not None and (evidence is not None or (form is not None and output is None)):
        name = "--format" if evidence is None else "--evidence"
        raise UsageError("a mail holds the report as text and HTML", name, "leave it out, or --email-to")
    part = parse_period(inputs, period) if period else None
    domains = tuple(domain.lower().lstrip("@") for domain in domains)
    if evidence is not None:
        found = inputs.found()
        pipeline = pipeline_over(inputs, found, addresses=bool(domains))
        if piped(pipeline):
            raise UsageError("what comes through a pipe cannot be read twice", "--evidence", "name a file")
        ledger = count_part(pipeline, part, domains)
        refuse_nothing(inputs, pipeline, ledger)
        write(_evidence(pipeline, ledger, evidence, str(inputs.zone)), output)
    else:
        # Who gets a report each day is told as well when there was nothing at all.
        daily = mailing is not None and mailing.record is not None
        try:
            pipeline, ledger = counted(inputs, part, domains, lambda: check_sections(only, without))
        except NoLinesError:
            if not daily or part is None:
                raise
            pipeline, ledger = nothing(inputs, part)
        if not daily:
            refuse_nothing(inputs, pipeline, ledger)
        from mailscope.reports.report import Settings, build, choice

        names = inputs.names(pipeline)
        settings = Settings(inputs.zone, top, names, again(inputs, pipeline, ledger))
        chosen = choice(build(ledger, settings), only, without)
        if mailing is None or output is not None:
            present(chosen, chosen_form, tr, output)
        if mailing is not None:
            mailing.send(chosen, tr, paper(output))
    inputs.finish(pipeline.sources)


def _evidence(pipeline: Pipeline, ledger: Ledger, asked: str, zone: str) -> Iterable[str]:
    from mailscope.cli import counting
    from mailscope.cli.progress import progress
    from mailscope.cli.terminal import safe
    from mailscope.reports.evidence import lines, parse

    opening = parse(asked, ledger, zone)
    pipeline = counting.again(pipeline, ledger, history=opening.section.history)
    with progress(pipeline.sources, "Reading again"):
        for line in lines(pipeline, opening, ledger, zone):
            yield safe(line) + "\n"
