"""Draw spectra as text, on a screen that is redrawn in place; without a terminal as plain lines."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Heights of a column from empty to full, and the parts of the axes.
BLOCKS, AXES = " ▁▂▃▄▅▆▇█", "│┤└─┬"
ASCII_BLOCKS, ASCII_AXES = " ___---##", "||+-+"
_MARGIN = 9


def draw_spectrum(
    energy: ArrayLike,
    values: ArrayLike,
    *,
    width: int,
    height: int,
    units: str = "eV",
    from_zero: bool = True,
    ascii_only: bool = False,
) -> list[str]:
    r"""Draw a spectrum as lines of text, with an energy axis.

    Parameters
    ----------
    energy, values : array_like, shape (n,)
        The spectrum; energies evenly spaced, rising or falling. They are drawn in rising order.
    width, height : int
        Size of the drawing in characters, at least 24 x 4. Each column is the weighted mean of the
        bins that it covers.
    units : str
        Unit of the energy.
    from_zero : bool
        Whether the axis begins at 0, as for counts, instead of the least value.
    ascii_only : bool
        Draw without block characters.

    Returns
    -------
    list of str
        `height` lines: bars, the axis, and its numbers.

    Examples
    --------
    >>> from hrixs.live.terminal import draw_spectrum
    >>> lines = draw_spectrum([0, 1, 2, 3], [0, 1, 4, 2], width=25, height=6, ascii_only=True)
    >>> print("\n".join(line.rstrip() for line in lines))
          4 |        ####
            |        ####
            |        ########
          0 |    ############
            +--+-------+-----
               0       2   eV
    """
    e, v = np.asarray(energy, np.float64), np.asarray(values, np.float64)
    if len(e) > 1 and e[0] > e[-1]:
        e, v = e[::-1], v[::-1]
    columns, rows = max(width, 24) - _MARGIN, max(height, 4) - 2
    blocks, axes = (ASCII_BLOCKS, ASCII_AXES) if ascii_only else (BLOCKS, AXES)
    heights, low, high = _per_column(v, columns), 0.0, 1.0
    if heights.size and np.isfinite(heights).any():
        low = min(0.0, float(np.nanmin(heights))) if from_zero else float(np.nanmin(heights))
        high = float(np.nanmax(heights))
        high = high if high > low else low + 1.0
    levels = _levels(heights, low, high, 8 * rows)
    lines = []
    for row in reversed(range(rows)):
        label = _number(high) if row == rows - 1 else _number(low) if row == 0 else ""
        bars = "".join(blocks[min(max(level - 8 * row, 0), 8)] for level in levels)
        lines.append(f"{label:>{_MARGIN - 2}} {axes[1 if label else 0]}{bars}")
    return lines + _axis(e, columns, units, axes)


def draw_trend(values: ArrayLike, *, width: int, ascii_only: bool = False) -> str:
    """Draw the last `width` values as one line, from 0 to the largest; NaN is a blank.

    Examples
    --------
    >>> from hrixs.live.terminal import draw_trend
    >>> draw_trend([0, 4, 8], width=10)
    ' ▄█'
    """
    v = np.asarray(values, np.float64)[-max(width, 1) :]
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    high = float(np.nanmax(v)) if np.isfinite(v).any() else 1.0
    return "".join(blocks[level] for level in _levels(v, 0.0, high if high > 0 else 1.0, 8))


class Screen:
    """Show text, inside a ``with`` block.

    On a terminal the text is redrawn in place, on a separate screen; the former text comes back at
    the end. In a file or a pipe plain lines are written.

    Parameters
    ----------
    stream : text file
        Usually ``sys.stdout``.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.interactive = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.ascii_only = not _can_show(BLOCKS + AXES, stream)

    @property
    def size(self) -> tuple[int, int]:
        """Usable columns and lines."""
        columns, lines = shutil.get_terminal_size()
        return columns - 1, lines - 1

    def __enter__(self) -> Screen:
        if self.interactive:
            self._write("\x1b[?1049h\x1b[?25l\x1b[2J")
        return self

    def __exit__(self, *_: object) -> None:
        if self.interactive:
            self._write("\x1b[?25h\x1b[?1049l")

    def draw(self, lines: Sequence[str]) -> None:
        """Replace the last lines with `lines`; those that begin with ``!`` are highlighted."""
        columns, rows = self.size
        page = "".join(_emphasised(line[:columns]) + "\x1b[K\r\n" for line in lines[:rows])
        self._write(f"\x1b[H{page}\x1b[J")

    def say(self, line: str) -> None:
        """Write one line of text, for a stream that is not a terminal."""
        self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _emphasised(line: str) -> str:
    return f"\x1b[1;7m{line}\x1b[0m" if line.startswith("!") else line


def _can_show(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _per_column(values: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
    """Weighted mean of the values that each column covers, so that no photon is lost."""
    n = len(values)
    if n == 0:
        return np.zeros(0)
    places = np.linspace(0, n, columns + 1)
    covered = [
        np.diff(np.interp(places, np.arange(n + 1), np.concatenate([[0.0], np.cumsum(part)])))
        for part in (np.nan_to_num(values), np.isfinite(values).astype(np.float64))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(covered[1] > 1e-9, covered[0] / covered[1], np.nan)


def _levels(values: NDArray[np.float64], low: float, high: float, steps: int) -> list[int]:
    share = np.nan_to_num((values - low) / (high - low))
    # A single photon is visible; rounding errors are not.
    return [int(level) for level in np.clip(np.ceil(share * steps - 1e-6), 0, steps)]


def _axis(energy: NDArray[np.float64], columns: int, units: str, axes: str) -> list[str]:
    line, numbers = [axes[3]] * columns, [" "] * (columns + _MARGIN)
    if len(energy) > 1:
        bin_width = (energy[-1] - energy[0]) / (len(energy) - 1)
        first, last = energy[0] - bin_width / 2, energy[-1] + bin_width / 2
        label_width = len(f"{max(abs(first), abs(last)):.0f}") + 2
        step = _round_step((last - first) * (label_width + 4) / columns)
        digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        end = 0
        for k in range(int(np.ceil(first / step)), int(np.floor(last / step)) + 1):
            column = int((k * step - first) / (last - first) * columns)
            text = f"{k * step:.{digits}f}"
            begin = _MARGIN + column - (len(text) - 1) // 2
            if column < columns and begin > end and begin + len(text) < len(numbers) - len(units):
                line[column] = axes[4]
                numbers[begin : begin + len(text)] = text
                end = begin + len(text)
    numbers[len(numbers) - len(units) :] = units
    return [f"{'':>{_MARGIN - 1}}{axes[2]}{''.join(line)}", "".join(numbers)]


def _round_step(step: float) -> float:
    """Return the next of 1, 2, 5, 10, ... times a power of ten above `step`."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9)))


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
