"""Tap-to-send: links that open the shopkeeper's own phone with the text written. Costs nothing.

We send nothing here; what was tapped is kept as a message of this backend (see services.log_tap).
"""

from urllib.parse import quote

KIND = "tap"


def whatsapp_url(phone: str, text: str) -> str:
    """``https://wa.me/919812345678?text=…``: digits only, no plus. ``phone`` is E.164."""
    return f"https://wa.me/{phone.lstrip('+')}?text={quote(text, safe='')}"


def sms_url(phone: str, text: str) -> str:
    """``sms:+919812345678?body=…``. ``phone`` is E.164."""
    return f"sms:{phone}?body={quote(text, safe='')}"
