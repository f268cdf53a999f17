"""pflogsumm's text, byte for byte, from the same log: release 1.3.0, or 1.1.5 where that is asked for.

    options --Settings--> lines --Matched--> current or older --Picked--> summary --Summary--> text

- ``options``, ``getopt``, ``config``, ``usage``, ``dates``: what was asked for, given as
  Getopt::Long takes it.
- ``lines``, ``stamps``: chunks of a log become the lines that pflogsumm would look at, as columns.
- ``current`` (1.3.0) and ``older`` (1.1.5): what those lines say, each release by its own rules;
  ``rejections``, ``reasons``, ``hosts``, ``addresses`` and ``postscreen`` take pieces of text apart;
  ``refusals`` counts refusals, ``alike`` most of them at once.
- ``hands``: chunks are taken apart by this process and, for large logs, a second one.
- ``summary``: everything counted over all chunks; ``lives`` follows queue ids, ``connections`` pids.
- ``text``, ``tables``, ``details``, ``order``, ``numbers``: the report.

Text is read as Latin-1, so that each byte is one character as in Perl, and is written back the same way.
Every rule here was found by watching the two programs (Debian packages 1.1.5-8 and 1.3.0-1) and by reading
their manuals and texts for facts.  docs/pflogsumm.md lists where this program differs on purpose.
"""
