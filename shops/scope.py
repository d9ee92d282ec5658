"""Rows of a shop can only be read with the shop named.

``Model.objects.for_shop(shop)`` is how everything reads; a query that was not scoped refuses to
run. ``unscoped("reason")`` is the only way around and can be grepped. Related managers, unique
checks and migrations use the plain manager ``everything``, which models declare first.
"""

from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class NotScoped(RuntimeError):
    """A query over a shop's rows ran without naming the shop: a bug, never a user's mistake."""


class ShopQuerySet(models.QuerySet[M]):
    """A QuerySet that refuses to touch the database until it is scoped."""

    _scoped = False

    def for_shop(self, shop: Any):  # type: ignore[no-untyped-def]
        """Only rows of ``shop`` (a Shop or its id)."""
        clone = self.filter(shop_id=getattr(shop, "pk", shop))
        clone._scoped = True
        return clone

    def unscoped(self, reason: str):  # type: ignore[no-untyped-def]
        """Rows of every shop; ``reason`` says why, to the reader of the code."""
        if not reason:
            raise ValueError("unscoped needs a reason")
        clone = self.all()
        clone._scoped = True
        return clone

    def _clone(self):  # type: ignore[no-untyped-def]
        clone = super()._clone()  # type: ignore[misc]
        clone._scoped = self._scoped
        return clone

    def _check(self) -> None:
        if not self._scoped and not self.query.is_empty():
            raise NotScoped(f"{self.model.__name__} was read without for_shop() or unscoped()")

    def _fetch_all(self) -> None:
        if self._result_cache is None:  # type: ignore[attr-defined]
            self._check()
        super()._fetch_all()  # type: ignore[misc]

    # One unscoped half would open the whole: both must have named their shop.

    def __or__(self, other):  # type: ignore[no-untyped-def]
        return self._both(other) and super().__or__(other)

    def __and__(self, other):  # type: ignore[no-untyped-def]
        return self._both(other) and super().__and__(other)

    def __xor__(self, other):  # type: ignore[no-untyped-def]
        return self._both(other) and super().__xor__(other)  # type: ignore[misc]

    def _combinator_query(self, combinator, *others, all=False):  # type: ignore[no-untyped-def]
        for other in others:
            self._both(other)
        return super()._combinator_query(combinator, *others, all=all)  # type: ignore[misc]

    def _both(self, other: "ShopQuerySet[M]") -> bool:
        self._check()
        other._check()
        return True

    def raw(self, *args: Any, **kwargs: Any) -> NoReturn:
        """SQL of one's own knows no scope: it names its shop itself, through a cursor."""
        raise NotScoped(f"{self.model.__name__}: raw() would pass by every for_shop()")

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        self._check()
        return super().explain(format=format, **options)

    def iterator(self, chunk_size: int | None = None) -> Iterator[M]:
        self._check()
        return super().iterator(chunk_size=chunk_size or 2000)

    def count(self) -> int:
        self._check()
        return super().count()

    def exists(self) -> bool:
        self._check()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._check()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._check()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._check()
        return super().delete()


class ShopOwned(models.Model):
    """Every row of a shop carries ``shop``, also where a parent implies it: one day it shards."""

    shop = models.ForeignKey("shops.Shop", on_delete=models.CASCADE, related_name="+")

    everything = models.Manager()
    objects = ShopQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "everything"
