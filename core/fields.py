"""Columns with a habit of their own."""

from typing import Any

from django.db import models

from core import crypto

_SEALED = "sealed:"


class SealedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that reads as text and lies sealed in its column: a copy of the database does not show it.

    Nothing can be searched by it. Sealed with a key that is gone, it reads as "".
    """

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return f"{_SEALED}{crypto.encrypt({'text': text}).decode()}" if text else text

    def from_db_value(self, value: Any, *_: Any) -> Any:
        if not value or not value.startswith(_SEALED):
            return value
        try:
            return crypto.decrypt(value.removeprefix(_SEALED).encode())["text"]
        except crypto.SealBroken:
            return ""
