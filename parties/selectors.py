"""Reads about parties."""

from core.phones import e164 as e164  # shops need it too, and may not look up here
from parties.models import Party
from parties.search import roman
from shops.models import Shop


def look_alikes(shop: Shop, *, name: str, phone: str = "", but_not: int | None = None) -> list[Party]:
    """Parties with the same name (in any script) or phone: worth a warning, never a refusal."""
    rows = Party.objects.for_shop(shop).filter(archived_at=None).exclude(pk=but_not)
    same = list(rows.filter(roman=roman(name)).order_by("pk")[:3])
    if phone:
        same += [party for party in rows.filter(phone=phone).order_by("pk")[:3] if party not in same]
    return same
