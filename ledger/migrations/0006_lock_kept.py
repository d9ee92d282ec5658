"""What was left open beside the lock of 0003 is shut.

- A row of ``ledger_unlock`` that is committed would switch the lock off for everybody. Its reason
  now has to be in ``ledger_locked``, which can hold nothing, by a foreign key that is checked at
  the end of the transaction: whoever unlocks must lock again before that.
- PostgreSQL: TRUNCATE passes triggers of rows, so it gets one of its own.
- SQLite: ``rowid`` is a second name of ``id`` that a list of columns does not cover; and without
  ``recursive_triggers`` (ours have it, the shell of SQLite does not) INSERT OR REPLACE deletes unseen.
"""

from django.db import migrations

LOCKED = "CREATE TABLE ledger_locked (reason text PRIMARY KEY CHECK (1 = 0))"
SQLITE = [
    LOCKED,
    "DROP TABLE ledger_unlock",
    """CREATE TABLE ledger_unlock (reason text NOT NULL
        REFERENCES ledger_locked (reason) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TRIGGER entry_rowid_frozen BEFORE UPDATE ON ledger_entry
        WHEN NEW.id IS NOT OLD.id AND NOT EXISTS (SELECT 1 FROM ledger_unlock)
        BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END""",
    """CREATE TRIGGER entry_not_replaced BEFORE INSERT ON ledger_entry
        WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE khata_id = NEW.khata_id AND position = NEW.position)
          OR EXISTS (SELECT 1 FROM ledger_entry WHERE shop_id = NEW.shop_id AND key = NEW.key)
          OR EXISTS (SELECT 1 FROM ledger_entry WHERE id = NEW.id)
          OR EXISTS (SELECT 1 FROM ledger_entry WHERE reverses_id = NEW.reverses_id)
        BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END""",
]
POSTGRESQL = [
    LOCKED,
    "DELETE FROM ledger_unlock",
    """ALTER TABLE ledger_unlock ADD CONSTRAINT unlock_ends_with_its_transaction
        FOREIGN KEY (reason) REFERENCES ledger_locked (reason) DEFERRABLE INITIALLY DEFERRED""",
    """CREATE FUNCTION entry_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NOT EXISTS (SELECT 1 FROM ledger_unlock) THEN
            RAISE EXCEPTION 'entries are append-only';
          END IF;
          RETURN NULL;
        END $$""",
    """CREATE TRIGGER entry_not_emptied BEFORE TRUNCATE ON ledger_entry
        FOR EACH STATEMENT EXECUTE FUNCTION entry_not_emptied()""",
]
DROP_SQLITE = [
    "DROP TRIGGER entry_not_replaced",
    "DROP TRIGGER entry_rowid_frozen",
    "DROP TABLE ledger_unlock",
    "DROP TABLE ledger_locked",
    "CREATE TABLE ledger_unlock (reason text NOT NULL)",
]
DROP_POSTGRESQL = [
    "DROP TRIGGER entry_not_emptied ON ledger_entry",
    "DROP FUNCTION entry_not_emptied()",
    "ALTER TABLE ledger_unlock DROP CONSTRAINT unlock_ends_with_its_transaction",
    "DROP TABLE ledger_locked",
]


def _run(schema_editor, sqlite, postgresql):
    for statement in sqlite if schema_editor.connection.vendor == "sqlite" else postgresql:
        schema_editor.execute(statement)


def lock(apps, schema_editor):
    _run(schema_editor, SQLITE, POSTGRESQL)


def unlock(apps, schema_editor):
    _run(schema_editor, DROP_SQLITE, DROP_POSTGRESQL)


class Migration(migrations.Migration):
    dependencies = (("ledger", "0005_reversals_told"),)
    operations = (migrations.RunPython(lock, unlock),)
