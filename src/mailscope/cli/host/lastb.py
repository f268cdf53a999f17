"""``mailscope host lastb``: refused logins."""

from __future__ import annotations

from typing import Any

import click

from mailscope.cli.host.last import options, show
from mailscope.cli.host.options import Common, Numbered, common

BTMP = "/var/log/btmp"


@click.command(cls=Numbered)
@options(BTMP)
@common
def lastb(common: Common, **given: Any) -> None:
    """Show refused logins, the last one first; util-linux' lastb.

    \b
    mailscope host lastb -n 20 --ip
    mailscope host lastb root --format csv
    """
    show(common, BTMP, refused=True, **given)
