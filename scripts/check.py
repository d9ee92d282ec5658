"""``make check``: every check of the house, one after the other; ``--fix`` mends what can be mended.

All of them run even after one failed, so that one look shows everything. Non-zero if any failed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.check_templates import tracked

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def production_environment(var_dir: str) -> dict[str, str]:
    """A production that never serves: made-up secrets, to see what ``check --deploy`` says."""
    return os.environ | {
        "KHATA_MODE": "production",
        "KHATA_VAR": var_dir,
        "SECRET_KEY": "check-only-" + "s" * 20 + "0123456789abcdefghijklmnop",
        "KHATA_DATA_KEYS": "check-only-" + "d" * 20 + "0123456789abcdefghijklmnop",
        "KHATA_LINK_KEYS": "check-only-" + "l" * 20 + "0123456789abcdefghijklmnop",
        "ALLOWED_HOSTS": "khata.example",
        "BASE_URL": "https://khata.example",
        "KHATA_BEHIND_PROXY": "1",
        "KHATA_CODE_CHANNEL": "email",
        "KHATA_CODE_ADDRESS": "{phone}@sms.khata.example",
        "EMAIL_HOST": "mail.khata.example",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "DEBUG": "0",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "",  # browser tests set it for their process
    }


def run(name: str, *command: str, env: dict[str, str] | None = None) -> bool:
    program = str(BIN / command[0]) if (BIN / command[0]).exists() else command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    print(f"{'ok  ' if done.returncode == 0 else 'FAIL'}  {name}", flush=True)
    if done.returncode:
        print(done.stdout.rstrip(), flush=True)
    return done.returncode == 0


def fix(templates: list[str]) -> int:
    results = [
        run("ruff check --fix", "ruff", "check", "--fix", "."),
        run("ruff format", "ruff", "format", "."),
    ]
    if templates:
        # djade says 1 when it changed something; the second run tells whether all is well now.
        subprocess.run([str(BIN / "djade"), "--target-version", "5.2", *templates], cwd=ROOT, capture_output=True)
        results.append(run("djade", "djade", "--target-version", "5.2", "--check", *templates))
    return 0 if all(results) else 1


def check(templates: list[str]) -> int:
    with tempfile.TemporaryDirectory() as var_dir:
        plain = os.environ | {"KHATA_VAR": var_dir, "DATABASE_URL": ""}
        results = [
            run("format", "ruff", "format", "--check", "."),
            run("lint", "ruff", "check", "."),
            not templates or run("templates: format", "djade", "--target-version", "5.2", "--check", *templates),
            run("templates and file sizes", "python", "-m", "scripts.check_templates"),
            run("types", "mypy", env=plain),
            run("layers", "lint-imports"),
            run("migrations", "python", "manage.py", "makemigrations", "--check", "--dry-run", env=plain),
            run(
                "deployment",
                *("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
                env=production_environment(var_dir),
            ),
        ]
    print("all checks passed" if all(results) else f"{results.count(False)} checks failed", flush=True)
    return 0 if all(results) else 1


def main() -> int:
    templates = [str(path) for path in tracked("*.html")]
    return fix(templates) if "--fix" in sys.argv[1:] else check(templates)


if __name__ == "__main__":
    sys.exit(main())
