"""What the page frame needs on every page: where one is, in which shop, in which language."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

RIGHT_TO_LEFT = {"ur", "ks", "sd"}


def page(request: HttpRequest) -> dict[str, Any]:
    """Added to every template. No query: the seat is there only where the door put it."""
    language = translation.get_language() or "en"
    return {
        "seat": getattr(request, "seat", None),
        "languages": settings.LANGUAGES,
        "language": language,
        "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "demo_outbox": settings.DEMO_OUTBOX,
    }
