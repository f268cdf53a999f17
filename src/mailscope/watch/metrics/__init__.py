"""Figures for Prometheus: what the tallies count, how the queue and the store are, how the daemon does.

In: tallies of hours, rows of the store, what the daemon tells of itself.  Out: a page in Prometheus' text
format or as OpenMetrics, alert rules for Prometheus, a dashboard for Grafana.  It counts nothing by itself:
every count is a tally's.  No label names a person, a client or a domain, and each has a bounded number of
values.
"""
