"""The database itself keeps the book: no line changes, none goes; only text can be emptied."""

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.models import Entry, Khata, LedgerCheck
from ledger.services import reverse_entry
from shops.models import Shop
from tests import oracle
from tests.cast import make_khata, make_shop, make_user, post

pytestmark = pytest.mark.django_db

OTHERS = {
    "id": "id + 1000",
    "shop_id": "shop_id + 1000",
    "khata_id": "khata_id + 1000",
    "position": "position + 1",
    "direction": "'got'",
    "amount_paise": "amount_paise + 1",
    "kind": "'fee'",
    "occurred_on": "'2001-01-01'",
    "due_on": "'2001-01-01'",
    "source": "'import'",
    "reverses_id": "id",
    "text_digest": "digest",
    "created_at": "'2001-01-01 00:00:00'",
    "key": "'other'",
    "digest": "text_digest",
}
TEXT = {"note": "'another'", "items": "'[1]'", "attachments": "'[1]'", "text_salt": "digest"}


def refused(statement: str) -> None:
    refusal = pytest.raises(DatabaseError, match="append-only|only be erased")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_column_of_an_entry_is_frozen_or_known_to_be_erasable() -> None:
    columns = {field.column for field in Entry._meta.concrete_fields}
    assert columns == set(OTHERS) | set(TEXT) | {"created_by_id"}


@pytest.mark.parametrize("column", OTHERS)
def test_no_column_of_an_entry_can_be_changed(khata: Khata, column: str) -> None:
    post(khata)
    refused(f"UPDATE ledger_entry SET {column} = {OTHERS[column]}")
    oracle.check(khata.pk)


def test_the_author_of_an_entry_may_be_forgotten_and_never_becomes_another(khata: Khata) -> None:
    author, other = make_user("Asha"), make_user("Bilal")
    post(khata, actor=author)
    post(khata)
    refused(f"UPDATE ledger_entry SET created_by_id = {other.pk} WHERE position = 1")
    refused(f"UPDATE ledger_entry SET created_by_id = {other.pk} WHERE position = 2")
    Entry.everything.filter(khata=khata).update(created_by=None)
    assert not Entry.everything.filter(khata=khata, created_by__isnull=False).exists()


@pytest.mark.parametrize("column", TEXT)
def test_the_text_of_an_entry_cannot_be_rewritten(khata: Khata, column: str) -> None:
    post(khata, note="rice")
    refused(f"UPDATE ledger_entry SET {column} = {TEXT[column]}")
    oracle.check(khata.pk)


def test_an_entry_cannot_be_deleted(khata: Khata) -> None:
    post(khata)
    refused("DELETE FROM ledger_entry")
    with pytest.raises(DatabaseError), transaction.atomic():
        khata.delete()
    assert len(oracle.check(khata.pk)) == 1


def test_the_orm_cannot_change_an_entry_either(khata: Khata) -> None:
    entry = Entry.everything.get(pk=post(khata).entry.pk)
    entry.amount_paise += 1
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.save()
    oracle.check(khata.pk)


def test_text_can_be_erased_with_its_salt_and_the_chain_still_verifies(khata: Khata) -> None:
    post(khata, note="for his daughter's wedding", items=[{"name": "sweets"}])
    post(khata, note="kept")
    refused("UPDATE ledger_entry SET note = '' WHERE position = 1")  # the salt must go with it
    Entry.everything.filter(khata=khata, position=1).update(note="", items=[], attachments=[], text_salt=b"")
    first, second = oracle.check(khata.pk)
    assert (first.note, first.items, bytes(first.text_salt)) == ("", [], b"")
    assert second.note == "kept"


def test_erasing_text_moves_no_money_on_the_way(khata: Khata) -> None:
    post(khata, note="rice")
    refused(
        "UPDATE ledger_entry SET note = '', items = '[]', attachments = '[]', text_salt = text_salt,"
        " amount_paise = 1"
    )


def test_a_person_who_leaves_takes_only_the_name_along(khata: Khata) -> None:
    user = make_user()
    post(khata, actor=user)
    user.delete()
    (line,) = oracle.check(khata.pk)
    assert line.created_by_id is None


ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite does this")
ON_POSTGRESQL = pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL does this")


@ON_POSTGRESQL
@pytest.mark.parametrize("table", ["ledger_entry", "ledger_khata", "parties_party", "shops_shop"])
@pytest.mark.django_db(transaction=True)
def test_the_book_cannot_be_truncated(table: str) -> None:
    khata = make_khata(make_shop())
    post(khata)
    refused(f"TRUNCATE {table} CASCADE")
    assert len(oracle.check(khata.pk)) == 1


@ON_POSTGRESQL
@pytest.mark.django_db(transaction=True)
def test_an_unlocked_book_can_be_truncated_in_that_transaction() -> None:
    post(make_khata(make_shop()))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_unlock VALUES ('all leave')")
        cursor.execute("TRUNCATE ledger_entry CASCADE")
        cursor.execute("DELETE FROM ledger_unlock")
    assert Entry.everything.count() == 0


@ON_SQLITE
@pytest.mark.parametrize("name", ["rowid", "_rowid_", "oid"])
def test_no_other_name_of_the_id_can_be_changed(khata: Khata, name: str) -> None:
    post(khata)
    refused(f"UPDATE ledger_entry SET {name} = {name} + 1000")
    oracle.check(khata.pk)


SAME = {
    "the same id": {"position": "position + 10", "key": "'other'"},
    "the same position": {"id": "id + 1000", "key": "'other'"},
    "the same key": {"id": "id + 1000", "position": "position + 10"},
    "the same reversal": {"id": "id + 1000", "position": "position + 10", "key": "'other'"},
}


@ON_SQLITE
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "INSERT"])
@pytest.mark.parametrize("case", SAME)
def test_no_entry_is_replaced_by_another_also_from_a_shell(khata: Khata, shop: Shop, verb: str, case: str) -> None:
    reverse_entry(shop=shop, entry=post(khata).entry, actor=None)
    columns = [field.column for field in Entry._meta.concrete_fields]
    values = [(SAME[case] | {"amount_paise": "1"}).get(column, column) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=OFF")  # as SQLite's own shell has it
        try:
            refused(
                f"{verb} INTO ledger_entry ({', '.join(columns)})"
                f" SELECT {', '.join(values)} FROM ledger_entry WHERE position = 2"
            )
        finally:
            cursor.execute("PRAGMA recursive_triggers=ON")
    assert len(oracle.check(khata.pk)) == 2


@pytest.mark.django_db(transaction=True)
def test_an_unlock_cannot_be_committed() -> None:
    post(make_khata(make_shop()))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_unlock VALUES ('left behind')")
    refused("DELETE FROM ledger_entry")
    with pytest.raises(DatabaseError), connection.cursor() as cursor:  # each statement by itself
        cursor.execute("INSERT INTO ledger_unlock VALUES ('left behind')")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_locked VALUES ('left behind')")
    refused("DELETE FROM ledger_entry")


def test_the_unlock_of_one_transaction_is_gone_with_it(khata: Khata) -> None:
    post(khata)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_unlock VALUES ('the shop leaves')")
        cursor.execute("DELETE FROM ledger_entry")
        cursor.execute("DELETE FROM ledger_unlock")
    assert Entry.everything.count() == 0
    other = make_khata(make_shop())
    post(other)
    refused("DELETE FROM ledger_entry")


@pytest.mark.parametrize(
    "column", ["amount_paise = 0", "direction = 'lent'", "kind = 'gift'", "source = 'x'", "position = 0"]
)
def test_even_unlocked_the_database_takes_no_nonsense(khata: Khata, column: str) -> None:
    post(khata)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_unlock VALUES ('test')")
        cursor.execute(f"UPDATE ledger_entry SET {column}")


def test_a_check_tells_operators_what_it_found() -> None:
    check = LedgerCheck()
    assert not check.is_clean
    check.finished_at = check.started_at
    assert check.is_clean
    assert str(check).endswith("clean")
    check.finding = "khata 1 does not add up"
    assert not check.is_clean
    assert str(check).endswith("khata 1 does not add up")
