"""What ``--help`` says, and what an error says after its own words: each release's own text."""

from __future__ import annotations

from typing import Final

USAGE: Final = {
    "1.1.5": """\
usage: pflogsumm -[eq] [-d <today|yesterday>] [--detail <cnt>]
	[--bounce-detail <cnt>] [--deferral-detail <cnt>]
	[-h <cnt>] [-i|--ignore-case] [--iso-date-time] [--mailq]
	[-m|--uucp-mung] [--no-no-msg-size] [--problems-first]
	[--rej-add-from] [--reject-detail <cnt>] [--smtp-detail <cnt>]
	[--smtpd-stats] [--smtpd-warning-detail <cnt>]
	[--syslog-name=string] [-u <cnt>] [--verbose-msg-detail]
	[--verp-mung[=<n>]] [--zero-fill] [file1 [filen]]

       pflogsumm --[version|help]
""",
    "1.3.0": """\
usage: pflogsumm [--config <file>] [--bounce-detail <cnt>] [--colwidth <n>]
      [-d|--date-range <date [range]>] [--deferral-detail <cnt>]
      [--detail <cnt>] [--dow0mon] [-e|--extended-detail]
      [--expired-detail <cnt>] [-h|--host-cnt <cnt>] [-i|--ignore-case]
      [--iso-date-time] [-m|--uucp-mung] [--mailq] [--no-no-msg-size]
      [--problems-first] [--pscrn-detail <cnt>] [--pscrn-stats]
      [-q|--quiet] [--rej-add-from] [--rej-add-to] [--reject-detail <cnt>]
      [--smtpd-stats] [--srs-mung] [--ssl-tls-stats] [--syslog-name <string>]
      [--suppress <reports>|help] [-u|--user-cnt <cnt>]
      [--unprocd-file <filename>] [--use-orig-to] [--verbose-msg-detail]
      [--verp-mung [n]] [--warning-detail <cnt>] [-x|--debug <file>]
      [--zero-fill] [file1 [filen]]

       pflogsumm --[dump-config|help|version]
""",
}
OURS: Final = """\

mailscope pflogsumm: the same report, faster.  Its own options:
      --version-compat 1.1.5|1.3.0   whose text to write (default 1.3.0)
      --strict-compat                even the mistakes that are put right otherwise (docs/pflogsumm.md)
"""
