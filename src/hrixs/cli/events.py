"""Event lists in ``hrixs process``: photons that are found already, to spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.curve import Curvature
from hrixs.cli.job import Job
from hrixs.spectra.counted import photon_spectrum
from hrixs.spectra.dataset import store_spectrum
from hrixs.spectrometer.recipe import over_energy
from hrixs.spectrometer.slow_doubts import with_slow_doubts
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.provenance import rows_of_crop

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
    if not {"CURVE_A", "CURVE_B"} & set(job.params) and "curve_a" in photons.attrs:
        h.curvature = Curvature.of_attrs(photons.attrs)


def spectra_of_photons(h: hRIXS, photons: xr.Dataset, job: Job) -> xr.Dataset:
    """Spectra of a list's exposures on the energy axis, in the list's own bins if not in others."""
    attrs = photons.attrs
    low, high = (float(end) for end in attrs.get("range") or _rows(photons))
    per_row = attrs["bins"] / (high - low) if "bins" in attrs else None
    if h.Y_RANGE not in (None, slice(None)):
        start, stop, _ = h.Y_RANGE.indices(round(high + 0.5))
        low, high = start - 0.5, stop - 0.5
    if h.X_RANGE not in (None, slice(None)):
        start, stop, _ = h.X_RANGE.indices(attrs["x_range"][1] if "x_range" in attrs else 2**31)
        x = photons["x"].values
        photons = photons.isel(photon=np.flatnonzero((x >= start - 0.5) & (x < stop - 0.5)))
    own = None if per_row is None or "BINS" in job.params else round(per_row * (high - low))
    bins = h.BINS if own is None else own
    spectrum = photon_spectrum(photons, bins=bins, range=(low, high), curvature=h.curvature)
    if job.energy is not None:
        energies = np.full(spectrum.sizes["frame"], job.energy)
        spectrum = spectrum.assign_coords(nrj=("frame", energies, {"units": "eV"}))
    data = spectrum.coords.to_dataset().drop_vars("y").reset_coords()
    spectrum = with_slow_doubts(h, over_energy(h, spectrum), data)
    data.attrs = {"run": attrs.get("run", ""), "n_images": spectrum.sizes["frame"]}
    return store_spectrum(data, spectrum.reset_coords(drop=True))


def _rows(photons: xr.Dataset) -> tuple[float, float]:
    rows = rows_of_crop(photons.attrs)
    if rows is not None:
        return rows[0] - 0.5, rows[1] - 0.5
    return -0.5, float(np.floor(photons["y"].max() + 0.5)) + 0.5
