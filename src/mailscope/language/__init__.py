"""The languages that reports, explanations and advice are told in: which one, and its words.

Every text stands in the code in English, which is also its key; ``it/``, ``sv/`` and ``zh/`` hold the other
languages, a TOML file per subject.  A test collects the texts and holds the files against them.
"""
