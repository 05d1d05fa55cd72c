"""The energy axis against what is known of the photons' energy."""

from __future__ import annotations

from collections.abc import Sequence

from hrixs.doubt_rules.doubt import Doubt

# Energy loss is seldom larger: an axis that ends farther below the photons' energy is off.
_FARTHEST = 0.5
# Photons beside the energies of a calibration, in parts of their span and at least in eV.
_BEYOND, _LEAST_BEYOND = 1.0, 2.0


def calibrated_range(energy: float, lowest: float, highest: float) -> list[Doubt]:
    """Doubt photons far from the energies that the axis was calibrated with, in eV."""
    reach = max(_BEYOND * (highest - lowest), _LEAST_BEYOND)
    if lowest - reach <= energy <= highest + reach:
        return []
    return [
        Doubt(
            "calibrated_range",
            f"the photons have {energy:.2f} eV (nrj), and the axis was calibrated from "
            f"{lowest:.2f} to {highest:.2f} eV: there it is a guess. Call calibrate_energy with "
            "runs around that energy.",
            {"energy": energy, "lowest": lowest, "highest": highest},
        )
    ]


def calibration(remarks: Sequence[str]) -> list[Doubt]:
    """Doubt lines of a calibration that are odd, or off the axis; a sentence each."""
    if not remarks:
        return []
    return [Doubt("calibration", " ".join(remarks), {"n_remarks": len(remarks)})]


def energy_axis(
    first: float, last: float, n_bins: int, *, slope: float, energy: float | None
) -> list[Doubt]:
    """Doubt an energy axis that does not move, or on which elastic photons do not lie.

    Parameters
    ----------
    first, last : float
        Energies of the axis' ends.
    n_bins : int
        Its bins.
    slope : float
        Energy of a row.
    energy : float, optional
        Photon energy of the images, in eV.
    """
    if slope == 0:
        return [
            Doubt(
                "energy_axis",
                f"ENERGY_SLOPE is 0: all {n_bins} bins have the energy {first:g} eV. Call "
                "calibrate_energy, or set ENERGY_SLOPE in eV a row.",
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
            f"the photons have {energy:.2f} eV (nrj), and the axis goes from {low:.2f} to "
            f"{high:.2f} eV: the elastic line is not on it. Check ENERGY_INTERCEPT and "
            "ENERGY_SLOPE, or calibrate_energy again.",
            {"energy": energy, "first": first, "last": last},
        )
    ]
