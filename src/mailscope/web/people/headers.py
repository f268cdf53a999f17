"""What every answer tells the browser: nothing from elsewhere is loaded, run, framed or kept.

Sources: CSP Level 3; Fetch, Sec-Fetch-Site; OWASP's list of secure headers.
"""

from __future__ import annotations

from typing import Final

CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY: Final[dict[str, str]] = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Of answers that tell of mail; files of the page itself say how long they may be kept.
PRIVATE: Final = "no-store"
# Once it was reached by TLS, for two years.
TRANSPORT: Final = "max-age=63072000"
