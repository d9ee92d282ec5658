"""Opening a shop touches people, shops and payments, so it lives above them."""

from django.db import transaction

from payments.services import ensure_sandbox
from shops.models import Shop, User
from shops.services import open_shop


@transaction.atomic
def start_shop(
    *, owner: User, name: str, trade: str = "", language: str = "en", upi_id: str = "", owner_name: str = ""
) -> Shop:
    """A new shop with ``owner`` in it, ready to take payments; all of it or nothing.

    ``owner_name`` and ``language`` are kept as the person's own.
    """
    changes = {"language": language} | ({"name": owner_name} if owner_name else {})
    User.objects.filter(pk=owner.pk).update(**changes)
    shop = open_shop(owner=owner, name=name, trade=trade, language=language, upi_id=upi_id)
    ensure_sandbox(shop)
    return shop
