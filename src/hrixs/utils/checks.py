"""Checks of simple arguments; errors say what was given and what was expected."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.utils.errors import unknown_name


def whole_number(name: str, value: Any) -> int:
    """`value` as an int of 1 or more.

    Raises
    ------
    ValueError
        If it is not.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else np.nan
    if not (number.is_integer() and 1 <= number < 2**31):
        raise ValueError(f"{name} = {value!r}, expected a whole number of 1 or more.")
    return int(number)


def number(name: str, value: Any) -> float:
    """`value` as a float.

    Raises
    ------
    ValueError
        If it is not a single number. NaN is allowed.
    """
    try:
        if np.ndim(value) == 0 and not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{name} = {_shown(value)}, expected a number.")


def finite_number(name: str, value: Any) -> float:
    """`value` as a float.

    Raises
    ------
    ValueError
        If it is not a single finite number.
    """
    one = number(name, value)
    if not math.isfinite(one):
        raise ValueError(f"{name} = {one}, expected a finite number.")
    return one


def yes_or_no(name: str, value: Any) -> bool:
    """`value` as a bool; 0 and 1 are accepted, as stored in files.

    Raises
    ------
    ValueError
        If it is something else, such as an array, or a text (which would always be true).
    """
    if isinstance(value, bool | np.bool_ | int | np.integer) and value in (0, 1):
        return bool(value)
    raise ValueError(f"{name} = {_shown(value)}, expected True or False.")


def _shown(value: Any) -> str:
    """The beginning of `value` as one line of text."""
    return " ".join(repr(value).split())[:80]


def number_of_bytes(name: str, value: Any) -> int:
    """`value`, a number or text such as ``'512MB'`` or ``'2GiB'``, as bytes.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = str(value).strip()
    match = re.fullmatch(r"(\d+(?:\.\d*)?)\s*([kMGT]?)(i?)B?", text, re.IGNORECASE)
    if isinstance(value, bool) or match is None or float(match[1]) == 0:
        raise ValueError(
            f"{name} = {value!r}, expected a number of bytes, or text such as '512MB' or '2GB'."
        )
    power = " KMGT".index(match[2].upper() or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def require_dataset(data: Any, what: str) -> None:
    """Raise an error unless `data` is a dataset with the names of this version.

    Parameters
    ----------
    data
        The argument of the user.
    what : str
        Which dataset is expected.

    Raises
    ------
    TypeError
        If it is not a dataset.
    ValueError
        If it was made by hrixs 0.1, whose columns and settings have other names.
    """
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"{type(data).__name__} given, expected {what}, an xarray.Dataset.")
    made_by = [data.attrs, *(one.attrs for one in data.data_vars.variables.values())]
    for attrs in made_by:
        version = str(attrs.get("hrixs_version", ""))
        if version.startswith("0.1."):
            raise ValueError(
                f"the dataset was made by hrixs {version}, expected {what} of this version: names "
                "have changed since (CHANGELOG.md lists them). Make it again, or read it with "
                f"hrixs {version}."
            )


def require_photon_table(photons: Any, *needed: str) -> None:
    """Raise an error unless `photons` is a photon table with the columns `needed`.

    Raises
    ------
    TypeError
        If it is not a dataset.
    ValueError
        If a column is missing, or the table was made by hrixs 0.1.
    """
    which = f"a photon table from find_photons, with {', '.join(needed[:-1])} and {needed[-1]}"
    which += "; of an event list make one: photon_table_from(x, y)"
    if not isinstance(photons, xr.Dataset):
        raise TypeError(f"{type(photons).__name__} given, expected {which}.")
    require_dataset(photons, "a photon table")
    if not set(needed) <= set(photons.variables):
        raise ValueError(
            f"the dataset has {', '.join(map(str, photons.variables)) or 'no variables'}, expected "
            f"{which}."
        )


def positive_energies(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Check the photon `energies` of frames and return them.

    Raises
    ------
    ValueError
        If one is not a positive number.
    """
    flat = energies.ravel()
    bad = np.flatnonzero(~(np.isfinite(flat) & (flat > 0)))
    if bad.size:
        raise ValueError(
            f"the photon energy of {bad.size} of {len(flat)} frames is not a positive number, "
            f"first in frame {bad[0]}: {flat[bad[0]]} eV. Expected the photon energy in eV."
        )
    return energies


def require_word(name: str, value: Any, words: tuple[str, ...]) -> None:
    """Raise ValueError if `value` is neither None nor one of the words."""
    if value is not None and not (isinstance(value, str) and value in words):
        raise ValueError(unknown_name(name, value, words))
