"""``mailscope detect``: what the detections find in logs that are there already; and which they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from mailscope.cli.commands import Commanding
from mailscope.cli.detections import check, explain, list_
from mailscope.cli.inputs import Inputs, inputs

if TYPE_CHECKING:
    from mailscope.pipeline import Pipeline
    from mailscope.watch.finding import Finding
    from mailscope.watch.watcher import Watcher

# Everything that a host logs may tell of an attack.
JOURNAL: Final = tuple(f"SYSLOG_FACILITY={number}" for number in (0, 2, 3, 4, 10))


@click.command(cls=Commanding)
@inputs
@click.option("--only", multiple=True, metavar="DETECTION", help="Only this detection; may be given again.")
@click.option("--config", metavar="FILE", help="The settings file, with the detections' limits.")
@click.option("--detections", "directory", metavar="DIR", help="The directory of your own detections.")
@click.option(
    "--severity",
    type=click.Choice(["info", "warning", "critical"]),
    default="info",
    show_default=True,
    help="Leave out what is less severe.",
)
@click.option("--lines", is_flag=True, help="Show the log lines of each finding.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
def detect(
    inputs: Inputs, only: tuple[str, ...], config: str | None, directory: str | None, severity: str,
    lines: bool, form: str, lang: str | None,
) -> None:  # fmt: skip
    """Look for trouble and attacks in logs, by the clock of the logs.

    Without FILES, the store is looked at.  JSON has one finding per line, in English.

    \b
    Example: mailscope detect /var/log/mail.log
    """
    from mailscope.cli.detections import in_force
    from mailscope.cli.findings_text import Telling
    from mailscope.cli.progress import progress
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator
    from mailscope.pipeline import restarting
    from mailscope.watch.finding import SEVERITIES
    from mailscope.watch.registry import abouts, known
    from mailscope.watch.watcher import Watcher

    tr = translator(choose(lang))
    settings, own = in_force(config, directory)
    known(only, [each.own.name for each in own])
    inputs.journal_match = JOURNAL
    pipeline = inputs.pipeline(Watcher.of(settings, only, own).needs())
    with progress(pipeline.sources):
        found = restarting(pipeline, lambda run: _found(run, Watcher.of(settings, only, own)))
    inputs.refuse_nothing(pipeline) if not pipeline.sources.files else None
    severe = SEVERITIES[[str(each) for each in SEVERITIES].index(severity) :]
    told = [finding.plain() for finding in found if finding.severity in severe]
    if form == "json":
        for each in told:
            click.echo(json.dumps(each, ensure_ascii=True).replace("\x7f", "\\u007f"))
    else:
        for line in Telling(tr, inputs.zone, abouts(own)).all(told, lines=lines):
            click.echo(line)
    inputs.finish(pipeline.sources)


def _found(pipeline: Pipeline, watcher: Watcher) -> list[Finding]:
    from mailscope.watch.history import detect as run

    found: dict[str, Finding] = {}
    for changed in run(pipeline, watcher):
        found |= {finding.id: finding for finding in changed}
    return sorted(found.values(), key=lambda each: (each.found_time, each.detection, each.id))


for each in (check, list_, explain):
    detect.add_command(each)
