"""Text of a live watch: a status line, problems, and a page with the spectra."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.live.spectra import LiveSpectra
from hrixs.live.terminal import draw_spectrum, draw_trend

_SILENCE = 3.0
_RECENT = 30.0
# A smaller share is not shown.
_LOST = 0.01


@dataclass
class Link:
    """State of the connection to the server.

    Attributes
    ----------
    endpoint : str
        Address of the server.
    connected : bool
        Whether it is connected.
    seconds : float
        Seconds since the watch began.
    silent : float
        Seconds since the last train.
    delay : float
        Seconds from the last train's time stamp (or arrival, without a time stamp) until it was
        analysed; NaN before the first.
    now : float or None
        `time.monotonic` for the rates; the time of the call by default.
    """

    endpoint: str
    connected: bool = False
    seconds: float = 0.0
    silent: float = 0.0
    delay: float = np.nan
    now: float | None = None


def status(live: LiveSpectra, link: Link) -> str:
    """Return the status as one line."""
    counts = live.counts
    images, photons = live.rates(link.now)
    seen = f"{_plural(counts.trains, 'train')} seen, {counts.with_image} with image"
    for name in ("failed", "skipped", "missed"):
        if n := getattr(counts, name):
            seen += f", {n} {name}"
    parts = [seen, f"{images:.3g} images/s"]
    if live.window and live.method != "integrate":
        n_images = sum(one.n_images for one in live.window)
        each = sum(one.photons for one in live.window) / n_images
        lost = f", {live.lost_share:.0%} lost" if live.lost_share >= _LOST else ""
        parts.append(f"{photons:.4g} photons/s, {each:.4g} an image{lost}")
    if counts.waiting:
        parts.append(
            f"{_plural(counts.waiting, 'image')} waiting until there are enough to learn from"
        )
    if live.way:
        parts.append(live.way)
    if np.isfinite(link.delay):
        parts.append(f"delay {link.delay:.2f} s")
    return " | ".join(parts)


def problems(live: LiveSpectra, link: Link) -> list[str]:
    """Return present and recent problems, and the warnings; one line each."""
    return troubles(live, link) + list(live.notes)


def troubles(live: LiveSpectra, link: Link) -> list[str]:
    """Return present and recent problems of the connection and the data; the most urgent first."""
    counts, lines = live.counts, []
    since = (time.monotonic() if link.now is None else link.now) - _RECENT
    recent = {name for name, last in live.last_times.items() if last > since}
    if not link.connected:
        how_long = f" for {duration(link.silent)}" if counts.trains else ""
        lines.append(f"no server at {link.endpoint}{how_long}; waiting for it")
    elif link.silent > _SILENCE:
        lines.append(f"no train for {duration(link.silent)}; the server is connected, waiting")
    if counts.trains and not counts.with_image:
        lines.append(f"no image of {live.h.DETECTOR} yet")
    if "failed" in recent:
        lines.append(f"{_plural(counts.failed, 'image')} not analysed; the last reason: "
                     f"{live.last_failure}")  # fmt: skip
    if "skipped" in recent:
        lines.append(
            f"{_plural(counts.skipped, 'image')} skipped for newer ones: images come faster than "
            "they can be analysed"
        )
    if "missed" in recent:
        lines.append(
            f"{_plural(counts.missed, 'train')} missed: the bridge did not send them (gaps in the "
            "train ids)"
        )
    return lines


def page(
    live: LiveSpectra, link: Link, *, columns: int, rows: int, footer: str, ascii_only: bool = False
) -> list[str]:
    """Return the page as lines: status, problems, spectra of the window and the sum, trend.

    Parameters
    ----------
    live : LiveSpectra
        The live spectra.
    link : Link
        State of the connection.
    columns, rows : int
        Size of the page.
    footer : str
        Last line.
    ascii_only : bool
        Draw without block characters.

    Returns
    -------
    list of str
        At most `rows` lines, if `rows` is 12 or more.
    """
    title = f"hrixs watch {link.endpoint}  {live.h.DETECTOR}, {live.method}"
    lines = [f"{title:<{columns - 9}} {duration(link.seconds):>8}"]
    lines += _wrapped(status(live, link), columns)
    lines += [f"! {problem}" for problem in problems(live, link)[: max(1, rows // 8)]]
    if live.total is None or live.energy_axis is None:
        return [*lines, "", footer]
    energy, units = live.energy_axis.values, str(live.energy_axis.attrs["units"])
    counted = live.method != "integrate"
    n_images = sum(one.n_images for one in live.window)
    drawings = [(f"last {_plural(len(live.window), 'train')}", live.window_sum(), n_images)]
    n_trend = 2 if counted and rows >= 18 else 0
    free = rows - len(lines) - 1 - n_trend
    if free >= 16 and live.counts.analysed > len(live.window):
        name = f"all {_plural(live.counts.analysed, 'train')}"
        drawings.append((name, live.total, live.counts.images))
    for name, summed, n_images in drawings:
        values = summed if counted else summed / n_images
        lines.append(f"{name}: {_about(energy, values, units, counted=counted)}")
        lines += draw_spectrum(
            energy,
            values,
            width=columns,
            height=free // len(drawings) - 1,
            units=units,
            from_zero=counted,
            ascii_only=ascii_only,
        )
    if n_trend:
        photons = [one.photons for one in live.window]
        n = min(len(photons), columns - 9)
        lines.append(
            f"photons of the last {_plural(n, 'train')}: from {min(photons[-n:]):.0f} to "
            f"{max(photons[-n:]):.0f}"
        )
        lines.append(" " * 9 + draw_trend(photons, width=columns - 9, ascii_only=ascii_only))
    return [*lines, footer]


def duration(seconds: float) -> str:
    """`seconds` as hours, minutes and seconds."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes


def _wrapped(status_line: str, columns: int) -> list[str]:
    """Lines of at most `columns` characters, broken only between entries."""
    lines = [""]
    for part in status_line.split(" | "):
        joined = f"{lines[-1]} | {part}" if lines[-1] else part
        lines = [*lines[:-1], joined] if len(joined) <= columns else [*lines, part]
    return [line for line in lines if line]


def _about(
    energy: NDArray[np.float64], values: NDArray[np.float64], units: str, *, counted: bool
) -> str:
    what = f"{values.sum():.0f} photons" if counted else "ADU per pixel and image"
    if not np.isfinite(values).any() or np.nanmax(values) <= 0:
        return what
    highest = energy[int(np.nanargmax(values))]
    return f"{what}, highest bin at {highest:.{2 if units == 'eV' else 1}f} {units}"


def _plural(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
