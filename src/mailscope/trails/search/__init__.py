"""Finding the few lines of big logs that tell the story of a query.

In: sources and a query (a queue id, an address ...).  Out: the lines that match, all other lines of the
messages they belong to, and the lines of messages linked with those.  Everything here looks at raw bytes:
lines are taken apart and understood (``narrative``) only once they are found.  Nothing is written but an
unnamed temporary copy of what can be read only once (standard input, pipes).
"""
