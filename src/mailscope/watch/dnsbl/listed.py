"""An address or a name of ours is on a DNS blocklist: told for as long as the list says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from mailscope.language.phrase import Phrase
from mailscope.watch.detection import About, Frames
from mailscope.watch.dnsbl.asking import Result
from mailscope.watch.dnsbl.rounds import Rounds
from mailscope.watch.finding import Figure, Signal
from mailscope.watch.seen import Seen

FOREVER_S: Final = 60 * 86_400


class DnsblListed:
    """Tells what the last round of asking gave.  An answer that did not come ends no listing."""

    about: ClassVar[About] = About(
        name="dnsbl_listed",
        sees="A DNS blocklist lists an address or a name of ours, and tells its test entries right.",
        why="Who asks that list refuses our mail, or takes it for spam.",
        false_positives="A list that few receivers ask matters little; dynamic and home addresses are on "
        "lists of such, as they should send through their provider.",
        advice="Find out why first: an account or a web form that sends spam, an infected host behind the "
        "address. Stop that, then ask the list to take the address off; otherwise it is listed again.",
        commands=(
            "mailscope dnsbl check {listed}",
            "mailscope detect --only outgoing_spam --since '2 days ago'",
        ),
        # It says itself when it is over.
        quiet_s=FOREVER_S,
    )
    needs: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._told = 0

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Tell of a round that is new."""
        number, results = self._rounds.number, self._rounds.results
        if number == self._told:
            return
        self._told = number
        for result in results:
            if result.state != "unknown":
                yield _signal(result, seen)

    def state(self) -> Frames:
        """Nothing: the findings themselves are kept."""
        return {}

    def resume(self, state: Frames) -> None:
        """Nothing."""


def _signal(result: Result, seen: Seen) -> Signal:
    blocklist = result.blocklist
    what = "; ".join(result.meanings)
    figures: dict[str, Figure] = {"codes": " ".join(result.codes)}
    figures |= {name: value for name, value in (("link", blocklist.link), ("text", result.text)) if value}
    reasons = [Phrase("the list says: {text}", text=each) for each in (what, result.text) if each]
    if blocklist.link:
        reasons.append(Phrase("to be taken off: {link}", link=blocklist.link))
    return Signal(
        subject={"listed": result.subject, "blocklist": blocklist.zone},
        time=seen.now,
        since=seen.now,
        severity=blocklist.severity,
        title=Phrase(
            "{listed} is on the blocklist {blocklist}",
            listed=result.subject,
            blocklist=blocklist.name or blocklist.zone,
        ),
        figures=figures,
        reasons=tuple(reasons),
        over=result.state == "clear",
    )
