"""What is drawn of a scan: which map, or which groups, and the calls of the library for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from hrixs.groups.jitter import clear_tolerance
from hrixs.groups.rules import by_gaps
from hrixs.scans.joining import RUN
from hrixs.spectra.aggregate import add
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import heard
from hrixs.view.session import Session
from hrixs.view.worker import RECKONING

#: Variable of the incident energy; a map over it is a RIXS map.
INCIDENT = "nrj"
#: The number of images, by which a map is divided if nothing else is chosen.
COUNTS = "counts"


@dataclass(frozen=True)
class Choice:
    """A map of the images of a session, or groups of them.

    Attributes
    ----------
    over : str
        The variable that was scanned. With ``'nrj'``, the map is a RIXS map.
    axis : {'energy_loss', 'energy'}
        The other axis of a RIXS map.
    normalize : str
        Divisor of each step: a variable, or ``'counts'`` for the number of images.
    equal : bool or None
        How images are grouped by another variable: by equal values, or by ``tolerance='auto'``.
        None: by ``tolerance='auto'`` if the values have clear steps.
    """

    over: str
    axis: str = "energy_loss"
    normalize: str = COUNTS
    equal: bool | None = None

    @property
    def is_rixs(self) -> bool:
        """Whether the map is a RIXS map."""
        return self.over == INCIDENT


@dataclass(frozen=True)
class Cut:
    """A part of one axis of a map; images or bins in it are summed.

    Attributes
    ----------
    along : str
        The axis.
    ends : float or (float, float)
        A number for the step or bin nearest to it, or both ends of a range.
    """

    along: str
    ends: float | tuple[float, float]


@dataclass(frozen=True)
class Drawn:
    """A map as it is drawn: what is in it, its cut, and how the colour follows the values."""

    choice: Choice
    cut: Cut | None = None
    scale: str = "linear"


@dataclass(frozen=True)
class MapMade:
    """A map, the choice that it was made with, and the warnings of the library."""

    data: xr.Dataset
    choice: Choice
    warnings: tuple[str, ...] = ()

    def cut(self, cut: Cut) -> tuple[xr.Dataset, list[str]]:
        """Cut through the map, as `hrixs.cut`; return the cut and the warnings."""
        with RECKONING, heard() as told:
            made: xr.Dataset = self.data.hrixs.cut(**{cut.along: cut.ends})
        return made, [str(one) for one in told]


def variables(session: Session) -> list[str]:
    """Variables of the images that vary, those with the fewest groups first."""
    spectra = session.spectra()
    dims, n_groups = spectra["spectrum"].dims[:1], {}
    for name, one in spectra.data_vars.items():
        if one.dims != dims or one.dtype.kind not in "iuf" or str(name).startswith("n_"):
            continue
        values = one.values[np.isfinite(one.values)].astype(np.float64)
        n_groups[str(name)] = _number_of_groups(values)
    return sorted((one for one, n in n_groups.items() if n > 1), key=lambda one: n_groups[one])


def group_variables(session: Session) -> list[str]:
    """Variables to group by: those that vary, and the run if there are several."""
    spectra = session.spectra()
    is_several = RUN in spectra.coords and len(np.unique(spectra[RUN].values)) > 1
    return [*variables(session), *([RUN] if is_several else [])]


def _number_of_groups(values: Any) -> int:
    tolerance = clear_tolerance(values)
    if tolerance is None:
        return len(np.unique(values))
    return int(by_gaps(values, tolerance).max()) + 1


def divisors(session: Session) -> list[str]:
    """What a map can be divided by: the number of images, and variables that can be summed."""
    spectra = session.spectra()
    names = [
        str(name)
        for name, one in spectra.data_vars.items()
        if one.dims == spectra["spectrum"].dims[:1]
        and one.dtype.kind in "iuf"
        and (name == "I0" or session.h.aggregators.get(str(name)) is add)
    ]
    return [COUNTS, *names]


def make_map(session: Session, choice: Choice) -> MapMade:
    """Make a map with the present settings.

    Raises
    ------
    ValueError, LookupError
        As `hrixs.rixs_map`, `hrixs.aggregate` and `hrixs.normalize`.
    """
    if not choice.is_rixs:
        return make_groups(session, choice)
    # The map moves the spectra to the energy loss by itself.
    spectra = session.found().spectra(session.h) if session.loss else session.spectra()
    with RECKONING, heard() as told:
        data = applied(session.h, spectra, choice)
    return MapMade(data, choice, tuple(str(one) for one in told))


def make_groups(session: Session, choice: Choice) -> MapMade:
    """Make groups of images by the variable of a choice, also by the incident energy.

    Raises
    ------
    ValueError, LookupError
        As `hrixs.aggregate` and `hrixs.normalize`.
    """
    spectra = session.spectra()
    with RECKONING, heard() as told:
        if choice.equal is None:
            try:
                choice = replace(choice, equal=False)
                data = _grouped(session.h, spectra, choice)
            except ValueError:
                told.clear()
                choice = replace(choice, equal=True)
                data = _grouped(session.h, spectra, choice)
        else:
            data = _grouped(session.h, spectra, choice)
    if data["normalized"].ndim != 2:
        raise ValueError(
            f"the map has dimensions {data['normalized'].dims}, expected two. Sum the images over "
            f"{', '.join(map(str, data['normalized'].dims[1:-1]))} first."
        )
    return MapMade(data, choice, tuple(str(one) for one in told))


def applied(h: hRIXS, spectra: xr.Dataset, choice: Choice) -> xr.Dataset:
    """Make a map of spectra by the calls of `python_lines`."""
    if choice.is_rixs:
        return h.rixs_map(spectra, **_of_rixs(choice))
    return _grouped(h, spectra, choice)


def _grouped(h: hRIXS, spectra: xr.Dataset, choice: Choice) -> xr.Dataset:
    groups = h.aggregate(spectra, choice.over, **_of_groups(choice, _dim(spectra)))
    return h.normalize(groups, choice.normalize)


def python_lines(session: Session, drawn: Drawn) -> list[str]:
    """Lines of Python code that make, draw and cut the map of ``data``."""
    choice, cut = drawn.choice, drawn.cut
    if choice.is_rixs:
        lines = [f"rixs = h.rixs_map({_call('data', _of_rixs(choice))})"]
        name = "rixs"
    else:
        name, options = "groups", _of_groups(choice, _dim(session.spectra()))
        lines = [
            f"groups = h.aggregate({_call('data', options, repr(choice.over))})",
            f"groups = h.normalize(groups, {choice.normalize!r})",
        ]
    how = {} if drawn.scale == "linear" else {"scale": drawn.scale}
    lines.append(f"{name}.hrixs.plot({_call('', how)})")
    if cut is not None:
        lines.append(f"cut = {name}.hrixs.cut({_call('', {cut.along: cut.ends})})")
    return lines


def command_options(choice: Choice) -> list[str]:
    """Options of ``hrixs process`` that make the map."""
    if choice.is_rixs:
        words = ["--map", choice.over]
        words += [] if choice.axis == "energy_loss" else ["--map-axis", choice.axis]
    else:
        words = ["--aggregate", choice.over]
        words += [] if choice.equal else ["--tolerance", "auto"]
    if choice.normalize != COUNTS or not choice.is_rixs:
        words += ["--normalize", choice.normalize]
    return words


def _of_rixs(choice: Choice) -> dict[str, Any]:
    given = {"incident": choice.over, "axis": choice.axis, "normalize": choice.normalize}
    usual = {"incident": INCIDENT, "axis": "energy_loss", "normalize": COUNTS}
    return {name: value for name, value in given.items() if value != usual[name]}


def _of_groups(choice: Choice, dim: str) -> dict[str, Any]:
    options = {} if dim == "trainId" else {"dim": dim}
    return options if choice.equal else options | {"tolerance": "auto"}


def _dim(spectra: xr.Dataset) -> str:
    return str(spectra["spectrum"].dims[0])


def _call(data: str, options: dict[str, Any], *others: str) -> str:
    named = [f"{name}={value!r}" for name, value in options.items()]
    return ", ".join([*([data] if data else []), *others, *named])
