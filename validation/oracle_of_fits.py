"""Compare positions from the fit of the cloud with the plain fit of the tests."""

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
#: Limits for two photons in each other's windows, which the package fits one after the other.
PLACE_LIMIT_TOGETHER, CHARGE_LIMIT_TOGETHER = 0.02, 0.03
NOT_FITTED, NEIGHBOUR = 3, 4
#: From so many standard deviations on the package corrects a position for its own cloud width.
CERTAIN = 3.9
#: Two photons further apart than this along x or y do not touch (px).
APART = 8
ENERGY, CLOUD_SIGMA, NOISE, GAIN = 530.0, 0.55, 1.6 / 1.06, 1.06
THRESHOLD = 4 * SYMMETRIC_LEVEL + 50.0

TEXT = (
    "**Positions from the fit** (`position='gaussian'`). The plain fit solves the same equations "
    "with SciPy until it converges. The simulated frames are uint16; one half of each frame is the "
    "negative of the other, so that its mean is known.\n\n"
    "'level fitted': with `local_background`. 'masked pixels': some pixels in the fitted windows "
    "are masked, and each pixel has its own noise. 'neighbours': two hits, each in the window of "
    "the other; SciPy fits both at once, hrixs one after the other.\n\n"
    "'Left out' are hits that hrixs does not fit, or whose cloud certainly has another width "
    "(merged photons), which hrixs corrects and the plain fit does not. Hits with more than one "
    "neighbour are not compared. Neighbours are not compared with `local_background`, because the "
    "plain fit has one level for both. 'Found by one only' are hits without a partner, and pairs "
    "that are more than ten limits apart. Differences of charges and errors are relative. The "
    "errors of neighbours have no limit: hrixs states each as if the position of the other was "
    "known exactly."
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
    """One way to fit, compared with the oracle."""

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
        """Largest difference of x and y that is allowed, in pixels."""
        return PLACE_LIMIT_TOGETHER if self.together else PLACE_LIMIT

    @property
    def charge_limit(self) -> float:
        """Largest relative difference of the charge that is allowed."""
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
    yield _Way("charge and position", find_photons, {}, {})
    yield _Way("with noise of electrons", find_photons, gain, gain)
    yield _Way("with noise of electrons, level fitted", find_photons, gain | local, gain | local)
    noise = np.random.default_rng(13).uniform(0.7 * NOISE, 2 * NOISE, shape)
    yield _Way(
        "own noise of each pixel, masked pixels",
        find_photons,
        {"read_noise": noise},
        {"read_noise": noise},
        True,
    )
    yield _Way("with noise of electrons", classify_photons, gain, gain)
    yield _Way(
        "with noise of electrons, level fitted", classify_photons, gain | local, gain | local
    )


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
        "| finder | fit | hits | photons found by both | left out | found by one only | wanted "
        "| largest difference of x, y / px | wanted | of the charge | wanted "
        "| of `sigma_x`, `sigma_y` | wanted | |",
        "|---" * 14 + "|",
    ]
    for row in rows(quick):
        lines.append(
            f"| {row.finder} | {row.way} | {'neighbours' if row.together else 'one photon'} "
            f"| {row.n} | {row.left_out} | {row.one_only} | 0 | {power(row.place)} "
            f"| {power(row.place_limit)} | {power(row.charge)} | {power(row.charge_limit)} "
            f"| {power(row.error)} | {'-' if row.together else power(ERROR_LIMIT)} "
            f"| {'missed' if row.short else ''} |"
        )
    return "\n".join(lines)
