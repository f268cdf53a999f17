"""The JSON of the commands as the API documents it: what every answer has (docs/json.md tells all of it)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """More keys than these may come; these stay."""

    model_config = ConfigDict(extra="allow")


class Equation(Document):
    """One equation of the balance sheet."""

    name: str


class Section(Document):
    """A section: its rows, one object each."""

    title: str
    rows: list[dict[str, Any]]


class ReportAnswer(Document):
    """As `mailscope report --format json`; each section is a key of its own."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "mailscope": "1.0", "sources": ["store /var/lib/mailscope"], "zone": "Europe/Rome",
                "balance": [{"name": "lines read", "whole": 3, "parts": {"recognised": 3}, "remainder": 0}],
                "problems": [],
                "domains_received": {"title": "...", "rows": [{"domain": "example.org", "messages": 1}]},
            }
        },
    )  # fmt: skip

    mailscope: str = Field(description="Version of the program.")
    sources: list[str]
    zone: str = Field(description="Zone of the times.")
    language: str
    balance: list[Equation] = Field(description="What must add up, with the remainder.")
    problems: list[dict[str, Any]] = Field(description="What needs a person, the worst first.")


class LoginsAnswer(ReportAnswer):
    """As `mailscope logins --format json`."""

    page: str
    sums: dict[str, int]


class Trail(Document):
    """One message in one MTA, as `mailscope trace --format json`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "trail_id": "5d41402abc4b2a76", "host": "mx1", "instance": "postfix",
                "queue_id": "4B5C61F00D",
                "message_id": "1@example.org", "sender": "a@example.org", "size_bytes": 912,
                "first_time": "2026-11-22T03:42:49Z", "last_time": "2026-11-22T03:42:50Z", "ended": "removed",
                "recipients": [{"recipient": "b@example.net", "status": "sent", "attempts": []}],
                "events": [], "links": [],
            }
        },
    )  # fmt: skip

    trail_id: str
    host: str | None
    queue_id: str | None
    message_id: str | None
    sender: str | None
    size_bytes: int | None
    first_time: datetime | None
    last_time: datetime | None
    ended: str | None
    recipients: list[dict[str, Any]]
    events: list[dict[str, Any]]
    links: list[dict[str, Any]]


class AboutAnswer(Document):
    """As `mailscope about --format json`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "subject": "192.0.2.66", "kind": "ip", "nature": ["IPv4 address"], "zone": "UTC", "lines": 3,
                "first": "2026-11-22T03:42:49+00:00", "last": "2026-11-22T03:42:50+00:00", "programs": [],
                "messages": [], "messages_total": 0,
            }
        },
    )  # fmt: skip

    subject: str
    kind: str
    lines: int = Field(description="Lines that mention it.")
    first: datetime | None
    last: datetime | None
    programs: Any
    messages: Any
    messages_total: int


class CoverageAnswer(Document):
    """As `mailscope coverage --format json`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "lines": {"read": 3, "recognised": 2, "unrecognised": 1, "blank": 0, "duplicate": 0},
                "covered": {"lines": 3, "unrecognised": 1, "share": 66.667, "programs": [], "shapes": []},
                "not_covered": {"lines": 0, "programs": [], "programs_found": 0},
            }
        },
    )  # fmt: skip

    lines: dict[str, int]
    covered: dict[str, Any]
    not_covered: dict[str, Any]
