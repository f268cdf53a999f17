"""The story of a message as data and in plain words.

In: the lines that a search found.  Out: trails (recipients, attempts, steps with their times), the links
between them with evidence, and stories: trails that belong together.  Which line belongs to which message
is decided by ``trails.tracker``, as for every report.  Nothing is rendered here.
"""
