"""``manage.py bench entry|home|statement|search``: measure in a scratch database. See docs/performance.md."""

import importlib
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from khata.bench import scratch

WHAT = ("entry", "home", "statement", "search")


class Command(BaseCommand):
    help = "Measure beside a stated limit, in a database of its own that is dropped again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=WHAT)
        parser.add_argument("--tiny", action="store_true", help="only prove that it works")
        parser.add_argument("--profile", action="store_true", help="where the time goes, instead of how much")
        parser.add_argument("--inside", action="store_true", help="used by the command itself")

    def handle(self, *args: Any, what: str, tiny: bool, profile: bool, inside: bool, **options: Any) -> None:
        if inside:
            self._measure(what, tiny, profile)
            return
        flags = [flag for flag, on in (("--tiny", tiny), ("--profile", profile)) if on]
        command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "bench", what, "--inside", *flags]
        with scratch.environment() as environment:
            child = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
            try:
                child.wait()
            except BaseException:  # stopped: let it stop its own servers before its database goes
                child.terminate()
                child.wait(60)
                raise
        if child.returncode:
            raise CommandError("The measurement broke off; the lines above say why. Nothing of it was kept.")

    def _measure(self, what: str, tiny: bool, profile: bool) -> None:
        folder = scratch.refuse_a_real_book()
        scratch.leave_when_told()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if profile:
            from khata.bench import profiling

            profiling.run(what, self._say)
            return
        module = importlib.import_module(f"khata.bench.{what}")
        module.run(module.TINY if tiny else module.Sizes(), folder, self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
