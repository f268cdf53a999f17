"""What changed against the same weekdays before, and where things are heading.

In: tallies that tell days apart.  Out: the series that stand out, with how much and how surely; trends.
``statistics.py`` holds the method, and nothing of mail.
"""
