"""Standing links of many khatas at once, for bulk reminders: two statements, not four per link."""

from collections.abc import Iterable

from django.db import transaction

from ledger.models import Khata
from payments.models import PayLink
from shops.models import AuditEvent, User


def standing_links(*, khatas: Iterable[Khata], actor: User | None = None) -> dict[int, PayLink]:
    """The standing link of each khata by khata id; missing ones are made, each with its audit row.

    ``khatas`` come with their parties. Two hands at once: the first one's link is the khata's.
    """
    by_id = {khata.pk: khata for khata in khatas}
    found = _standing(by_id)
    missing = [khata for pk, khata in by_id.items() if pk not in found]
    if not missing:
        return found
    with transaction.atomic():
        return found | _make(missing, actor)


def _make(khatas: list[Khata], actor: User | None) -> dict[int, PayLink]:
    made = [PayLink(shop_id=khata.shop_id, khata=khata, created_by=actor) for khata in khatas]
    PayLink.everything.bulk_create(made, ignore_conflicts=True)
    ours = {bytes(link.uid) for link in made}
    codes = {khata.pk: khata.party.code for khata in khatas}
    links = _standing(codes)
    AuditEvent.everything.bulk_create(
        AuditEvent(shop_id=link.shop_id, actor=actor, action="link.made", target=f"party:{codes[pk]}")
        for pk, link in links.items()
        if bytes(link.uid) in ours
    )
    return links


def _standing(khata_ids: Iterable[int]) -> dict[int, PayLink]:
    rows = PayLink.everything.filter(
        khata_id__in=list(khata_ids), revoked_at=None, amount_paise=None, expires_at=None
    )
    return {link.khata_id: link for link in rows.defer("qr_svg", "qr_png")}
