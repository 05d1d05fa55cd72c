"""Noise and photons of a run, and thresholds that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import count_frames, step_of_frames
from hrixs.camera.frames import FRAME_DIMS, Frames, as_frames, as_mask, first_pixel, pixel_coords
from hrixs.camera.placed import require_same_pixels
from hrixs.camera.unlike_frames import named_frames, odd_frames
from hrixs.noise.charge_peaks import ChargePeaks, fit_charge_peaks
from hrixs.noise.false_hits import expected_false_hits
from hrixs.noise.hits import (
    LOWEST,
    SPOT_PIXELS,
    dark_hit_heights,
    heights_of,
    hits_above_noise,
    mean_dark,
    repeating_pixels,
    spot_charges,
    subsample,
)
from hrixs.noise.levels import noise_of_counts, pixel_noise
from hrixs.noise.plots import plot_noise_report
from hrixs.noise.report_text import report_lines
from hrixs.noise.threshold import best_threshold, photon_onset, rounded
from hrixs.photons.defaults import EV_PER_PAIR
from hrixs.utils.checks import positive_energies, whole_number
from hrixs.utils.provenance import provenance, source_attrs

#: Number of frames that are used, evenly distributed over the given ones.
MAX_FRAMES = 32
#: False hits per frame at the suggested threshold if there are no photons.
FALSE_HITS = 0.1
#: Photons in one spot above which it is taken for a cosmic ray.
BRIGHTEST = 3.5
#: Share of overlapping spots above which frames are crowded: then spots with neighbours do not show
#: the charge of a photon, and spots of three photons are not cosmic rays.
CROWDED = 0.1
# Additional mistakes that do not matter: a share of the photons, or a few hits in all, such as
# photons cut by a masked pixel, or hot pixels that are not masked.
_AS_GOOD, _AS_GOOD_HITS = 1e-3, 3.0
_HITS = {"units": "per frame"}
# Range of the gain in electrons per ADU; outside, the peak is not that of photons.
_POSSIBLE_GAINS = 2e-3, 1e5


@dataclass(frozen=True, repr=False)
class NoiseReport:
    """Noise, photons and suggested thresholds for the frames of a run.

    Attributes
    ----------
    threshold : float
        Suggested ``THRESHOLD``: sum of a 2x2 square in ADU, including the pedestal if no dark is
        subtracted.
    dbl_threshold : float or None
        Suggested ``DBL_THRESHOLD``: charge of a spot above the mean of the frame, in ADU. None if
        no peak of single photons was found.
    max_charge : float or None
        Suggested ``MAX_CHARGE``: 3.5 photons, as a charge above the mean of the frame, in ADU. None
        if `dbl_threshold` is, and if more than a tenth of the spots overlap.
    false_hits : float
        Expected false hits per frame at `threshold`, by noise alone.
    peaks : ChargePeaks or None
        Charge of a photon, its width, and share of double hits. None if not found.
    electrons_per_adu : float or None
        Gain of the camera, if the photon energy was given.
    frames : xarray.Dataset
        Over dim ``frames``: level and noise of each frame that was used, from `frame_noise`.
    pixels : xarray.DataArray or None
        Noise of each pixel, dims (x, y), from `pixel_noise`; of the dark frames, if given. None for
        fewer than 3 frames.
    repeating : xarray.DataArray
        Bool, dims (x, y): pixels with hits in at least half of the frames, and more often than
        their neighbours. They are masked for all other numbers; use ``mask | repeating``, or the
        mask of `hrixs.bad_pixels`.
    scan : xarray.Dataset
        Over dim ``threshold`` (ADU), per frame: ``hits`` found, ``false_hits`` expected, and
        ``dark_hits`` found in dark frames, if given.
    charges : xarray.DataArray
        Histogram of charges of spots above the pedestal, dim ``charge`` (ADU).
    attrs : dict
        Settings and version; ``first_pixel``, position (x, y) of the first pixel on the full chip,
        if frames have such coordinates.
    """

    threshold: float
    dbl_threshold: float | None
    max_charge: float | None
    false_hits: float
    peaks: ChargePeaks | None
    electrons_per_adu: float | None
    frames: xr.Dataset
    pixels: xr.DataArray | None
    repeating: xr.DataArray
    scan: xr.Dataset
    charges: xr.DataArray
    attrs: dict[str, Any]

    @property
    def settings(self) -> dict[str, float | None]:
        """Suggested settings, for ``set_params`` of the class."""
        found = {} if self.max_charge is None else {"MAX_CHARGE": self.max_charge}
        return {"THRESHOLD": self.threshold, "DBL_THRESHOLD": self.dbl_threshold} | found

    def __repr__(self) -> str:
        return "\n".join(report_lines(self))

    def _repr_html_(self) -> str:
        return "<pre>" + escape(repr(self)) + "</pre>"

    def plot(self) -> Any:
        """Draw charges with their peaks, hits against the threshold, and noise of the pixels.

        Returns
        -------
        matplotlib.figure.Figure
        """
        return plot_noise_report(self)


def noise_report(
    frames: xr.DataArray | ArrayLike | Frames,
    dark: xr.DataArray | ArrayLike | None = None,
    *,
    mask: xr.DataArray | ArrayLike | None = None,
    energy: float | None = None,
    max_frames: int = MAX_FRAMES,
    threads: int | None = None,
) -> NoiseReport:
    """Measure the noise of frames and the charge of their photons, and suggest thresholds.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        Some frames of the run to be analysed, with photons; any real dtype. Crop them as in the
        analysis.
    dark : array_like, shape (x, y) or (n, x, y), optional
        Dark image or dark frames. The dark is subtracted, so the thresholds are for frames with a
        subtracted dark. Two or more dark frames also show the real number of false hits.
    mask : array_like of bool, shape (x, y), optional
        True for bad pixels; see `hrixs.bad_pixels`.
    energy : float, optional
        Photon energy in eV, for the gain of the camera, ``ELECTRONS_PER_ADU``.
    max_frames : int
        Largest number of frames to use; they are evenly distributed.
    threads : int, optional
        As in `hrixs.find_photons`.

    Returns
    -------
    NoiseReport
        Print it, or call its method `plot`.

    Raises
    ------
    NonFinitePixelsError, TypeError, ValueError
        For NaN or inf pixels that are not masked, an unreadable dtype, wrong shapes or settings, or
        frames without any noise.

    Notes
    -----
    `docs/detection.md` explains each number, and shows results on simulated frames.

    Examples
    --------
    >>> from hrixs import noise_report
    >>> from hrixs.simulation import Sensor, SpectralLine, simulate_frames
    >>> frames, _ = simulate_frames(
    ...     4, sensor=Sensor(shape=(128, 128)), photons_per_frame=40,
    ...     lines=[SpectralLine(60.0, 20.0, 1.0)],
    ... )
    >>> report = noise_report(frames, energy=530.0)
    >>> 420 < report.threshold < 470, round(report.peaks.adu_per_photon, -1)
    (True, 140.0)
    """
    max_frames = whole_number("max_frames", max_frames)
    if energy is not None:
        positive_energies(np.asarray(energy, dtype=np.float64))
    corner, where = first_pixel(frames), pixel_coords(frames)
    stack, numbers = subsample(frames, max_frames)
    for name, of_chip in (("dark", dark), ("mask", mask)):
        require_same_pixels(name, of_chip, corner, stack.frame_shape)
    image, darks, of_dark = mean_dark(dark, stack, max_frames, threads)
    checked = as_mask(mask, stack)
    given = np.zeros(stack.frame_shape, bool) if checked is None else checked.astype(bool)
    counts = count_frames(stack, dark=image, mask=checked, threads=threads)
    odd = odd_frames(counts[0].median, counts[0].noise)
    left_out = dict(zip(numbers.tolist(), odd.kinds, strict=True))
    left_out = {number: kind for number, kind in left_out.items() if kind}
    if left_out:
        stack = as_frames(stack.pixels[odd.good])
        counts = counts[0].of(odd.good), counts[1].of(odd.good)
    noise = noise_of_counts(*counts, dark_subtracted=image is not None)
    if not (len(stack) and (noise["square_noise"] > 0).all()):
        raise ValueError(
            "the frames have no noise: most pixels have the same value. Give frames as the camera "
            "wrote them, or set THRESHOLD by hand."
        )
    hits = hits_above_noise(stack, image, given, noise, threads)
    repeating = repeating_pixels(hits, len(stack), stack.frame_shape)
    bad = given | repeating
    if repeating.any():
        hits = hits_above_noise(stack, image, bad, noise, threads)
    heights = heights_of(hits, noise)
    step = step_of_frames(stack, image, checked)
    level = float(noise["square_level"].median())
    sigma = float(np.sqrt((noise["square_noise"] ** 2).mean()))

    def expected(height: NDArray[np.float64], own_level: float = level) -> NDArray[np.float64]:
        """Expected false hits per frame at `height` above the level of the run."""
        return float(np.mean(~bad)) * expected_false_hits(
            level + height, level=own_level, noise=sigma, shape=stack.frame_shape, step=step
        )

    tried = np.arange(LOWEST, 12.0, 0.25) * sigma
    begin = photon_onset(heights, tried, expected(tried) * len(stack))
    charge, offset, alone, overlapping = spot_charges(
        stack, image, bad, noise, level + begin, threads
    )
    crowded = overlapping > CROWDED
    spot_noise = float(np.sqrt((noise["noise"] ** 2).mean()) * np.sqrt(SPOT_PIXELS))
    pure = bool(np.isfinite(begin))
    peaks = (
        fit_charge_peaks(charge, noise=spot_noise, alone=alone, crowded=crowded) if pure else None
    )
    top = max(peaks.adu_per_photon if peaks else 0.0, 12 * sigma)
    steps = np.linspace(LOWEST * sigma, top, 97)
    scan = _scan(level + steps, heights, steps, expected(steps), len(stack))
    if darks is not None:
        dark_heights = dark_hit_heights(darks, bad, threads)
        n_above = len(dark_heights) - np.searchsorted(np.sort(dark_heights), steps, "right")
        scan["dark_hits"] = ("threshold", n_above / len(darks), _HITS)
    if peaks:
        false = scan["false_hits"].values
        if darks is not None:
            # Hits above one photon (cosmic rays) do not matter for the threshold.
            in_dark = scan["dark_hits"].values
            false = np.maximum(false, in_dark - in_dark[-1])
        threshold = best_threshold(
            scan["threshold"].values, scan["hits"].values, false,
            as_good=max(_AS_GOOD * len(charge), _AS_GOOD_HITS) / len(stack),
        )  # fmt: skip
    else:
        fine = np.linspace(LOWEST * sigma, 8 * sigma, 801)
        threshold = level + float(fine[np.argmax(expected(fine) <= FALSE_HITS)])
    threshold = rounded(threshold, sigma)
    of_frames = [
        expected(np.asarray(threshold - level), own) for own in noise["square_level"].values
    ]
    gain = energy / EV_PER_PAIR / peaks.adu_per_photon if energy and peaks else None
    if peaks and gain is not None and not _POSSIBLE_GAINS[0] < gain < _POSSIBLE_GAINS[1]:
        raise ValueError(
            f"one photon of {energy:g} eV comes out as {peaks.adu_per_photon:.4g} ADU, a gain of "
            f"{gain:.2g} electrons per ADU, which no camera has: these are not photons. Mask stuck "
            "rows and hot pixels first (find_bad_pixels(run)), and check the energy (eV)."
        )
    still = stack if darks is None else darks
    return NoiseReport(
        threshold=threshold,
        dbl_threshold=rounded(peaks.boundary - offset, sigma) if peaks else None,
        max_charge=(
            rounded(BRIGHTEST * peaks.adu_per_photon - offset, sigma)
            if peaks and not crowded
            else None
        ),
        false_hits=float(np.mean(of_frames)),
        peaks=peaks,
        electrons_per_adu=gain,
        frames=noise,
        pixels=(
            pixel_noise(still, mask=bad, threads=threads).assign_coords(where)
            if len(still) >= 3
            else None
        ),
        repeating=xr.DataArray(repeating, where, FRAME_DIMS, "repeating"),
        scan=scan,
        charges=_histogram(charge, peaks, spot_noise),
        attrs=provenance(
            "noise_report",
            n_frames=len(stack),
            n_spots=len(charge),
            n_masked=int(given.sum()),
            n_repeating=int(repeating.sum()),
            overlapping=overlapping,
            crowded=crowded,
            n_left_out=len(left_out),
            left_out=named_frames(list(left_out), list(left_out.values())),
            n_darks_left_out=len(of_dark.left_out) if of_dark else 0,
            remarks_of_dark=" ".join(of_dark.remarks()) if of_dark else "",
            dark_subtracted=image is not None,
            n_darks=0 if darks is None else len(darks),
            energy=energy,
            max_frames=max_frames,
            **({} if corner is None else {"first_pixel": corner}),
            **(source_attrs(frames) if isinstance(frames, xr.DataArray) else {}),
        ),
    )


def _scan(
    thresholds: NDArray[np.float64],
    heights: NDArray[np.float64],
    steps: NDArray[np.float64],
    false: NDArray[np.float64],
    n_frames: int,
) -> xr.Dataset:
    n_above = len(heights) - np.searchsorted(np.sort(heights), steps, "right")
    return xr.Dataset(
        {
            "hits": ("threshold", n_above / n_frames, _HITS),
            "false_hits": ("threshold", false, _HITS),
        },
        coords={"threshold": ("threshold", thresholds, {"units": "ADU"})},
    )


def _histogram(
    charge: NDArray[np.float64], peaks: ChargePeaks | None, spot_noise: float
) -> xr.DataArray:
    top = BRIGHTEST * peaks.adu_per_photon if peaks else 40 * spot_noise
    step = (peaks.width if peaks else spot_noise) / 3
    counts, edges = np.histogram(charge, bins=np.arange(0, top + step, step))
    return xr.DataArray(
        counts,
        dims=("charge",),
        coords={"charge": ("charge", (edges[1:] + edges[:-1]) / 2, {"units": "ADU"})},
        name="spots",
        attrs={"n_above": int(np.count_nonzero(charge >= edges[-1])), "units": "spots"},
    )
