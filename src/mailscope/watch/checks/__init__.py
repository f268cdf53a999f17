"""Checks for Icinga, Nagios and whatever else runs monitoring plugins.

In: a question, and a look at the store or the daemon.  Out: figures, held against an admin's ranges, as one
line that such a program understands.  What judges and prints imports nothing heavy: a check is run every
minute, and the daemon measures for it.
"""
