"""What import-linter cannot name: models and services that would know a request, a page or a form."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("core", "shops", "parties", "ledger", "payments", "reminders", "home")
KINDS = (
    "models.py",
    "services.py",
    "search.py",
    "scope.py",
    "chain.py",
    "post.py",
    "allocation.py",
)
FORBIDDEN = (
    "django.http",
    "django.shortcuts",
    "django.views",
    "django.forms",
    "django.contrib.messages",
    "django_q",
)
MAX_LINES = 600
MAX_FUNCTION_LINES = 70


def sources() -> list[Path]:
    base = Path(settings.BASE_DIR)
    found = [path for app in (*APPS, "khata", "tests") for path in sorted((base / app).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


@pytest.mark.parametrize("path", [path for path in sources() if path.name in KINDS], ids=named)
def test_models_and_services_know_no_request_no_page_no_queue(path: Path) -> None:
    known = [name for name in imported(path) if any(f"{name}.".startswith(f"{bad}.") for bad in FORBIDDEN)]
    assert known == []


@pytest.mark.parametrize("path", sources(), ids=named)
def test_files_and_functions_stay_short_enough_to_read(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < MAX_FUNCTION_LINES, node.name
