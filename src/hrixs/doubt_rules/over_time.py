"""Changes during a run: lines that move, levels that drift, tracks in single images."""

from __future__ import annotations

import numpy as np

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# A run is divided into this many parts of equal length, each of two images or more.
_PARTS = 8
# Ratio of the variance of the positions of the parts to that within a part (from every other
# image), an F ratio that chance reaches once in 50,000 times; and by how much aligning must
# sharpen the sum.
_MOVE_RATIO, _SHARPER = 20.0, 1.06
# Parts with less than this share of the usual light are left out.
_LEAST_LIGHT = 0.2
# Change of the level from the first to the last image: in units of a pixel's noise, in ADU, and in
# standard errors.
_DRIFT_NOISES, _LEAST_DRIFT, _DRIFT_ERRORS = 1.0, 1.0, 8.0
# A row of one integrated spectrum above the same row of the others: in units of the tallest line,
# and in standard deviations of their scatter.
_TRACK_HEIGHT, _TRACK_ERRORS = 0.5, 20.0
_IMAGES_FOR_TRACKS, _MOST_TRACKS = 4, 0.25
# Rows with at least this part of the largest height show an image's light.
_OF_LINES = 0.2


def lines_move(spectra: Floats, *, step: float = 1.0, unit: str = "bins") -> list[Doubt]:
    """Return a doubt if lines move during the run, so that they are too wide in the sum.

    Parameters
    ----------
    spectra : numpy.ndarray, shape (images, bins)
        In the order of the run.
    step, unit
        Width of a bin and its unit, for the text.
    """
    spectra = known_bins(spectra)
    per_part = len(spectra) // _PARTS
    if per_part < 2 or spectra.shape[1] < 16:
        return []
    used = spectra[: _PARTS * per_part].reshape(_PARTS, per_part, -1)
    parts, every_other = used.sum(axis=1), used[:, ::2].sum(axis=1)
    halves = [2 * _light(every_other), 2 * _light(parts - every_other)]
    light = np.min([_light(parts), *halves], axis=0)
    lit = light > _LEAST_LIGHT * np.median(light)
    if lit.sum() < _PARTS // 2 or not np.median(light) > 0:
        return []
    parts, every_other = parts[lit], every_other[lit]
    places = _places(parts)
    between = _places(every_other) - _places(parts - every_other)
    # Half of a part has twice the variance of the whole, and a difference of two halves four
    # times.
    own = float((between**2).mean()) / 4
    scatter = float(places.var(ddof=1))
    if not own > 0 or scatter < _MOVE_RATIO * own:
        return []
    bins = np.arange(spectra.shape[1], dtype=np.float64)
    back = sum(np.interp(bins, bins - at, one) for one, at in zip(parts, places, strict=True))
    sharper = _sharpness(np.asarray(back)) / _sharpness(parts.sum(axis=0))
    if not sharper > _SHARPER:
        return []
    span = float(np.ptp(places))
    return [
        Doubt(
            "moving_lines",
            f"the lines move by {span * abs(step):.3g} {unit} during the run, so that they are "
            f"too wide in the sum of all images: aligned it is {sharper:.2f} times as sharp "
            f"(expected under {_SHARPER:g}). Call align(result), which moves the lines back.",
            {"places": places.round(3).tolist(), "sharper": sharper},
        )
    ]


def known_bins(spectra: Floats) -> Floats:
    """Keep the bins that all spectra have: an integrated one is NaN at the ends of a tilted crop.

    Images without any value are 0.
    """
    known = np.isfinite(spectra)
    if known.all():
        return spectra
    some = np.asarray(known.any(axis=1))
    bins = known[some].all(axis=0)
    return np.asarray(np.where(some[:, None], spectra, 0.0)[:, bins])


def _light(parts: Floats) -> Floats:
    """Light of each spectrum, above its level."""
    return np.asarray((parts - np.median(parts, axis=1, keepdims=True)).clip(0).sum(axis=1))


def _places(parts: Floats) -> Floats:
    """Shift of each spectrum from the mean position of all, in bins."""
    kernel = np.hanning(9)[1:-1]
    level = np.median(parts, axis=1, keepdims=True)
    smooth = np.array([np.convolve(one, kernel, mode="same") for one in parts - level])
    smooth = smooth / smooth.clip(0).sum(axis=1, keepdims=True)
    bins = np.arange(smooth.shape[1], dtype=np.float64)
    middle = smooth[len(smooth) // 2]
    farthest = [int(np.argmax(np.correlate(one, middle, mode="same"))) for one in smooth]
    places = np.asarray(farthest, dtype=np.float64) - smooth.shape[1] // 2
    for _ in range(4):  # refined by the slope of their mean
        moved = np.array(
            [np.interp(bins + at, bins, one) for one, at in zip(smooth, places, strict=True)]
        )
        mean = moved.mean(axis=0)
        slope = np.gradient(mean)
        square = max(float((slope**2).sum()), 1e-300)
        places = places - np.clip(((moved - mean) * slope).sum(axis=1) / square, -2.0, 2.0)
    return np.asarray(places - places.mean())


def _sharpness(spectrum: Floats) -> float:
    smooth = np.convolve(spectrum - np.median(spectrum), np.ones(3), mode="same")
    return float(smooth @ smooth)


def level_drifts(level: Floats, noise: float) -> list[Doubt]:
    """Return a doubt if the level drifts, for integrated intensity.

    Parameters
    ----------
    level : numpy.ndarray, shape (images,)
        Level of the pixels without light, in the order of the run, in ADU.
    noise : float
        Noise of a pixel, in ADU.
    """
    n = len(level)
    if n < 4:
        return []
    steps = np.arange(n) - (n - 1) / 2
    slope = float(steps @ level / (steps @ steps))
    rest = level - level.mean() - slope * steps
    error = float(np.sqrt((rest @ rest) / (n - 2) / (steps @ steps)))
    drift = slope * (n - 1)
    least = max(_DRIFT_NOISES * noise, _LEAST_DRIFT)
    if abs(drift) < least or abs(slope) < _DRIFT_ERRORS * error:
        return []
    return [
        Doubt(
            "level_drift",
            f"the level drifts by {drift:+.1f} ADU from the first image to the last (expected "
            f"within {least:.1f} ADU), and the integrated intensity contains this drift. "
            "Subtract the level of each image (PEDESTAL = 'image', or give rows without light), "
            "or count photons with method='best'.",
            {"drift": drift, "noise": noise},
        )
    ]


def tracks(spectra: Floats) -> list[int]:
    """Find images with a bright row that the others do not have, such as a cosmic ray makes.

    Parameters
    ----------
    spectra : numpy.ndarray, shape (images, rows)
        Integrated spectra.

    Returns
    -------
    list of int
        Numbers of these images.
    """
    if len(spectra) < _IMAGES_FOR_TRACKS or spectra.shape[1] < 16:
        return []
    above = spectra - np.median(spectra, axis=1, keepdims=True)
    usual = np.median(above, axis=0)
    highest = float(usual.max())
    lines = usual > _OF_LINES * highest if highest > 0 else np.ones(len(usual), dtype=bool)
    # The median, since a track is in few of a line's rows.
    light = np.median(above[:, lines] / np.where(usual[lines] > 0, usual[lines], 1.0), axis=1)
    excess = above - np.clip(light, 0.0, None)[:, None] * usual
    own = 1.4826 * np.median(np.abs(excess), axis=0)
    # The median over the rows beside it, since the scatter is that of a few values.
    beside = np.max([np.roll(own, step) for step in range(-3, 4)], axis=0)
    scatter = np.maximum(beside, 1.4826 * float(np.median(np.abs(excess))))
    far = (excess > _TRACK_HEIGHT * highest) & (excess > _TRACK_ERRORS * scatter)
    found = np.flatnonzero(far.any(axis=1))
    # In many images it is light.
    return [int(image) for image in found] if len(found) <= _MOST_TRACKS * len(spectra) else []
