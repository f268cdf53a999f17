"""What the guard adds to the description of the API: how one shows who one is, and how it refuses."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from mailscope.web.people.rules import API

REFUSALS: Final = {
    "401": "Nobody is known by what was shown.",
    "403": "Not for this role or token.",
    "404": "There is nothing here.",
}
TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that `mailscope people token` or the page of one's account made.",
}


def document(app: FastAPI) -> None:
    """Have the application describe itself with all that."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        known = app.openapi_schema is not None
        told = plain()
        if not known:
            told["components"]["securitySchemes"] = {"token": TOKEN}
            for path, methods in told["paths"].items():
                public = any(rule.public for rule in API if rule.path == path)
                for operation in methods.values():
                    _add(operation, public=public)
        return told

    app.openapi = described  # type: ignore[method-assign]


def _add(operation: dict[str, Any], *, public: bool) -> None:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Refused"}}}
    if public:
        return
    operation["security"] = [{"token": []}]
    for status, words in REFUSALS.items():
        operation["responses"].setdefault(status, {"description": words, "content": refused})
