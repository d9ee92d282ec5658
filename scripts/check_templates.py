"""Refuse what the strict Content-Security-Policy would block, and files nobody can read in one go.

Templates: no inline script or style, no ``style=``, no ``on…=`` attribute, no ``javascript:``, nothing
from another host, and no line longer than 140 characters. Python, CSS, our JavaScript and templates:
at most 600 lines a file.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 600
MOST_COLUMNS = 140  # of a template's line; a long sentence is wrapped in {% blocktranslate trimmed %}
RULES = (
    (re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.I), "inline script"),
    (re.compile(r"<style\b", re.I), "inline style"),
    (re.compile(r"<[^>]*\sstyle\s*=", re.I), "style attribute"),
    (re.compile(r"<[^>]*\son[a-z]+\s*=", re.I), "event-handler attribute"),
    (re.compile(r"javascript:", re.I), "javascript: address"),
    (re.compile(r"\bhx-on\b", re.I), "hx-on needs eval"),
    (re.compile(r"<(?:script|link|img|iframe)[^>]*\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//", re.I), "other host"),
)
# Emails are read in mail programs, where only inline style works, and never under our policy.
EMAILS = "emails"


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, new ones included, ignored ones not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def template_faults(text: str) -> list[tuple[int, str]]:
    """(line, what is wrong) for each fault in one template. A comment may say anything, but not at length."""
    faults = long_lines(text)
    text = re.sub(r"{#.*?#}", "", text)
    for pattern, fault in RULES:
        faults += [(text.count("\n", 0, match.start()) + 1, fault) for match in pattern.finditer(text)]
    return sorted(faults)


def long_lines(text: str) -> list[tuple[int, str]]:
    """(line, what is wrong) for each line that nobody can read without scrolling sideways."""
    return [
        (number, f"{len(line)} characters; at most {MOST_COLUMNS}")
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > MOST_COLUMNS
    ]


def main() -> int:
    complaints = []
    for path in tracked("*.html"):
        if EMAILS not in path.parts:
            complaints += [
                f"{path.relative_to(ROOT)}:{line}: {fault}"
                for line, fault in template_faults(path.read_text(encoding="utf-8"))
            ]
    for path in tracked("*.py", "*.css", "*.js", "*.html"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES and "vendor" not in path.parts and "migrations" not in path.parts:
            complaints.append(f"{path.relative_to(ROOT)}: {lines} lines; at most {MOST_LINES}")
    print("\n".join(complaints) or "templates and file sizes are in order")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
