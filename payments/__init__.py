"""Pay links, QR, UPI, providers, the webhook inbox. Money arriving."""
