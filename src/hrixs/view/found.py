"""Photons or integrated spectra of the images of a run, found once for each set of settings.

Curve, bins and energy axis are applied to the photons afterwards.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.doubt_rules.doubt import DOUBTS, from_text, with_doubts
from hrixs.doubt_rules.images import Names
from hrixs.doubt_rules.photons import outside_of_axis
from hrixs.photons.table import photon_table, table_columns, table_of_columns
from hrixs.reduction.analysis import counts_photons, require_method, resolves
from hrixs.reduction.judge import Seen, judged
from hrixs.reduction.stack import settled_by_first
from hrixs.settings.attributes import Settings
from hrixs.spectra.dataset import COUNTS
from hrixs.spectrometer.recipe import add_spectra, mending_analysis
from hrixs.spectrometer.slow_doubts import with_slow_doubts
from hrixs.spectrometer.spectra import count, process_run
from hrixs.utils.provenance import frames_attrs
from hrixs.view.images import RunImages
from hrixs.view.worker import silence

# Number of images that are resolved before a partial result is shown.
_AT_A_TIME = 8
#: Doubts that depend on curve, bins and axis: checked again when these change.
_OF_THE_SPECTRUM = frozenset(
    (
        "curve",
        "outside_of_axis",
        "energy_axis",
        "calibrated_range",
        "lines_move",
        "denser",
        "no_line",
    )
)

#: Called with the partial spectra (a dataset), the number of images done, and of all images.
Progress = Callable[[xr.Dataset, int, int], None]


@dataclass(frozen=True)
class Found:
    """The photons of the images, or their integrated spectra.

    Attributes
    ----------
    result : xarray.Dataset
        Spectra as first made, with the slow data.
    photons : xarray.Dataset or None
        The photon table; None for integrated intensity.
    seen : Seen or None
        What the images have shown, if they were in memory.
    """

    result: xr.Dataset
    photons: xr.Dataset | None = None
    seen: Seen | None = None

    def spectra(self, h: Settings) -> xr.Dataset:
        """Spectra with the present curve, bins and energy axis, and their doubts.

        Integrated spectra are returned unchanged.
        """
        if self.photons is not None:
            made = count(h, self.photons, self.result, None)
        elif self.seen is not None:
            spectrum = self.result["spectrum"]
            made = self.result.assign(spectrum=spectrum.assign_attrs(spectrum.attrs))
        else:
            return self.result
        made.attrs = dict(self.result.attrs)
        spectrum = made["spectrum"]
        spectrum.attrs[DOUBTS] = self._doubts(spectrum, h)
        with silence():
            with_slow_doubts(h, spectrum, made)
        return made

    def _doubts(self, spectrum: xr.DataArray, h: Settings) -> str:
        attrs = {name: value for name, value in spectrum.attrs.items() if name != DOUBTS}
        if self.seen is not None:
            of_frames = np.asarray(spectrum.values, np.float64).reshape(-1, spectrum.shape[-1])
            first = [one for one in self.seen.analysis.doubts if one.code not in _OF_THE_SPECTRUM]
            analysis = replace(
                self.seen.analysis, curvature=h.curvature, bins=h.BINS, doubts=tuple(first)
            )
            seen = replace(self.seen, analysis=analysis)
            with silence():
                doubts = judged(seen, attrs, of_frames, names=_names(spectrum))
        else:
            told = from_text(str(spectrum.attrs.get(DOUBTS, "[]")))
            before = Curvature.of_attrs(self.result["spectrum"].attrs)
            same_curve = before.coefficients == h.curvature.coefficients
            asked_again = _OF_THE_SPECTRUM - ({"curve"} if same_curve else set())
            doubts = [one for one in told if one.code not in asked_again]
            doubts += outside_of_axis(float(attrs["n_outside"]), float(attrs["n_photons"]))
        return str(with_doubts({}, doubts)[DOUBTS])


def find(images: RunImages, h: Settings, method: str, progress: Progress | None = None) -> Found:
    """Find the photons of all images, or integrate them, according to the settings.

    Parameters
    ----------
    images : RunImages
    h : Settings
    method : str
        As in `hRIXS.process_run`.
    progress : callable, optional
        Called during slow methods.

    Raises
    ------
    ValueError, LookupError, TypeError
        As `hRIXS.process_run` and `hRIXS.centroid`.
    """
    require_method(method)
    with silence():
        data = images.held(images.crop(h))
    if data is not None and not _needs_energies_of_all(data, h, method):
        return _of_held(images, data, h, method, progress)
    with silence():
        if not images.is_run:
            tables: list[xr.Dataset] = []
            made = add_spectra(h, images.source.copy(deep=False), method, tables=tables)
            return Found(_without_images(made, h), joined_tables(tables, made))
        made = process_run(
            h, images.source, method=method, photons=counts_photons(method),
            memory=images.memory, energy=images.energy, progress=False,
        )  # fmt: skip
        photons = photon_table(made) if "photon_x" in made else None
        columns = [name for name in made.variables if "photon" in made[name].dims]
        return Found(made.drop_vars(columns), photons)


def _needs_energies_of_all(data: xr.Dataset, h: Settings, method: str) -> bool:
    """Whether images without a photon energy must be left out, as happens for runs only."""
    if "nrj" not in data or method not in ("manual", "resolve", "best"):
        return False
    return not bool(np.isfinite(data["nrj"].values).all())


def _of_held(
    images: RunImages, data: xr.Dataset, h: Settings, method: str, progress: Progress | None
) -> Found:
    crop, dim = images.crop(h), str(data[h.DETECTOR].dims[0])
    seen: list[Seen] = []
    tables: list[xr.Dataset] = []
    if not resolves(method) or data[h.DETECTOR].ndim == 2 or data.sizes[dim] <= _AT_A_TIME:
        options: dict[str, Any] = {"keep": seen, "tables": tables, "crop": crop}
        with silence():
            made = add_spectra(h, data.copy(deep=False), method, **options)
        return Found(_without_images(made, h), joined_tables(tables, made), seen[0])
    analysis = mending_analysis(h, method, crop)
    energies = data["nrj"].values if "nrj" in data and analysis.takes_energy else None
    frames = data[h.DETECTOR]
    if energies is not None and frames.ndim > 3:
        energies = np.broadcast_to(
            energies.reshape(-1, *(1,) * (frames.ndim - 3)), frames.shape[:-2]
        )
    with silence():
        analysis = settled_by_first(analysis, frames, energies, losses=False)
    parts: list[xr.Dataset] = []
    for begin in range(0, data.sizes[dim], _AT_A_TIME):
        part = data.isel({dim: slice(begin, begin + _AT_A_TIME)})
        options = {"keep": seen, "tables": tables, "crop": crop, "analysis": analysis}
        with silence():  # lets other browsers run in between
            made = add_spectra(h, part.copy(deep=False), method, look=False, **options)
        parts.append(_without_images(made, h))
        if progress is not None:
            n_done = min(begin + _AT_A_TIME, data.sizes[dim])
            progress(_put_together(parts, dim), n_done, data.sizes[dim])
    made = _put_together(parts, dim)
    made.attrs = dict(data.attrs)
    return Found(made, joined_tables(tables, made), Seen.joined(seen))


def _put_together(parts: list[xr.Dataset], dim: str) -> xr.Dataset:
    """Join the spectra of all parts, with the counts added up."""
    made = xr.concat(parts, dim, data_vars="minimal", coords="minimal", combine_attrs="override")
    attrs = made["spectrum"].attrs
    for name in COUNTS:
        if name in attrs:
            attrs[name] = sum(part["spectrum"].attrs[name] for part in parts)
    return made


def _without_images(made: xr.Dataset, h: Settings) -> xr.Dataset:
    dropped = [name for name in (h.DETECTOR, "x", "y") if name in made.variables]
    return made.drop_vars(dropped)


def joined_tables(tables: list[xr.Dataset], made: xr.Dataset) -> xr.Dataset | None:
    """Join the photon tables of all parts; frame numbers continue."""
    if not tables:
        return None
    begins = np.cumsum([0, *(table.sizes["frames"] for table in tables)])
    parts = [table_columns(table) for table in tables]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["frame"] = np.concatenate(
        [part["frame"] + begin for part, begin in zip(parts, begins[:-1], strict=True)]
    )
    spectrum = made["spectrum"]
    dims, shape = [str(dim) for dim in spectrum.dims[:-1]], spectrum.shape[:-1]
    table = table_of_columns(columns, dict(spectrum.attrs) | frames_attrs(dims, shape))
    of_frames = {
        f"frames_{name}": (
            "frames",
            made[name].broadcast_like(spectrum.isel(energy=0)).transpose(*dims).values.ravel(),
        )
        for name in dims
        if name in made.coords
    }
    levels = {
        name: ("frames", np.concatenate([one[name].values for one in tables]))
        for name in ("threshold", "base")
        if name in tables[0]
    }
    table = table.assign(levels)
    return table.assign_coords(of_frames or {"frames_number": ("frames", np.arange(begins[-1]))})


def _names(spectrum: xr.DataArray) -> Names:
    """Names of the images of spectra."""
    n = int(np.prod(spectrum.shape[:-1], dtype=np.int64))
    if "trainId" not in spectrum.coords or not n:
        return Names("number", list(range(n)))
    ids: NDArray[Any] = spectrum["trainId"].values
    return Names("train", np.repeat(ids, n // len(ids)).tolist())


# Number of photon sets that are kept, so that an earlier setting is quick.
_MOST = 4


@dataclass
class _One:
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Found | None = None


class Kept:
    """The last sets of photons, by the settings that they were found with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_key: OrderedDict[str, _One] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        one = self._of_key.get(key)
        return one is not None and one.found is not None

    def get(self, key: str, find: Callable[[], Found]) -> Found:
        """Photons of a key, found now if not stored; other callers wait for them."""
        with self._lock:
            one = self._of_key.setdefault(key, _One())
            self._of_key.move_to_end(key)
            while len(self._of_key) > _MOST:
                self._of_key.popitem(last=False)
        with one.lock:
            if one.found is None:
                one.found = find()
            return one.found
