"""The language of syslog.conf: which message goes where, and why.

In: configuration of sysklogd, rsyslog (its rules of the old form) or the BSDs' syslogd.  Out: rules
(``rules.py``), remarks on what is wrong or means something else elsewhere (``differences.py``), the rules
that take a message (``routing.py``), and all of it in words (``words.py``).  Never: writing anything.

Source: syslog.conf(5) of sysklogd 2, FreeBSD 14 and NetBSD 10; rsyslog.conf(5) and the chapters "Filter
Conditions" and "Actions" of rsyslog's manual.
"""
