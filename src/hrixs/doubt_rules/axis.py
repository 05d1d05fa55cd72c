"""Compare the energy axis with the known photon energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# Energy loss is seldom larger: an axis that ends farther below the photon energy is wrong.
_FARTHEST = 0.5
# Distance of photons from the energies of a calibration, in units of their range and in eV.
_BEYOND, _LEAST_BEYOND = 1.0, 2.0
# No photon gains this much energy, in eV: heat gives 0.1, and an axis is seldom known better.
# Lines are searched in stretches of half of it, or of this many bins. A line at an energy gain is
# strong if it has this part of the tallest one, by this many standard deviations.
_GAIN, _STRETCH_BINS = 0.5, 3
_STRONG, _GAIN_ERRORS, _LEAST_PHOTONS = 0.3, 8.0, 30.0
# The part of the line in all images but the brightest, which may have a cosmic ray.
_LEAST_OF_OTHERS = 0.25


def calibrated_range(energy: float, lowest: float, highest: float) -> list[Doubt]:
    """Return a doubt if the photon energy is far from the energies of the calibration, in eV."""
    reach = max(_BEYOND * (highest - lowest), _LEAST_BEYOND)
    if lowest - reach <= energy <= highest + reach:
        return []
    return [
        Doubt(
            "calibrated_range",
            f"the photon energy is {energy:.2f} eV (nrj), but the axis was calibrated from "
            f"{lowest:.2f} to {highest:.2f} eV, so it is extrapolated. Call calibrate_energy "
            "with runs around that energy.",
            {"energy": energy, "lowest": lowest, "highest": highest},
        )
    ]


def calibration(remarks: Sequence[str]) -> list[Doubt]:
    """Return a doubt about lines of a calibration; `remarks` has a sentence for each."""
    if not remarks:
        return []
    return [Doubt("calibration", " ".join(remarks), {"n_remarks": len(remarks)})]


def energy_axis(
    first: float, last: float, n_bins: int, *, slope: float, energy: float | None
) -> list[Doubt]:
    """Return a doubt if all bins have the same energy, or the elastic line is outside the axis.

    Parameters
    ----------
    first, last : float
        Energies at the ends of the axis, in eV.
    n_bins : int
        Number of bins.
    slope : float
        Energy of a row (``ENERGY_SLOPE``), in eV.
    energy : float, optional
        Photon energy of the images, in eV.
    """
    if slope == 0:
        return [
            Doubt(
                "energy_axis",
                f"ENERGY_SLOPE is 0: all {n_bins} bins have the energy {first:g} eV. Call "
                "calibrate_energy, or set ENERGY_SLOPE in eV per row.",
                {"slope": slope},
                grave=True,
            )
        ]
    if energy is None:
        return []
    low, high = min(first, last), max(first, last)
    reach = _FARTHEST * (high - low)
    if low - reach <= energy <= high + reach:
        return []
    return [
        Doubt(
            "energy_axis",
            f"the photon energy is {energy:.2f} eV (nrj), but the axis goes from {low:.2f} to "
            f"{high:.2f} eV: the elastic line is outside. Check ENERGY_INTERCEPT and "
            "ENERGY_SLOPE, or call calibrate_energy again.",
            {"energy": energy, "first": first, "last": last},
        )
    ]


def energy_gain(spectra: Floats, axis: Floats, energies: Floats, *, counted: bool) -> list[Doubt]:
    """Return a doubt if spectra have a strong line above the photon energy, where no photon can be.

    Parameters
    ----------
    spectra : numpy.ndarray, shape (images, bins)
    axis : numpy.ndarray, shape (bins,)
        Energies of the bins, in equal steps, in eV.
    energies : numpy.ndarray, shape (images,)
        Photon energy of each image, in eV; images with NaN are left out.
    counted : bool
        Whether the spectra are counted photons.
    """
    step = float(axis[-1] - axis[0]) / max(len(axis) - 1, 1)
    if step < 0:
        spectra, axis, step = spectra[:, ::-1], axis[::-1], -step
    usable = np.isfinite(energies) & np.isfinite(spectra).any(axis=1)
    known = np.flatnonzero(np.isfinite(spectra[usable]).all(axis=0))
    if not usable.any() or not step > 0 or np.any(np.diff(known) != 1):
        return []
    spectra, axis = spectra[:, known], axis[known]  # the ends of a tilted crop are NaN
    stretch = max(round(0.5 * _GAIN / step), _STRETCH_BINS)
    spectra, energies = spectra[usable], energies[usable]
    moved = np.rint((energies - energies.min()) / step).astype(np.int64)
    total = _over_gain(spectra, moved)
    gain = axis[: len(total)] - energies.min()
    if len(total) < 4 * stretch:
        return []
    light = np.convolve(total, np.ones(stretch), mode="valid")
    gain = gain[: len(light)] + 0.5 * (stretch - 1) * step
    level = float(np.median(light))
    scatter = 1.4826 * float(np.median(np.abs(light - level)))
    if counted:
        scatter = max(scatter, float(np.sqrt(max(level, 1.0))))
    height = light - level
    above = np.flatnonzero(gain > max(_GAIN, 2 * stretch * step))
    if not above.size:
        return []
    at = int(above[np.argmax(height[above])])
    if height[above[0]] > 0.5 * height[at]:
        return []  # the wing of a wide line
    strong, least = _STRONG * float(height.max()), _LEAST_PHOTONS if counted else 0.0
    if height[at] <= max(strong, _GAIN_ERRORS * scatter, least):
        return []
    if not _in_several(spectra, moved, at, stretch) and not (counted and len(spectra) == 1):
        return []  # a cosmic ray
    share, energy = float(height[at] / height.max()), float(np.median(energies))
    line = "the tallest line" if share == 1 else f"a line with {share:.0%} of the tallest one"
    return [
        Doubt(
            "energy_gain",
            f"{line} is {gain[at]:.2f} eV above the photon energy (nrj, {energy:.2f} eV), but "
            f"photons do not gain energy (expected within {_GAIN:g} eV). Check the sign of "
            "ENERGY_SLOPE, ENERGY_INTERCEPT and nrj, or call calibrate_energy again.",
            {"gain": float(gain[at]), "share": share, "energy": energy},
        )
    ]


def _over_gain(spectra: Floats, moved: NDArray[np.int64]) -> Floats:
    """Sum of the spectra over the energy gain; each is moved by whole bins.

    Bins that some spectra do not reach are left out.
    """
    n = max(spectra.shape[1] - int(moved.max()), 0)
    total = np.zeros(n)
    for shift in np.unique(moved) if n else ():
        total += spectra[moved == shift, shift : shift + n].sum(axis=0)
    return total


def _in_several(spectra: Floats, moved: NDArray[np.int64], at: int, stretch: int) -> bool:
    """Whether a stretch still has light without the image that has most of it."""
    each = np.zeros(len(spectra))
    for shift in np.unique(moved):
        of = moved == shift
        first = shift + at
        each[of] = spectra[of, first : first + stretch].sum(axis=1)
        each[of] -= stretch * np.median(spectra[of], axis=1)
    return bool(each.sum() - each.max() > _LEAST_OF_OTHERS * each.sum())
