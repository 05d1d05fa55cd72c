"""Compare thresholds, means, integrals, spectra and the class with plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from hrixs import find_photons, hRIXS, integrate_frames, photon_spectrum
from hrixs.simulation import CURVE_A, CURVE_B
from validation.figures import power
from validation.hard_frames import PIXELS, Stack, stacks
from validation.plain import reference

NUMBER_LIMIT = 1e-12
ENERGY = 530.0
TILT = (CURVE_A, CURVE_B)

TEXT = (
    "**Other numbers**: the threshold from the 2x2 squares (mean plus standard deviations), the "
    "mean of a frame, integrated spectra, spectra of photons (for 'few values' some photons are "
    "exactly on the edges of bins), the mean dark, and the class `hRIXS` from crop, dark, mask "
    "and curvature to a spectrum. The columns of pixel types give the largest difference: in "
    "photons for counted spectra, otherwise divided by the brightest pixel."
)


@dataclass
class Row:
    """One algorithm whose result is plain numbers, without hits to be matched."""

    algorithm: str
    frames: str
    dtype: str
    n: int = 0
    difference: float = 0.0
    same_bytes: bool | None = None

    @property
    def short(self) -> bool:
        """Whether the limit is missed, or nothing was compared."""
        return not self.difference <= NUMBER_LIMIT or self.same_bytes is False or not self.n

    def add(self, found: Any, expected: Any, scale: float) -> None:
        """Compare numbers; a value that is NaN in only one of them differs by infinity."""
        found, expected = np.ravel(found), np.ravel(expected)
        off = np.abs(found - expected) / scale
        off[np.isnan(found) & np.isnan(expected)] = 0.0
        off[np.isnan(off)] = np.inf
        self.n += len(off)
        self.difference = max(self.difference, float(off.max(initial=0.0)))


@cache
def rows(quick: bool) -> list[Row]:
    """Compare every number of every kind of frames."""
    result: dict[tuple[str, str, str], Row] = {}

    def row(name: str, kind: str, dtype: str) -> Row:
        return result.setdefault((name, kind, dtype), Row(name, kind, dtype))

    for kind, dtype, made in stacks(quick):
        for stack in made:
            _compare_statistics(stack, lambda name, k=kind, d=dtype: row(name, k, d))
            _compare_integral(row("`integrate_frames`", kind, dtype), stack)
            _compare_spectrum(row("`photon_spectrum`", kind, dtype), stack)
            if kind == "camera" and stack.dark is None and stack.mask is None:
                _compare_class(stack, lambda name, k=kind, d=dtype: row(name, k, d))
    return sorted(result.values(), key=lambda row: (row.algorithm, row.frames))


def _compare_statistics(stack: Stack, row: Callable[[str], Row]) -> None:
    table = find_photons(stack.pixels, **stack.chip)
    images = [reference.corrected(image, **stack.chip) for image in stack.pixels]
    thresholds = [reference.square_threshold(image) for image in images]
    brightest = stack.brightest
    row("threshold of 2x2 squares").add(table["threshold"], thresholds, brightest)
    row("mean of a frame").add(table["base"], [np.nanmean(image) for image in images], brightest)


def _compare_integral(row: Row, stack: Stack) -> None:
    # Sixteenths of a pixel are exact, so rounding does not decide which rows are reached.
    curvature = (1.3125, 1 / 256) if stack.unit else TILT
    options = {"curvature": curvature, **stack.chip}
    found = integrate_frames(stack.pixels, **options, threads=1)
    expected = [reference.integrate(image, **options)[0] for image in stack.pixels]
    row.add(found, expected, stack.brightest)
    again = stack if stack.dark is not None else stack.as_float64()
    same = found.tobytes() == integrate_frames(again.pixels, **options, threads=2).tobytes()
    row.same_bytes = same and row.same_bytes is not False


def _compare_spectrum(row: Row, stack: Stack) -> None:
    photons = find_photons(stack.pixels, std_threshold=1.1 if stack.unit else 3.5, **stack.chip)
    if stack.unit:
        # On the edges of the bins, and one bit beside them.
        y = np.round(photons["y"].values * 2) / 2
        y = np.choose(np.arange(len(y)) % 3, [y, np.nextafter(y, -1), np.nextafter(y, 999)])
        photons = photons.assign(y=("photon", y))
    options: dict[str, Any] = (
        {"bins": 128, "range": (0.0, 64.0)}
        if stack.unit
        else {"bins": 700, "range": (3.0, 509.0), "curvature": TILT}
    )
    found = photon_spectrum(photons, **options)
    of = [photons.isel(photon=photons["frame"].values == n) for n in range(len(stack.pixels))]
    expected = [reference.spectrum(one["x"], one["y"], one["double"], **options) for one in of]
    row.add(found, expected, 1.0)


def _compare_class(stack: Stack, row: Callable[[str], Row]) -> None:
    """Compare `hRIXS` with crop, dark, mask and curvature with the oracles in a row."""
    rng = np.random.default_rng(12)
    chip = stack.pixels.shape[1:]
    darks = (stack.level + rng.normal(0, 2, (7, *chip))).astype(stack.pixels.dtype)
    crop = slice(20, 480), slice(40, 440)
    mask = rng.random(chip) < 1e-3
    h = hRIXS()
    h.set_params(
        x_range=crop[0], y_range=crop[1], curve_a=CURVE_A, curve_b=CURVE_B, bins=500,
        threshold=60.0, dbl_threshold=210.0, mask=mask,
    )  # fmt: skip
    dims = ("trainId", "x", "y")
    h.load_dark(xr.Dataset({"MaranaX": (dims, darks)}))
    dark = darks.astype(np.float64).mean(axis=0)
    row("`hRIXS.load_dark`").add(h.dark_image, dark, float(np.abs(dark).max()))

    data = xr.Dataset(
        {"MaranaX": (dims, stack.pixels), "nrj": ("trainId", [ENERGY] * len(stack.pixels))}
    )
    images = stack.pixels[:, *crop]
    options = {"dark": dark[crop], "mask": mask[crop]}
    bins = {"bins": 500, "range": (0.0, float(images.shape[2])), "curvature": TILT}
    ways = {
        "auto": lambda image: reference.find_photons(
            image, threshold=60.0, dbl_threshold=210.0, **options
        ),
        "manual": lambda image: reference.classify_photons(image, ENERGY, **options),
    }
    for method, find in ways.items():
        photons = [find(image) for image in images]
        # The curve is that of the whole camera; bins are the rows of the crop.
        expected = [
            reference.spectrum(one.x + crop[0].start, one.y, one.double, **bins) for one in photons
        ]
        found = h.centroid(data, method=method)["spectrum"]
        row(f"`hRIXS.centroid`, {method}").add(found, expected, 1.0)
    options |= {"curvature": TILT, "first_column": crop[0].start}
    expected = [reference.integrate(image, **options)[0] for image in images]
    row("`hRIXS.integrate`").add(h.integrate(data)["spectrum"], expected, stack.brightest)


def table(quick: bool) -> str:
    """All rows, as Markdown."""
    lines = [
        f"| algorithm | frames | numbers compared of each type | {' | '.join(PIXELS)} | wanted "
        "| same bytes | |",
        "|---" * (len(PIXELS) + 6) + "|",
    ]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows(quick):
        groups.setdefault((row.algorithm, row.frames), []).append(row)
    says = {None: "-", True: "yes", False: "no"}
    for (algorithm, frames), group in groups.items():
        same = None if group[0].same_bytes is None else all(row.same_bytes for row in group)
        lines.append(
            f"| {algorithm} | {frames} | {min(row.n for row in group)} "
            f"| {' | '.join(power(row.difference) for row in group)} | {power(NUMBER_LIMIT)} "
            f"| {says[same]} | {'missed' if any(row.short for row in group) else ''} |"
        )
    return "\n".join(lines)
