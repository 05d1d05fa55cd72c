"""Event lists in ``hrixs process``: spectra of photons that were found before."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hrixs.camera.curve import Curvature
from hrixs.cli.job import Job
from hrixs.spectrometer.spectra import count_events
from hrixs.spectrometer.spectrometer import hRIXS

# Settings of the class that apply to photons of a list.
_USED = {"BINS", "CURVE_A", "CURVE_B", "ENERGY_INTERCEPT", "ENERGY_SLOPE", "X_RANGE", "Y_RANGE"}


def is_photons(source: Any) -> bool:
    """Whether the data are photons of an event list, and not images."""
    return isinstance(source, xr.Dataset) and "photon" in source.dims


def require_use(job: Job) -> None:
    """Raise ValueError for options that need images."""
    given = {"--dark": job.dark, "--mask": job.mask, "--photons": job.photons}
    given |= {f"--{name.lower().replace('_', '-')}": name not in _USED for name in job.params}
    given["--method"] = job.method != "auto"
    useless = [name for name, one in given.items() if one]
    if useless:
        raise ValueError(
            f"{', '.join(useless)} needs images, and an event list has none: its photons are found "
            "and placed already. Leave it out."
        )


def set_own_curve(h: hRIXS, photons: xr.Dataset, job: Job) -> None:
    """Use the curvature in the list if no other is given."""
    is_given = job.settings is not None or {"CURVE_A", "CURVE_B"} & set(job.params)
    if not is_given and "curve_a" in photons.attrs:
        h.curvature = Curvature.of_attrs(photons.attrs)


def spectra_of_photons(h: hRIXS, photons: xr.Dataset, job: Job) -> xr.Dataset:
    """Spectra of the exposures of a list on the energy axis; default: the bins of the list."""
    is_given = job.settings is not None or "BINS" in job.params
    bins = h.BINS if is_given else None
    return count_events(h, photons, bins=bins, energy=job.energy)
