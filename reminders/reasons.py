"""Why a message was sent, moved or refused: kept with it, and said in the language of whoever reads it."""

import json
from typing import Any

from django.db import models
from django.utils.translation import gettext

MAX_CHARS = 400


class Reason(str):
    """A sentence that remembers what it was made of: ``source`` (the English text) and ``values``."""

    source: str
    values: dict[str, Any]


def because(text: str, **values: str | int) -> Reason:
    """``text`` in the language of now. ``channel`` is given by its kind and said by its name."""
    from reminders.models import Via  # its Message keeps reasons

    said = {name: Via(str(value)).label if name == "channel" else value for name, value in values.items()}
    reason = Reason(gettext(text) % said)
    reason.source, reason.values = text, values
    return reason


class ReasonField(models.CharField):  # type: ignore[type-arg]
    """Keeps a Reason as its source and values; a bare string (of an older row) as it is.

    Read, it is said in the language that is active then: a shop's Hindi-speaking owner and her
    English-speaking accountant look at the same row.
    """

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Reason):
            return json.dumps([value.source, value.values], ensure_ascii=False)[:MAX_CHARS]
        return super().get_prep_value(value)

    def from_db_value(self, value: Any, *_: Any) -> Any:
        if not isinstance(value, str) or not value.startswith('["'):
            return value
        try:
            source, values = json.loads(value)
            return because(source, **values)
        except (ValueError, TypeError, KeyError):
            return value  # cut off, or of another version: what is there is shown
