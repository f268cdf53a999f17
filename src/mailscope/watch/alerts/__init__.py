"""Telling people of findings: one message for each incident, its news, and that it is over.

    findings, handled --alerting--> notices (the table ``alerts``) --courier--> messages --sender--> a person

In: what the store holds of findings and of what people did about them, the settings, a clock.  Out: messages,
on each route by a thread of its own.  What is to be told is decided by comparing what is with what was told
last; so nothing is forgotten in a crash, and what was decided twice is one.  Nothing here looks at a log.
"""
