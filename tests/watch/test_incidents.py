"""From signals to incidents: one while it goes on, over when it is quiet, many told as one."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailscope.language.phrase import Phrase
from mailscope.watch.detection import About
from mailscope.watch.finding import Severity, Signal
from mailscope.watch.incidents import Incidents

BEGIN = datetime(2026, 3, 1)
ABOUT = About("brute_force", "s", "w", "f", "a", quiet_s=600, again_s=3_600, most_apart=3)


def signal(minute: int, user: str = "anna", severity: Severity = "warning", *, over: bool = False) -> Signal:
    at = BEGIN + timedelta(minutes=minute)
    title = Phrase("{user} at {minute}", user=user, minute=minute)
    return Signal({"user": user}, at, at, severity, title, {"minute": minute}, over=over)


def test_signals_that_follow_each_other_are_one_incident() -> None:
    incidents = Incidents()
    changed = incidents.take(ABOUT, [signal(minute) for minute in (0, 5, 9, 18)])
    assert [(each.signals, each.episodes, str(each.title)) for each in changed] == [(4, 1, "anna at 18")]
    assert changed[0].first_time == BEGIN
    assert changed[0].found_time == BEGIN
    assert incidents.pass_time(ABOUT, BEGIN + timedelta(minutes=28)) == []
    (ended,) = incidents.pass_time(ABOUT, BEGIN + timedelta(minutes=29))
    assert ended.over_time == BEGIN + timedelta(minutes=28)
    assert ended.id == changed[0].id


def test_it_goes_on_where_it_comes_back_soon_and_is_another_where_late() -> None:
    """Whether one batch holds both, or time passes in between."""
    for batches in ([[0, 40, 200]], [[0], [40], [200]]):
        incidents = Incidents()
        found = {}
        for minutes in batches:
            for each in incidents.take(ABOUT, [signal(minute) for minute in minutes]):
                found[each.id] = each
            for each in incidents.pass_time(ABOUT, BEGIN + timedelta(minutes=minutes[-1])):
                found[each.id] = each
        assert [(each.episodes, each.over_time) for each in found.values()] == [
            (2, BEGIN + timedelta(minutes=50)),
            (1, None),
        ]


def test_the_worst_is_told_and_stays() -> None:
    incidents = Incidents()
    signals = [signal(0), signal(1, severity="critical"), signal(2)]
    (found,) = incidents.take(ABOUT, signals)
    assert found.severity == "critical"
    assert found.figures == {"minute": 1}
    assert found.last_time == BEGIN + timedelta(minutes=2)


def test_a_detection_may_say_that_it_is_over() -> None:
    incidents = Incidents()
    incidents.take(ABOUT, [signal(0)])
    (found,) = incidents.take(ABOUT, [signal(3, over=True)])
    assert found.over_time == BEGIN + timedelta(minutes=3)
    assert incidents.open() == []
    assert incidents.take(ABOUT, [signal(4, "bert", over=True)]) == []


def test_many_at_once_are_told_as_one() -> None:
    incidents = Incidents()
    signals = [signal(number // 10, f"user{number:03}") for number in range(60)]
    incidents.take(ABOUT, signals)
    assert len(incidents.open()) == ABOUT.most_apart + 1
    (many,) = [each for each in incidents.open() if not each.subject]
    assert many.subjects == 57
    assert str(many.title) == "brute force: 57 more at the same time"
    # Those that are told apart go on by themselves.
    (known,) = incidents.take(ABOUT, [signal(7, "user000")])
    assert known.subject == {"user": "user000"}
