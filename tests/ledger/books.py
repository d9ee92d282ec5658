"""Bringing small and real books in, for the tests of imports and exports."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from ledger.importing.apply import Report, read_book, write_book
from ledger.models import Khata
from shops.models import Shop

DATA = Path(settings.BASE_DIR).parent / "shared" / "data"


def data_file(name: str) -> Path:
    """A file of the shared test data; the test is skipped where it is not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the shared data has no {name} here")
    return path


def bring(path: Path, shop: Shop, order: str | None = None) -> Report:
    """Import ``path`` and say what became of it; with problems nothing is written."""
    plan, report = read_book(path, shop=shop, order=order)
    if not report.problems:
        for report in write_book(plan, shop=shop, actor=None):  # noqa: B007
            pass
    return report


def balances(shop: Shop) -> dict[str, int]:
    """What each party owes, in paise, by name."""
    return dict(Khata.objects.for_shop(shop).values_list("party__name", "balance_paise"))


def paise(text: str) -> int:
    """Exact paise of a plain number, by another way than core.money."""
    value = Decimal(text) * 100
    assert value == int(value)
    return int(value)
