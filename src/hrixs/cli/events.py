"""Event lists in ``hrixs process``: photons that are found already, to spectra."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hrixs.camera.curve import Curvature
from hrixs.cli.job import Job
from hrixs.spectrometer.spectra import count_events
from hrixs.spectrometer.spectrometer import hRIXS

# Settings of the class that photons of a list have a use for.
_USED = {"BINS", "CURVE_A", "CURVE_B", "ENERGY_INTERCEPT", "ENERGY_SLOPE", "X_RANGE", "Y_RANGE"}


def is_photons(source: Any) -> bool:
    """Whether what is processed are photons of a list, and not images."""
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
    """Take the list's own curve where none is given."""
    is_given = job.settings is not None or {"CURVE_A", "CURVE_B"} & set(job.params)
    if not is_given and "curve_a" in photons.attrs:
        h.curvature = Curvature.of_attrs(photons.attrs)


def spectra_of_photons(h: hRIXS, photons: xr.Dataset, job: Job) -> xr.Dataset:
    """Spectra of a list's exposures on the energy axis, in the list's own bins if not in others."""
    is_given = job.settings is not None or "BINS" in job.params
    bins = h.BINS if is_given else None
    return count_events(h, photons, bins=bins, energy=job.energy)
