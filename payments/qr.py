"""QR codes as small drawings. Pages never draw: the worker does, a page shows what was drawn."""

import io
from itertools import groupby

import png
import qrcode
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4  # modules of white around it, or cameras do not find it
PNG_MODULE_PX = 10
# Any mask decodes. Choosing the best of eight, as the library does, costs eight times as much.
_MASK = 3


def matrix(payload: str) -> list[list[bool]]:
    """The modules of the QR of ``payload``, quiet zone included; True is dark."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE, mask_pattern=_MASK)
    code.add_data(payload)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def svg(rows: list[list[bool]]) -> str:
    """One path of runs: about 4 kB, 1.5 kB compressed. Colours are attributes, for the strict CSP."""
    runs = []
    for y, row in enumerate(rows):
        x = 0
        for dark, group in groupby(row):
            length = len(list(group))
            if dark:
                runs.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" stroke="none" d="M0 0h{side}v{side}h-{side}z"/>'
        f'<path fill="#000" stroke="none" d="{"".join(runs)}"/></svg>'
    )


def png_bytes(rows: list[list[bool]], *, module_px: int = PNG_MODULE_PX) -> bytes:
    """A greyscale PNG, ``module_px`` pixels to a module: for saving and opening in a payment app."""
    side = len(rows) * module_px
    lines = []
    for row in rows:
        line = [0 if dark else 1 for dark in row for _ in range(module_px)]
        lines.extend([line] * module_px)
    out = io.BytesIO()
    png.Writer(width=side, height=side, greyscale=True, bitdepth=1, compression=9).write(out, lines)
    return out.getvalue()
