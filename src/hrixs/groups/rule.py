"""The rule by which images are grouped by one variable, and the groups that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.groups import jitter, rules
from hrixs.utils.checks import number
from hrixs.utils.errors import unknown_name, warn
from hrixs.utils.typing import Floats

Integers = NDArray[np.int64]
# More bins are a mistake; larger floats cannot represent each whole number.
_MOST_BINS, _LAST_WHOLE = 10_000_000, 2.0**52
#: Names of the options of a rule.
OPTIONS = ("step", "tolerance", "edges", "setpoints", "origin")


@dataclass(frozen=True)
class Rule:
    """How values of the variable `name` are grouped; without options equal values are a group.

    Attributes
    ----------
    step, origin
        Width of bins, and the centre of one of them.
    tolerance
        Largest difference of neighbours in a group, or ``'auto'``; with `setpoints`, largest
        distance of a value from its set-point.
    edges
        Edges of the bins, ascending.
    setpoints
        Values; or, with `of_images`, one for each image.
    """

    name: str
    step: float | None = None
    tolerance: float | str | None = None
    edges: Floats | None = None
    setpoints: NDArray[Any] | None = None
    origin: float | None = None
    of_images: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether no option is given."""
        return all(getattr(self, name) is None for name in OPTIONS)

    def applied(self, values: NDArray[Any], setpoints: NDArray[Any] | None) -> tuple[Integers, str]:
        """Number of the group of each value (-1 for none), and a text how groups are made.

        `values` are finite; `setpoints` are those of the images if the rule has `of_images`.
        """
        if self.is_equal:
            return self._with_advice(values, rules.equal(values)), "equal values"
        if values.dtype.kind not in "iuf":
            raise ValueError(
                f"{self.name} is of {values.dtype}, expected numbers for step, tolerance, edges "
                "and setpoints. Leave them out to group by equal values."
            )
        known = values.astype(np.float64)
        if setpoints is not None:
            return self._by_own(known, setpoints)
        if self.setpoints is not None:
            return self._by_nearest(known)
        if self.edges is not None:
            return self._by_edges(known)
        found, how = self._by_step(known) if self.step is not None else self._by_gaps(known)
        return self._with_advice(known, found), how

    def _with_advice(self, values: NDArray[Any], found: Integers) -> Integers:
        """The groups; warns if nearly every image is its own group."""
        advice = jitter.advice_on_singles(values, int(found.max()) + 1, self.name)
        if advice is not None:
            warn(advice)
        return found

    def _by_step(self, values: Floats) -> tuple[Integers, str]:
        assert self.step is not None
        apart = rules.apart_by_steps(values, self.step) if self.origin is None else None
        if apart is not None:
            return apart, f"set-points a step of {self.step:g} apart"
        origin = rules.best_origin(values, self.step) if self.origin is None else self.origin
        bins = np.floor((values - origin) / self.step + 0.5)
        if not (np.ptp(bins) < _MOST_BINS and np.abs(bins).max() < _LAST_WHOLE):
            raise ValueError(
                f"step = {self.step:g} and origin = {origin:g} do not fit {self.name}, from "
                f"{values.min():.6g} to {values.max():.6g}: too many bins. Give a wider step."
            )
        borders = origin + self.step * (np.arange(bins.min(), bins.max() + 2) - 0.5)
        self._tell_split(values, (bins - bins.min()).astype(np.int64), borders)
        how = f"bins of {self.step:g} about {origin:g} and whole steps from there"
        return rules.in_steps(values, self.step, origin), how

    def _by_edges(self, values: Floats) -> tuple[Integers, str]:
        assert self.edges is not None
        found = rules.between(values, self.edges)
        self._tell_split(values, found, self.edges)
        n_bins, n_used = len(self.edges) - 1, len(np.unique(found[found >= 0]))
        return found, f"{n_bins} bins from {self.edges[0]:g} to {self.edges[-1]:g}" + (
            f", {n_bins - n_used} of them without an image" if n_used < n_bins else ""
        )

    def _by_gaps(self, values: Floats) -> tuple[Integers, str]:
        tolerance = self.tolerance
        if tolerance == "auto":
            tolerance = jitter.clear_tolerance(values)
            if tolerance is None and len(np.unique(values)) > 1:
                raise ValueError(
                    f"the {len(values)} values of {self.name}, from {values.min():.6g} to "
                    f"{values.max():.6g}, have no clear steps for tolerance='auto': "
                    f"{jitter.why_no_tolerance(values)}"
                )
            tolerance = tolerance or 0.0
        assert not isinstance(tolerance, str | None)
        found = rules.by_gaps(values, tolerance)
        wide = jitter.wide_groups(values, found, tolerance)
        if wide and tolerance > 0:
            warn(
                f"{len(wide)} of {int(found.max()) + 1} groups of {self.name} are wider than four "
                f"times the tolerance of {tolerance:g}: "
                f"{'; '.join(wide[:3])}. Give a smaller tolerance, or step=."
            )
        return found, f"gaps above {tolerance:.4g}"

    def _by_nearest(self, values: Floats) -> tuple[Integers, str]:
        assert self.setpoints is not None
        assert not isinstance(self.tolerance, str)
        points = np.unique(self.setpoints.astype(np.float64))
        return rules.nearest(values, points, self.tolerance), (
            f"the nearest of {len(points)} set-points" + self._within()
        )

    def _by_own(self, values: Floats, setpoints: NDArray[Any]) -> tuple[Integers, str]:
        assert not isinstance(self.tolerance, str)
        found = rules.equal(setpoints)
        if self.tolerance is not None:
            found[np.abs(values - setpoints) > self.tolerance] = -1
        return found, "the set-points of the images" + self._within()

    def _within(self) -> str:
        return "" if self.tolerance is None else f", no further off than {self.tolerance:g}"

    def _tell_split(self, values: Floats, bins: Integers, borders: Floats) -> None:
        split = jitter.split_groups(values, bins, borders)
        if split:
            named = ", ".join(f"{border:.6g}" for border in split[:5])
            warn(
                f"{self.name}: images pile up on both sides of {named}, where one group ends and "
                "the next begins: a set-point seems to be cut in two. Move the borders with "
                "origin= or edges=, or give tolerance='auto'."
            )


def rules_of(names: Sequence[str], ds: xr.Dataset, **options: Any) -> dict[str, Rule]:
    """Make the rule of each variable; options are single values, or dicts by variable.

    Raises
    ------
    ValueError
        If an option is invalid, two contradict each other, or one is for another variable.
    """
    given: dict[str, dict[str, Any]] = {name: {} for name in names}
    for option, value in options.items():
        if value is None:
            continue
        by_name = dict(value) if isinstance(value, Mapping) else None
        if by_name is None and len(names) > 1:
            numbers = [name for name in names if ds[name].dtype.kind == "f"]
            if len(numbers) != 1:
                raise ValueError(
                    f"{option} = {value!r} is given for {len(names)} variables, expected a dict: "
                    f"{option}={{{names[0]!r}: ...}}."
                )
            by_name = {numbers[0]: value}  # the only one that it can be for
        for name, one in ({names[0]: value} if by_name is None else by_name).items():
            if name not in given:
                raise ValueError(f"{option}: {unknown_name('variable', name, names)}")
            given[name][option] = one
    return {name: _rule(name, ds, **chosen) for name, chosen in given.items()}


def _rule(name: str, ds: xr.Dataset, **given: Any) -> Rule:
    ways: list[str] = [option for option in ("step", "edges", "setpoints") if option in given]
    ways += ["tolerance"] if "tolerance" in given and "setpoints" not in given else []
    if len(ways) > 1:
        raise ValueError(f"{' and '.join(ways)} are given for {name}, expected one of them.")
    if "origin" in given and "step" not in given:
        raise ValueError(f"origin is given for {name} without step, the width of its bins.")
    for option in ("step", "tolerance", "origin"):
        if option not in given or (option, given[option]) == ("tolerance", "auto"):
            continue
        value = given[option] = number(option, given[option])
        if not np.isfinite(value) or (option == "step" and value <= 0) or (
            option == "tolerance" and value < 0
        ):  # fmt: skip
            above = {"step": " above 0", "tolerance": ", 0 or above, or 'auto'"}.get(option, "")
            raise ValueError(f"{option} = {value:g}, expected a number{above}.")
    if "edges" in given:
        given["edges"] = edges = _numbers("edges", given["edges"], 2)
        if not (np.diff(edges) > 0).all():
            raise ValueError(f"edges = {given['edges']}, expected ascending values.")
    if "setpoints" in given:
        if given.get("tolerance") == "auto":
            raise ValueError("tolerance='auto' is given with setpoints, expected a number.")
        points = given["setpoints"]
        if isinstance(points, str):
            if points not in ds.variables or ds[points].dims != ds[name].dims:
                known = [str(n) for n, v in ds.variables.items() if v.dims == ds[name].dims]
                raise ValueError(f"setpoints: {unknown_name('variable', points, known)}")
            given |= {"setpoints": ds[points].values, "of_images": True}
        else:
            given["setpoints"] = _numbers("setpoints", points, 1)
    return Rule(name, **given)


def _numbers(option: str, values: Any, least: int) -> Floats:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 1 or len(found) < least or not np.isfinite(found).all():
        raise ValueError(f"{option} = {values!r}, expected {least} or more numbers.")
    return found
