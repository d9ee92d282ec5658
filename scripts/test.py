"""Run the tests: system tools, translations, then pytest. Arguments go to pytest.

On the database that ``DATABASE_URL`` names, else on SQLite; ``.ci/run`` does both.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts import system_tools

ROOT = Path(__file__).resolve().parent.parent
MEMORY = "/dev/shm"  # noqa: S108  (where Linux keeps files in memory)


def main() -> None:
    system_tools.ensure_all()
    # Tests never touch the book of `make run`: other secrets, other database, other static files.
    environment = os.environ | {"KHATA_VAR": os.environ.get("KHATA_VAR", str(ROOT / "var" / "test"))}
    for name in ("KHATA_MODE", "DEBUG"):
        environment.pop(name, None)
    compiled = subprocess.run(
        [sys.executable, "-c", "from khata.translations import compile_all; compile_all()"],
        cwd=ROOT,
        env=environment,
    )
    if compiled.returncode:
        sys.exit("The translations do not compile; the lines above say which file.")
    # Thousands of small commits wait for the disk; memory has none. The pragmas stay as they are.
    with tempfile.TemporaryDirectory(
        prefix="khata-test-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None
    ) as fast:
        sys.exit(run_pytest(sys.argv[1:], environment | {"KHATA_TEST_DIR": fast}))


def run_pytest(arguments: list[str], environment: dict[str, str]) -> int:
    """Pytest's own answer; on two processes unless told otherwise."""
    if not any(argument.startswith("-n") for argument in arguments):
        arguments = ["-n", os.environ.get("KHATA_TEST_PROCESSES", "2"), *arguments]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *arguments], cwd=ROOT, env=environment)
    return done.returncode


if __name__ == "__main__":
    main()
