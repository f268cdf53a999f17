"""Events become stories: messages, the fate of each recipient, links between messages.

In: recognised lines, batch after batch, in order.  Out: deliveries with what is known of their message,
messages and recipients once their fate is certain, links from one message to the next.  State is
carried between batches and bounded by the number of messages in the queue; results do not depend on
how the lines were cut into batches.
"""
