"""The mail that passes through the five hosts.  Runs on the host outside (make.sh)."""

from __future__ import annotations

import smtplib
import time
from email.message import EmailMessage

# The text that every virus scanner, and every spam filter, is tested with.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def message(name: str, sender: str, to: str, text: str) -> EmailMessage:
    """A message whose Message-ID begins with a name that the tests know."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, f"About {name}"
    mail["Message-ID"] = f"<{name}.1@{sender.partition('@')[2]}>"
    mail["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    mail.set_content(text)
    return mail


def from_outside(name: str, sender: str, recipients: list[str], text: str = "Good morning.\n") -> None:
    """Hand a message to the site's MX; recipients that it refuses are only refused."""
    with smtplib.SMTP("mx.example.org", 25, "mail.example.net") as smtp:
        mail = message(name, sender, recipients[0], text)
        try:
            print(name, smtp.send_message(mail, sender, recipients))
        except smtplib.SMTPRecipientsRefused as refused:
            print(name, refused)


def from_within(name: str, sender: str, recipients: list[str], text: str = "Good morning.\n") -> None:
    """Submit a message as one of the site's people."""
    with smtplib.SMTP("mail.example.org", 587, "laptop.example.org") as smtp:
        smtp.login(sender, "secret")
        print(name, smtp.send_message(message(name, sender, recipients[0], text), sender, recipients))


def main() -> None:
    """Send everything, one after the other."""
    from_outside("delivered", "frank@example.net", ["bob@example.org"])
    from_outside("post", "eve@example.net", ["staff@lists.example.org"])
    from_outside("former", "frank@example.net", ["carol@example.org", "former@example.org"])
    from_outside("nobody", "frank@example.net", ["nobody@example.org"])
    from_outside("virus", "mallory@example.net", ["alice@example.org"], EICAR + "\n")
    from_outside("spam", "mallory@example.net", ["alice@example.org"], GTUBE + "\n")
    from_outside("away", "frank@example.net", ["dave@example.org"])
    from_outside("redirected", "frank@example.net", ["erin@example.org"])
    from_within("outward", "alice@example.org", ["frank@example.net", "gone@example.net", "slow@example.net"])
    from_within("inward", "alice@example.org", ["staff@lists.example.org"])
    from_outside("big", "frank@example.net", ["carol@example.org"], ("much " * 15 + "\n") * 16_000)


main()
