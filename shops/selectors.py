"""Reads for the shop's own screens."""

from django.db.models import Q, QuerySet

from core.limits import PAGE_ROWS
from shops.models import AuditEvent, Member, Role, Shop


def members_of(shop: Shop) -> list[Member]:
    """Who has a seat now, owners first."""
    rows = Member.objects.for_shop(shop).filter(revoked_at=None).select_related("user")
    return sorted(rows, key=lambda member: (-Role(member.role).rank, member.shown_name, member.pk))


def activity(shop: Shop, *, before: int | None = None) -> tuple[list[AuditEvent], int | None]:
    """One page of the audit trail, newest first, and the ``before`` of the next page (None: no more)."""
    rows: QuerySet[AuditEvent] = AuditEvent.objects.for_shop(shop).select_related("actor")
    if before is not None and (last := rows.filter(pk=before).first()):
        rows = rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))
    page = list(rows.order_by("-created_at", "-pk")[: PAGE_ROWS + 1])
    more = len(page) > PAGE_ROWS
    page = page[:PAGE_ROWS]
    return page, page[-1].pk if more else None
