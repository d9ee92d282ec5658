"""Make the virtual environment and install the pinned requirements, only where something changed.

Standard library only, and written so that an old Python can still read it and be told so.
Usage: ``python3 scripts/setup.py`` (to run) or ``python3 scripts/setup.py --dev`` (to test).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
OLDEST = (3, 11)
# What each way of starting needs, in the order pip reads it.
NEEDS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


def fail(sentence):
    sys.exit("\nKhata could not be set up. " + sentence)


def use_a_new_enough_python():
    """Go on with a newer Python of this machine where ``python3`` itself is too old."""
    if sys.version_info >= OLDEST:
        return
    for minor in (13, 12, 11):
        found = shutil.which("python3.%d" % minor)
        if found:
            os.execv(found, [found] + sys.argv)  # noqa: S606
    fail(
        "It needs Python %d.%d or newer and this is Python %d.%d. Install a newer Python,"
        " or say which one to use: make run PYTHON=/path/to/python3.11" % (OLDEST + sys.version_info[:2])
    )


def fingerprint(kind):
    """Changes with the pins, and with the Python that built the environment."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for name in NEEDS[kind]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def stamp_path(kind):
    return os.path.join(VENV, "installed-%s" % kind)


def is_installed(kind):
    try:
        with open(stamp_path(kind)) as file:
            return file.read() == fingerprint(kind) and os.path.exists(VENV_PYTHON)
    except OSError:
        return False


def make_venv():
    """A fresh one where there is none, or where its Python has gone or changed."""
    works = os.path.exists(VENV_PYTHON) and not subprocess.call(
        [VENV_PYTHON, "-c", "import pip, sys; sys.exit(sys.version_info[:2] != %r)" % (sys.version_info[:2],)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if works:
        return
    print("Making the virtual environment in .venv", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if done.returncode:
        print(done.stdout)
        fail("Python's venv module does not work here; on Debian and Ubuntu: apt install python3-venv")


def install(kind):
    print("Installing the pinned requirements (once; needs the network)", flush=True)
    command = [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "1", "-r", os.path.join(ROOT, NEEDS[kind][-1])]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-8:]))
        fail(
            "Some requirement could not be installed; the lines above say which. The usual cause is"
            " no network: connect once and run the same command again. What was installed is kept."
        )
    installed = ["run", "dev"] if kind == "dev" else ["run"]
    for name in installed:
        with open(stamp_path(name), "w") as file:
            file.write(fingerprint(name))


def main():
    use_a_new_enough_python()
    kind = "dev" if "--dev" in sys.argv[1:] else "run"
    if is_installed(kind):
        return
    # `make run` and `make test` may start at once on a fresh clone: the second one waits.
    with open(os.path.join(ROOT, "requirements.txt")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed(kind):
            make_venv()
            install(kind)


if __name__ == "__main__":
    main()
