"""Event lists of other beamlines: photons found by the software of the beamline."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.files.table_from import photon_table_from
from hrixs.steps.record import recorded
from hrixs.utils.errors import MissingDataError, warn

#: Dataset of photons in files of ADRESS (SLS): columns x along the line, y along the energy.
EVENTS = "entry/analysis/events"
_SPECTRUM = "entry/analysis/spectrum"
_IMAGES = "entry/instrument/detector/data"
_ATTRIBUTES = "entry/instrument/NDAttributes"
# Few photons are at whole numbers of pixels: these are the corners of pixels.
_FIRST_CENTRE = 0.5
_CURVE = ("CurvatureCF1", "CurvatureCF2", "CurvatureCF3")


def is_event_list(path: str | os.PathLike[str], dataset: str | None = None) -> bool:
    """Whether `path` is an HDF5 file with photons and no images, or `dataset` names its photons."""
    import h5py

    if not os.path.isfile(path) or not h5py.is_hdf5(path):
        return False
    with h5py.File(path, "r") as file:
        events, images = file.get(EVENTS), file.get(_IMAGES)
        if not isinstance(events, h5py.Dataset) or events.ndim != 2 or events.shape[1] != 2:
            return False
        if dataset is not None:
            return dataset.strip("/") == EVENTS
        return not (isinstance(images, h5py.Dataset) and images.size)


@recorded
def read_events(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read the photons of a file of ADRESS (SLS) into a photon table.

    Parameters
    ----------
    path : path
        HDF5 file with ``entry/analysis/events (n, 2)``.

    Returns
    -------
    xarray.Dataset
        From `photon_table_from`, in pixels of the images of the file; the centre of the first pixel
        is 0. ``EventCount``, the number of photons after each exposure, gives the frame of each.

        ``attrs`` has the curve in the file (for `Curvature.of_attrs`), ``bins`` and ``range`` of
        the spectrum in the file (`photon_spectrum` makes the same spectrum with them), and the
        ``NDAttributes`` that do not change. Those that change are coordinates over ``frames``; the
        photon energy is also ``frames_nrj`` (eV), and ``ExposureSplit`` is ``frames_exposure`` (s).
        The file has no charges.

    Raises
    ------
    MissingDataError
        If the file has no such photons.

    Warns
    -----
    HrixsWarning
        If the counts of the exposures do not add up to the photons (all photons are one frame
        then); if the curve changes, or has a third coefficient.

    Notes
    -----
    The spectrum in the file counts ``floor(f * (y - CF1 * x - CF2 * x**2))``, with ``f =
    ExpansionFactor`` bins per row and positions from the corner of the first pixel. This holds for
    each bin in the seven files of that beamline in https://github.com/mpmdean/pyrixs
    (notebooks/test_data). ``AcquireTime`` is that of all exposures: ``ExposureSplit`` times their
    number.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import h5py, hrixs
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["entry/analysis/events"] = [[3.5, 10.25], [4.5, 10.5]]
    >>> photons = hrixs.read_events(path)
    >>> photons.x.values, photons.y.values
    (array([3., 4.]), array([ 9.75, 10.  ]))

    With the attributes of files of the beamline, the spectrum in the bins of the file:

    >>> own = {name: photons.attrs[name] for name in ("bins", "range")}  # doctest: +SKIP
    >>> curve = hrixs.Curvature.of_attrs(photons.attrs)  # doctest: +SKIP
    >>> hrixs.photon_spectrum(photons, **own, curvature=curve).sum("frame")  # doctest: +SKIP
    """
    import h5py

    with h5py.File(path, "r") as file:
        events = file.get(EVENTS)
        if not isinstance(events, h5py.Dataset) or events.ndim != 2 or events.shape[1] != 2:
            raise MissingDataError(
                f"{path} has no {EVENTS} of shape (n, 2), expected a file of ADRESS. Read the "
                "columns of another list yourself, for photon_table_from(x, y)."
            )
        x, y = events[()].T
        recorded = {name: one[()] for name, one in file.get(_ATTRIBUTES, {}).items()}
        images, spectrum = file.get(_IMAGES), file.get(_SPECTRUM)
        shape = (images.shape[1], images.shape[0]) if getattr(images, "ndim", 0) == 3 else None
        n_bins = None if spectrum is None else spectrum.size
    frame, n_frames = _frames(recorded.get("EventCount"), len(x))
    table = photon_table_from(
        x, y, frame=frame, n_frames=n_frames, shape=shape, first_centre=_FIRST_CENTRE
    )
    attrs = _own_curve(recorded) | _own_bins(recorded, n_bins, shape)
    coords: dict[str, Any] = {}
    for name, values in recorded.items():
        one = _only_value(values)
        if one is not None:
            attrs[name] = one
        elif frame is not None and np.shape(values) == (n_frames,):
            coords[f"frames_{name}"] = ("frames", values, {"recorded": "beside the photons"})
        elif np.asarray(values).dtype.kind in "iuf":
            attrs[name] = np.asarray(values)
    energies = np.asarray(recorded.get("PhotonEnergy", ()))
    if frame is not None and energies.shape == (n_frames,):
        coords["frames_nrj"] = ("frames", energies, {"units": "eV", "long_name": "photon energy"})
    seconds = _only_value(recorded.get("ExposureSplit"))
    if frame is not None and isinstance(seconds, int | float):
        coords["frames_exposure"] = ("frames", np.full(n_frames, float(seconds)), {"units": "s"})
    return table.assign_coords(coords).assign_attrs(attrs, run=os.path.abspath(path))


def _frames(counts: Any, n_photons: int) -> tuple[NDArray[np.int64] | None, int]:
    """Frame of each photon, from the numbers of photons after each exposure; the exposures."""
    after = np.asarray([] if counts is None else counts, dtype=np.int64).ravel()
    of_each = np.diff(after, prepend=0)
    if after.size and after[-1] == n_photons and (of_each >= 0).all():
        return np.repeat(np.arange(after.size), of_each), after.size
    if counts is not None:
        warn(
            f"EventCount ends at {after[-1] if after.size else 0} for {n_photons} photons, "
            "expected their number: the exposure of each photon is not known, and all count as one "
            "frame."
        )
    return None, 1


def _own_curve(recorded: dict[str, Any]) -> dict[str, Any]:
    values = [_only_value(recorded.get(name, 0.0)) for name in _CURVE]
    if not set(_CURVE[:2]) <= set(recorded):
        return {}
    if None in values:
        warn("the file's own curve changes from exposure to exposure, and is left out.")
        return {}
    if values[2]:
        warn(
            f"{_CURVE[2]} is {values[2]}, taken as the coefficient of x**3. In all files tested "
            f"it was 0. Compare the spectrum with the file's."
        )
    coefficients = values if values[2] else values[:2]
    return Curvature(tuple(map(float, coefficients)), reference=-_FIRST_CENTRE).attrs()


def _own_bins(
    recorded: dict[str, Any], n_bins: int | None, shape: tuple[int, int] | None
) -> dict[str, Any]:
    """Bins and range of the spectrum in the file, if there is one."""
    per_row = _only_value(recorded.get("ExpansionFactor"))
    if not per_row or not per_row > 0 or (n_bins is None and shape is None):
        return {}
    bins = n_bins if n_bins is not None else round(per_row * shape[1]) if shape else 0
    return {"bins": bins, "range": (-_FIRST_CENTRE, bins / per_row - _FIRST_CENTRE)}


def _only_value(values: Any) -> Any:
    """The value of an attribute that is equal for all exposures, as number or text; else None."""
    flat = np.asarray([] if values is None else values).ravel()
    if not flat.size or (flat != flat[0]).any():
        return None
    one = flat[0].item() if hasattr(flat[0], "item") else flat[0]
    return one.decode("utf8", "replace") if isinstance(one, bytes) else one
