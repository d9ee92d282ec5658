"""A form of a new party sent twice is one party; sent with other content it is refused."""

from typing import Any

import pytest

from parties.models import Party
from parties.services import PartyKeyReused, add_party, edit_party
from shops.models import Shop
from shops.scope import ShopQuerySet

pytestmark = pytest.mark.django_db
FORM: dict[str, Any] = {"name": "Ramesh Lal", "phone": "+919812345678", "kind": "customer", "key": "form-1"}


def add(shop: Shop, **changes: Any) -> tuple[Party, bool]:
    return add_party(shop=shop, actor=None, **FORM | changes)


def test_the_same_content_gives_the_first_party_again(shop: Shop) -> None:
    first, is_new = add(shop, email="r@example.in", note="by the temple")
    assert is_new
    assert add(shop, email="r@example.in", note="by the temple") == (first, False)
    assert add(shop, name=" Ramesh  Lal ") == (first, False)  # and what was not asked for does not count


@pytest.mark.parametrize(
    "other",
    [{"name": "Zubeda Begum"}, {"phone": ""}, {"kind": "supplier"}, {"email": "z@example.in"}, {"note": "x"}],
    ids=lambda other: next(iter(other)),
)
def test_other_content_under_the_same_key_is_refused_and_nothing_is_written(
    shop: Shop, other: dict[str, str]
) -> None:
    first, _is_new = add(shop)
    with pytest.raises(PartyKeyReused):
        add(shop, **other)
    assert list(Party.objects.for_shop(shop)) == [first]


def test_other_content_that_raced_another_hand_is_refused_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shop)
    plain = ShopQuerySet.first
    answers = iter([None])  # at the first look the other hand had not committed yet
    monkeypatch.setattr(ShopQuerySet, "first", lambda rows: next(answers, plain(rows)))
    with pytest.raises(PartyKeyReused):
        add(shop, name="Zubeda Begum")
    assert Party.objects.for_shop(shop).count() == 1


def test_a_party_that_was_renamed_since_is_not_what_the_form_says(shop: Shop) -> None:
    first, _is_new = add(shop)
    edit_party(party=first, actor=None, changes={"name": "Ramesh Kumar"})
    with pytest.raises(PartyKeyReused):
        add(shop)
