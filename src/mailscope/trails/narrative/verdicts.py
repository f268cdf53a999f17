"""Plain words for what checks and filters beside the MTA said of a message: DKIM, SPF, DMARC, points.

Where a line gives too little for a phrase, the words are empty and the pattern's own ``meaning`` says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mailscope.language.phrase import Phrase

Fields = Mapping[str, Any]
# Names of methods in the field's own writing (RFC 8601 section 2.7).
METHODS: Final = {"dkim": "DKIM", "spf": "SPF", "dmarc": "DMARC", "arc": "ARC"}
# What spamd and Rspamd abbreviate.
SPAM: Final = {"Y": Phrase("spam"), "T": Phrase("spam")}
HAM: Final = {".": Phrase("no spam"), "N": Phrase("no spam"), "F": Phrase("no spam")}


def signed(fields: Fields) -> str:
    """The message was signed for a domain."""
    method = METHODS.get(fields.get("mechanism", ""), "DKIM")
    if not fields.get("domain"):
        return ""
    if fields.get("selector"):
        return Phrase(
            "{method} signature added for {domain} (selector {selector})",
            method=method,
            domain=fields["domain"],
            selector=fields["selector"],
        )
    return Phrase("{method} signature added for {domain}", method=method, domain=fields["domain"])


def verified(fields: Fields) -> str:
    """A method's verdict on the message."""
    method, verdict = METHODS.get(fields.get("mechanism", "")), fields.get("verdict")
    if not method or not verdict:
        return ""
    of_whom = fields.get("domain") or fields.get("sender")
    told: str = f"{method}: {verdict.lower()}"
    if of_whom:
        told = Phrase("{told} for {name}", told=told, name=of_whom)
    return Phrase("{told}{because}", told=told, because=_because(fields))


def scanned(fields: Fields) -> str:
    """What a filter found in the message."""
    if fields.get("virus_name"):
        return Phrase("scanned: it holds the virus {virus}", virus=fields["virus_name"])
    verdict = fields.get("verdict")
    if not verdict:
        return ""
    told = Phrase("scanned: {verdict}", verdict=SPAM.get(verdict) or HAM.get(verdict) or verdict)
    score, limit = fields.get("score"), fields.get("score_limit")
    if score is not None and limit is not None:
        told = Phrase("{told}, {score} of {limit} points", told=told, score=f"{score:g}", limit=f"{limit:g}")
    elif score is not None:
        told = Phrase("{told}, {score} points", told=told, score=f"{score:g}")
    action = f" ({fields['action']})" if fields.get("action") else ""
    return Phrase("{told}{because}", told=told, because=f"{action}{_because(fields)}")


def judged(fields: Fields) -> str:
    """What a policy service told the MTA to do."""
    if not fields.get("action"):
        return ""
    told = Phrase("a policy check said {action}", action=fields["action"])
    return Phrase("{told}{because}", told=told, because=_because(fields))


def _because(fields: Fields) -> str:
    return f": {fields['reason']}" if fields.get("reason") else ""
