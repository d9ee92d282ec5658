"""Rules, the message outbox, channels, the tick. Asking and confirming, politely and once."""
