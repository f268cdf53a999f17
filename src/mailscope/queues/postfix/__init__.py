"""The queue of Postfix: queue files and defer logs, read as the spool keeps them.

Sources: src/global/rec_type.h, record.c, mail_queue.h and bounce_log.c of Postfix 3.7; showq(8) and
postcat(1) for what is shown.
"""
