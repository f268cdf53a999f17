"""The pages, one file each, in the order in which the menu shows them.

In: a visit (who looks, at which span).  Out: what a template shows.  Never: permission, which is asked before
a page is made (``answering.py``).  To add one, write a file with a PAGE and a template of its name, and name
it here.
"""

from __future__ import annotations

from typing import Final

from mailscope.web.pages import (
    about,
    audit,
    causes,
    domains,
    findings,
    host,
    lines,
    live,
    logins,
    messages,
    overview,
    queue,
    queue_act,
    search,
    security,
    settings,
    trail,
    trends,
)
from mailscope.web.pages.page import Page

PAGES: Final[tuple[Page, ...]] = (
    overview.PAGE,
    messages.PAGE,
    trail.PAGE,
    domains.PAGE,
    domains.ONE,
    causes.PAGE,
    causes.ONE,
    security.PAGE,
    logins.PAGE,
    queue.PAGE,
    queue_act.PLAN,
    queue_act.DONE_PAGE,
    trends.PAGE,
    host.PAGE,
    live.PAGE,
    findings.PAGE,
    findings.ONE,
    lines.PAGE,
    lines.AROUND,
    about.PAGE,
    search.PAGE,
    settings.PAGE,
    audit.PAGE,
)
