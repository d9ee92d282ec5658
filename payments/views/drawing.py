"""A QR that somebody looks at and that is not drawn yet."""

from core.limits import within_rate
from core.worker import nudge
from payments import services
from payments.models import PayLink


def hurry(link: PayLink) -> None:
    """Have the worker draw this one next. A page that is opened again and again nudges it no more than this."""
    if link.qr_stale_since != services.FIRST_IN_LINE:  # else it is next, and a read stays a read
        services.ask_for_drawing(link=link)
    if within_rate("draw", str(link.pk), limit=3, per_s=30):
        nudge()
