"""“Your password again”: asked before money is sent elsewhere, people get other rights, or the
password is changed. One count for all of it, or the tries of one page would go on at the next.
"""

from django.utils.translation import gettext as _

from core import limits
from shops.models import User

TRIES = 5
PER_S = 600


class NoProof(ValueError):
    """The person has not proven to be who signed in; the message is for them."""


def prove(user: User, password: str) -> None:
    """Check the password of ``user``. Raises NoProof when it is wrong, missing or tried too often.

    Counted before hashing, right ones too: an unlocked phone in other hands gets TRIES guesses.
    """
    if not user.has_usable_password():
        raise NoProof(_("Set a password first: it is asked before this change."))
    if not password:
        raise NoProof(_("Type your password: it is asked before this change."))
    if not limits.within_rate("password-again", str(user.pk), limit=TRIES, per_s=PER_S):
        raise NoProof(_("Too many tries. Nothing was changed; try again in ten minutes."))
    if not user.check_password(password):
        raise NoProof(_("This is not your password. Nothing was changed."))
