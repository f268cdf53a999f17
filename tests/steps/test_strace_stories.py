"""Real traces tell the right story, in every form that strace writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ways import (
    BOTH,
    BOUNCED,
    DATA,
    FF,
    LOCAL,
    REMOTE,
    brief,
    short,
    together,
    told,
    told_of,
    way_of,
    without_y,
)

from mailscope.steps.strace.story import Told

OF_LOCAL = [
    "pickup: takes a connection at public/pickup",
    "pickup: opens maildrop/4jXGQm2J7SzCb6P",
    "pickup > cleanup: gives it the message (public/cleanup)",
    "master > cleanup: starts cleanup: adds missing headers and writes the queue file",
    "cleanup: makes the queue file incoming/4jXGQm3WlLzCb6X",
    "cleanup > pickup: gives it the queue id 4jXGQm3WlLzCb6X",
    "pickup: logs: 4jXGQm3WlLzCb6X: uid=0 from=<alice@lab.example>",
    "cleanup > trivial-rewrite: asks how addresses are completed and where they go (private/rewrite)",
    "master > trivial-rewrite: starts trivial-rewrite: completes addresses and says by which way they are "
    "delivered",
    "cleanup: logs: 4jXGQm3WlLzCb6X: message-id=<4jXGQm3WlLzCb6X@mail.lab.example>",
    "cleanup: marks the queue file as whole",
    "cleanup > qmgr: says that mail has come in (public/qmgr)",
    "cleanup > pickup: answers: all went well",
    "pickup: removes maildrop/4jXGQm2J7SzCb6P",
    "qmgr: moves the file from incoming/4jXGQm3WlLzCb6X to active/4jXGQm3WlLzCb6X",
    "qmgr: opens active/4jXGQm3WlLzCb6X",
    "qmgr: logs: 4jXGQm3WlLzCb6X: from=<alice@lab.example>, size=299, nrcpt=1 (queue active)",
    "qmgr > trivial-rewrite: asks how addresses are completed and where they go (private/rewrite)",
    "qmgr > local: hands the message out for delivery (private/local)",
    "master > local: starts local: delivers to mailboxes of this host",
    "local: opens active/4jXGQm3WlLzCb6X",
    "local > /var/mail/bob: delivers to /var/mail/bob",
    "local: logs: 4jXGQm3WlLzCb6X: to=<bob@lab.example>, relay=local, delay=0.49, delays=0.29/0.13/0/0.06, "
    "dsn=2.0.0, status=sent (delivered to mailbox)",
    "local > qmgr: answers: all went well",
    "qmgr: removes active/4jXGQm3WlLzCb6X",
    "qmgr: logs: 4jXGQm3WlLzCb6X: removed",
]


def core(found: Told) -> list[tuple[list[str], list[str]]]:
    """Of each way the ids, and its acts without log lines, order and what only long strings tell."""
    ways = []
    for way in found.ways:
        acts = {
            re.sub(r"public/(?=pickup)", "", brief(act))
            for act in way.acts
            if act.kind not in ("logged", "named", "answered")
        }
        ways.append((way.queue_ids, sorted(acts)))
    return sorted(ways)


@pytest.fixture(scope="module")
def real() -> Told:
    return told(*FF)


def test_a_local_message(real: Told) -> None:
    way = way_of(real, LOCAL)
    assert [brief(act) for act in way.acts] == OF_LOCAL
    assert all(act.sure for act in way.acts)
    assert [(stay.queue, stay.left) for stay in way.stays] == [
        ("maildrop", True), ("incoming", True), ("active", True),
    ]  # fmt: skip
    assert [round(stay.seconds, 3) for stay in way.stays if stay.seconds] == [0.121, 0.276]
    spans = {lane.name: round(seconds, 2) for lane, seconds in way.spans()}
    assert spans["local"] == 0.26
    assert (real.damaged, real.cut, real.clock) == (0, 0, "epoch")


def test_a_message_to_another_host(real: Told) -> None:
    acts = [brief(act) for act in way_of(real, REMOTE).acts]
    assert "qmgr > smtp: hands the message out for delivery (private/smtp)" in acts
    assert "smtp > 127.0.0.10:25: connects to port 25 of 127.0.0.10" in acts
    assert acts.count("smtp > DNS 127.0.0.53: asks DNS") == 1
    # cleanup kept its connection of the message before.
    kept = (
        "cleanup > trivial-rewrite: asks how addresses are completed and where they go (open connection to "
    )
    assert kept + "private/rewrite)" in acts
    assert not any("local" in act for act in acts)


def test_two_recipients_are_handed_out_to_two_daemons(real: Told) -> None:
    acts = [act for act in way_of(real, BOTH).acts if act.words.startswith("hands the message out")]
    assert [act.to.name for act in acts if act.to] == ["local", "smtp"]
    assert all(act.sure for act in acts)


def test_a_bounce_is_told_with_the_message_that_it_came_of(real: Told) -> None:
    way = way_of(real, BOUNCED)
    assert way.queue_ids == ["4jXGQq6pNFzCb6d", BOUNCED, "4jXGQr3yLKzCb6j"]
    assert way.notes[1] == f"4jXGQr3yLKzCb6j is the notice to the sender of {BOUNCED}"
    acts = [brief(act) for act in way.acts]
    inside = [
        "local > bounce: has the failure noted or reported (private/bounce)",
        f"bounce: notes the reason in bounce/{BOUNCED}",
        "qmgr > bounce: has the failure noted or reported (private/bounce)",
        f"bounce: reads the reasons in bounce/{BOUNCED}",
        "bounce > cleanup: gives it the message (public/cleanup)",
        "cleanup: makes the queue file incoming/4jXGQr3yLKzCb6j",
        f"bounce: removes bounce/{BOUNCED}",
        "local > /var/mail/alice: delivers to /var/mail/alice",
    ]
    assert [act for act in acts if act in inside] == inside


def test_every_process_is_known(real: Told) -> None:
    tree = {(str(each.lane), each.parent) for each in real.processes}
    assert {("master[3625]", None), ("qmgr[3627]", None), ("cleanup[11717]", 3625)} <= tree
    assert {("local[11725]", 3625), ("bounce[11745]", 3625), ("tlsmgr[7452]", None)} <= tree


COMMS = {"3627": "3627<qmgr> ", "11717": "11717<cleanup> "}
FORMS = {
    "-f -ttt -yy": together,
    "-f -ttt": lambda: together(without_y),
    "-f -tt": lambda: together(lambda line: re.sub(r"^[0-9]+(\.[0-9]{6})", r"04:33:04\1", without_y(line))),
    "-f": lambda: together(lambda line: without_y(line).partition(" ")[2]),
    "-f, short strings": lambda: together(lambda line: short(without_y(line)).partition(" ")[2]),
    "-f -i -n": lambda: together(
        lambda line: f"[00007f00deadbeef] [  59] {without_y(line).partition(' ')[2]}"
    ),
    "-f, to standard error": lambda: re.sub(r"^([0-9]+) +", r"[pid  \1] ", together(without_y), flags=re.M),
    "-f -Y": lambda: re.sub(
        r"^(3627|11717) +", lambda found: COMMS[found[1]], together(without_y), flags=re.M
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same(real: Told, form: str, tmp_path: Path) -> None:
    found = told_of(FORMS[form](), tmp_path / "trace")
    assert found.damaged == 0
    assert core(found) == core(real)


def test_calls_that_others_interrupt_tell_the_same(real: Told, tmp_path: Path) -> None:
    whole = together(without_y).splitlines()
    lines: list[str] = []
    for number, line in enumerate(whole):
        begun = re.fullmatch(r"([0-9]+ +)([0-9.]+) ((\w+)\([^)]*)(\) += .*)", line)
        if begun is None or number % 3 or '"' in begun[3].rpartition(",")[2]:
            lines.append(line)
            continue
        lead, stamp, call, name, rest = begun.groups()
        lines.append(f"{lead}{stamp} {call} <unfinished ...>")
        lines.append("99999 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---")
        lines.append(f"{lead}{stamp} <... {name} resumed>{rest}")
    found = told_of("\n".join(lines) + "\n", tmp_path / "trace")
    assert any("unfinished" in line for line in lines)
    assert (found.damaged, found.cut) == (0, 0)
    assert core(found) == core(real)


def test_files_without_clocks_are_put_in_order_by_what_comes_of_what(real: Told, tmp_path: Path) -> None:
    paths = []
    for path in FF:
        paths.append(tmp_path / path.name)
        text = "".join(line.partition(" ")[2] for line in path.read_text(encoding="utf-8").splitlines(True))
        paths[-1].write_text(text, encoding="utf-8")
    found = told(*paths)
    assert found.clock == "none"
    assert core(found) == core(real)
    acts = [brief(act) for act in way_of(found, LOCAL).acts if act.kind != "logged"]
    milestones = [
        act
        for act in OF_LOCAL
        if act.startswith(("pickup: opens", "cleanup: makes", "qmgr: moves", "local: opens", "qmgr: removes"))
    ]
    assert [act for act in acts if act in milestones] == milestones
    assert len(milestones) == 5


def test_times_of_r_are_added_up(tmp_path: Path) -> None:
    found = told_of(
        '10        0.000100 openat(AT_FDCWD, "maildrop/4jXGQm2J7SzCb6P", O_RDONLY) = 4\n'
        "10        0.500000 close(4) = 0\n"
        '10        0.250000 unlink("maildrop/4jXGQm2J7SzCb6P") = 0\n',
        tmp_path / "trace",
    )
    (way,) = found.ways
    assert way.clock == "span"
    assert [round(act.time or 0, 4) for act in way.acts] == [0.0001, 0.7501]


def test_from_sendmail_to_the_mailbox_over_several_files(tmp_path: Path) -> None:
    found = told(DATA / "sendmail-local.strace", *FF)
    acts = [brief(act) for act in way_of(found, LOCAL).acts]
    assert acts[:3] == [
        "sendmail: begins: takes mail from programs of this host",
        "sendmail > postdrop: starts postdrop: writes local mail into the maildrop queue",
        "postdrop: makes the queue file maildrop/4jXGQm2J7SzCb6P",
    ]
    assert acts[-1] == "qmgr: logs: 4jXGQm3WlLzCb6X: removed"
    assert "postdrop > pickup: says that mail is in maildrop (public/pickup)" in acts


def test_time_in_each_call_and_between_them() -> None:
    found = told(DATA / "sendmail-remote.strace")
    (way,) = found.ways
    assert way.clock == "day"
    made = next(act for act in way.acts if act.kind == "moved")
    assert made.took_s == pytest.approx(0.00005)
    assert way.acts[0].time == pytest.approx(4 * 3600 + 33 * 60 + 4.367770)
