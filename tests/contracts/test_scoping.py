"""Every row of a shop says so, and cannot be read without the shop being named."""

from typing import Any

import pytest
from django.apps import apps
from django.db import models

from shops.models import Member, Shop
from shops.scope import NotScoped, ShopQuerySet
from tests.cast import Cast, make_khata

APPS = {"shops", "parties", "ledger", "payments", "reminders"}
# Models without a shop, each with its reason.
OF_NO_SHOP = {
    "shops.User": "a person belongs to no shop; seats are Members",
    "shops.Shop": "is the shop",
    "ledger.LedgerCheck": "one check runs over all shops; operators only",
    "payments.SandboxDelivery": "the other side's own outbox: what a gateway would keep on its machines",
    "reminders.Beat": "the worker's pulse, one for the installation",
}
# A shop that may be empty, each with its reason.
SHOP_MAY_BE_EMPTY = {
    "shops.AuditEvent": "operators act outside any shop",
    "reminders.Message": "a sign-in code belongs to no shop",
}
MODELS = [model for model in apps.get_models() if model._meta.app_label in APPS]


def label(model: type[models.Model]) -> str:
    return model._meta.label


def has_shop(model: type[models.Model]) -> bool:
    return any(field.name == "shop" for field in model._meta.fields)


SHOP_OWNED: list[Any] = [model for model in MODELS if has_shop(model)]


def test_every_model_has_a_shop_or_a_reason() -> None:
    assert {label(model) for model in MODELS if not has_shop(model)} == set(OF_NO_SHOP)


@pytest.mark.parametrize("model", SHOP_OWNED, ids=label)
def test_the_shop_is_a_key_that_is_there(model: Any) -> None:
    field = model._meta.get_field("shop")
    assert field.related_model is Shop
    assert field.null == (label(model) in SHOP_MAY_BE_EMPTY)


READS: dict[str, Any] = {
    "list": list,
    "len": len,
    "bool": bool,
    "first": lambda rows: rows.first(),
    "last": lambda rows: rows.order_by("pk").last(),
    "get": lambda rows: rows.get(pk=1),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "contains": lambda rows: rows.contains(rows.model(pk=1)),
    "aggregate": lambda rows: rows.aggregate(n=models.Count("pk")),
    "in_bulk": lambda rows: rows.in_bulk([1]),
    "iterator": lambda rows: list(rows.iterator()),
    "index": lambda rows: rows[0],
    "slice": lambda rows: list(rows[:5]),
    "values": lambda rows: list(rows.values("pk")),
    "values_list": lambda rows: list(rows.values_list("pk", flat=True)),
    "filter": lambda rows: list(rows.filter(pk=1).exclude(pk=2).order_by("pk")),
    "update": lambda rows: rows.update(shop_id=1),
    "delete": lambda rows: rows.filter(pk=1).delete(),
    "in or with a scoped one": lambda rows: list(rows | rows.for_shop(1)),
    "or": lambda rows: list(rows.for_shop(1) | rows),
    "and": lambda rows: list(rows & rows),
    "union": lambda rows: list(rows.for_shop(1).union(rows)),
    "raw": lambda rows: list(rows.raw(f"SELECT * FROM {rows.model._meta.db_table}")),
    "explain": lambda rows: rows.explain(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("model", SHOP_OWNED, ids=label)
def test_no_read_runs_without_the_shop_named(model: Any) -> None:
    assert isinstance(model.objects.all(), ShopQuerySet)
    assert type(model._meta.base_manager) is models.Manager
    for name, read in READS.items():
        with pytest.raises(NotScoped):
            read(model.objects.all())
            pytest.fail(f"{label(model)} was read by {name}")


@pytest.mark.django_db
@pytest.mark.parametrize("model", SHOP_OWNED, ids=label)
def test_with_the_shop_named_reads_run(model: Any, shop: Shop) -> None:
    rows = model.objects.for_shop(shop)
    assert list(rows) == list(rows.iterator()) == list(model.objects.for_shop(shop.pk))
    assert rows.count() == len(rows)
    assert rows.filter(pk=0).exists() is False
    assert list(rows | rows) == list(rows & rows)
    list(rows.union(rows))
    assert list(rows ^ rows) == []
    assert rows.explain()
    assert list(model.objects.none()) == []  # nothing of nobody
    assert model.objects.unscoped("a test").count() >= 0


def test_unscoped_wants_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Member.objects.unscoped("")


@pytest.mark.django_db
def test_a_scope_shows_its_own_shop_only(cast: Cast) -> None:
    mine, theirs = make_khata(cast.shop), make_khata(cast.other_shop)
    assert list(type(mine).objects.for_shop(cast.shop)) == [mine]
    assert list(type(mine).objects.for_shop(cast.other_shop)) == [theirs]
    assert not type(mine).objects.for_shop(cast.shop).filter(pk=theirs.pk).exists()
