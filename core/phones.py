"""Phone numbers, from the way people write them to E.164."""

import phonenumbers


def e164(text: str, region: str = "IN") -> str | None:
    """A phone as people write it → E.164, or None when it is not a possible number."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
