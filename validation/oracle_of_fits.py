"""Photons placed by the fit of their clouds, against the plain fit of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs import classify_photons, find_photons
from validation.figures import power
from validation.hard_frames import SYMMETRIC_LEVEL, symmetric
from validation.plain import gaussian_reference, reference

PLACE_LIMIT, CHARGE_LIMIT, ERROR_LIMIT = 1e-3, 1e-3, 1e-2
#: Of two photons that lie in each other's windows, which the package fits in turn.
PLACE_LIMIT_TOGETHER, CHARGE_LIMIT_TOGETHER = 0.02, 0.03
NOT_FITTED, NEIGHBOUR = 3, 4
#: Standard deviations from which on the package corrects a place for the width of its own cloud.
CERTAIN = 3.9
#: Further apart than this along x or y, no two photons touch (px).
APART = 8
ENERGY, CLOUD_SIGMA, NOISE, GAIN = 530.0, 0.55, 1.6 / 1.06, 1.06
THRESHOLD = 4 * SYMMETRIC_LEVEL + 50.0

TEXT = (
    "Places by the fit (`position='gaussian'`), on simulated frames of uint16 whose one half is "
    "the negative of the other, so that the level is known; the plain fit solves the same "
    "equations to the end with SciPy. 'Level fitted' is `local_background`, 'cut' are windows "
    "with masked pixels, where also the noise is a map. Neighbours are pairs of hits in each "
    "other's windows: SciPy fits both at once, the package in turn. 'Left out' are hits that the "
    "package does not fit, or corrects for a cloud that is certainly of another width, as merged "
    "photons are; the plain fit does not know that. Hits with more neighbours are not compared, "
    "nor are neighbours with a level of their own, for which the plain fit has but one for both. "
    "'Of one only' are hits, and pairs of hits ten times the limit apart. Charges and errors are "
    "relative; no limit is set for the errors of neighbours, each of which is told as if the "
    "other's place was known."
)


class _Way(NamedTuple):
    """What is fitted: `package` are options of the finder, `plain` those of the oracle."""

    name: str
    find: Callable[..., xr.Dataset]
    package: dict[str, Any]
    plain: dict[str, Any]
    cut: bool = False


@dataclass
class Row:
    """One way to fit, against the oracle."""

    finder: str
    way: str
    together: bool
    n: int = 0
    crowded: int = 0
    left_out: int = 0
    one_only: int = 0
    place: float = 0.0
    charge: float = 0.0
    error: float = 0.0

    @property
    def place_limit(self) -> float:
        """Of x and y, in pixels."""
        return PLACE_LIMIT_TOGETHER if self.together else PLACE_LIMIT

    @property
    def charge_limit(self) -> float:
        """Relative."""
        return CHARGE_LIMIT_TOGETHER if self.together else CHARGE_LIMIT

    @property
    def short(self) -> bool:
        """Whether a limit is missed, or nothing was compared."""
        near = self.place <= self.place_limit and self.charge <= self.charge_limit
        near &= self.together or self.error <= ERROR_LIMIT
        return self.one_only > 0 or not near or not self.n

    def add(self, found: xr.Dataset, fit: Any) -> None:
        """Compare one photon with its fit."""
        off = max(abs(float(found[name]) - getattr(fit, name)) for name in ("x", "y"))
        if off > 10 * self.place_limit:
            self.one_only += 1
            return
        self.n += 1
        self.place = max(self.place, off)
        self.charge = max(self.charge, abs(float(found["charge"]) / fit.charge - 1))
        for name in ("sigma_x", "sigma_y"):
            self.error = max(self.error, abs(float(found[name]) / getattr(fit, name) - 1))


def _ways(shape: tuple[int, ...]) -> Iterator[_Way]:
    gain, local = {"electrons_per_adu": GAIN}, {"local_background": True}
    yield _Way("charge and place", find_photons, {}, {})
    yield _Way("with electrons' noise", find_photons, gain, gain)
    yield _Way("with electrons' noise, level fitted", find_photons, gain | local, gain | local)
    noise = np.random.default_rng(13).uniform(0.7 * NOISE, 2 * NOISE, shape)
    yield _Way(
        "map of the noise, cut", find_photons, {"read_noise": noise}, {"read_noise": noise}, True
    )
    yield _Way("with electrons' noise", classify_photons, gain, gain)
    yield _Way("with electrons' noise, level fitted", classify_photons, gain | local, gain | local)


@cache
def rows(quick: bool) -> list[Row]:
    """Fit sparse photons and crowded ones, in every way."""
    result = []
    for together in (False, True):
        frames = symmetric(1 if quick else 10, 200 if together else 60, seed=14 + together)
        for way in _ways(frames.shape[1:]):
            if together and (way.cut or "local_background" in way.plain):
                continue
            row = Row(f"`{way.find.__name__}`", way.name, together)
            for frame in frames:
                _compare(row, frame, way)
            result.append(row)
    return result


def _compare(row: Row, frame: NDArray[np.uint16], way: _Way) -> None:
    mask = None
    if way.cut:
        half = np.random.default_rng(15).random((frame.shape[0], frame.shape[1] // 2)) < 0.03
        mask = np.concatenate([half, half], axis=1)
    first = {"threshold": THRESHOLD} if way.find is find_photons else {"energy": ENERGY}
    options = {
        "position": "gaussian",
        "cloud_sigma": CLOUD_SIGMA,
        "read_noise": NOISE,
        "mask": mask,
    }
    table = way.find(frame, **(first | options | way.package))
    image = reference.corrected(frame, mask=mask)
    pixels = _pixels_of_hits(image, way.find)
    if len(pixels) != table.sizes["photon"]:
        row.one_only += abs(len(pixels) - table.sizes["photon"])
        return
    plain = {"cloud_sigma": CLOUD_SIGMA, "read_noise": NOISE, "background": SYMMETRIC_LEVEL}
    places, flags = np.array(pixels), table["flag"].values
    of_other_width = (
        np.abs(table["own_cloud_sigma"] - CLOUD_SIGMA) > CERTAIN * table["own_cloud_sigma_err"]
    )
    left_out = (flags & NOT_FITTED > 0) | of_other_width.values
    for number, pixel in enumerate(pixels):
        near = np.flatnonzero((np.abs(places - pixel) <= APART).all(axis=1))
        if near.size != 1 + row.together or (row.together and not (flags[near] & NEIGHBOUR).all()):
            row.crowded += 1
        elif left_out[near].any():
            row.left_out += 1
        elif near[0] == number:
            fits = gaussian_reference.gaussian_fits(
                image, [pixels[one] for one in near], **(plain | way.plain)
            )
            for one, fit in zip(near, fits, strict=True):
                row.add(table.isel(photon=one), fit)


def _pixels_of_hits(image: NDArray[np.float64], find: Callable[..., Any]) -> list[tuple[int, int]]:
    """The brightest pixel of each hit, by the plain finders."""
    above = image - np.nanmean(image)
    if find is find_photons:
        sums = reference.squares(image)
        corners = reference._local_maxima(sums, sums > THRESHOLD)
        spots = [above[i - 1 : i + 3, j - 1 : j + 3] for i, j in corners]
        return [
            gaussian_reference.brightest(image, corner)
            for corner, spot in zip(corners, spots, strict=True)
            if np.nansum(spot) > 0
        ]
    photon = ENERGY / 3.6 / GAIN
    in_range = (above > 0.2 * photon) & (above < photon)
    corners = reference._local_maxima(above, in_range)
    spots = [above[i - 1 : i + 2, j - 1 : j + 2] for i, j in corners]
    return [one for one, spot in zip(corners, spots, strict=True) if np.nansum(spot) > 0.2 * photon]


def table(quick: bool) -> str:
    """All rows, as Markdown."""
    lines = [
        "| finder | fitted | | photons of both | left out | of one only | wanted "
        "| difference of x, y / px | wanted | of charge | wanted | of `sigma_x`, `sigma_y` "
        "| wanted | |",
        "|---" * 14 + "|",
    ]
    for row in rows(quick):
        lines.append(
            f"| {row.finder} | {row.way} | {'neighbours' if row.together else 'one photon'} "
            f"| {row.n} | {row.left_out} | {row.one_only} | 0 | {power(row.place)} "
            f"| {power(row.place_limit)} | {power(row.charge)} | {power(row.charge_limit)} "
            f"| {power(row.error)} | {'-' if row.together else power(ERROR_LIMIT)} "
            f"| {'short' if row.short else ''} |"
        )
    return "\n".join(lines)
