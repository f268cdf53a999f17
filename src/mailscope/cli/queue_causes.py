"""``mailscope queue causes``: why mail waits, for which domains, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailscope.cli.queue_options import asked, filtered, selected, spooled

if TYPE_CHECKING:
    from mailscope.language.translator import Translator
    from mailscope.queues.waits import Domain, Wait


@click.command("causes")
@filtered
@spooled
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Domains of each cause at most (0: all).",
)
@click.option("--lang", metavar="LANGUAGE", help="en, zh, it or sv; otherwise what LANG says.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    place: Path | None,
    mta: str | None,
    config: Path | None,
    now: str | None,
    tz: str | None,
    queues: tuple[str, ...],
    top: int,
    lang: str | None,
    form: str,
    **filters: Any,
) -> None:
    """Say why mail waits: by cause, with its domains, whose fault it is and what to do.

    \b
    mailscope queue causes
    mailscope queue causes --older-than 1h --domain example.org
    """
    from mailscope.cli.output import write
    from mailscope.language.choice import choose
    from mailscope.language.translator import translator
    from mailscope.queues.waits import waits

    queue = asked(place, mta, config, now, tz, queues, asking=True)
    language = choose(lang)
    found = waits(queue.entries(selected(**filters), causes=True))
    lines: Iterator[str]
    if form == "json":
        lines = (json.dumps(_plain(wait, language, top)).replace("\x7f", "\\u007f") for wait in found)
    else:
        lines = _text(found, queue.spool.now, translator(language), language, top)
    write((line + "\n" for line in lines), None)
    queue.say_troubles()


def _told(cause: str, tr: Translator, language: str) -> tuple[str, str, str]:
    """A cause in words: its title, whose fault it is, and what to do."""
    from mailscope.causes.catalogue import get
    from mailscope.queues.waits import HELD, NOT_TRIED

    if cause == HELD:
        return tr("On hold"), "", tr("Somebody put it there: look at it, then release or delete it.")
    if cause == NOT_TRIED:
        return (
            tr("Not tried yet"),
            "",
            tr("Nothing, unless it is old: then see whether the queue manager works."),
        )
    text = get(cause).text(language)
    return text.title, text.fault, text.advice


def _plain(wait: Wait, language: str, top: int) -> dict[str, Any]:
    from mailscope.language.translator import translator

    title, fault, advice = _told(wait.cause, translator(language), language)
    return {
        "cause": wait.cause,
        "title": title,
        "fault": fault,
        "advice": advice,
        "recipients": wait.recipients,
        "messages": wait.messages,
        "oldest_time": wait.oldest,
        "domains": [
            {
                "domain": name,
                "recipients": each.recipients,
                "messages": each.messages,
                "oldest_time": each.oldest,
                "next_retry_time": each.next_retry,
                "reason": each.reason,
            }
            for name, each in wait.most()[: top or None]
        ],
    }


def _text(found: list[Wait], now: float, tr: Translator, language: str, top: int) -> Iterator[str]:
    from mailscope.cli.queue_text import span

    if not found:
        yield tr("Nothing waits.")
        return
    for place, wait in enumerate(found):
        if place:
            yield ""
        title, fault, advice = _told(wait.cause, tr, language)
        count = tr.count(wait.recipients, "{n} recipient", "{n} recipients")
        messages = tr.count(wait.messages, "{n} message", "{n} messages")
        age = span(None if wait.oldest is None else now - wait.oldest)
        yield f"{title} ({wait.cause}): {count}, {messages}, {tr('the oldest for {age}', age=age)}"
        if fault:
            yield f"  {tr('Fault')}: {fault}"
        yield f"  {tr('What to do')}: {advice}"
        yield from _domains(wait.most(), now, tr, top)


def _domains(most: list[tuple[str, Domain]], now: float, tr: Translator, top: int) -> Iterator[str]:
    from mailscope.cli.queue_text import cell, retry, span
    from mailscope.cli.terminal import safe

    for name, each in most[: top or None]:
        oldest = span(None if each.oldest is None else now - each.oldest)
        again = f"{tr('next')} {retry(each.next_retry, now)}" if each.next_retry is not None else ""
        line = f"  {each.recipients:>7,}  {cell(name, 30)}  {oldest:>4}  {again:<12}  {safe(each.reason)}"
        yield line.rstrip()
    if top and len(most) > top:
        left = sum(each.recipients for _, each in most[top:])
        yield f"  {left:>7,}  {tr.count(len(most) - top, 'in {n} more domain', 'in {n} more domains')}"
