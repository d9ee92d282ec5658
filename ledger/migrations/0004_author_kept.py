"""Who wrote an entry may be forgotten (its user is deleted), and never becomes somebody else.

The chain does not hold the author, so only the database can keep one hand from being put in
another's place. Unlocked as the triggers of 0003 are.
"""

from django.db import migrations

SQLITE = """CREATE TRIGGER entry_author_kept BEFORE UPDATE OF created_by_id ON ledger_entry
    WHEN NEW.created_by_id IS NOT NULL AND NEW.created_by_id IS NOT OLD.created_by_id
     AND NOT EXISTS (SELECT 1 FROM ledger_unlock)
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END"""
POSTGRESQL = [
    """CREATE FUNCTION entry_author_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.created_by_id IS NOT NULL AND NEW.created_by_id IS DISTINCT FROM OLD.created_by_id
             AND NOT EXISTS (SELECT 1 FROM ledger_unlock) THEN
            RAISE EXCEPTION 'entries are append-only';
          END IF;
          RETURN NEW;
        END $$""",
    """CREATE TRIGGER entry_author_kept BEFORE UPDATE OF created_by_id ON ledger_entry
        FOR EACH ROW EXECUTE FUNCTION entry_author_kept()""",
]


def lock(apps, schema_editor):
    for statement in [SQLITE] if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def unlock(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER entry_author_kept")
        return
    schema_editor.execute("DROP TRIGGER entry_author_kept ON ledger_entry")
    schema_editor.execute("DROP FUNCTION entry_author_kept()")


class Migration(migrations.Migration):
    dependencies = (("ledger", "0003_append_only"),)
    operations = (migrations.RunPython(lock, unlock),)
