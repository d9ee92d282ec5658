"""The drawings decode, at the size of a small screen."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import png
import pytest

from payments import qr
from payments.upi import upi_link

PAYLOAD = upi_link(
    pa="sharmakirana@okhdfcbank", pn="Sharma Kirana", amount_paise=12_450_00, note="Khata K7Q2X", ref="K" * 18
)
LONG = upi_link(
    pa="s" * 38 + "@okhdfcbank", pn="&" * 50, amount_paise=10**11, note="Khata K7Q2X (" + "a" * 30, ref="A" * 35
)

needs_zbar = pytest.mark.skipif(not shutil.which("zbarimg"), reason="zbarimg is not installed")


def decode(path: Path) -> str:
    done = subprocess.run(["zbarimg", "-q", "--raw", str(path)], capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def drawn_modules(svg: str) -> list[list[bool]]:
    """What the one dark path of the SVG paints, module by module."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg).group(1))  # type: ignore[union-attr]
    rows = [[False] * side for _ in range(side)]
    path = re.search(r'fill="#000"[^>]* d="([^"]+)"', svg).group(1)  # type: ignore[union-attr]
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path)
    assert "".join(f"M{x} {y}h{w}v1h-{v}z" for x, y, w, v in runs) == path
    for x, y, width, back in runs:
        assert width == back
        for at in range(int(x), int(x) + int(width)):
            rows[int(y)][at] = True
    return rows


@needs_zbar
@pytest.mark.parametrize("payload", [PAYLOAD, LONG])
def test_the_svg_decodes_at_200_pixels(payload: str, tmp_path: Path) -> None:
    modules = drawn_modules(qr.svg(qr.matrix(payload)))
    side = len(modules)
    at = [place * side // 200 for place in range(200)]  # nearest neighbour: harsher than a browser
    image = [[0 if modules[y][x] else 255 for x in at] for y in at]
    file = tmp_path / "qr.png"
    with file.open("wb") as out:
        png.Writer(width=200, height=200, greyscale=True).write(out, image)
    assert decode(file) == payload


@needs_zbar
def test_the_saved_picture_decodes(tmp_path: Path) -> None:
    file = tmp_path / "qr.png"
    file.write_bytes(qr.png_bytes(qr.matrix(PAYLOAD)))
    assert decode(file) == PAYLOAD


def test_the_picture_shows_the_same_modules_as_the_drawing() -> None:
    _width, _height, rows, _info = png.Reader(io.BytesIO(qr.png_bytes(qr.matrix(PAYLOAD), module_px=1))).read()
    assert [[not value for value in row] for row in rows] == drawn_modules(qr.svg(qr.matrix(PAYLOAD)))


def test_the_drawing_passes_a_strict_policy_and_keeps_its_quiet_zone() -> None:
    svg = qr.svg(qr.matrix(PAYLOAD))
    assert "style" not in svg
    assert "<script" not in svg
    modules = drawn_modules(svg)
    edge = [*modules[: qr.QUIET_ZONE], *modules[-qr.QUIET_ZONE :]]
    assert not any(any(row) for row in edge)
    assert not any(any(row[: qr.QUIET_ZONE]) or any(row[-qr.QUIET_ZONE :]) for row in modules)
