"""The filters of qmailanalog 0.70: ``matchup``, the ``x*`` selections and the ``z*`` reports.

Bytes in, the same bytes out as the original, so that a pipeline may mix theirs and ours.  Everything
stays bytes: a log may hold any, and the originals never decode.  ``filters.py`` is the registry of
all of them; ``docs/qmailanalog.md`` describes them and says what differs.

Source: the behaviour of qmailanalog 0.70 (as kept in aQmail), its manual pages, POSIX awk and sort.
"""
