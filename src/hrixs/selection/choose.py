"""Select images by their photons, by fields, or by trains; the others are counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.deconvolution.result import SAMPLED, deconvolve
from hrixs.selection.criteria import AUTO, Criterion, chosen_by, outliers_of
from hrixs.selection.entries import at_places, compact, dim_of, of_trains, take
from hrixs.spectra.dataset import COUNTS_OF
from hrixs.spectra.naming import named_entries
from hrixs.steps.record import recorded
from hrixs.utils.checks import number, require_word
from hrixs.utils.errors import MissingDataError, warn


@recorded
def select(
    data: xr.Dataset,
    by: Criterion | None = None,
    *,
    keep: str = "high",
    outliers: str | Sequence[str] = (),
    n_sigma: float = 5.0,
    trains: Iterable[int] | None = None,
    index: slice | Sequence[int] | NDArray[Any] | None = None,
    drop_first: bool | int = 0,
    blanks: bool = False,
    dim: str | None = None,
) -> xr.Dataset:
    """Select images: leave out blanks, weak or unstable ones.

    Parameters
    ----------
    data : xarray.Dataset
        Images or spectra, over ``trainId``. It is not changed.
    by : str, xarray.DataArray or function, optional
        A field (``'I0'``): its values are split into two groups, or all are kept if there is only
        one. A condition on fields (``'n_photons > 50 and hRIXS_norm > 0'``, also with ``abs``,
        ``median``, ``sigma`` and others). True or False for each image. Or a function of `data`
        that returns these. ``n_photons`` (counted spectra), ``intensity`` (any spectra) and
        ``level`` (images) can be used even if the dataset has no such field. ``'auto'``, the
        default if nothing else is given, uses the first of these three that is available.
    keep : {'high', 'low'}
        Which of two groups to keep.
    outliers : str or sequence of str
        Fields, such as ``'hRIXS_norm'``: images far from the median are left out.
    n_sigma : float
        Distance for `outliers`, in robust standard deviations.
    trains : iterable of int, optional
        Ids of the trains to keep.
    index : slice or sequence of int, optional
        Images to keep, by their numbers, from 0.
    drop_first : bool or int
        Whether to leave out the first image; or the number of first images to leave out.
    blanks : bool
        Return the images that `by` leaves out, instead of those that it keeps.
    dim : str, optional
        Dimension of the images, if it is not ``trainId``.

    Returns
    -------
    xarray.Dataset
        A new dataset; the photon table, if there is one, is selected, too. A deconvolved spectrum
        is made again from the selected images. ``attrs`` have ``n_left_out``, ``left_out``
        (trains) and ``selected_by``; several calls add to them.

    Raises
    ------
    MissingDataError
        If no image is left, a name is not known, or `blanks` are requested and there are none.
    ValueError
        If a condition cannot be read, or does not have one value per image.

    Warns
    -----
    HrixsWarning
        Names the images that were left out.

    Notes
    -----
    `hrixs.selection.groups.two_groups` explains how groups are separated, and how often by chance.

    Examples
    --------
    >>> import warnings, xarray as xr
    >>> from hrixs import select
    >>> photons = [160.0, 3.0, 148.0, 2.0, 139.0, 155.0, 4.0, 161.0, 150.0, 143.0]
    >>> data = xr.Dataset({"n_photons": ("trainId", photons)}, {"trainId": range(101, 111)})
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     light, blanks = select(data), select(data, blanks=True)
    >>> light.attrs["n_left_out"], light.attrs["left_out"]
    (3, '102, 104, 107')
    >>> blanks.trainId.values
    array([102, 104, 107])
    >>> select(data, index=slice(0, 2)).n_photons.values
    array([160.,   3.])
    """
    dim = dim_of(data, dim)
    require_word("keep", keep, ("high", "low"))
    n_sigma = number("n_sigma", n_sigma)
    kept, how = _by_place(data, dim, trains, index, number_dropped(drop_first))
    names = [outliers] if isinstance(outliers, str) else list(outliers)
    if by is None and (blanks or not (how or names)):
        by = AUTO
    for name in names:
        rest = take(data, kept, dim)
        near, text = outliers_of(rest, name, dim, n_sigma)
        kept[kept] = near
        how.append(text)
        _require_some(kept, how)
        _tell(rest, near, dim, text)
    if by is not None:
        rest = take(data, kept, dim)
        good, text = chosen_by(rest, by, dim, keep)
        if blanks and good.all():
            raise MissingDataError(
                f"there are no blanks among {len(good)} images, by {text}. Say which they are: "
                "select(data, 'n_photons < 50'), or trains=[...]."
            )
        kept[kept] = ~good if blanks else good
        how.append(f"not {text}" if blanks else text)
        _require_some(kept, how)
        if not blanks:
            _tell(rest, good, dim, text)
    chosen = take(data, kept, dim)
    if not kept.all():
        chosen = _deconvolved_again(chosen, dim)
    return _noted(chosen, data, ~kept, dim, how)


def _deconvolved_again(chosen: xr.Dataset, dim: str) -> xr.Dataset:
    """The same with one spectrum of the images that are left, where it was one of all."""
    if SAMPLED not in chosen or dim not in chosen[SAMPLED].dims or "spectrum" not in chosen:
        return chosen
    how = {name: chosen["spectrum"].attrs.get(name) for name in ("oversample", "smoothing")}
    made = deconvolve(chosen, **how)
    n = chosen.sizes[dim]
    made["spectrum"].attrs[COUNTS_OF] = f"{n} image{'' if n == 1 else 's'}"
    return made


def _by_place(
    data: xr.Dataset,
    dim: str,
    trains: Iterable[int] | None,
    index: slice | Sequence[int] | NDArray[Any] | None,
    n_first: int,
) -> tuple[NDArray[np.bool_], list[str]]:
    """Entries that are named by their place or their train, and how, in words."""
    kept = np.ones(data.sizes[dim], dtype=bool)
    kept[:n_first] = False
    how = [f"without the first {n_first}"] if n_first else []
    if index is not None:
        kept &= at_places(len(kept), index)
        how.append("by index")
    if trains is not None:
        kept &= of_trains(data, trains, dim)
        how.append("by trains")
    _require_some(kept, how)
    return kept, how


def number_dropped(drop_first: bool | int) -> int:
    """How many of the first images are left out.

    Raises
    ------
    ValueError
        If it is no whole number of 0 or more.
    """
    if isinstance(drop_first, bool | int | np.bool_ | np.integer) and drop_first >= 0:
        return int(drop_first)
    raise ValueError(f"drop_first = {drop_first!r}, expected True, False or a number of images.")


def _require_some(kept: NDArray[np.bool_], how: list[str]) -> None:
    if not kept.any():
        raise MissingDataError(
            f"none of {len(kept)} images is left: {'; '.join(how) or 'none is'}."
        )


def _tell(data: xr.Dataset, good: NDArray[np.bool_], dim: str, how: str) -> None:
    if not good.all():
        warn(
            f"{int((~good).sum())} of {len(good)} images are left out, "
            f"{named_entries(data, dim, ~good)}: kept was {how}."
        )


def _noted(
    result: xr.Dataset,
    data: xr.Dataset,
    left_out: NDArray[np.bool_],
    dim: str,
    how: list[str],
) -> xr.Dataset:
    """`result` with what was left out in its ``attrs``, added to what was left out before."""
    labels = data[dim].values if dim in data.coords else np.arange(len(left_out))
    own = compact(labels[left_out])
    before = data.attrs
    texts = {"left_out": own, "selected_by": "; ".join(how)}
    result.attrs = dict(result.attrs)
    result.attrs["n_left_out"] = int(before.get("n_left_out", 0)) + int(left_out.sum())
    for name, text in texts.items():
        result.attrs[name] = "; ".join(one for one in (str(before.get(name, "")), text) if one)
    return result
