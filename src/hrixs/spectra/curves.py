"""Curves to draw from a result: one spectrum, or one per group, with errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from hrixs.spectra.errors import DIVISOR, VARIANCE, WITNESS, known_error
from hrixs.utils.errors import MissingDataError
from hrixs.utils.figures import axis_label, bin_edges
from hrixs.utils.typing import Floats

_OF_IMAGES = ("trainId", "frame")
AXES = ("energy", "energy_loss", "y")
#: Most curves of groups that can be distinguished in one figure.
MOST_GROUPS = 12


@dataclass(frozen=True)
class Curve:
    """One spectrum to draw.

    Attributes
    ----------
    values, error : numpy.ndarray of float64, shape (bins,)
        Values and errors in `units`; the error is one standard deviation, or None if not known.
    edges : numpy.ndarray of float64, shape (bins + 1,)
        Borders of the bins.
    units, quantity, axis : str
        Unit of the values; label of the values with the unit; label of the edges with the unit.
    label : str
        Name, and how the images were combined.
    """

    values: Floats
    error: Floats | None
    edges: Floats
    units: str
    quantity: str
    axis: str
    label: str

    def divided(self, by: float, label: str) -> Curve:
        """Return the curve divided by a number."""
        error = None if self.error is None else self.error / by
        return replace(self, values=self.values / by, error=error, label=label)


def curves_of(data: xr.Dataset | xr.DataArray, name: str = "") -> list[Curve]:
    """Combine the spectra of a result to one curve, or one per group.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        With ``normalized``, or else ``spectrum``, over ``energy``, ``energy_loss`` or ``y``; or
        such an array. Over images, counts are summed, intensities averaged, and ``normalized`` is
        made from the sums. Groups (other dimensions with a coordinate) have a curve each.
    name : str
        Beginning of the labels.

    Raises
    ------
    MissingDataError
        If there is no spectrum.
    ValueError
        If there are too many groups.
    """
    which, data = _variable(data)
    axis = _axis(data[which])
    groups = groups_of(data)
    n_groups = int(np.prod([data.sizes[dim] for dim in groups]))
    if n_groups > MOST_GROUPS:
        raise ValueError(
            f"{which} has {n_groups} spectra over {', '.join(groups)}, which is too many for one "
            f"figure. Select some, data.isel({groups[0]}=[0, 1]), or draw a map: hrixs.plot_map."
        )
    if not groups:
        return [_curve(data, which, axis, name)]
    rows = data[_belonging(data, which)].stack(hrixs_group=groups, create_index=False)
    parts = [rows.isel(hrixs_group=k) for k in range(n_groups)]
    return [_curve(one, which, axis, _told(name, _place(one, groups))) for one in parts]


def groups_of(data: xr.Dataset | xr.DataArray) -> list[str]:
    """Dimensions of groups: those with a coordinate, except the images."""
    which, data = _variable(data)
    dims = [str(dim) for dim in data[which].dims if dim != _axis(data[which])]
    if set(dims) & set(_OF_IMAGES):
        return []  # what else there is lies within a train
    return [dim for dim in dims if dim in data.coords]


def _variable(data: xr.Dataset | xr.DataArray) -> tuple[str, xr.Dataset]:
    if isinstance(data, xr.DataArray):
        name = str(data.name or "spectrum")
        if name in data.coords:
            data = data.rename(name := "spectrum")
        return name, data.to_dataset(name=name)
    if not isinstance(data, xr.Dataset):
        raise TypeError(
            f"a {type(data).__name__} was given, expected a result with spectra, a spectrum "
            "(xarray.DataArray), or several in a dict by the names to show."
        )
    for name in ("normalized", "spectrum"):
        if name in data:
            return name, data
    raise MissingDataError(
        "the dataset has no spectrum to draw; make one first with centroid, integrate or "
        f"process_run. It has: {', '.join(map(str, data.data_vars)) or 'nothing'}."
    )


def _axis(values: xr.DataArray) -> str:
    known = [axis for axis in AXES if axis in values.dims]
    others = [str(dim) for dim in values.dims if dim not in _OF_IMAGES]
    if known or len(others) == 1:
        return (known or others)[0]
    raise ValueError(
        f"{values.name} has dimensions {values.dims}, expected one of {', '.join(AXES)}, and "
        "perhaps images or groups."
    )


def _place(data: xr.Dataset, groups: list[str]) -> str:
    return ", ".join(_value(data[name]) for name in groups)


def _value(at: xr.DataArray) -> str:
    value = at.values[()]
    text = f"{value:.6g}" if at.dtype.kind == "f" else str(value)
    return f"{at.name} = {text} {at.attrs.get('units', '')}".rstrip()


def _curve(data: xr.Dataset, which: str, axis: str, name: str) -> Curve:
    over = [dim for dim in data[which].dims if dim != axis]
    units = str(data[which].attrs.get("units", ""))
    if which == "spectrum" and not units and data[which].dtype.kind in "iu":
        units = "photons"
    data, n_images = _with_values(data, which, over)
    together, said = _together(data, which, over, units, n_images)
    at = (
        together[axis]
        if axis in together.coords
        else xr.DataArray(np.arange(together.sizes[axis]), dims=axis, name=axis)
    )
    if at.dtype.kind not in "iuf" or not np.isfinite(at.values).all():
        raise ValueError(f"{axis} has values that are not numbers, expected the middles of bins.")
    centres = np.asarray(at.values, dtype=np.float64)
    order = np.argsort(centres, kind="stable")
    error = _error(together, which)
    return Curve(
        np.asarray(together[which].values, dtype=np.float64)[order],
        None if error is None else error[order],
        bin_edges(centres[order]) if len(centres) else np.zeros(1),
        units,
        _quantity(units, str(data[which].attrs.get("long_name", ""))),
        axis_label(at),
        _told(name, said),
    )


def _with_values(data: xr.Dataset, which: str, over: list[Any]) -> tuple[xr.Dataset, int]:
    """Only images that have a value in any bin, in a row, and how many; 0: it is one already."""
    if not over:
        return data, 0
    names = [name for name in _belonging(data, which) if set(over) & set(data[name].dims)]
    own = data[names].compute()
    of = "spectrum" if which == "normalized" else which
    error = known_error(own, of) if of in own and not _is_lone_ratio(own, of) else None
    if error is not None:  # from each image: gaps in a sum would hide that it is counted
        own = own.assign({f"{of}_err": error})
    one = own.stack(hrixs_image=over, create_index=False)
    some = one[which].notnull().any([dim for dim in one[which].dims if dim != "hrixs_image"])
    return one.isel(hrixs_image=np.flatnonzero(some.values)), int(some.sum())


def _belonging(data: xr.Dataset, which: str) -> list[str]:
    """Names of a spectrum, the variables for its error, and the number of images."""
    of = {which, *(["spectrum", _divisor(data)] if which == "normalized" else [])}
    of_them = {f"{one}{end}" for one in of for end in ("", "_err", VARIANCE, "_added")}
    return [str(name) for name in data.data_vars if str(name) in of_them | {WITNESS, "counts"}]


def _divisor(data: xr.Dataset) -> str:
    attrs = data["normalized"].attrs
    by = str(attrs.get("normalized_by", ""))
    return str(attrs.get("divisor", by if by in data.variables else DIVISOR))


def _together(
    data: xr.Dataset, which: str, over: list[Any], units: str, n_images: int
) -> tuple[xr.Dataset, str]:
    if not over:
        n_groups = data["counts"].values if "counts" in data and not data["counts"].dims else None
        return data, "" if n_groups is None else _images(int(n_groups))
    sums = _sums(data)
    if units == "photons":
        return sums, _images(n_images, "sum of ")
    if which == "normalized" and "spectrum" in data:
        by = _divisor(data)
        if by in data and data[by].dims == ("hrixs_image",):
            ratio = (sums["spectrum"] / sums[by]).assign_attrs(data["normalized"].attrs)
            return sums.assign(normalized=ratio), _images(n_images, "sum of ")
    mean = sums[[which]] / max(n_images, 1)
    error = _error(sums.drop_vars("normalized", errors="ignore"), which)
    if error is not None:
        mean[f"{which}_err"] = (mean[which].dims, error / max(n_images, 1))
    return mean, _images(n_images, "mean of ")


def _sums(data: xr.Dataset) -> xr.Dataset:
    """Sums over images; NaN stays NaN, and errors given by the user add in quadrature."""
    sums = {}
    for name, values in data.data_vars.items():
        quadratic = str(name).endswith("_err")
        total = (values**2 if quadratic else values).sum("hrixs_image", skipna=False)
        sums[name] = (total**0.5 if quadratic else total).assign_attrs(values.attrs)
    return xr.Dataset(sums).assign_coords(
        {name: one for name, one in data.coords.items() if "hrixs_image" not in one.dims}
    )


def _error(data: xr.Dataset, which: str) -> Floats | None:
    if which not in data or _is_lone_ratio(data, which):
        return None
    error = known_error(data, which)
    return None if error is None else np.asarray(error.values, dtype=np.float64)


def _is_lone_ratio(data: xr.Dataset, which: str) -> bool:
    """Whether it is a ratio whose numerator and divisor are missing."""
    return "normalized_by" in data[which].attrs and "spectrum" not in data


def _quantity(units: str, long_name: str) -> str:
    """Label of values: ``photons``, or a name with the unit: ``mean intensity per pixel (ADU)``."""
    if units.startswith("photons") or not long_name:
        return units or "value, unit not known"
    return f"{long_name} ({units})" if units else long_name


def _images(number: int, what: str = "") -> str:
    if not number:
        return "no values"
    return "1 image" if number == 1 else f"{what}{number} images"


def _told(*texts: str) -> str:
    return ", ".join(text for text in texts if text)
