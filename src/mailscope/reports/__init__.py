"""What people are shown: reports over tallies, and events as they are.

In: a ledger of tallies (for reports), batches of events (for exports and evidence).  Out: plain data, and
text made of it.  Nothing is counted here: every number is a tally's, rolled up at most.
"""
