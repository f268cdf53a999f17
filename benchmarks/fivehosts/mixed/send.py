"""The mail that passes through the chain.  Runs on the host outside (make.sh)."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage


def main() -> None:
    """Send three messages, the second to two recipients, the last to one who refuses it."""
    for name, recipients in (
        ("one", ["frank@example.net"]),
        ("two", ["frank@example.net", "eve@example.net"]),
        ("three", ["gone@example.net"]),
    ):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = (
            "alice@example.org",
            ", ".join(recipients),
            f"About {name}",
        )
        mail["Message-ID"] = f"<{name}.1@example.org>"
        mail.set_content("Good morning.\n")
        with smtplib.SMTP("postfix.example.org", 25, "mail.example.net") as smtp:
            print(name, smtp.send_message(mail, "alice@example.org", recipients))


main()
