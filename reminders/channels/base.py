"""The shape of a channel, and the three ways in which sending can go wrong."""

from typing import Protocol

from reminders.models import Message


class ChannelError(Exception):
    """The message was surely not sent. ``permanent``: trying again cannot help. Plain words."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class ChannelUnsure(Exception):
    """The connection broke after the message had begun to leave: only a person can tell."""


class Channel(Protocol):
    """One way out of the house."""

    kind: str
    # The row itself is the delivery: nothing leaves, so a batch is recorded in one write.
    is_local: bool

    def carries(self, via: str) -> bool:
        """Whether this channel, as it is set up now, takes messages of ``via`` (sms, email …)."""

    def send(self, message: Message) -> str:
        """Send it, outside any transaction, within seconds; return the other side's id or "".

        Raises ChannelError (surely not sent) or ChannelUnsure. Anything else is taken as unsure.
        """
