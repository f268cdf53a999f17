"""The command line: one file per command.

In: options.  Out: one library call and one rendering of what it gives.  No logic lives here; heavy
parts are imported when a command runs, so that ``mailscope --help`` answers at once.
"""
