"""Screens of payments: the shop's, the customer's, the sandbox's; and the webhook's door."""
