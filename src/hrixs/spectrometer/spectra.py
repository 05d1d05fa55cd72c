"""Spectra by the settings: of a run of any length, a photon table, or one image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.dataset import one_image
from hrixs.camera.frames import first_pixel
from hrixs.deconvolution.options import Deconvolution
from hrixs.doubt_rules.doubt import DOUBTS, from_text, require_none_grave
from hrixs.photons.classify import classify_photons
from hrixs.photons.find import find_photons
from hrixs.photons.table import with_attributes
from hrixs.reduction.analysis import require_method
from hrixs.reduction.run import process_run as reduce_to_spectra
from hrixs.runs.run import RunLike
from hrixs.settings.attributes import Settings
from hrixs.settings.recorded import recorded_method
from hrixs.spectra.counted import photon_spectrum
from hrixs.spectra.dataset import store_spectrum
from hrixs.spectrometer.incident import incident
from hrixs.spectrometer.inputs import Fields, chosen, index, with_fields, with_source
from hrixs.spectrometer.recipe import (
    classify_options,
    crop_of,
    find_options,
    image_options,
    labelled,
    mending_analysis,
    one_of_all,
    origin_of,
    over_energy,
)
from hrixs.spectrometer.slow_doubts import with_slow_doubts
from hrixs.utils.checks import number, require_dataset, require_photon_table
from hrixs.utils.provenance import rows_of_crop
from hrixs.utils.threads import resolve_threads

if TYPE_CHECKING:
    from distributed import Client


def process_run(
    h: Settings,
    run: RunLike,
    data_and_trust: tuple[str | None, str | None] = (None, None),
    which: Mapping[str, Any] | None = None,
    extra_fields: Fields = (),
    *,
    proposal: int | str | None = None,
    method: str = "auto",
    threads: int | None = None,
    strict: bool = False,
    client: Client | None = None,
    deconvolve: bool = False,
    oversample: int | None = None,
    **options: Any,
) -> xr.Dataset:
    """Index a run, make its analysis, and reduce it; see `hrixs.hRIXS.process_run`.

    `which` are ``subset``, ``trains`` and ``drop_first``.
    """
    require_method(method)
    usual = h.THREADS if client is None else 1  # a worker's threads have a task each
    n_threads = resolve_threads(usual if threads is None else threads)
    data, trust = data_and_trust
    given: Any = chosen(h, run, proposal, data=data, trust=trust)
    fields = with_fields(h, extra_fields)
    indexed = index(h, given, proposal, strict=strict, **fields, **(which or {}))
    crop = crop_of(h, *indexed.frame_shape)
    wanted = Deconvolution.asked(deconvolve=deconvolve, oversample=oversample)
    analysis = mending_analysis(h, method, crop, deconvolution=wanted).with_threads(n_threads)
    options |= {"threads": n_threads, "client": client}
    i0 = incident(h, indexed)
    result, analysis = reduce_to_spectra(indexed, analysis, crop, **options)
    if i0 is not None:
        result["I0"] = i0.of_images(result["trainId"].values)
    result = with_source(h, result, given, proposal)
    made, beside = one_of_all(h, result["spectrum"], analysis, crop, result)
    spectrum = labelled(h, made, crop)
    spectrum = with_slow_doubts(h, spectrum, result)
    if strict:
        require_none_grave(from_text(spectrum.attrs[DOUBTS]))
    rest = with_attributes(result.drop_vars(["spectrum", "y"]))
    return store_spectrum(rest, spectrum, beside)


def count(
    h: Settings, photons: xr.Dataset, data: xr.Dataset | None, bins: int | None
) -> xr.Dataset:
    """Spectra of a photon table; see `hrixs.hRIXS.count`."""
    require_photon_table(photons, "x", "y", "frame", "double")
    rows = rows_of_crop(photons.attrs)
    if rows is None:
        raise ValueError(
            "the photon table does not list the rows of the frames. Get it with "
            "photon_table(result) from a result of hRIXS, or give shape=... to photon_table_from. "
            "For tables of any origin, use hrixs.photon_spectrum(photons, ...)."
        )
    spectrum = photon_spectrum(
        photons, bins=h.BINS if bins is None else bins, range=rows, curvature=h.curvature
    )
    spectrum = over_energy(h, spectrum)
    if data is None:
        of_frames = spectrum.coords.to_dataset().drop_vars("energy").reset_coords()
        spectrum = spectrum.reset_coords(drop=True)
        return store_spectrum(of_frames.assign_attrs(photons.attrs), spectrum)
    require_dataset(data, "the result that the photons come from")
    if "trainId" not in spectrum.coords:
        raise ValueError(
            "data is given, but the photon table does not list the trains of its photons. Leave "
            "data out, or take the table of that result: photon_table(result)."
        )
    if not np.array_equal(data.get("trainId", ()), spectrum["trainId"]):
        raise ValueError(
            f"data has {data.get('trainId', np.empty(0)).size} trains and the photons those of "
            f"{spectrum.sizes['trainId']}, expected the same. Give the result that the photons "
            "come from."
        )
    made = {"energy", "photon", "x", "y"}
    others = [name for name, v in data.variables.items() if not made & set(v.dims)]
    return store_spectrum(data[others].copy(deep=False), spectrum)


@recorded_method
def count_events(
    h: Settings, photons: xr.Dataset, *, bins: int | None = None, energy: float | None = None
) -> xr.Dataset:
    """Make the spectra of the exposures of an event list, on the energy axis of the settings.

    Parameters
    ----------
    h : hRIXS
        Its `X_RANGE` and `Y_RANGE` choose photons; its curvature and energy axis are used.
    photons : xarray.Dataset
        From `hrixs.read_events`.
    bins : int, optional
        Number of bins over the rows used; default: those of the list, or `BINS`.
    energy : float, optional
        Photon energy in eV, instead of the one in the list.

    Returns
    -------
    xarray.Dataset
        Over ``frame``: ``spectrum`` in photons, and the values that the list has for each exposure.

    Examples
    --------
    >>> photons = hrixs.read_events("Co_0616_d2.h5")  # doctest: +SKIP
    >>> h.curvature = hrixs.Curvature.of_attrs(photons.attrs)  # doctest: +SKIP
    >>> data = hrixs.count_events(h, photons)  # doctest: +SKIP
    """
    require_photon_table(photons, "x", "y", "frame", "double")
    attrs = photons.attrs
    low, high = (float(end) for end in attrs.get("range", _rows(photons)))
    per_row = attrs["bins"] / (high - low) if "bins" in attrs else None
    if h.Y_RANGE not in (None, slice(None)):
        start, stop, _ = h.Y_RANGE.indices(round(high + 0.5))
        low, high = start - 0.5, stop - 0.5
    if h.X_RANGE not in (None, slice(None)):
        start, stop, _ = h.X_RANGE.indices(attrs["x_range"][1] if "x_range" in attrs else 2**31)
        x = photons["x"].values
        photons = photons.isel(photon=np.flatnonzero((x >= start - 0.5) & (x < stop - 0.5)))
    if bins is None:
        bins = h.BINS if per_row is None else round(per_row * (high - low))
    spectrum = photon_spectrum(photons, bins=bins, range=(low, high), curvature=h.curvature)
    if energy is not None:
        energies = np.full(spectrum.sizes["frame"], number("energy", energy))
        spectrum = spectrum.assign_coords(nrj=("frame", energies, {"units": "eV"}))
    data = spectrum.coords.to_dataset().drop_vars("y").reset_coords()
    spectrum = with_slow_doubts(h, over_energy(h, spectrum), data)
    data.attrs = {"run": attrs.get("run", ""), "n_images": spectrum.sizes["frame"]}
    return store_spectrum(data, spectrum.reset_coords(drop=True))


def _rows(photons: xr.Dataset) -> tuple[float, float]:
    """First and last row of a list, including the borders of the pixels."""
    rows = rows_of_crop(photons.attrs)
    if rows is not None:
        return rows[0] - 0.5, rows[1] - 0.5
    return -0.5, float(np.floor(photons["y"].max() + 0.5)) + 0.5


def centroid_one(h: Settings, image: xr.DataArray | ArrayLike) -> list[tuple[float, float]]:
    """Positions of the photons of one image (double hits twice), corrected for the curvature."""
    pixels = one_image(image)
    found = find_photons(pixels, **find_options(h) | image_options(h, pixels, first_pixel(image)))
    places = np.repeat(_places(h, image, pixels, found), 1 + found.double.values, axis=0)
    return [(x, y) for x, y in places.tolist()]


def centroid_two(
    h: Settings, image: xr.DataArray | ArrayLike, energy: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of single and double hits of one image, corrected for the curvature."""
    pixels = one_image(image)
    found = classify_photons(
        pixels, energy, **classify_options(h) | image_options(h, pixels, first_pixel(image))
    )
    places = _places(h, image, pixels, found)
    return places[~found.double.values], places[found.double.values]


def _places(
    h: Settings, image: xr.DataArray | ArrayLike, pixels: NDArray[Any], found: xr.Dataset
) -> NDArray[np.float64]:
    """Columns x and y on the whole chip, y corrected."""
    first_x, first_y = origin_of(h, image, pixels.shape)
    x = found.x.values + first_x
    return np.column_stack([x, found.y.values + first_y - h.curvature(x)])
