"""Our own addresses and names on DNS blocklists.

In: the lists that we know (data), our addresses, the resolver.  Out: for each list and address, whether it is
listed, with the list's own words, or why that cannot be known.  Source: RFC 5782.  A list is believed only
after it has told its test entries right, and no list is asked through a resolver that it refuses.
"""
