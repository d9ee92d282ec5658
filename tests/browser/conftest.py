"""A real Chromium against a real server: static files as in production, one browser per process.

The server runs in a thread of the test's process and on the test's database, so a test can act as
the worker would (``run_tick``) and look at the rows. Nothing waits by the clock: every wait is for
something that must appear.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Playwright, sync_playwright

from scripts import system_tools
from tests.browser.people import Person, Visit
from tests.cast import Cast

SIZES = {"phone": (360, 640), "desk": (1280, 800)}
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test; without a browser it says so and steps aside."""
    chromium = system_tools.found("chromium")
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
            if not chromium:
                item.add_marker(pytest.mark.skip(reason="no Chromium here (apt install chromium)"))


class House:
    """The server's WSGI application, counting who is inside, so that a test leaves nobody behind."""

    def __init__(self, application: Any) -> None:
        self.application = application
        House.inside = 0

    inside = 0
    door = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        with House.door:
            House.inside += 1
        try:
            return self.application(environ, start_response)
        finally:
            with House.door:
                House.inside -= 1
                House.door.notify_all()

    @classmethod
    def wait_until_empty(cls) -> None:
        """Else a poll that is still being answered would meet the flush of the database."""
        with cls.door:
            assert cls.door.wait_for(lambda: cls.inside == 0, timeout=20), "a request never ended"


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Static files hashed and compressed once, and the settings that serve them."""
    storages = dict(django_settings.STORAGES)
    storages["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    changes = {"STORAGES": storages, "STATIC_ROOT": tmp_path_factory.mktemp("static")}
    with override_settings(**changes):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
    return changes


@pytest.fixture(scope="session")
def server(collected: dict[str, Any]) -> Iterator[str]:
    """The address of the house. WhiteNoise serves the static files, as it does in production."""
    with override_settings(**collected):
        thread = LiveServerThread("localhost", static_handler=House)
        thread.daemon = True
        thread.start()
        thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://{thread.host}:{thread.port}"
    thread.terminate()


@pytest.fixture(scope="session")
def base_url(server: str) -> str:
    """What paths are relative to. (The plugin's own fixture is one that pytest 9 warns of.)"""
    return server


@pytest.fixture
def house(transactional_db: None, collected: dict[str, Any], server: str) -> Iterator[str]:
    """The server with an empty book; everything that a test needs made goes into it."""
    with override_settings(BASE_URL=server, SANDBOX_HOOK_BASE=server, **collected):
        yield server
        House.wait_until_empty()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's loop lives in this thread to the end, and Django would take each query for one
    made inside it; so it is told not to look, also in the tests that come after."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; containers give it no namespaces to build its sandbox of."""
    return browser_type_launch_args | {
        "executable_path": system_tools.found("chromium"),
        "args": ["--no-sandbox", "--disable-dev-shm-usage"],
    }


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    """Each journey at both sizes."""
    return str(request.param)


@pytest.fixture
def visit(house: str, new_context: Callable[..., Any], size: str) -> Iterator[Visit]:
    """``visit(user)`` opens a browser in which ``user`` is signed in; ``visit()`` a stranger's.

    At the end every page must have been free of errors, of refused resources and of dialogs.
    """
    opened: list[Person] = []

    def open_browser(user: Any = None, **options: Any) -> Person:
        width, height = SIZES[size]
        is_phone = size == "phone"
        defaults = {
            "viewport": {"width": width, "height": height},
            "is_mobile": is_phone,
            "has_touch": is_phone,
            "locale": "en-IN",
            "timezone_id": "Asia/Kolkata",
            "reduced_motion": "reduce",
        }
        context = new_context(**(defaults | options))
        context.set_default_timeout(15_000)
        person = Person(context, is_phone=is_phone)
        if user is not None:
            person.enter_as(user, house)
        opened.append(person)
        return person

    yield open_browser
    complaints = [line for person in opened for line in person.complaints]
    for person in opened:
        person.context.close()
    assert complaints == []


@pytest.fixture
def cast(house: str) -> Cast:
    """Asha and her people, in the database that the server sees."""
    from tests.cast import make_cast

    return make_cast()
