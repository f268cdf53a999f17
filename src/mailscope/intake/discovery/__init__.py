"""Where a host's own mail logs are, asked of the programs that write them; a module per kind of source.

In: a root directory, read through `files.py`.  Out: `found.Found` values: a live log and a plain phrase
that says why it is one.  `mailscope.intake.discover` puts the sources in order and is the only door.

It never opens a log to guess from its content, never lists rotated siblings, never runs a program and
never writes.

    files.py             reads a host's files under any root, and remembers what may not be read
    found.py             Found and Discovery
    probes.py            sample log lines; which of several logs hold all the mail
    selectors.py         mail.info;news.none      the selectors of syslog.conf and rsyslog
    property_filters.py  :msg, contains, "x"      filters of rsyslog and sysklogd
    syslog_conf.py       sysklogd, inetutils, the BSDs
    rsyslog.py           rsyslog: rules, followed; rsyslog_script.py reads them into rsyslog_statements.py,
                         rsyslog_expressions.py reads their conditions
    syslog_ng.py         syslog-ng: log paths, followed; syslog_ng_blocks.py reads them,
                         syslog_ng_filters.py reads their filters
    postfix.py           maillog_file, of every instance; main_cf.py reads main.cf
    multilog.py          directories of multilog, s6-log and svlogd
    journal.py           systemd's journal
    usual_places.py      /var/log/mail.log and its kin, when no configuration says anything
"""
