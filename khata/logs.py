"""Logs name rows by id. What slips through (phones, codes, link tokens, addresses) is blotted out here."""

import logging
import re

_SECRETS = re.compile(
    # Phones and references; in an address the plus is %2B and the space %20.
    r"(?:(?<![\w.])|(?<=%2B)|(?<=%20))\+?\d(?:[\d -]|%20){8,15}\d(?![\w.])"
    r"|/p/[\w.-]{20,}"  # pay links
    r"|/hooks/[\w-]+/[\w.-]{16,}"  # webhook addresses
    r"|\b\d{6}\b"  # sign-in codes
    r"|[\w.+-]+@[\w.-]*\w"  # email addresses, UPI IDs, the password in a database address
)


def blot(text: str) -> str:
    """``text`` with everything that looks like a phone, code or token replaced by ``[…]``."""
    return _SECRETS.sub("[…]", text)


class Scrub(logging.Filter):
    """Renders the record once, blots it with its traceback, and never drops one."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = blot(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = blot(record.exc_text) if record.exc_text else None
        record.stack_info = blot(record.stack_info) if record.stack_info else None
        return True
