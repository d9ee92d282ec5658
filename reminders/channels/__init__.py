"""Ways out of the house, one folder each and one line here. The first that carries a message takes it."""

from reminders.channels.base import Channel, ChannelError, ChannelUnsure
from reminders.channels.demo import DemoChannel
from reminders.channels.email import EmailChannel

REGISTRY: list[Channel] = [
    DemoChannel(),
    EmailChannel(),
]


def carrier(via: str) -> Channel | None:
    """Who carries ``via`` as this installation is set up; None where nobody does."""
    return next((channel for channel in REGISTRY if channel.carries(via)), None)


__all__ = ["REGISTRY", "Channel", "ChannelError", "ChannelUnsure", "carrier"]
