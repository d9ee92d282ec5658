"""A gateway that moves no money and behaves as those that do: the default of the demo.

It has its own checkout page, its own payment ids, its own outbox of signed webhooks which it
delivers over HTTP, again until they are taken, sometimes twice, sometimes in the wrong order.
"""
