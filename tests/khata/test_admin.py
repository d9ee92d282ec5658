"""The operators' pages that libraries bring: there to read, closed to write."""

import datetime as dt

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.core.management import call_command
from django.test import Client, RequestFactory
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.signing import SignedPackage

from core import clock
from tests.cast import client_of, make_user

pytestmark = pytest.mark.django_db


def operator() -> Client:
    return client_of(make_user("Op", is_staff=True, is_superuser=True))


def test_operators_see_what_the_worker_does_by_the_clock_and_cannot_change_it() -> None:
    call_command("prepare", verbosity=0)
    schedule = Schedule.objects.earliest("pk")
    client, here = operator(), "/admin/django_q/schedule/"
    assert schedule.func in client.get(here).content.decode()
    assert schedule.func in client.get(f"{here}{schedule.pk}/change/").content.decode()
    assert client.post(f"{here}{schedule.pk}/delete/", {"post": "yes"}).status_code == 403
    evil = {"name": "x", "func": "os.system", "args": "'id'", "schedule_type": "O", "repeats": "1"}
    assert client.post(f"{here}add/", evil).status_code == 403
    assert client.post(f"{here}{schedule.pk}/change/", evil).status_code == 403
    assert not Schedule.objects.filter(func="os.system").exists()
    assert Schedule.objects.filter(pk=schedule.pk, func=schedule.func).exists()


def test_operators_see_what_failed_and_cannot_run_it_again() -> None:
    now = clock.now()
    for name, success in (("good", True), ("bad", False)):
        Task.objects.create(
            id=name, name=name, func=f"reminders.tasks.{name}", started=now - dt.timedelta(seconds=1),
            stopped=now, success=success, result="Traceback: <b>no</b>",
        )  # fmt: skip
    client, here = operator(), "/admin/django_q/failure/"
    page = client.get(here).content.decode()
    assert "reminders.tasks.bad" in page
    assert "reminders.tasks.good" not in page
    assert "Traceback: &lt;b&gt;no" in client.get(f"{here}bad/change/").content.decode()
    client.post(here, {"action": "resubmit_task", "_selected_action": "bad"})
    assert Failure.objects.count() == 1
    assert not OrmQ.objects.exists()


def test_operators_see_what_waits_and_cannot_drop_it() -> None:
    task = {"id": "a1", "name": "waiting", "func": "reminders.tasks.tick", "args": (), "kwargs": {}}
    row = OrmQ.objects.create(key="khata", payload=SignedPackage.dumps(task), lock=clock.now())
    client, here = operator(), "/admin/django_q/ormq/"
    assert "reminders.tasks.tick" in client.get(here).content.decode()
    assert "reminders.tasks.tick" in client.get(f"{here}{row.pk}/change/").content.decode()
    assert client.post(f"{here}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert OrmQ.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [Success, EmailAddress])
def test_what_operators_do_not_need_has_no_page(model: type) -> None:
    assert not admin.site.is_registered(model)


def test_people_are_all_that_can_be_written_there(rf: RequestFactory) -> None:
    """A library, or an app of ours, that brings an open page has to be looked at here."""
    request = rf.get("/admin/")
    request.user = make_user("Op", is_staff=True, is_superuser=True)
    open_pages = {
        model._meta.label
        for model, page in admin.site._registry.items()
        if page.has_add_permission(request)
        or page.has_change_permission(request)
        or page.has_delete_permission(request)
    }
    assert open_pages == {"shops.User"}  # each change writes an audit row
