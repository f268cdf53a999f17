"""Make a believable Postfix mail log of any size, with the truth about it.

In: a `Plan` (lines, days, seed, envelope, form of queue ids). Out: a log file in time order and a
`Truth` that counted every line as it was written. The forms of the lines follow Postfix 3.7 (its
`src/`, and logs of a laboratory machine). It never reads a log, never imports Mailscope, and uses only
names and addresses kept for examples (RFC 2606, RFC 3849, RFC 5737, and RFC 2544's benchmark network).

    plan --site--> activities (sessions, retries) --lines--> timeline --slices in order--> file, truth
"""
