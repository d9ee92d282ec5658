"""Programs of the system that some tests need: installed where that is permitted, else named.

Permitted means: this is root, and there is apt-get (a container, a CI machine). Elsewhere the tests
that need them skip themselves and say so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# program → (Debian package, what is left out without it)
TOOLS = {
    "chromium": ("chromium", "the journeys in a real browser"),
    "zbarimg": ("zbar-tools", "reading QR codes back"),
    "hledger": ("hledger", "comparing balances with hledger"),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def found(program: str) -> str | None:
    """The path of ``program`` (for Chromium: of any browser that will do), or None."""
    names = BROWSERS if program == "chromium" else (program,)
    return next((path for name in names if (path := shutil.which(name))), None)


def apt_install(*packages: str) -> bool:
    """Install Debian packages without asking; False where that is not permitted or failed."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(install, env=environment, **quiet).returncode == 0:  # type: ignore[call-overload]
        return True
    # Lists may be missing or old: fetch them once, then try again.
    subprocess.run(["apt-get", "update"], env=environment, **quiet)  # type: ignore[call-overload]
    return bool(subprocess.run(install, env=environment, **quiet).returncode == 0)  # type: ignore[call-overload]


def ensure(*programs: str) -> list[str]:
    """Have each of ``programs``, and print one sentence for each that is not to be had."""
    missing = [program for program in programs if not found(program)]
    if missing:
        packages = [TOOLS[program][0] for program in missing]
        print(f"Installing from the system's packages: {', '.join(packages)}", flush=True)
        if not apt_install(*packages):
            for package in packages:  # one that is unknown here must not keep the others away
                apt_install(package)
    still = [program for program in programs if not found(program)]
    for program in still:
        package, left_out = TOOLS[program]
        print(f"Skipped: {left_out}. {package} is not installed here (apt install {package}).", flush=True)
    return still


def ensure_fonts() -> bool:
    """Fonts of every script of India, for pictures of screens; False (and a sentence) without them."""
    lister = shutil.which("fc-list")
    listed = subprocess.run([lister], stdout=subprocess.PIPE, text=True).stdout if lister else ""
    if "Noto Sans Gujarati" in listed or apt_install("fonts-noto-core"):
        return True
    print("Names in Indian scripts will be boxes: fonts-noto-core is not installed here.", flush=True)
    return False


def ensure_all() -> Path | None:
    """Everything the tests can use; returns the browser's path.

    Ends the program where KHATA_TOOLS=needed (``.ci/run``) and one is not to be had: a test that
    did not run proves nothing.
    """
    missing = ensure(*TOOLS)
    if missing and os.environ.get("KHATA_TOOLS") == "needed":
        sys.exit(f"{', '.join(missing)} is needed here and could not be installed.")
    browser = found("chromium")
    return Path(browser) if browser else None
