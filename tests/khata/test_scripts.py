"""The two commands: what they say when they cannot, and how the supervisor starts, stops and restarts."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from scripts.check_templates import MOST_COLUMNS, template_faults

ROOT = Path(settings.BASE_DIR)
PYTHON = sys.executable
# Two children in place of gunicorn and qcluster; argv: port, web's code, worker's code.
SUPERVISE = f"""
import sys; sys.path.insert(0, {str(ROOT / "scripts")!r})
import run
url = "http://127.0.0.1:" + sys.argv[1] + "/"
web = run.Child("web server", [sys.executable, "-uc", sys.argv[2]])
worker = run.Child("worker", [sys.executable, "-uc", sys.argv[3]])
sys.exit(run.Supervisor(web, worker).run("READY", url))
"""
SERVE = "import http.server as h; h.HTTPServer(('127.0.0.1', {port}), h.SimpleHTTPRequestHandler).serve_forever()"
WORK = "import time; print('WORKING'); time.sleep(60)"


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def supervise(port: int, tmp_path: Path, web: str, worker: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-uc", SUPERVISE, str(port), web, worker],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it printed up to the line with ``words``; fails when it ends without saying them."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"never said {words!r}: {said}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_both_and_is_no_failure(port: int, tmp_path: Path, number: signal.Signals) -> None:
    process = supervise(port, tmp_path, SERVE.format(port=port), WORK)
    read_until(process, "READY")
    process.send_signal(number)
    rest, _ = process.communicate(timeout=20)
    assert "Khata has stopped." in rest
    assert process.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_web_server_ending_ends_all_with_a_failure(port: int, tmp_path: Path) -> None:
    marker = tmp_path / "worker.pid"
    worker = f"import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    process = supervise(port, tmp_path, "import time; time.sleep(1)", worker)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The web server stopped by itself" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)


def test_a_worker_that_dies_is_started_again_and_the_web_stays(port: int, tmp_path: Path) -> None:
    process = supervise(port, tmp_path, SERVE.format(port=port), "print('WORKING')")
    said = read_until(process, "starts again in 2 s")
    assert said.count("WORKING") == 2
    assert "starts again in 1 s" in said
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_children_left_by_a_killed_worker_are_cleared(port: int, tmp_path: Path) -> None:
    marker = tmp_path / "grandchild.pid"
    worker = (
        "import os, signal, subprocess, sys, time\n"
        f"if os.path.exists({str(marker)!r}): time.sleep(60)\n"  # the second start does nothing
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(marker)!r}, 'w').write(str(child.pid))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = supervise(port, tmp_path, SERVE.format(port=port), worker)
    read_until(process, "starts again in 1 s")
    left, deadline = int(marker.read_text()), time.monotonic() + 10
    while _runs(left) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(left)
    process.terminate()
    process.communicate(timeout=20)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_killing_the_supervisor_stops_both(port: int, tmp_path: Path) -> None:
    process = supervise(port, tmp_path, SERVE.format(port=port), WORK)
    read_until(process, "READY")
    process.kill()
    process.communicate(timeout=20)
    deadline = time.monotonic() + 10
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def _runs(pid: int) -> bool:
    """Whether ``pid`` runs (a zombie that nobody has reaped yet does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def start(script: str, *arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, f"scripts/{script}", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def test_a_busy_port_is_said_plainly(port: int) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        done = start("run.py", PORT=str(port))
    assert done.returncode != 0
    assert f"Port {port} on 127.0.0.1 is busy" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("wrong", ["web", "0", "70000", "-1"])
def test_a_port_that_is_none_is_said_plainly(wrong: str) -> None:
    done = start("run.py", PORT=wrong)
    assert done.returncode != 0
    assert f"PORT is {wrong!r}" in done.stderr


def test_a_refused_setting_stops_before_any_server(port: int, tmp_path: Path) -> None:
    done = start("run.py", PORT=str(port), KHATA_MODE="production", KHATA_VAR=str(tmp_path), SECRET_KEY="")
    assert done.returncode != 0
    assert "SECRET_KEY is missing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_no_network_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.py", tmp_path / "scripts")
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("a-package-that-cannot-be-reached==1.0\n")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    done = start("setup.py", cwd=tmp_path, **offline)
    assert done.returncode != 0
    assert "no network" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (tmp_path / ".venv" / "installed-run").exists(), "the next start tries again"


def test_an_old_python_is_told_so() -> None:
    code = "import sys; sys.version_info = (3, 9, 2); sys.path.insert(0, 'scripts'); import setup; setup.main()"
    done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True)
    assert done.returncode != 0
    assert "It needs Python 3.11 or newer and this is Python 3.9" in done.stderr


def test_setup_is_readable_to_a_very_old_python() -> None:
    """It must parse there to say that it is too new."""
    text = (ROOT / "scripts" / "setup.py").read_text()
    compile(text, "setup.py", "exec", dont_inherit=True)
    assert not re.search(r"\bf\"|\bf'|:=|->|\bmatch ", text)


def test_nothing_changed_means_nothing_installed(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, 'scripts'); import setup\n"
        f"setup.VENV = {str(tmp_path)!r}; setup.VENV_PYTHON = sys.executable\n"
        "assert not setup.is_installed('run')\n"
        "open(setup.stamp_path('run'), 'w').write(setup.fingerprint('run'))\n"
        "assert setup.is_installed('run') and not setup.is_installed('dev')\n"
        "setup.NEEDS['run'] = ['requirements-dev.txt']\n"
        "assert not setup.is_installed('run')\n"
    )
    done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        "<style>a{}</style>",
        '<p style="color:red">',
        '<button type="button" onclick="go()">',
        '<a href="javascript:go()">',
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/a.css">',
    ],
)
def test_what_the_policy_would_block_is_found_in_templates(bad: str) -> None:
    assert template_faults(f"<p>fine</p>\n{bad}")[0][0] == 2


def test_what_the_policy_allows_is_no_fault() -> None:
    assert (
        template_faults('<script src="{% static \'js/khata.js\' %}" defer></script><p class="on">one = 1</p>')
        == []
    )


def test_a_line_of_a_template_that_is_too_long_to_read_is_found() -> None:
    longest = "<p>" + "क" * (MOST_COLUMNS - 3)
    assert template_faults(f"<p>fine</p>\n{longest}\n") == []
    assert template_faults(f"<p>fine</p>\n{longest}…\n") == [(2, "141 characters; at most 140")]
    assert template_faults("{# " + "why " * 40 + "#}")[0][0] == 1, "nor may a comment be"
