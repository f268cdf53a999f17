"""Where things are unless the settings say otherwise; for those, too, that must not wait for pydantic."""

from __future__ import annotations

from typing import Final

FILE: Final = "/etc/mailscope/mailscope.toml"
SOCKET: Final = "/run/mailscope/api.sock"
