"""What the book says about money that came: the notes of its entries."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.upi import spaced_utr

_METHODS = {
    "upi": "UPI",
    "card": gettext_lazy("Card"),
    "netbanking": gettext_lazy("Net banking"),
    "wallet": gettext_lazy("Wallet"),
}


def paid_already() -> str:
    """To a customer who would pay a link for one amount again."""
    return _("This is paid already. Thank you. You need not pay it again.")


def note_of(method: str, reference: str) -> str:
    """``UPI · ref 4123 5567 8812``: what an entry that came by itself says."""
    name = str(_METHODS.get(method, method.capitalize()[:20]))
    if not reference:
        return name
    return _("%(method)s · ref %(reference)s") % {"method": name, "reference": spaced_utr(reference)}
