"""Looking at what happens, and telling a person what needs one.

In: batches of recognised lines with what they add to the stories, from a log that is read or from the daemon.
Out: findings, with their evidence and advice; alerts, checks, metrics and blocklists made of them.  Nothing
here reads a log or changes anything on the host.
"""
