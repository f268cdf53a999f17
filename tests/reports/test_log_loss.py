"""Whatever tells that log lines were lost is shown on the report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOSSES = (
    "systemd-journald[3]: Suppressed 917 messages from dovecot.service",
    "systemd-journald[3]: Missed 1427 kernel messages",
    "systemd-journald[3]: Forwarding to syslog missed 35 messages.",
    "kernel: [12345.678901] systemd-journald[349]: /dev/kmsg buffer overrun, some messages lost.",
    "kernel: [12345.678901] net_ratelimit: 23807 callbacks suppressed",
    "kernel: [12345.678901] audit: audit_lost=39 audit_rate_limit=0 audit_backlog_limit=64",
    "kernel: ** 4833 printk messages dropped **",
    "rsyslogd: imjournal: begin to drop messages due to rate-limiting",
    "rsyslogd-2177: imuxsock lost 145 messages from pid 12105 due to rate-limiting",
    "rsyslogd: imjournal: 236 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
    "rsyslogd-pstats: main Q: origin=core.queue size=0 enqueued=11 full=5 discarded.full=7 discarded.nf=0",
    "syslog-ng[5]: Destination queue full, dropping message; queue_len='10000', mem_fifo_size='10000'",
    "syslog-ng[5]: Log statistics; processed='center(received)=110', dropped='dst.tcp(d_net#0)=42'",
    "last message repeated 3 times",
    "sshd[7]: message repeated 2 times: [ nobody knows these words]",
)
HARMLESS = (
    "rsyslogd-pstats: main Q: origin=core.queue size=0 enqueued=11 full=0 discarded.full=0 discarded.nf=0",
    "syslog-ng[5]: Log statistics; processed='center(received)=110', dropped='dst.tcp(d_net#0)=0'",
    "systemd-journald[3]: Journal started",
    "kernel: [12345.678901] eth0: link up",
    # What failed is said elsewhere: no line is lost by it.
    "logrotate: ALERT exited abnormally with [1]",
)


def test_every_loss_is_a_note_of_the_report(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text("".join(f"Nov 22 04:00:{at:02} mx1 {text}\n" for at, text in enumerate(LOSSES + HARMLESS)))
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", "report", "--format", "json", str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loss = json.loads(done.stdout)["log_loss"]
    assert loss["totals"]["notes"] == len(LOSSES)
