"""The database itself refuses to change or delete an entry.

Only note, items, attachments and the salt may be emptied (erasure on request; the chain holds
their salted hash), and ``created_by`` may become empty when a user is deleted. DELETE is refused.
The one service that deletes a whole shop, and the test database's flush, unlock by a row in
``ledger_unlock`` that their own transaction inserts and deletes again: no other connection ever
sees it, on either database.
"""

from django.db import migrations

FROZEN = (
    "id shop_id khata_id position direction amount_paise kind occurred_on due_on source reverses_id "
    "text_digest created_at key digest"
).split()
ERASABLE = {"note": "''", "items": "'[]'", "attachments": "'[]'"}

SQLITE = [
    "CREATE TABLE ledger_unlock (reason text NOT NULL)",
    f"""CREATE TRIGGER entry_frozen BEFORE UPDATE OF {", ".join(FROZEN)} ON ledger_entry
        WHEN NOT EXISTS (SELECT 1 FROM ledger_unlock)
        BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END""",
    """CREATE TRIGGER entry_text_only_erased BEFORE UPDATE OF note, items, attachments, text_salt ON ledger_entry
        WHEN NOT EXISTS (SELECT 1 FROM ledger_unlock)
         AND NOT (NEW.note = '' AND NEW.items = '[]' AND NEW.attachments = '[]' AND length(NEW.text_salt) = 0)
        BEGIN SELECT RAISE(ABORT, 'the text of an entry can only be erased'); END""",
    """CREATE TRIGGER entry_kept BEFORE DELETE ON ledger_entry
        WHEN NOT EXISTS (SELECT 1 FROM ledger_unlock)
        BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END""",
]
POSTGRESQL = [
    "CREATE TABLE ledger_unlock (reason text NOT NULL)",
    f"""CREATE FUNCTION entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM ledger_unlock) THEN
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
          END IF;
          IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'entries are append-only'; END IF;
          IF ({", ".join("NEW." + column for column in FROZEN)}) IS DISTINCT FROM
             ({", ".join("OLD." + column for column in FROZEN)}) THEN
            RAISE EXCEPTION 'entries are append-only';
          END IF;
          IF (NEW.note, NEW.items, NEW.attachments, NEW.text_salt) IS DISTINCT FROM
             (OLD.note, OLD.items, OLD.attachments, OLD.text_salt)
             AND NOT (NEW.note = '' AND NEW.items = '[]'::jsonb AND NEW.attachments = '[]'::jsonb
                      AND length(NEW.text_salt) = 0) THEN
            RAISE EXCEPTION 'the text of an entry can only be erased';
          END IF;
          RETURN NEW;
        END $$""",
    """CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
        FOR EACH ROW EXECUTE FUNCTION entry_append_only()""",
]
DROP_SQLITE = [
    "DROP TRIGGER entry_frozen", "DROP TRIGGER entry_text_only_erased", "DROP TRIGGER entry_kept",
    "DROP TABLE ledger_unlock",
]  # fmt: skip
DROP_POSTGRESQL = [
    "DROP TRIGGER entry_append_only ON ledger_entry", "DROP FUNCTION entry_append_only()", "DROP TABLE ledger_unlock",
]  # fmt: skip


def _run(schema_editor, sqlite, postgresql):
    for statement in sqlite if schema_editor.connection.vendor == "sqlite" else postgresql:
        schema_editor.execute(statement)


def lock(apps, schema_editor):
    _run(schema_editor, SQLITE, POSTGRESQL)


def unlock(apps, schema_editor):
    _run(schema_editor, DROP_SQLITE, DROP_POSTGRESQL)


class Migration(migrations.Migration):
    dependencies = (("ledger", "0002_initial"),)
    operations = (migrations.RunPython(lock, unlock),)
