"""Bytes become lines.

In: files (plain, compressed, rotated, multilog directories), standard input, the host's journal.
Out: frames of lines, each with its time, host, program tag and text.  Content decides the format of a
line, never the name of its file.  What a text means is not decided here.
"""
