"""The documents name what is really there."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_variable_of_the_environment_is_explained() -> None:
    code = "".join((ROOT / "khata" / name).read_text() for name in ("settings.py", "serving.py"))
    variables = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"|environ\.get\(['\"](\w+)['\"]", code))
    names = {first or second for first, second in variables}
    assert {"DATABASE_URL", "PORT", "WEB_CONCURRENCY"} <= names
    explained = (ROOT / "docs" / "operations.md").read_text()
    assert not {name for name in names if f"`{name}`" not in explained}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text())
    missing = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize(
    "command", ["run", "test", "check", "bench", "fmt", "messages", "screenshots", "clean", "help"]
)
def test_make_knows_the_commands_we_promise(command: str) -> None:
    assert re.search(rf"^{command}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_readme_starts_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make run" in readme
    assert "make test" in readme


def test_vendored_versions_are_the_real_ones() -> None:
    from importlib.metadata import version

    import django_htmx

    listed = (ROOT / "static" / "vendor" / "README.md").read_text()
    script = Path(django_htmx.__file__ or "").parent / "static" / "django_htmx" / "htmx-2.min.js"
    found = re.search(r'version:"([\d.]+)"', script.read_text())
    assert found
    assert f"htmx {found[1]}" in listed
    assert f"django-htmx {version('django-htmx')}" in listed
