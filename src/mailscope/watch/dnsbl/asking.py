"""One round: every list is asked for its test entries, and then for what is ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal

from mailscope.watch.dnsbl.lists import Blocklist, Of, kind_of
from mailscope.watch.dnsbl.resolver import Answer, Resolver, public_in

# Lists that are asked at the same time.
AT_ONCE: Final = 8
State = Literal["listed", "clear", "unknown"]


@dataclass(frozen=True)
class Result:
    """Whether a list lists something of ours.

    ``unknown``: ``why`` tells; it says nothing of a listing.  ``codes`` with their ``meanings`` and ``text``
    are the list's answer.
    """

    subject: str
    blocklist: Blocklist
    state: State
    codes: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    text: str = ""
    why: str = ""


def examine(
    lists: Iterable[Blocklist],
    subjects: Sequence[str],
    timeout_s: float,
    tries: int,
    public: str | None = None,
) -> list[Result]:
    """Ask all lists for all subjects that they list, some at the same time; results by list, then subject.

    ``public``: the public resolver that this host asks, "" for none; None: found out.
    """
    through = public_in() if public is None else public

    def one(blocklist: Blocklist) -> list[Result]:
        mine = [each for each in subjects if kind_of(each) in blocklist.of]
        resolver = Resolver(blocklist.nameserver, blocklist.port, timeout_s, tries)
        return _of_list(blocklist, mine, resolver, through)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dnsbl") as pool:
        return [result for results in pool.map(one, lists) for result in results]


def _of_list(blocklist: Blocklist, subjects: Sequence[str], resolver: Resolver, public: str) -> list[Result]:
    if not subjects:
        return []
    if public and not blocklist.public and not blocklist.nameserver:
        why = (
            f"not asked: it refuses public resolvers, and this host asks {public}; use a resolver of your own"
        )
        return [Result(each, blocklist, "unknown", why=why) for each in subjects]
    faults: dict[Of, str] = {}
    results = []
    for subject in subjects:
        of = kind_of(subject)
        if of not in faults:
            faults[of] = distrust(blocklist, of, resolver)
        if faults[of]:
            results.append(Result(subject, blocklist, "unknown", why=faults[of]))
        else:
            results.append(judged(subject, blocklist, resolver.ask(query(subject, blocklist.zone))))
    return results


def distrust(blocklist: Blocklist, of: Of, resolver: Resolver) -> str:
    """Why a list is not believed; empty where its test entries are as they must be."""
    listed, unlisted = blocklist.tests(of)
    # First what must not be there: a list that lists the world has mostly died.
    state = judged(unlisted, blocklist, resolver.ask(query(unlisted, blocklist.zone)))
    if state.state == "unknown":
        return state.why
    if state.state == "listed":
        return (
            f"not believed: it lists {unlisted}, which no list that works does; it may list the whole world"
        )
    if not blocklist.test:
        return ""
    state = judged(listed, blocklist, resolver.ask(query(listed, blocklist.zone)))
    if state.state == "clear":
        note = f"; it {blocklist.note}" if blocklist.note else ""
        return f"not believed: its test entry {listed} is not listed, so it does not work for this host{note}"
    return state.why


def judged(subject: str, blocklist: Blocklist, answer: Answer) -> Result:
    """What an answer means."""
    if answer.failure:
        return Result(subject, blocklist, "unknown", why=f"no answer: {answer.failure}")
    if not answer.codes:
        return Result(subject, blocklist, "clear")
    for code in answer.codes:
        if code in blocklist.refusals:
            why = f"it does not answer this host: {blocklist.refusals[code]} ({code})"
            return Result(subject, blocklist, "unknown", answer.codes, text=answer.text, why=why)
        if not code.startswith("127."):
            why = f"it answers {code}, which no blocklist does: its zone may have been sold"
            return Result(subject, blocklist, "unknown", answer.codes, text=answer.text, why=why)
        if code.startswith("127.255.255."):
            return Result(
                subject,
                blocklist,
                "unknown",
                answer.codes,
                text=answer.text,
                why=f"it reports an error: {code}",
            )
    meanings = tuple(dict.fromkeys(filter(None, map(blocklist.meaning, answer.codes))))
    return Result(subject, blocklist, "listed", answer.codes, meanings, answer.text)


def query(subject: str, zone: str) -> str:
    """The name that is asked for: reversed octets, or nibbles, or the name, before the zone (RFC 5782)."""
    try:
        address: IPv4Address | IPv6Address = ip_address(subject)
    except ValueError:
        return f"{subject.rstrip('.')}.{zone}."
    reversed_name = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{reversed_name}.{zone}."
