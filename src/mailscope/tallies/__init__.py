"""Every number that anything shows, declared once.

In: batches of events and what the tracker made of them.  Out: tallies, additive counts that can be
merged from chunks, hours, hosts or machines in any order.  A tally's row is also a filter: its keys
select the lines that it was counted from.
"""
