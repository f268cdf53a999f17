"""Detections of an admin's own, as TOML files.

In: files with what is looked for (kinds of event, conditions, what is counted by what, limits) and examples
of log lines.  Out: detections as the built-in ones are, and what is wrong in the files, with file and line.
Nothing of a file is ever run as code.
"""
