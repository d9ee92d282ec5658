"""The forms of sign-in: allauth's own, in our words, with the holes of enumeration closed."""

import time
from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import RateLimited
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core import limits
from core.money import fold_digits
from khata.accounts import may_send_code, may_send_sign_up_code
from shops import proof
from shops.models import User

# Who forgot the password signs in by code and may set a new one for this long without the old one.
FRESH_CODE_S = 600
MAX_PASSWORD_CHARS = 128


def _password(label: Any, autocomplete: str, help_text: Any = "", **options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label, widget=widget, strip=False, help_text=help_text, max_length=MAX_PASSWORD_CHARS, **options
    )


class SignInForm(allauth.LoginForm):  # type: ignore[misc]
    """Phone and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"] = _password(_("Password"), "current-password")


class SignUpForm(allauth.SignupForm):  # type: ignore[misc]
    """Phone, and a password for who wants one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"] = _password(
            _("Password"),
            "new-password",
            _("At least 8 characters. Leave it empty to sign in with codes only."),
            required=False,
        )

    def _clean_phone(self) -> None:
        """A number nobody has proven yet, of an owner's invitation or an unfinished try, is free."""
        user = get_adapter().get_user_by_phone(self.cleaned_data.get("phone", ""))
        if user and (user.phone_verified or not user.is_active):
            self.account_already_exists = True

    def try_save(self, request: HttpRequest) -> Any:
        if not may_send_sign_up_code(request, self.cleaned_data["phone"]):
            raise RateLimited
        if not self.account_already_exists:
            user = self.save(request)
            if not user.phone_verified:
                return user, None
            self.account_already_exists = True  # somebody proved the number between check and save
        else:  # as long as a new account takes: a hash, and a row written
            if self.cleaned_data.get("password1"):
                make_password(self.cleaned_data["password1"])
            User.objects.filter(phone=self.cleaned_data["phone"]).update(language=F("language"))
        return super().try_save(request)


class AskCodeForm(allauth.RequestLoginCodeForm):  # type: ignore[misc]
    """A code for a phone, whoever it belongs to."""

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        self._user = get_adapter().get_user_by_phone(phone)
        if not may_send_code(context.request, phone):
            raise get_adapter().validation_error("too_many_login_attempts")
        return phone


class _Code:
    """Digits of any script; three tries of one code, also when they arrive at the same moment.

    allauth counts tries in the session, which parallel requests read before any has written.
    """

    expected_code: str
    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        self.fields["code"] = forms.CharField(label=_("Code"), max_length=20, widget=forms.TextInput(attrs=attrs))

    def clean_code(self) -> str:
        self.cleaned_data["code"] = fold_digits(self.cleaned_data["code"])
        who = f"{context.request.session.session_key}:{self.expected_code}"
        tries = settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS
        if not limits.within_rate("code-tries", who, limit=tries, per_s=3600):
            raise get_adapter().validation_error("incorrect_code")
        return str(super().clean_code())  # type: ignore[misc]


class CodeForm(_Code, allauth.ConfirmLoginCodeForm):  # type: ignore[misc]
    """The code of a sign-in."""


class VerifyForm(_Code, allauth.VerifyPhoneForm):  # type: ignore[misc]
    """The code of a sign-up."""


def _prove(user: User, password: str) -> str:
    """Counted with “your password again” of every other page: each would be a door to guess at."""
    try:
        proof.prove(user, password)
    except proof.NoProof as problem:
        raise forms.ValidationError(str(problem)) from problem
    return password


class AgainForm(allauth.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = _password(_("Password"), "current-password")

    def clean_password(self) -> str:
        return _prove(self.user, self.cleaned_data["password"])


class _NewPassword:
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["password1"]
        field.label, field.help_text = _("New password"), _("At least 8 characters.")
        field.widget.attrs = {"autocomplete": "new-password"}
        # Typed once: who mistypes it signs in by code.
        del self.fields["password2"]


class SetPasswordForm(_NewPassword, allauth.SetPasswordForm):  # type: ignore[misc]
    """The first password."""


class ChangePasswordForm(_NewPassword, allauth.ChangePasswordForm):  # type: ignore[misc]
    """Another password; the old one is not asked from who has just signed in by code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if signed_in_by_code_lately(context.request):
            del self.fields["oldpassword"]
        else:
            self.fields["oldpassword"] = _password(_("Password now"), "current-password")

    def clean_oldpassword(self) -> str:
        return _prove(self.user, self.cleaned_data["oldpassword"])


def signed_in_by_code_lately(request: HttpRequest) -> bool:
    """Whether this session began with a code, less than FRESH_CODE_S ago."""
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "code" and time.time() - record["at"] < FRESH_CODE_S for record in records)
