"""Everything that logs say about one thing: an IP address, a network, a mail address, a user, a domain.

In: sources and what is asked about.  Out: what happened to it, when, with whom, and its messages.  Lines are
looked for in the raw bytes and only those that mention it are taken apart, with the other lines of their
messages; a network is told by the fields of all lines.  It decides nothing by the kind of program: events and
fields of the vocabulary are all that it knows, so that a new pattern shows by itself.

    subject.py    what is asked about
    gather.py     the lines to look at
    mentions.py   which of them are about it
    collect.py    counts, batch by batch
    picture.py    the counts as plain data
    places.py     country and network of an address, its name in DNS: where asked
"""
