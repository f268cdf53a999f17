"""Make the logs of a host with people on it, with the incidents of a month labelled; and show them live.

In: a `Plan` (days, users, seed, incidents). Out: a directory with `mail.log`, `auth.log`, `syslog` and
their rotated files, `labels.json` (what was injected, when, and from which line on it can be known) and
`countries.csv` (the made-up countries of the addresses). Forms follow Postfix 3.10, Dovecot 2.3, OpenSSH 9.2,
sudo 1.9, su and cron of Debian with rsyslog's RFC 3339 stamps. It never reads a log and knows nothing of how
detections work. `month.py` makes what `mailscope serve --demo` shows.

    people, business, background  --actions in order of time-->  services  --lines-->  files
    incidents  --the same actions, and conditions of the world-->  labels
"""
