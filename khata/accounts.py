"""Sign-in by phone: how django-allauth finds people, and how codes leave through our outbox.

The adapter lives in the project because it joins ``shops`` (people) with ``reminders`` (messages).
A code belongs to no shop, expires, is sent at once and knows no quiet hours. The forms are in
``account_forms``, the pages in ``account_views``.
"""

import secrets
import typing
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core import context
from allauth.core.internal import ratelimit
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import limits
from core.http import client_address, keep_language
from core.phones import e164
from core.prepared import Prepared
from core.worker import nudge
from reminders import services as outbox
from shops.forms import MAX_PHONE_CHARS, PhoneField
from shops.models import User

APP = "allauth.account"
# Hashing one password costs 0.3 s of CPU: a few strangers' guesses a second fill a small machine.
# This stands before it, for everybody together but browsers in which the person signed in before.
LOGINS_IN_ALL_PER_10_S = 40
DEVICE_COOKIE = "khata_device"
DEVICE_DAYS = 180
PENDING_PASSWORD = "khata_pending_password"  # noqa: S105  (a key of the session)


class ActiveUserBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which also serves forms that say ``username`` (Django admin's own).

    Those forms know nothing of our limits: here they pass the same ones.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        name = credentials.pop("username", None)
        if name is None or "phone" in credentials:  # the adapter calls, and has counted the try
            return typing.cast("User | None", super().authenticate(request, **credentials))
        credentials["phone"] = e164(str(name)[:MAX_PHONE_CHARS]) or "-"
        if request is None:
            return typing.cast("User | None", super().authenticate(request, **credentials))
        gate = PhoneAdapter(request)
        try:
            gate.pre_authenticate(request, **credentials)
        except ValidationError:
            raise PermissionDenied from None  # Django then tries no other backend
        user = super().authenticate(request, **credentials)
        if user is not None:
            gate._rollback_login_failed_rl_usage()
        return typing.cast("User | None", user)

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session, read on every request; None for one who may no longer come in."""
        user = _PERSON.first(user_id=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


_PERSON = Prepared(lambda user_id: User.objects.filter(pk=user_id), user_id=int)


def device_of(request: HttpRequest, phone: str) -> str:
    """The id of this browser if the person with ``phone`` has signed in here before, else ""."""
    cookie = _read_device(request)
    if cookie and User.objects.filter(phone=phone, pk=cookie["u"]).exists():
        return str(cookie["d"])
    return ""


def _read_device(request: HttpRequest) -> dict[str, Any] | None:
    try:
        value = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=DEVICE_COOKIE, max_age=DEVICE_DAYS * 86_400
        )
    except signing.BadSignature:
        return None
    return value if isinstance(value, dict) and {"u", "d"} <= set(value) else None


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Mark this browser as one of the person's own: strangers' guesses never slow it down."""
    known = _read_device(request)
    name = known["d"] if known and known["u"] == user.pk else secrets.token_hex(12)
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps({"u": user.pk, "d": name}, salt=DEVICE_COOKIE),
        max_age=DEVICE_DAYS * 86_400,
        httponly=True,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )


class Tries:
    """One attempt of one phone, counted where it belongs (see ACCOUNT_RATE_LIMITS)."""

    def __init__(self, request: HttpRequest, phone: str, action: str) -> None:
        self._request = request
        self._used: list[ratelimit.RateLimitUsage] = []
        if device := device_of(request, phone):
            self.allowed = self._take(f"{action}_device", f"{phone}|{device}")
        else:
            place = ratelimit.truncate_ip(client_address(request))
            self.allowed = self._take(action, f"{phone}|{place}") and self._take(f"{action}_phone", phone)

    def _take(self, action: str, key: str) -> bool:
        usage = ratelimit.consume(self._request, app=APP, action=action, key=key)
        if usage is None:
            return False
        self._used.append(usage)
        return True

    def rollback(self) -> None:
        """It was no failure after all: give the tries back."""
        for usage in self._used:
            usage.rollback()


def may_send_code(request: HttpRequest, phone: str) -> bool:
    """Count one code asked for; False when this place, or this number, has had its share."""
    return Tries(request, phone, "request_login_code").allowed


def may_send_sign_up_code(request: HttpRequest, phone: str) -> bool:
    """The same for the code of a sign-up: a stranger uses up the stranger's place, not the number."""
    return Tries(request, phone, "sign_up_code").allowed


class PhoneAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Phones on our User, codes through our outbox."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "phone_password_mismatch": gettext_lazy("This phone and password do not fit together."),
        "too_many_login_attempts": gettext_lazy("Too many tries. Wait some minutes, then try again."),
        "rate_limited": gettext_lazy("Too many codes were asked for. Wait some minutes, then try again."),
        "incorrect_code": gettext_lazy("This is not the code. Look at the newest message and try again."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your password."),
        "phone_taken": gettext_lazy("This number has an account already. Sign in with it."),
        "account_inactive": gettext_lazy("This account is switched off."),
    }

    # --- who ---------------------------------------------------------------------------------

    def phone_form_field(self, **kwargs: Any) -> forms.Field:
        kwargs["label"] = gettext_lazy("Phone number")
        kwargs["widget"] = forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"})
        return PhoneField(**kwargs)

    def clean_phone(self, phone: str) -> str:
        return e164(phone) or phone

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return (user.phone, user.phone_verified) if user.phone else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        user.phone, user.phone_verified = phone, verified
        user.save(update_fields=["phone", "phone_verified"])

    def set_phone_verified(self, user: User, phone: str) -> None:
        """The code came back, so this browser's person holds the phone: now the password counts."""
        user.phone, user.phone_verified = phone, True
        pending = context.request.session.pop(PENDING_PASSWORD, None)
        if pending and pending["user"] == user.pk:
            user.password = pending["password"]
        user.save(update_fields=["phone", "phone_verified", "password"])

    def get_user_by_phone(self, phone: str) -> User | None:
        return User.objects.filter(phone=phone).first()

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The row of a number not yet proven: a new one, or one that an owner or an earlier try made.

        The password waits in the session until the code has come back. Kept on the row at once, a
        stranger could sign up with somebody's number and have a key to the account she opens later.
        """
        phone, password = form.cleaned_data["phone"], form.cleaned_data.get("password1")
        user, _created = User.objects.get_or_create(
            phone=phone,
            defaults={"password": make_password(None), "language": getattr(request, "LANGUAGE_CODE", "en")},
        )
        if password and not user.phone_verified:
            request.session[PENDING_PASSWORD] = {"user": user.pk, "password": make_password(password)}
        return user

    # --- how often ---------------------------------------------------------------------------

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse before any password is hashed. allauth's own key knows no phones: all would share one."""
        phone = credentials.get("phone", "")
        self._login_failed_rl_usage = Tries(request, phone, "login_failed")
        if not self._login_failed_rl_usage.allowed or not self._may_hash(request, phone):
            raise self.validation_error("too_many_login_attempts")

    def _may_hash(self, request: HttpRequest, phone: str) -> bool:
        return bool(device_of(request, phone)) or limits.within_rate(
            "login-in-all", "all", limit=LOGINS_IN_ALL_PER_10_S, per_s=10
        )

    # --- afterwards --------------------------------------------------------------------------

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = typing.cast("HttpResponse", super().post_login(request, user, **kwargs))
        remember_device(request, response, user)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            keep_language(response, user.language)
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home:landing")

    def is_ajax(self, request: HttpRequest) -> bool:
        return False  # pages only: no second shape of the same answer

    # --- what is said ------------------------------------------------------------------------

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        text = _("%(code)s is your Khata code. It works for %(minutes)d minutes. Do not tell it to anyone.")
        self._queue(phone, text % {"code": code, "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60})

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        self._queue(
            phone, _("Someone asked to sign in to Khata with this number. It has no account yet: sign up first.")
        )

    def send_account_already_exists_sms(self, phone: str, **kwargs: Any) -> None:
        self._queue(phone, _("This number has a Khata account already. Choose “Sign in”, then “Send me a code”."))

    def _queue(self, phone: str, text: str) -> None:
        outbox.queue_code(phone=phone, text=text, lifetime_s=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)
        nudge()
