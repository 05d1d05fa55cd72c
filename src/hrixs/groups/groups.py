"""The group of each image, and mean, spread and count of the groups."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Integers = NDArray[np.int64]
#: Attribute of a variable whose 1 and 0 mean True and False, and NaN unknown.
IS_FLAG = "is_flag"


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of images by one variable.

    Attributes
    ----------
    name : str
        Name of the dimension of the groups.
    number : numpy.ndarray of int64, shape (n_images,)
        Number of the group of each image; -1 for none.
    value : numpy.ndarray, shape (n_groups,)
        Mean of the variable in each group, or the common value of its images.
    spread : numpy.ndarray or None, shape (n_groups,)
        Standard deviation of the variable inside each group; None for text and similar.
    how : str
        Text that says how groups were made.
    attrs : dict
        Attributes of the variable.
    coords : dict
        More coordinates of the groups, by name.
    counts : dict
        Numbers of images in no group, by the name of their attribute.
    """

    name: str
    number: Integers
    value: NDArray[Any]
    spread: NDArray[np.float64] | None
    how: str
    attrs: Mapping[Hashable, Any] = field(default_factory=dict)
    coords: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.value)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Values of the dimension, and ``<name>_spread``."""
        attrs = dict(self.attrs)
        made = {self.name: xr.Variable(self.name, self.value, attrs)}
        if self.spread is not None:
            units = {"units": attrs["units"]} if "units" in attrs else {}
            text = {"long_name": f"standard deviation of {self.name} inside of the group"}
            made[f"{self.name}_spread"] = xr.Variable(self.name, self.spread, units | text)
        made |= {
            name: xr.Variable(self.name, values, attrs) for name, values in self.coords.items()
        }
        return made


def mean_and_spread(
    values: NDArray[Any], number: Integers, n_groups: int
) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
    """Mean and standard deviation of the values in each group; for text the common value.

    If all values of a group are equal, this value is the mean, exactly, and the spread is 0.
    """
    first = np.zeros(n_groups, dtype=np.int64)
    used = np.flatnonzero(number >= 0)
    first[number[used[::-1]]] = used[::-1]
    alike = values[first]
    if values.dtype.kind not in "iuf":
        return alike, None
    within = number[used]
    count = np.bincount(within, minlength=n_groups)
    # Relative to a value of the group, which keeps small differences of large numbers exact.
    off = values[used].astype(np.float64) - alike.astype(np.float64)[within]
    mean = np.bincount(within, off, n_groups) / count
    spread = np.sqrt(np.bincount(within, (off - mean[within]) ** 2, n_groups) / count)
    if not off.any():
        return alike, spread
    return alike + mean, spread


def members(number: Integers, n_groups: int) -> list[Integers]:
    """Images of each group, in their order."""
    order = np.argsort(number, kind="stable").astype(np.int64)
    borders = np.searchsorted(number[order], np.arange(n_groups + 1))
    return [order[a:b] for a, b in pairwise(borders)]
