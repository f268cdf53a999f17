"""What was read, kept on disk: today in one DuckDB file, finished days in Parquet files.

In: batches of recognised lines with the resume points of their sources, one transaction per batch.  Out: the
documented tables (``vocabulary/tables.py``), the raw lines of a span, and tallies by the hour.  Open messages
survive a restart: the state of the tracker is kept now and then, and the lines stored since are followed
once more.  It never decides what a line means.
"""
