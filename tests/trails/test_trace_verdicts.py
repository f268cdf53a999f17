"""What filters and checks said of a message stands in its time line, told in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from tracing import only

from mailscope.trails.narrative.trail import Step
from mailscope.trails.narrative.words import words

QUEUE: Final = """\
Nov 22 04:00:41 mx1 postfix/smtpd[10]: 4B5C61F00D: client=mx.example.org[192.0.2.7]
Nov 22 04:00:41 mx1 postfix/cleanup[13]: 4B5C61F00D: message-id=<1@example.org>
Nov 22 04:00:41 mx1 opendmarc[15]: 4B5C61F00D: example.org pass
Nov 22 04:00:41 mx1 postfix/qmgr[16]: 4B5C61F00D: from=<alice@example.org>, size=12, nrcpt=1 (queue active)
Nov 22 04:00:42 mx1 spamd[17]: spamd: result: . -1 - BAYES_00 scantime=0.4,size=12,user=a,uid=111,\
required_score=5.0,rhost=::1,raddr=::1,rport=40001,mid=<1@example.org>,autolearn=ham
Nov 22 04:00:42 mx1 spamd[17]: spamd: result: Y 15 - BAYES_99 scantime=0.4,size=12,user=a,uid=111,\
required_score=5.0,rhost=::1,raddr=::1,rport=40001,mid=<2@example.org>,autolearn=ham
Nov 22 04:00:43 mx1 postfix/virtual[21]: 4B5C61F00D: to=<bob@example.com>, relay=virtual, delay=2, \
delays=2/0/0/0.1, dsn=2.0.0, status=sent (delivered to maildir)
Nov 22 04:00:43 mx1 postfix/qmgr[16]: 4B5C61F00D: removed
"""
RSPAMD: Final = (
    "2026-11-22 04:00:41 #1234(rspamd_proxy) <b120f6>; proxy; rspamd_task_write_log: id: <1@example.org>, "
    "qid: <4B5C61F00D>, ip: 192.0.2.7, from: <alice@example.org>, (default: F (no action): [-2.11/15.00] "
    "[R_SPF_ALLOW(-0.20)]), len: 12, time: 538.803ms, dns req: 22\n"
)


@pytest.mark.parametrize("query", ["4B5C61F00D", "<1@example.org>"])
def test_verdicts_join_the_message(tmp_path: Path, query: str) -> None:
    """By queue id, also from a file that names no host, and by Message-ID; another message's do not."""
    log, own = tmp_path / "mail.log", tmp_path / "rspamd.log"
    log.write_text(QUEUE)
    own.write_text(RSPAMD)
    story = only(query, log, own)
    (trail,) = story.trails
    assert [(step.service, step.words) for step in trail.steps if step.event in ("verified", "scanned")] == [
        ("opendmarc", "DMARC: pass for example.org"),
        ("rspamd", "scanned: no spam, -2.11 of 15 points (no action)"),
        ("spamd", "scanned: no spam, -1 of 5 points"),
    ]
    assert (trail.ended, len(trail.recipients)) == ("removed", 1)


def test_a_verdict_neither_begins_nor_ends_a_message(tmp_path: Path) -> None:
    """Lines that a filter logs late, after the message has left the queue, still belong to it."""
    log = tmp_path / "mail.log"
    late = (
        "Nov 22 04:00:44 mx1 opendkim[14]: 4B5C61F00D: DKIM-Signature field added (s=mail, d=example.org)\n"
    )
    log.write_text(QUEUE + late)
    (trail,) = only("4B5C61F00D", log).trails
    assert trail.steps[-1].words == "DKIM signature added for example.org (selector mail)"


@pytest.mark.parametrize(
    ("event", "fields", "told"),
    [
        ("signed", {"mechanism": "arc", "domain": "example.org"}, "ARC signature added for example.org"),
        ("verified", {"mechanism": "spf", "verdict": "Softfail"}, "SPF: softfail"),
        ("verified", {}, "what the pattern says"),
        ("scanned", {"virus_name": "Eicar"}, "scanned: it holds the virus Eicar"),
        ("scanned", {"verdict": "Y", "score": 15.2}, "scanned: spam, 15.2 points"),
        ("policy_result", {"action": "greylist", "reason": "new"}, "a policy check said greylist: new"),
    ],
)
def test_words(event: str, fields: dict[str, object], told: str) -> None:
    step = Step(
        time=None, event=event, host=None, program=None, service=None, instance=None, pid=None,
        fields=dict(fields), text="", source="", line_number=None, raw="", meaning="What the pattern says.",
        time_quality="unknown", order=(0, 0),
    )  # fmt: skip
    assert words(step).lower() == told.lower()
