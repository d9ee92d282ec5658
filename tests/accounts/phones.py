"""Reading a phone's messages, and walking through sign-in as a person does."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from reminders.models import Message

PASSWORD = "a long enough password"
STRANGERS_PASSWORD = "the stranger's own words"


def messages_to(phone: str) -> list[str]:
    """The texts sent to ``phone``, oldest first."""
    return list(Message.everything.filter(recipient=phone).order_by("pk").values_list("text", flat=True))


def code_of(phone: str) -> str:
    """The newest code sent to ``phone``."""
    texts = [text for text in messages_to(phone) if re.match(r"\d{6}\b", text)]
    return texts[-1][:6]


def sign_up(client: Client, phone: str, password: str = "", **extra: Any) -> HttpResponse:
    return client.post("/accounts/signup/", {"phone": phone, "password1": password}, **extra)


def ask_code(client: Client, phone: str, **extra: Any) -> HttpResponse:
    return client.post("/accounts/login/code/", {"phone": phone}, **extra)


def type_code(client: Client, code: str, page: str = "/accounts/login/code/confirm/", **data: Any) -> HttpResponse:
    return client.post(page, {"action": "verify", "code": code, **data})


def sign_in(client: Client, phone: str, password: str = PASSWORD, **extra: Any) -> HttpResponse:
    return client.post("/accounts/login/", {"login": phone, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def wrong(code: str) -> str:
    """Another six digits."""
    return f"{(int(code) + 1) % 1_000_000:06d}"
