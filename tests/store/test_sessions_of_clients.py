"""Of the lines that one process wrote, a search gives those about the client that a message came from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from storing import Feeder, arrivals

from mailscope.store import sealing
from mailscope.store.asking import Asked
from mailscope.store.search import Search

LATER = datetime(2027, 3, 1)
LOG = """\
Nov 20 10:00:00 mx postfix/smtpd[77]: connect from before.example.org[192.0.2.1]
Nov 20 10:00:01 mx postfix/smtpd[77]: disconnect from before.example.org[192.0.2.1] ehlo=1 quit=1 commands=2
Nov 20 10:00:02 mx postfix/smtpd[77]: connect from a.example.org[192.0.2.2]
Nov 20 10:00:02 mx postfix/smtpd[78]: connect from other.example.org[192.0.2.9]
Nov 20 10:00:03 mx postfix/smtpd[77]: Anonymous TLS connection established from a.example.org[192.0.2.2]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Nov 20 10:00:04 mx postfix/smtpd[77]: 0000000A7A: client=a.example.org[192.0.2.2]
Nov 20 10:00:05 mx postfix/qmgr[5]: 0000000A7A: from=<ann@example.org>, size=9, nrcpt=1 (queue active)
Nov 20 10:00:06 mx postfix/smtpd[77]: disconnect from a.example.org[192.0.2.2] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
Nov 20 10:00:07 mx postfix/smtpd[77]: connect from after.example.org[192.0.2.3]
Nov 20 10:00:08 mx postfix/smtpd[77]: NOQUEUE: reject: RCPT from after.example.org[192.0.2.3]: 554 5.7.1 <x@example.net>: Relay access denied; from=<s@example.com> to=<x@example.net> proto=ESMTP helo=<after>
Nov 20 10:00:09 mx postfix/smtpd[77]: disconnect from after.example.org[192.0.2.3] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4
Nov 20 10:00:10 mx postfix/local[9]: 0000000A7A: to=<bob@example.org>, relay=local, delay=6, delays=1/0/0/5, dsn=2.0.0, status=sent (delivered to mailbox)
Nov 20 10:00:10 mx postfix/qmgr[5]: 0000000A7A: removed
"""


@pytest.mark.parametrize("sealed", [False, True])
def test_of_one_process_the_lines_of_one_client(tmp_path: Path, sealed: bool) -> None:
    feeder = Feeder(tmp_path / "store")
    feeder.feed(*arrivals(LOG.encode().splitlines(keepends=True), (), "mail.log"))
    feeder.writer.checkpoint()
    while sealed and (part := sealing.next_slice(feeder.database, LATER)) is not None:
        sealing.seal(feeder.database, part)
    found = {}
    for about, kind in (("0000000A7A", "queue-id"), ("x@example.net", "address")):
        with feeder.database.snapshot() as looking:
            rows = pl.concat(Search(looking, Asked(about=about, kinds=(kind,))).lines())
        found[about] = [line for line in LOG.splitlines() if line in set(rows["raw"])]
    lines = LOG.splitlines()
    assert found["0000000A7A"] == [*lines[2:3], *lines[4:8], *lines[11:]]
    assert found["x@example.net"] == lines[8:11]
    feeder.close()
