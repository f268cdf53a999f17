"""``mailscope pflogsumm``: pflogsumm's own report, from its own options."""

from __future__ import annotations

import click


@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": True,
        "help_option_names": [],
    }
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def pflogsumm(arguments: tuple[str, ...]) -> None:
    """The report that pflogsumm 1.3.0 makes, from the same options.

    \b
    mailscope pflogsumm -d yesterday --problems-first /var/log/mail.log
    """
    from mailscope.reports.compat.pflogsumm.program import run

    raise SystemExit(run(arguments))
