"""How figures and numbers of the page are written."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image


def power(value: float) -> str:
    """Format a number in a few digits, such as 2e-14; 0 is written 0."""
    return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-") if value else "0"


def save(figure: Figure, path: Path) -> None:
    """Save a figure with few colours: a third of the bytes, and it looks the same."""
    pixels = BytesIO()
    figure.savefig(pixels, dpi=120)
    Image.open(pixels).convert("RGB").quantize(128).save(path, optimize=True)
