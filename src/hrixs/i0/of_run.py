"""``I0`` of a run: incident intensity during the exposure of each image, from all trains."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.time_units import SECONDS
from hrixs.i0.exposures import exposures_of, overlapping, sum_over_exposures
from hrixs.i0.pulses import sum_over_pulses
from hrixs.runs.indexed_run import IndexedRun
from hrixs.runs.mnemonic_table import Mnemonic, entry_of_pair, field_name, is_pair, mnemonics
from hrixs.runs.slow_data import SlowData
from hrixs.spectra.expression import Expression
from hrixs.utils.errors import HrixsWarning, MissingDataError, named_trains, unknown_name, warn
from hrixs.utils.typing import Floats

_EXPOSURE = "hRIXS_exposure"
NAME = "I0"


@dataclass(frozen=True)
class RunI0:
    """Incident intensity of a run for each train.

    Attributes
    ----------
    text : str
        The name or expression that it is made of.
    train_ids, values : numpy.ndarray, shape (n,)
        Trains of the run with all values, ascending, and the intensity of each.
    run_ends : (int, int)
        First and last train of the run.
    all_images : numpy.ndarray of uint64
        Trains with an image.
    exposure : SlowData or None
        Recorded exposure times.
    trains, shift : int
        The settings `I0_TRAINS` and `I0_SHIFT`; `trains` may be None.
    units : str or None
        Unit, if known.
    """

    text: str
    train_ids: NDArray[np.uint64]
    values: Floats
    run_ends: tuple[int, int]
    all_images: NDArray[np.uint64]
    exposure: SlowData | None
    trains: int | None
    shift: int
    units: str | None

    def of_images(self, image_ids: NDArray[np.uint64]) -> xr.Variable:
        """Sum over the exposure of each image, over ``trainId``.

        It is NaN, with a warning, if the exposure goes beyond the run, or a train has no value.
        """
        exposures = exposures_of(
            len(image_ids),
            given=self.trains,
            seconds=self._seconds(image_ids),
            all_images=self.all_images,
        )
        n = exposures.n_trains
        sums = sum_over_exposures(image_ids, n, self.shift, self.train_ids, self.values)
        self._tell_unknown(image_ids, n, sums)
        shared = overlapping(image_ids, n)
        if shared.any():
            warn(
                f"{int(shared.sum())} of {len(n)} images share trains of their exposures of "
                f"{exposures.attr} trains ({exposures.source}); {NAME} of each image contains the "
                f"shared trains: {named_trains(image_ids[shared])}. Set I0_TRAINS if exposures are "
                "shorter."
            )
        attrs: dict[str, Any] = {
            "long_name": "incident intensity, summed over the exposure",
            "expression": self.text,
            "trains": exposures.attr,
            "trains_from": exposures.source,
            "shift": self.shift,
            "n_unknown": int(np.isnan(sums).sum()),
        }
        if self.units is not None:
            attrs["units"] = self.units
        return xr.Variable(("trainId",), sums, attrs)

    def _seconds(self, image_ids: NDArray[np.uint64]) -> Floats | None:
        if self.exposure is None:
            return None
        own = self.exposure.of_trains(image_ids)
        unit = SECONDS.get(str(own.attrs.get("units", "s")).strip())
        if own.ndim > 1 or own.dtype.kind not in "iuf" or unit is None:
            return None
        return np.asarray(own.values, dtype=np.float64) * unit

    def _tell_unknown(
        self, image_ids: NDArray[np.uint64], n: NDArray[np.int64], sums: Floats
    ) -> None:
        unknown = np.isnan(sums)
        if not unknown.any():
            return
        last = image_ids.astype(np.int64) + self.shift
        beyond = unknown & ((last - n + 1 < self.run_ends[0]) | (last > self.run_ends[1]))
        texts = []
        if beyond.any():
            texts.append(f"the exposure goes beyond the run: {named_trains(image_ids[beyond])}")
        lacking = unknown & ~beyond
        if lacking.any():
            texts.append(
                f"trains of the exposure have no value of {self.text}: "
                f"{named_trains(image_ids[lacking])}"
            )
        warn(
            f"{int(unknown.sum())} of {len(sums)} images have no {NAME}, it is NaN. In these "
            f"{'; in these '.join(texts)}. aggregate leaves them out."
        )


def i0_of_run(
    indexed: IndexedRun, which: str | tuple[str, str], *, trains: int | None = None, shift: int = 0
) -> RunI0:
    """Read the incident intensity of all trains of a run, also without an image or not chosen.

    Parameters
    ----------
    indexed : IndexedRun
        The run, possibly with chosen trains.
    which : str or (str, str)
        A mnemonic, a source with its key, or an expression of names of fields. A field with a value
        for each pulse is summed over the pulses; places without a pulse are left out.
    trains : int, optional
        Trains of an exposure. Default: from the exposure time, or from the distance of images.
    shift : int
        Number of trains by which the exposure ends after the train of the image.

    Raises
    ------
    MissingDataError
        If a name is unknown, or the run has no value of it.
    """
    if NAME in indexed.fields:
        raise ValueError(
            f"the field {NAME!r} would replace the variable that the setting I0 makes; give it "
            "another name, or set I0 = None."
        )
    text, entries = _fields(indexed, which)
    data = indexed.slow_data_of_all(entries)
    ids: NDArray[np.uint64] | None = None
    for one in data.values():
        ids = one.train_ids if ids is None else np.intersect1d(ids, one.train_ids)
    if ids is None:
        raise ValueError(f"I0 = {which!r} names no field, expected at least one.")
    sums = {name: _per_train(one, ids) for name, one in data.items()}
    expression = Expression(text)
    values = np.asarray(expression.of(sums), dtype=np.float64)
    one = data[expression.names[0]]
    return RunI0(
        text,
        ids,
        values,
        indexed.ends_of_run,
        indexed.trains_with_image,
        _exposure(indexed),
        trains,
        shift,
        one.attrs.get("units") if expression.is_name else None,
    )


def _fields(
    indexed: IndexedRun, which: str | tuple[str, str]
) -> tuple[str, Mapping[str, Mnemonic]]:
    """The expression, and source and key of its names."""
    if is_pair(which):
        return field_name(which), {field_name(which): entry_of_pair(which)}
    if not isinstance(which, str):
        raise ValueError(
            f"I0 = {which!r}, expected None, a name or an expression of names, such as "
            "'SCS_SA3 * transmission / 100'."
        )
    known = mnemonics | {k: v for k, v in indexed.fields.items() if k != indexed.camera}
    names = Expression(which).names
    for name in names:
        if name not in known:
            raise MissingDataError(
                f"{unknown_name('mnemonic', name, known)} It is part of I0 = {which!r}. A source "
                "with its key gets a name in hrixs.mnemonics, or as one of extra_fields."
            )
    return which, {name: known[name] for name in names}


def _per_train(data: SlowData, ids: NDArray[np.uint64]) -> Floats:
    values = data.values[np.searchsorted(data.train_ids, ids)]
    if values.dtype.kind not in "biuf":
        raise ValueError(f"{data.attrs['key']} is of type {values.dtype}, expected numbers.")
    return sum_over_pulses(values, data.attrs.get("no_pulse"))


def _exposure(indexed: IndexedRun) -> SlowData | None:
    where = indexed.fields.get(_EXPOSURE, mnemonics.get(_EXPOSURE))
    if where is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)  # that there is none is told where it is read
        try:
            return indexed.slow_data_of_all({_EXPOSURE: where}).get(_EXPOSURE)
        except MissingDataError:
            return None
