"""Estimate the width of a photon's charge cloud, from frames or a table of fitted photons."""

from __future__ import annotations

from typing import Any

import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.frames import Frames, as_frames
from hrixs.photons.cloud_width import CloudEstimate, mean_cloud, search_cloud
from hrixs.photons.columns import COLUMNS
from hrixs.photons.find import find_photons
from hrixs.photons.table import table_columns
from hrixs.utils.errors import MissingDataError, warn

# One step of a fit is right within a percent if the width was right within this.
_LARGEST_STEP = 0.15


def estimate_cloud(
    frames_or_photons: xr.DataArray | ArrayLike | Frames | xr.Dataset, **options: Any
) -> CloudEstimate:
    """Estimate the width of the charge cloud from isolated single photons.

    Parameters
    ----------
    frames_or_photons : array_like, shape (..., x, y), or xarray.Dataset
        Frames, in ADU; or a photon table that was made with ``position='gaussian'``.
    **options
        Options of `find_photons`, for frames: a threshold, the dark, ``read_noise``. Give
        ``electrons_per_adu``, too: without it the width comes out a few percent too small.

    Returns
    -------
    CloudEstimate
        ``cloud_sigma`` and ``cloud_sigma_err`` in pixels, ``n_photons``, ``spread``.

    Raises
    ------
    MissingDataError
        If there are too few isolated single photons, if they are hot pixels or wider than 1.25 px,
        or if the table was made without a fit.
    TypeError, ValueError
        As `find_photons`.

    Notes
    -----
    A Gaussian cloud that widens changes by its second derivatives in space. With these, each fit
    gives the width of its own cloud in one more step. The widths are averaged with their weights,
    and the photons are fitted again until the average equals the width that was used. The fit
    takes part of the noise for a shift of the photon, which makes clouds look narrower; this is
    corrected.

    Examples
    --------
    >>> from hrixs import estimate_cloud
    >>> from hrixs.simulation import Sensor, simulate_frames
    >>> sensor = Sensor(shape=(256, 256), cloud_sigma=0.6)
    >>> frames, _ = simulate_frames(4, sensor=sensor, photons_per_frame=100)
    >>> estimate = estimate_cloud(frames, std_threshold=5, electrons_per_adu=1.06)
    >>> abs(estimate.cloud_sigma - 0.6) < 0.02
    True
    """
    if isinstance(frames_or_photons, xr.Dataset):
        return _of_table(frames_or_photons)
    options = options | {"position": "gaussian"}
    options.pop("cloud_sigma", None)

    stack = as_frames(frames_or_photons)

    def fit(cloud_sigma: float) -> CloudEstimate:
        return _mean_of(find_photons(stack, cloud_sigma=cloud_sigma, **options), cloud_sigma)

    return search_cloud(fit)


def _of_table(photons: xr.Dataset) -> CloudEstimate:
    needed = ["frame", *(name for name, column in COLUMNS.items() if not column.of_crowd)]
    missing = [name for name in needed if name not in photons]
    if missing or "cloud_sigma" not in photons.attrs:
        raise MissingDataError(
            f"the photon table has no {(missing or ['cloud_sigma in its attrs'])[0]!r}; make it "
            "with find_photons(..., position='gaussian'), or give the frames."
        )
    used = float(photons.attrs["cloud_sigma"])
    estimate = _mean_of(photons, used)
    if abs(estimate.cloud_sigma / used - 1) > _LARGEST_STEP:
        warn(
            f"the photons were fitted with cloud_sigma = {used:.3g} px, but show a width of "
            f"{estimate.cloud_sigma:.3g} px. This is only a first estimate. Find the photons "
            "again with this cloud_sigma."
        )
    return estimate


def _mean_of(photons: xr.Dataset, cloud_sigma: float) -> CloudEstimate:
    electrons = photons.attrs.get("electrons_per_adu", "none") != "none"
    columns = table_columns(photons)
    return mean_cloud(columns, cloud_sigma, electrons=electrons)
