"""A prepared read gives what the ORM gives, with every type, and is never stale."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.prepared import Prepared
from ledger.models import Khata
from ledger.selectors import khata_by_code
from shops.access import take_seat
from shops.models import Member, Shop, User
from tests.cast import Cast, make_khata

pytestmark = pytest.mark.django_db


def all_fields(row: object) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}  # type: ignore[attr-defined]


def test_it_gives_the_same_row_as_the_orm_related_rows_included(cast: Cast) -> None:
    khata = make_khata(cast.shop)
    for _again in range(2):
        found = khata_by_code(cast.shop, khata.party.code)
        plain = Khata.objects.for_shop(cast.shop).select_related("party").get(pk=khata.pk)
        assert all_fields(found) == all_fields(plain)
        assert all_fields(found.party) == all_fields(plain.party)
        assert {key: type(value) for key, value in all_fields(found).items()} == {
            key: type(value) for key, value in all_fields(plain).items()
        }


def test_it_asks_once_and_related_rows_come_along(cast: Cast) -> None:
    take_seat(cast.asha, cast.shop.code)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        seat = take_seat(cast.asha, cast.shop.code)
        assert seat.shop.name == "Asha Kirana"
        assert seat.member.shop_id == cast.shop.pk
    assert len(queries) == 1


def test_other_values_find_other_rows_and_nothing_is_remembered(cast: Cast) -> None:
    prepared = Prepared(lambda pk: User.objects.filter(pk=pk), pk=int)
    assert prepared.first(pk=cast.asha.pk) == cast.asha
    assert prepared.first(pk=cast.dev.pk) == cast.dev
    assert prepared.first(pk=10**9) is None
    User.objects.filter(pk=cast.dev.pk).update(name="Dev the second")
    found = prepared.first(pk=cast.dev.pk)
    assert found is not None and found.name == "Dev the second"


def test_a_found_row_can_be_saved(cast: Cast) -> None:
    found = Prepared(lambda code: Shop.objects.filter(code=code), code=str).first(code=cast.shop.code)
    assert found is not None
    found.name = "Asha and daughters"
    found.save(update_fields=["name"])
    assert Shop.objects.filter(name="Asha and daughters").count() == 1


def test_a_value_that_is_not_in_the_query_is_refused(cast: Cast) -> None:
    with pytest.raises(ValueError, match="exactly once"):
        Prepared(lambda pk, role: Member.everything.filter(pk=pk), pk=int, role=str).first(pk=1, role="owner")


def test_a_text_with_quotes_is_a_value_and_no_sql(cast: Cast) -> None:
    prepared = Prepared(lambda code: Shop.objects.filter(code=code), code=str)
    assert prepared.first(code="' OR '1'='1") is None
    assert prepared.first(code="%s") is None
