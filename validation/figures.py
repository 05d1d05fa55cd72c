"""How figures and numbers of the page are written."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image


def power(value: float) -> str:
    """A number of few digits, as 2e-14; 0 where there is none."""
    return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-") if value else "0"


def save(figure: Figure, path: Path) -> None:
    """Store a figure with as few colours as it takes: a third of the bytes, and no other look."""
    pixels = BytesIO()
    figure.savefig(pixels, dpi=120)
    Image.open(pixels).convert("RGB").quantize(128).save(path, optimize=True)
