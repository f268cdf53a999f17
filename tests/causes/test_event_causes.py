"""Causes of single events."""

from __future__ import annotations

import polars as pl

from mailscope.causes.events import with_causes


def test_only_what_failed_has_a_cause() -> None:
    frame = pl.DataFrame(
        {
            "status": ["sent", "deferred", "deliverable", "bounced"],
            "reason": ["250 ok", "450 4.2.0 Greylisted", "250 ok", "550 5.1.1 User unknown"],
        }
    )
    told = with_causes("delivery_attempted", frame)
    assert told["cause"].to_list() == [None, "greylisted", None, "unknown_recipient"]
    assert with_causes("queued", frame) is frame


def test_a_refusal_without_words_is_told_by_what_was_done() -> None:
    told = with_causes("rejected", pl.DataFrame({"action": ["rate_limit"], "reason": [None]}))
    assert told["cause"].to_list() == ["rate_limited"]


def test_a_blocklist_that_the_pattern_knows_stays() -> None:
    frame = pl.DataFrame(
        {
            "reason": [
                "Service unavailable; client [192.0.2.1] blocked using bl.example.org",
                "blocked using x.example.net",
            ],
            "blocklist": ["BL.example.org", None],
        }
    )
    assert with_causes("rejected", frame)["blocklist"].to_list() == ["BL.example.org", "x.example.net"]
