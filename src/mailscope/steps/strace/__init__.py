"""What strace wrote of Postfix's programs, read as the way of the messages that they handled.

    files --lines, calls--> calls --deeds, order--> deeds --programs, owners--> messages --story, acts--> ways

In: output of ``strace -f``, also with ``-o``, ``-ff``, ``-t -tt -ttt -r -T -y -yy -Y -i -n`` and any ``-s``,
of strace 4 to 6, several files.  Out: a ``Way`` for each message.  What is damaged is counted.  Source of the
format: strace(1), and printleader() and syscall_exiting_trace() of strace 6.1.
"""
