"""Lines become events.

In: frames of lines with a program tag and a text.  Out: for every line the pattern that knows it and
the typed fields that the pattern names; lines that no pattern knows come out as unrecognised.

Patterns are data: one TOML file per logging program under ``patterns/``, with examples that are the
tests (``mailscope patterns check``).  Nothing here knows a program by name, reads a file other than
a pattern file, or decides what an event means for a message.
"""
