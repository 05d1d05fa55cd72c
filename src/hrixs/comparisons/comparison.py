"""Compare two settings on the same images: what differs, and which photons."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from hrixs.comparisons.common_axis import CommonAxis, common_axis
from hrixs.comparisons.compared import Comparison, Quantity
from hrixs.comparisons.differing import settings_that_differ, told_by
from hrixs.comparisons.matched_photons import Integers, Places, leading, photons_of_both
from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.listing import doubts
from hrixs.energy.line import line_width
from hrixs.photons.table import photon_table
from hrixs.reduction.analysis import counts_photons, require_method
from hrixs.spectra.errors import known_error, with_variance
from hrixs.spectra.methods import METHODS
from hrixs.spectrometer.inputs import RunOrData, images_in
from hrixs.spectrometer.recipe import add_spectra
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import (
    ChargeBalanceWarning,
    DoubtWarning,
    LostPhotonsWarning,
    MissingDataError,
    NoLineError,
)

# Doubts of both are listed in the comparison.
_DOUBTS = (DoubtWarning, LostPhotonsWarning, ChargeBalanceWarning)
# Largest share of photons whose bin differs from that in the spectrum, since positions are
# rounded.
_MOST_ELSEWHERE = 1e-3


def compare(
    h1: hRIXS,
    h2: hRIXS,
    data: RunOrData | Sequence[xr.Dataset],
    *,
    method: str = "auto",
    methods: Sequence[str] | None = None,
    region: tuple[float, float] | None = None,
    **options: Any,
) -> Comparison:
    """Analyse the same images with two settings, and compare the results.

    Parameters
    ----------
    h1, h2 : hRIXS
        The two settings, each with its dark. They are not changed.
    data : xarray.Dataset or run, or (xarray.Dataset, xarray.Dataset)
        Images (loaded, lazy, or in a file); or a run, which is read twice, in limited memory; or
        two existing results, the first of `h1` (their ``attrs`` are compared, too). It is not
        changed.
    method : {'auto', 'manual', 'resolve', 'integrate', 'best'}
        Method of both.
    methods : (str, str), optional
        A method for each, instead of `method`.
    region : (float, float), optional
        Part of the axis with the line whose width is compared, as for `line_width`; by default the
        tallest line.
    **options
        For a run: options of `hRIXS.process_run`, for example ``trains`` or ``memory``.

    Returns
    -------
    Comparison
        Settings that differ, both results, photons found by both or only by one (within a pixel,
        image by image), sums, the width of the line, doubts and durations. ``print`` shows a
        table, ``.plot()`` draws both spectra and their difference.

    Raises
    ------
    TypeError
        If `data` is none of these.
    ValueError, LookupError
        As `hRIXS.process_run` and `hRIXS.centroid`.

    Notes
    -----
    Both spectra contain mostly the same photons. So the error of their difference is not the
    quadrature sum of both errors, which would be far too large. It is the square root of the
    number of photons that only one of the two has in a bin. Photons are matched nearest first,
    each once; a double hit is two photons at one position.

    Examples
    --------
    >>> import copy
    >>> from hrixs import compare, hRIXS
    >>> from hrixs.simulation import Sensor, SpectralLine, simulate_frames
    >>> frames, truth = simulate_frames(4, sensor=Sensor(shape=(64, 128)), photons_per_frame=9,
    ...                                 lines=[SpectralLine(60, 2, 1)], energy=530, seed=1)
    >>> h1 = hRIXS()
    >>> h1.set_params(threshold=60)
    >>> h2 = copy.copy(h1)
    >>> h2.THRESHOLD = 160
    >>> found = compare(h1, h2, frames.rename(frame="trainId").to_dataset(name="MaranaX"))
    >>> found.settings, found.only_second
    ({'THRESHOLD': (60, 160)}, 0)
    """
    of_each = (method, method) if methods is None else tuple(methods)
    if len(of_each) != 2 or isinstance(methods, str):
        raise ValueError(f"methods = {methods!r}, expected two, such as ('auto', 'resolve').")
    for one in of_each:
        require_method(one, METHODS)
    settings = settings_that_differ(h1, h2)
    if isinstance(data, list | tuple):
        own = options if methods is None else {"methods": methods, **options}
        first, second = (_given(one) for one in _two_results(data, own))
        settings = told_by(first.result, second.result) | settings
    else:
        # Copies, so that values set by an analysis are not kept.
        first, second = (
            _made(copy.copy(h), data, way, options)
            for h, way in zip((h1, h2), of_each, strict=True)
        )
        if of_each[0] != of_each[1]:
            settings = {"method": of_each, **settings}
    notes: list[str] = []
    photons, same = _photons_of_both(first, second, notes)
    totals = (_total(first.result), _total(second.result))
    n_images = (_n_images(first.result), _n_images(second.result))
    return Comparison(
        settings=settings,
        first=first.result,
        second=second.result,
        n_images=n_images,
        total=totals,
        per_image=(_per_image(totals[0], n_images[0]), _per_image(totals[1], n_images[1])),
        line=(_line(first.result, region), _line(second.result, region)),
        photons=photons,
        difference=_difference(first, second, same, notes),
        doubts=(_doubts(first.result), _doubts(second.result)),
        seconds=(first.seconds, second.seconds),
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Made:
    """A result, its photons if there are any, and the duration."""

    result: xr.Dataset
    places: Places | None
    seconds: float


def _two_results(data: Sequence[Any], options: Mapping[str, Any]) -> Sequence[xr.Dataset]:
    if len(data) != 2 or not all(isinstance(one, xr.Dataset) for one in data):
        raise TypeError(
            "got a list, expected two results: (h1.process_run(145), h2.process_run(145)). Or "
            "give images, or one run."
        )
    if options:
        raise TypeError(
            f"{next(iter(options))} was given with existing results; it is for runs only."
        )
    for one in data:
        if "spectrum" not in one:
            raise MissingDataError("a result has no spectrum. Give the results of two analyses.")
    return data


def _given(result: xr.Dataset) -> _Made:
    return _Made(result, _places_in(result), np.nan)


def _made(h: hRIXS, data: RunOrData, method: str, options: Mapping[str, Any]) -> _Made:
    """Make one result; its doubts are reported in the comparison."""
    with warnings.catch_warnings():
        for kind in _DOUBTS:
            warnings.simplefilter("ignore", kind)
        start = time.perf_counter()
        images = images_in(h, data)
        if not isinstance(images, xr.Dataset):
            own = {"photons": counts_photons(method), **options}
            result = h.process_run(images, method=method, **own)
            return _Made(result, _places_in(result), time.perf_counter() - start)
        if options:
            raise TypeError(f"{next(iter(options))} was given with a dataset; it is for runs only.")
        tables: list[xr.Dataset] = []
        result = add_spectra(h, images.copy(deep=False), method, tables=tables)
        seconds = time.perf_counter() - start
    if not tables:
        return _Made(result, None, seconds)
    parts, n_before = [], 0
    for table in tables:
        parts.append(Places.of(table, n_before))
        n_before += table.sizes["frames"]
    return _Made(result, Places.joined(parts), seconds)


def _places_in(result: xr.Dataset) -> Places | None:
    try:
        return Places.of(photon_table(result))
    except (MissingDataError, ValueError):
        return None


def _n_images(result: xr.Dataset) -> int:
    return int(np.prod([result.sizes[dim] for dim in leading(result)], dtype=np.int64))


def _summed(result: xr.Dataset) -> xr.DataArray:
    return result["spectrum"].sum(leading(result), keep_attrs=True).compute()


def _total(result: xr.Dataset) -> Quantity:
    unit = str(result["spectrum"].attrs.get("units", ""))
    error = known_error(result)
    sigma = np.nan if error is None else float(np.sqrt((error**2).sum()))
    return Quantity(float(result["spectrum"].sum()), sigma, unit)


def _per_image(total: Quantity, n: int) -> Quantity:
    if not n:
        return total._replace(value=np.nan, error=np.nan, why="no image")
    return total._replace(value=total.value / n, error=total.error / n)


def _line(result: xr.Dataset, region: tuple[float, float] | None) -> Quantity:
    spectrum = _summed(result)
    counted = spectrum.attrs.get("units") == "photons" and float(spectrum.min()) >= 0
    try:
        fit = line_width(spectrum, region=region, noise="poisson" if counted else "gaussian")
    except (NoLineError, ValueError) as error:
        return Quantity(
            np.nan, np.nan, why="no line" if isinstance(error, NoLineError) else str(error)
        )
    return Quantity(fit.fwhm, fit.fwhm_err, fit.units)


def _doubts(result: xr.Dataset) -> list[Doubt]:
    try:
        return doubts(result)
    except LookupError:
        return []


def _photons_of_both(
    first: _Made, second: _Made, notes: list[str]
) -> tuple[xr.Dataset | None, _Both | None]:
    """Number of photons that both have in each image, and which ones."""
    for name, one in (("first", first), ("second", second)):
        if one.places is None:
            way = one.result["spectrum"].attrs.get("algorithm", "")
            notes.append(
                f"The {name} ({way}) has no photon table, so single photons are not compared."
            )
    if first.places is None or second.places is None:
        return None, None
    found = photons_of_both((first.result, second.result), (first.places, second.places), notes)
    if found is None:
        return None, None
    per_image, same = found
    return per_image, _Both((first.places, second.places), same)


@dataclass(frozen=True)
class _Both:
    """Photons of both, and the indices of matched photons in each."""

    places: tuple[Places, Places]
    same: tuple[Integers, Integers]


def _difference(
    first: _Made, second: _Made, both: _Both | None, notes: list[str]
) -> xr.Dataset | None:
    """The second spectrum minus the first; the error is from photons in only one of them."""
    a, b = _summed(first.result), _summed(second.result)
    units = [str(one.attrs.get("units", "")) for one in (a, b)]
    if units[0] != units[1]:
        notes.append(
            f"The first is in {units[0]}, the second in {units[1]}, so there is no difference."
        )
        return None
    try:
        axis = common_axis(a, b)
    except ValueError as why:
        notes.append(f"{why}, so there is no difference.")
        return None
    bins = None if both is None else _bins_of_both(a, b, both, axis)
    n_bins = axis.energy.size
    counts = [axis.rebinned(one) for one in (a, b)]
    if axis.text:
        how = "bins across an edge are divided in proportion"
        if bins is not None:
            counts = [_counted(number, n_bins).astype(np.float64) for number in bins]
            how = "photons are counted into them by their positions"
        notes.append(f"{axis.text[:-1]}; {how}.")
    values = xr.DataArray(counts[1] - counts[0], {"energy": axis.energy}, name="difference")
    values.attrs = {"units": units[0], "long_name": "second minus first"}
    made = xr.Dataset({"difference": values})
    made.attrs = {"units": units[0], "sum": float(values.sum()), "sum_err": np.nan}
    if both is None or bins is None:
        made.attrs["error"] = (
            "Its error is not known: both spectra are from the same images, so it is not the "
            "quadrature sum."
        )
        return made
    stayed = [number[same] for number, same in zip(bins, both.same, strict=True)]
    variance = _counted(bins[0], n_bins) + _counted(bins[1], n_bins)
    variance -= 2 * _counted(stayed[0][stayed[0] == stayed[1]], n_bins)
    made = with_variance(made, "difference", values.copy(data=variance.astype(np.float64)))
    in_one = sum(np.count_nonzero(number >= 0) for number in bins)
    in_one -= 2 * np.count_nonzero((stayed[0] >= 0) & (stayed[1] >= 0))
    made.attrs["sum_err"] = float(np.sqrt(in_one))
    made.attrs["error"] = (
        "The error is from the photons that only one of the two has. The quadrature sum of both "
        f"errors, {float(np.sqrt(np.sum(counts))):.3g}, would be wrong: the images are the same."
    )
    return made


def _bins_of_both(
    a: xr.DataArray, b: xr.DataArray, both: _Both, axis: CommonAxis
) -> list[Integers] | None:
    """The bin of each photon of both; None if not known, for example after a shift."""
    bins = []
    for total, places in zip((a, b), both.places, strict=True):
        try:
            number = places.bins(total)
        except (KeyError, ValueError):
            return None
        elsewhere = np.abs(_counted(number, total.size) - total.values).sum()
        if elsewhere > _MOST_ELSEWHERE * float(total.sum()) + 2:
            return None
        bins.append(places.bins(total, axis.edges) if axis.text else number)
    return bins


def _counted(number: Integers, n_bins: int) -> Integers:
    return np.bincount(number[number >= 0], minlength=n_bins).astype(np.int64)
