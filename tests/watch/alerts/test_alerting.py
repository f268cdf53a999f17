"""What is told of an incident, to whom and when; with a fake clock and fake couriers, and a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import examples
from telling import MAIL, NOON, PHONE, Desk, finding

from mailscope.vocabulary.settings.reading import parse

EARLIER = NOON - timedelta(minutes=9)
OVER = {"over_time": NOON + timedelta(minutes=30)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    return tmp_path


def desk(place: Path, routes: str = MAIL, now: datetime = NOON) -> Desk:
    made = Desk(place / "store", f'[alerts]\nhost = "mx.example.org"\n{routes}', now)
    # The routes were there before anything is found.
    assert made.go() == []
    return made


def test_an_incident_its_news_and_its_end(place: Path) -> None:
    told = desk(place)
    told.put(finding())
    assert told.go(5) == ["mail found a"]
    assert told.go(60) == []
    # More signals of the same are no news; five times as many failures are.
    told.put(finding(signals=9, last_time=told.now, figures={"failures": 99, "window_s": 600}))
    assert told.go(5) == []
    told.put(finding(signals=10, last_time=told.now, figures={"failures": 100, "window_s": 600}))
    assert told.go(5) == ["mail more a"]
    told.put(finding(severity="critical", last_time=told.now, figures={"failures": 120, "window_s": 600}))
    assert told.go(5) == ["mail worse a"]
    over = told.now
    told.put(finding(severity="critical", last_time=over, over_time=over, figures={"failures": 120}))
    assert told.go(5) == ["mail over a"]
    told.put(finding(severity="critical", last_time=told.now, episodes=2, figures={"failures": 120}))
    assert told.go(5) == ["mail again a"]
    end = finding(severity="critical", last_time=told.now, over_time=told.now, episodes=2, closed=True)
    told.put(end)
    assert told.go(5) == ["mail over a"]
    titles = [message.title for _, _, message in told.sent]
    assert titles == [
        "WARNING on mx.example.org: 20 failed logins of anna-a from 3 addresses",
        "WARNING on mx.example.org, much more of it: 20 failed logins of anna-a from 3 addresses",
        "CRITICAL on mx.example.org, worse than before: 20 failed logins of anna-a from 3 addresses",
        "Over on mx.example.org: 20 failed logins of anna-a from 3 addresses",
        "CRITICAL on mx.example.org, it came back: 20 failed logins of anna-a from 3 addresses",
        "Over on mx.example.org: 20 failed logins of anna-a from 3 addresses",
    ]
    assert len({message.id for _, _, message in told.sent}) == 6
    assert {row["state"] for row in told.rows()} == {"sent"}
    # Nothing is kept in memory of what is over for good, and a restart tells nothing again.
    assert not told.alerting._findings.briefs
    told.begin()
    assert told.go(120) == []


def test_a_restart_tells_nothing_twice_and_forgets_nothing(place: Path) -> None:
    told = desk(place)
    told.put(finding())
    told.go(1)
    told.begin()
    assert told.go(5) == []
    told.put(finding(last_time=told.now, severity="critical"))
    told.begin()
    assert told.go(5) == ["mail worse a"]


def test_what_was_under_way_at_a_kill_is_sent_again_with_its_id(place: Path) -> None:
    told = desk(place)
    told.hanging.add("mail")
    told.put(finding())
    told.go(1)
    assert told.states() == ["mail found trying"]
    told.begin()
    told.hanging.clear()
    told.go(1)
    assert [message.id for _, message in told.tried] == [told.tried[0][1].id] * 2
    assert told.states() == ["mail found sent"]


@given(
    steps=st.lists(
        st.sampled_from(["found", "worse", "over", "again", "kill", "fail", "mend", "wait"]), max_size=12
    )
)
@settings(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_people_know_in_the_end_how_it_is(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    told = desk(tmp_path_factory.mktemp("store"))
    now = finding(last_time=told.now)
    there = False
    for step in (*steps, "mend", "wait"):
        if step == "kill":
            told.begin()
        elif step == "fail":
            told.failing["mail"] = "no"
        elif step == "mend":
            told.failing.clear()
        elif step == "wait":
            told.go(60)
        elif step == "found" and not there:
            # Seen now: what was seen long ago is told in a digest, which this desk has none of.
            there = True
            now = replace(now, last_time=told.now, over_time=now.over_time and told.now)
        elif step == "worse":
            # A signal: whatever was over comes back with it.
            episodes = now.episodes + (now.over_time is not None)
            now = replace(now, severity="critical", last_time=told.now, over_time=None, episodes=episodes)
        elif step == "over" and now.over_time is None:
            now = replace(now, over_time=told.now, last_time=told.now)
        elif step == "again" and now.over_time is not None:
            now = replace(now, over_time=None, episodes=now.episodes + 1, last_time=told.now)
        if there:
            told.put(now)
            told.go(0.5)
    told.go(120)
    if not there:
        assert told.sent == []
        return
    last = told.sent[-1][2]
    assert (last.kind == "over" or last.plain["over_time"] is not None) == (now.over_time is not None)
    assert last.severity == now.severity
    ids = [message.id for _, _, message in told.sent]
    # A kill may double what was under way, and nothing else does.
    assert len(ids) == len(set(ids)) or "kill" in steps
    assert not told.alerting._outbox.pending
    told.close()


def test_an_acknowledged_finding_is_not_told_of_again(place: Path) -> None:
    told = desk(place)
    told.put(finding())
    told.go(1)
    told.handle(finding().id, "acknowledged")
    told.go(1)
    told.put(finding(severity="critical", last_time=told.now))
    assert told.go(30) == []
    told.put(finding(severity="critical", last_time=told.now, **OVER))
    assert told.go(30) == []
    # Another daemon, the same store.
    told.begin()
    assert told.go(30) == []


def test_a_muted_finding_is_told_when_it_is_unmuted_if_it_still_goes_on(place: Path) -> None:
    told = desk(place)
    told.handle(finding("a").id, "muted", NOON + timedelta(hours=2))
    told.handle(finding("b").id, "muted")
    told.handle(finding("c").id, "muted", NOON + timedelta(hours=2))
    told.put(finding("a"), finding("b"), finding("c"))
    assert told.go(60) == []
    told.put(finding("c", over_time=told.now, last_time=told.now))
    told.go(1)
    told.begin()
    told.go(30)
    told.put(finding("a", last_time=NOON + timedelta(minutes=110)))
    assert told.go(40) == ["mail found a"]
    told.put(finding("b", last_time=told.now))
    told.handle(finding("b").id, "unmuted")
    assert told.go(1) == ["mail found b"]


def test_during_a_silence_nothing_is_told_and_after_it_what_goes_on(place: Path) -> None:
    told = desk(place)
    told.put(finding("a"))
    assert told.go(1) == ["mail found a"]
    told.handle("*", "muted", NOON + timedelta(hours=1))
    told.put(
        finding("a", severity="critical", last_time=told.now), finding("b"), finding("c", detection="other")
    )
    assert told.go(20) == []
    told.put(finding("b", **OVER))
    assert told.go(20) == []
    told.put(finding("c", detection="other", last_time=told.now))
    assert sorted(told.go(30)) == ["mail found c", "mail worse a"]
    told.handle("*other", "muted", NOON + timedelta(hours=9))
    told.put(finding("d", detection="other", last_time=told.now), finding("e", last_time=told.now))
    assert told.go(5) == ["mail found e"]
    told.handle("*other", "unmuted")
    assert told.go(5) == ["mail found d"]


QUIET = 'quiet_from = "22:00"\nquiet_until = "07:00"\n'


def test_quiet_hours_hold_back_all_but_what_is_critical(place: Path) -> None:
    # 23:30 in Rome, whose midnight lies between.
    night = datetime(2026, 3, 2, 22, 30)
    told = desk(place, MAIL + QUIET, night)
    told.put(finding("a", last_time=night), finding("b", severity="critical", last_time=night))
    told.put(finding("c", last_time=night))
    assert told.go(60) == ["mail found b"]
    # It is over before the morning: one message tells both.
    told.put(finding("c", last_time=night, over_time=told.now))
    # It becomes critical: told at once.
    told.put(finding("a", last_time=told.now, severity="critical"))
    assert told.go(30) == ["mail found a"]
    assert told.go(60 * 4) == []
    assert told.now < datetime(2026, 3, 3, 6)
    assert told.go(60 * 3, 60) == ["mail found c"]
    when, _, message = told.sent[-1]
    assert datetime(2026, 3, 3, 6) <= when <= datetime(2026, 3, 3, 6, 1)
    assert "Over since: 2026-03-03" in message.text


def test_who_is_called_when_nobody_has_acknowledged(place: Path) -> None:
    critical = {"severity": "critical"}
    told = desk(place, MAIL + PHONE + "after_s = 1800\n")
    told.put(*(finding(name, **critical) for name in "abc"))
    assert sorted(told.go(20)) == ["mail found a", "mail found b", "mail found c"]
    told.handle(finding("a").id, "acknowledged")
    told.put(finding("b", **critical, over_time=told.now, last_time=told.now))
    # A restart does not begin the wait anew.
    told.begin()
    assert told.go(9) == ["mail over b"]
    assert told.go(2) == ["phone found c"]
    assert NOON + timedelta(minutes=30) <= told.sent[-1][0] <= NOON + timedelta(minutes=31)
    told.put(finding("c", **critical, over_time=told.now, last_time=told.now))
    assert sorted(told.go(60)) == ["mail over c", "phone over c"]


def test_the_digest_gathers_what_is_less_severe_and_what_is_old(place: Path) -> None:
    told = desk(place, MAIL + PHONE)
    old = NOON - timedelta(days=2)
    told.put(
        finding("a", severity="info"),
        finding("b", severity="info"),
        finding("c", severity="critical", first_time=old, last_time=old, found_time=old, over_time=old),
        finding("d", severity="critical", first_time=old, last_time=old, found_time=old),
    )
    assert told.go(60 * 6) == []
    # One that was taken for old goes on: it is told at once.
    told.put(finding("d", severity="critical", first_time=old, last_time=told.now))
    assert sorted(told.go(5)) == ["mail found d", "phone found d"]
    # 07:30 in Rome.
    assert told.go(60 * 12) == []
    assert told.go(60 * 2) == ["mail digest 2"]


def test_what_was_over_before_there_was_a_route_is_not_told(place: Path) -> None:
    told = Desk(place / "store", f'[alerts]\nhost = "mx.example.org"\n{MAIL}')
    told.put(finding("a", last_time=EARLIER, over_time=EARLIER), finding("b"))
    assert told.go(60 * 24) == ["mail found b"]


def test_old_findings_in_a_digest_every_few_hours(place: Path) -> None:
    told = desk(place, MAIL + "digest_every_h = 6\n")
    told.put(finding("a", severity="info"))
    # 13:02 in Rome; 18:00 is next.
    assert told.go(60 * 4) == []
    assert told.go(60 * 2) == ["mail digest 1"]
    assert told.sent[-1][0] < datetime(2026, 3, 2, 17, 1)


def test_a_storm_becomes_one_summary(place: Path) -> None:
    told = desk(place, MAIL + "max_messages = 3\n")
    told.put(
        *(finding(f"{number:x}f", severity="warning") for number in range(200)),
        finding("e", severity="critical"),
    )
    assert told.go(1) == ["mail summary 201"]
    message = told.sent[-1][2]
    assert message.title == "mx.example.org: 201 findings at once, the worst: critical"
    lines = message.text.splitlines()
    assert lines[0].startswith("CRITICAL on mx.example.org: 20 failed logins of anna-e")
    assert lines[-1] == "and 151 more: see 'mailscope findings list'"
    assert len(message.plain["findings"]) == 50
    # Two are left in this hour, and after them one every twenty minutes.
    told.put(finding("x"), finding("y"))
    assert sorted(told.go(1)) == ["mail found x", "mail found y"]
    told.put(finding("z"))
    assert told.go(10) == []
    assert told.go(10) == ["mail found z"]


def test_a_route_that_fails_is_tried_later_and_later_and_given_up_after_a_day(place: Path) -> None:
    hook = '[[alerts.routes]]\nname = "hook"\nvia = "webhook"\nurl = "http://192.0.2.9/"\n'
    told = desk(place, MAIL + hook)
    told.failing["hook"] = "192.0.2.9: no connection"
    told.put(finding())
    assert told.go(1) == ["mail found a"]
    # At once, and after 15 seconds; the next time is half a minute later.
    assert [route for route, _ in told.tried if route == "hook"] == ["hook"] * 2
    assert told.alerting.problems() == [
        "the route hook does not take alerts (1 wait): 192.0.2.9: no connection"
    ]
    assert told.go(60 * 23, 60) == []
    tries = sum(route == "hook" for route, _ in told.tried)
    # After 15, 30 ... 3,600 seconds: 9 in the first two hours and a bit, then one an hour.
    assert 25 <= tries <= 34
    assert "hook found trying" in told.states()
    assert told.go(60 * 3, 60) == []
    assert "hook found failed" in told.states()
    (given_up,) = [line for line in told.alerting.problems() if "given up" in line]
    assert "20 failed logins of anna-a" in given_up
    assert (
        told.said.count("the route hook does not take alerts: 192.0.2.9: no connection; they are tried again")
        == 1
    )
    # News are told again where it works again.
    told.failing.clear()
    told.put(finding(severity="critical", last_time=told.now))
    assert "hook worse a" in told.go(60 * 2)


def test_what_nobody_got_is_told_as_it_is_when_the_route_works_again(place: Path) -> None:
    told = desk(place)
    told.failing["mail"] = "no connection"
    told.put(finding())
    told.go(10)
    told.put(finding(over_time=told.now, last_time=told.now))
    told.go(10)
    told.failing.clear()
    assert told.go(60) == ["mail found a"]
    assert told.sent[-1][2].plain["state"] == "over"
    assert told.states() == ["mail found replaced", "mail found sent"]
    assert any("takes alerts again" in line for line in told.said)


def test_a_route_that_hangs_holds_up_no_other(place: Path) -> None:
    told = desk(place, MAIL + PHONE)
    told.hanging.add("phone")
    told.put(*(finding(name, severity="critical") for name in "abc"))
    said = told.go(10)
    assert sorted(each for each in said if each.startswith("mail")) == [
        "mail found a",
        "mail found b",
        "mail found c",
    ]
    assert len(said) == 4


def test_routing_by_detection_severity_and_without_recovery(place: Path) -> None:
    only = '[[alerts.routes]]\nname = "hook"\nvia = "webhook"\nurl = "http://192.0.2.9/"\nrecovery = false\n'
    told = desk(place, MAIL + 'except_detections = ["other"]\n' + only + 'detections = ["other"]\n')
    told.put(finding("a"), finding("b", detection="other"))
    assert sorted(told.go(1)) == ["hook found b", "mail found a"]
    told.put(finding("a", **OVER), finding("b", detection="other", **OVER))
    assert told.go(1) == ["mail over a"]
    # It came back after an end that this route was not told of.
    told.put(finding("b", detection="other", episodes=2, last_time=told.now))
    assert told.go(1) == ["hook again b"]


def test_settings_that_are_read_again(place: Path) -> None:
    told = desk(place)
    told.hanging.add("mail")
    told.put(finding("a"))
    told.go(1)
    more = '[[alerts.routes]]\nname = "hook"\nvia = "webhook"\nurl = "http://192.0.2.9/"\n'
    told.settings = parse(f'[alerts]\nhost = "mx.example.org"\n{MAIL}{more}', "test.toml").settings.alerts
    told.alerting.renew(told.settings)
    told.hanging.clear()
    # What was under way stays so, and the new route is told what goes on.
    assert told.go(1) == ["hook found a"]
    assert told.states() == ["mail found sent", "hook found sent"]
    told.failing["hook"] = "no"
    told.put(finding("b"))
    told.go(1)
    told.alerting.renew(parse(f"[alerts]\n{MAIL}", "test.toml").settings.alerts)
    told.go(1)
    assert told.alerting.problems() == []
    assert not told.alerting._outbox.pending
    assert [row["error"] for row in told.rows() if row["state"] == "silenced"] == ["the route is no more"]


def test_a_finding_that_was_erased_meanwhile_is_not_told(place: Path) -> None:
    told = desk(place, MAIL + QUIET, datetime(2026, 3, 2, 22))
    told.put(finding("a", last_time=told.now))
    told.go(1)
    told.database.connection.execute("delete from hot.findings")
    assert told.go(60 * 10, 60) == []
    assert told.states() == ["mail found silenced"]
