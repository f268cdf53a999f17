"""The host's own binary logs: who logged in (utmp, wtmp, btmp, lastlog) and which commands ran (pacct).

Like the programs that have read them for decades, with any copy from any machine as input.
"""
