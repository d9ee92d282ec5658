"""The pages of sign-in: allauth's views, where they would fall over or tell too much, mended."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.internal.flows.phone_verification import PhoneVerificationStageProcess
from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginByCodeStage, LoginStageController, PhoneVerificationStage
from allauth.account.utils import passthrough_next_redirect_url
from allauth.core.exceptions import RateLimited
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from core import clock
from khata.account_forms import FRESH_CODE_S
from khata.accounts import PENDING_PASSWORD, may_send_code, may_send_sign_up_code
from khata.views import too_many

View = Callable[[HttpRequest], HttpResponse]


def _limited(view: View) -> View:
    """allauth raises RateLimited in places where nobody catches it: a plain page instead of a 500."""

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except RateLimited:
            return too_many(request)

    return inner


def _afresh(view: View) -> View:
    """Whoever comes to the start again means it: allauth would lead back to the code page of a
    mistyped number for a quarter of an hour."""

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            clear_login(request)
            request.session.pop(PENDING_PASSWORD, None)  # somebody else may sit here now
        return view(request)

    return inner


login = login_not_required(_limited(_afresh(views.login)))


@login_not_required
def signup(request: HttpRequest) -> HttpResponse:
    """A new person. Who has had too many codes is told of the way that counts its own."""
    try:
        response: HttpResponse = _afresh(views.signup)(request)
    except RateLimited:
        return too_many(request, is_sign_up=True)
    return response


@login_not_required
def logout(request: HttpRequest) -> HttpResponse:
    """Out, and what this browser has kept of the book with it: the back key shows nothing to the next."""
    response: HttpResponse = views.logout(request)
    if request.method == "POST":
        response.headers["Clear-Site-Data"] = '"cache"'
    return response


account_inactive = login_not_required(views.account_inactive)
reauthenticate = views.reauthenticate
password_change = views.password_change


def password_set(request: HttpRequest) -> HttpResponse:
    """The first password, for who has signed in just now. It is what a change of the UPI ID asks for:
    an unlocked phone with a session of weeks ago must not be enough to make one."""
    person: Any = request.user
    is_fresh = person.last_login and clock.now() - person.last_login < dt.timedelta(seconds=FRESH_CODE_S)
    if is_fresh or person.has_usable_password():
        response: HttpResponse = views.password_set(request)
        return response
    messages.error(request, _("Sign out, and sign in with a code once more. Then set your password."))
    return redirect("home:landing")


@login_not_required
def verify_phone(request: HttpRequest) -> HttpResponse:
    """The code of a sign-up. allauth leads the signed in on to a page for another number; we have none."""
    if request.user.is_authenticated:
        return redirect("home:landing")
    if request.method == "POST" and request.POST.get("action") == "resend":
        stage = LoginStageController.enter(request, PhoneVerificationStage.key)
        process = stage and PhoneVerificationStageProcess.resume(stage)
        if process and process.can_resend and not may_send_sign_up_code(request, process.phone):
            return too_many(request, is_sign_up=True)
    return _limited(views.verify_phone)(request)


@login_not_required
def request_login_code(request: HttpRequest) -> HttpResponse:
    """Also takes the number typed into the password form: its second button comes here."""
    if "login" in request.POST and "phone" not in request.POST:
        data = request.POST.copy()
        data["phone"] = str(data["login"])
        request.POST = data  # type: ignore[assignment]
    return _limited(_afresh(views.request_login_code))(request)


@login_not_required
def confirm_login_code(request: HttpRequest) -> HttpResponse:
    """allauth's page, but “send it again” is counted, and answers unknown numbers like known ones.

    allauth asserts a user there: a number without an account would be told by its error page.
    """
    if request.method == "POST" and request.POST.get("action") == "resend":
        stage = LoginStageController.enter(request, LoginByCodeStage.key)
        process = stage and LoginCodeVerificationProcess.resume(stage)
        if process and process.can_resend:
            _send_again(request, process)
            here = reverse("account_confirm_login_code")
            return redirect(passthrough_next_redirect_url(request, here, "next"))
    return _limited(views.confirm_login_code)(request)


def _send_again(request: HttpRequest, process: LoginCodeVerificationProcess) -> None:
    adapter = get_adapter()
    if not may_send_code(request, process.state["phone"]):
        adapter.add_message(request, messages.ERROR, message=adapter.error_messages["rate_limited"])
    elif process.user:
        process.resend()
    else:
        process.add_sent_message({})
        process.record_resend()
        process.persist()
