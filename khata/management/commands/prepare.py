"""``manage.py prepare``: everything between the code and the first request, in one process.

Migrations, the cache table, translations, static files, the worker's schedules, the demo shop. Each
step looks first and does nothing where nothing changed, so that a second start costs a second.
"""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from home.demo import DemoError
from home.demo import end_demo as close_demo
from khata import translations
from khata.guard import mark_production, refuse_wrong_database
from shops.models import Shop


class Command(BaseCommand):
    help = "Bring the database, translations and static files up to date, ready to serve."
    requires_system_checks: list[str] = []  # they run below, when the database is in order

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--end-demo", action="store_true", help="in production: close the demo for good")

    def handle(self, *args: Any, no_demo: bool, end_demo: bool, **options: Any) -> None:
        translations.compile_all()
        self._migrate()
        self._refuse_mismatch(end_demo)
        call_command("createcachetable", verbosity=0)
        self._try_cache()
        self._collect_static()
        self.check(databases=["default"])
        call_command("ensure_schedules", stdout=self.stderr, verbosity=0)
        if settings.PRODUCTION:
            return
        is_empty = not no_demo and not Shop.objects.exists()
        if is_empty:
            self._say("Making the demo shop: 60 parties and a year of entries")
        with transaction.atomic():  # stopped half-way, the next start begins again with an empty book
            call_command("make_demo", logins=not is_empty, stdout=self.stdout)

    def _refuse_mismatch(self, ends_demo: bool) -> None:
        """Nobody may get into a production by the demo's published password, or by its codes on a page."""
        if ends_demo and not settings.PRODUCTION:
            raise CommandError("The demo is ended in production mode only. Set KHATA_MODE=production first.")
        try:
            if ends_demo:
                close_demo()
                self._say("The demo is closed: its logins open nothing, its shop says nothing any more")
            refuse_wrong_database(production=settings.PRODUCTION)
        except (DemoError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if settings.PRODUCTION:
            mark_production()

    def _try_cache(self) -> None:
        """Rate limits live in the cache: without it every sign-in would be an error."""
        try:
            cache.set("prepare", 1, timeout=60)
            answers = cache.get("prepare") == 1
        except Exception as error:  # whatever the cache's client raises
            raise CommandError(f"The cache does not answer: {error}. Check REDIS_URL.") from error
        if not answers:
            raise CommandError("The cache forgets what it is told. Check REDIS_URL.")

    def _say(self, sentence: str) -> None:
        """To stderr: the caller shows our stdout, the logins, when the web server answers."""
        self.stderr.write(sentence, self.style.NOTICE)
        self.stderr.flush()

    def _migrate(self) -> None:
        try:
            executor = MigrationExecutor(connection)
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The database does not answer: {reason}. Check DATABASE_URL.") from error
        ahead = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
        ours = {label for label, _ in executor.loader.disk_migrations}
        if unknown := sorted(f"{label}.{name}" for label, name in ahead if label in ours):
            raise CommandError(
                f"The database is newer than this code (it has {unknown[-1]})."
                " Start the newer Khata, or restore the backup made before the upgrade."
            )
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._say("Bringing the database up to date")
            call_command("migrate", interactive=False, verbosity=0)

    def _collect_static(self) -> None:
        """Hashed, compressed copies of every static file, when one of them changed."""
        if settings.DEBUG:
            return
        digest = hashlib.sha256()
        for finder in get_finders():
            for path, storage in finder.list([]):
                file = Path(storage.path(path)).stat()
                digest.update(f"{path}:{file.st_size}:{file.st_mtime_ns}\n".encode())
        stamp = Path(settings.STATIC_ROOT) / "collected.stamp"
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        self._say("Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(digest.hexdigest())
