"""Which group each image belongs to, and what the groups are like: mean, spread, count."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Integers = NDArray[np.int64]
#: Attribute of a variable of ones and zeros that stand for True and False, with NaN for neither.
IS_FLAG = "is_flag"


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of images by one variable.

    Attributes
    ----------
    name : str
        Of the dimension that the groups become.
    number : numpy.ndarray of int64, shape (n_images,)
        Number of each image's group; -1 where it belongs to none.
    value : numpy.ndarray, shape (n_groups,)
        Mean of the variable in each group, or what all of its images have.
    spread : numpy.ndarray or None, shape (n_groups,)
        Standard deviation of the variable inside of each group; None for text and the like.
    how : str
        How they were made, in words.
    attrs : dict
        Of the variable.
    coords : dict
        More that is known of each group, by name.
    counts : dict
        Images that are in no group, by the attribute that tells them.
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
        """The dimension's values, with ``<name>_spread`` beside them."""
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
    """Mean and standard deviation of the values in each group; of text what all of them are.

    Where all of a group have one value, that is the mean as it stands, and the spread 0.
    """
    first = np.zeros(n_groups, dtype=np.int64)
    used = np.flatnonzero(number >= 0)
    first[number[used[::-1]]] = used[::-1]
    alike = values[first]
    if values.dtype.kind not in "iuf":
        return alike, None
    within = number[used]
    count = np.bincount(within, minlength=n_groups)
    # About a value of the group, so that nothing is lost of large numbers that differ by little.
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
