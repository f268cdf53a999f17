"""The feeds that the settings ask for: files that are followed, the journal, syslog sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mailscope.intake.discover import discover
from mailscope.intake.follow.files import FileFeed
from mailscope.intake.follow.journal import JournalFeed
from mailscope.intake.follow.logins import LoginFeed
from mailscope.intake.follow.naming import Followed
from mailscope.intake.journal import Wanted
from mailscope.intake.live import Feed, Resume
from mailscope.intake.rotation import shown
from mailscope.syslog.receiver.configured import reloaded
from mailscope.syslog.receiver.feed import Receiver
from mailscope.vocabulary.settings.settings import Settings

JOURNAL = "journal"
NOTHING = (
    "nothing is followed and nothing listens: no mail log was found on this host, or the settings want none; "
    "name some in [sources] files, or give a [[receiver.listen]]"
)
# What the journal holds of mail programs, where no unit is named.
MAIL = ("SYSLOG_FACILITY=2",)


def feeds(
    settings: Settings,
    resumes: Mapping[str, Resume],
    say: Callable[[str], None],
    running: Receiver | None = None,
) -> list[Feed]:
    """Open them, telling what is followed.

    ``running``: the receiver that is at work, which goes on as these settings want it.  Raises InputError for
    a socket or a certificate that cannot be used; it goes on as it was then.
    """
    sources = settings.sources
    paths = [str(path) for path in (*sources.files, *sources.multilog)]
    journal = sources.journal or bool(sources.journal_units)
    if sources.discover:
        for found in discover().found:
            if found.kind == "journal":
                journal = True
            elif str(found.path) not in paths:
                paths.append(str(found.path))
                say(f"following {found.path} ({found.why})")
    excluded = {str(path) for path in sources.exclude}
    opened: list[Feed] = []
    followed = [Followed(path) for path in paths if path not in excluded]
    if followed:
        opened.append(FileFeed(followed, resumes))
    opened += [LoginFeed(path, resumes.get(shown(path))) for path in map(str, sources.logins)]
    if journal:
        wanted = Wanted(sources.journal_units, () if sources.journal_units else MAIL)
        opened.append(JournalFeed(wanted, resumes.get(JOURNAL), name=JOURNAL))
        say("following the journal")
    try:
        listening = reloaded(running, settings.receiver)
    except BaseException:
        for feed in opened:
            feed.close()
        raise
    if listening is not None:
        opened.append(listening)
        for each in settings.receiver.listen:
            say(f"listening on {each.transport} {each.path or f'{each.address} port {each.port}'}")
    if not opened:
        say(NOTHING)
    return opened


def waiting_bytes(feeds: Sequence[Feed]) -> int:
    """Of followed files and received messages, what is not taken yet; asked by any thread."""
    files = sum(sum(feed.waiting_bytes().values()) for feed in list(feeds) if isinstance(feed, FileFeed))
    return files + sum(feed.waiting_bytes for feed in list(feeds) if isinstance(feed, Receiver))
