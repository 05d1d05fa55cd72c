"""Compare the dark with the images: level, exposure, noise; and faults in the dark's own images."""

from __future__ import annotations

from collections.abc import Sequence

from hrixs.doubt_rules.doubt import Doubt

# Largest level of the images above their dark, in units of a pixel's noise and in ADU; the factor
# from which it is grave.
_LEVEL_NOISES, _LEAST_LEVEL, _GRAVE_LEVEL = 0.5, 0.5, 2.0
_EXPOSURE = 0.01
# Allowed ratio of the noise in the images to that in the dark. Light adds noise.
_LEAST_NOISE, _MOST_NOISE = 0.75, 1.5


def dark_images(remarks: Sequence[str], *, lit: bool) -> list[Doubt]:
    """Return a doubt if images of a dark were left out, or light fell on them.

    Parameters
    ----------
    remarks : sequence of str
        What was found, one sentence each.
    lit : bool
        Whether light fell on most of the images.
    """
    if not remarks:
        return []
    return [Doubt("dark_images", " ".join(remarks), {"lit": lit}, grave=lit)]


def dark_noise(dark: float | None, images: float) -> list[Doubt]:
    """Return a doubt if the noise of the dark's images differs from that of the data.

    Parameters
    ----------
    dark : float or None
        Noise of a pixel in the dark's images, from frame to frame, in ADU; None if it is not
        known.
    images : float
        The same for the images, from pixels without light, after the dark is subtracted.
    """
    if dark is None or not dark > 0 or _LEAST_NOISE <= images / dark <= _MOST_NOISE:
        return []
    return [
        Doubt(
            "dark_noise",
            f"a pixel has a noise of {images:.2f} ADU in the images and {dark:.2f} ADU in the "
            f"dark, a ratio of {images / dark:.2f} (expected {_LEAST_NOISE:g} to "
            f"{_MOST_NOISE:g}). Load a dark with the same camera, gain and readout mode.",
            {"dark": dark, "images": images},
        )
    ]


def dark_level(level: float, noise: float) -> list[Doubt]:
    """Return a doubt if the dark and the images have different levels.

    Parameters
    ----------
    level : float
        Median of the pixels without light, after the dark is subtracted, in ADU.
    noise : float
        Noise of a pixel, in ADU.
    """
    largest = max(_LEVEL_NOISES * noise, _LEAST_LEVEL)
    if abs(level) <= largest:
        return []
    return [
        Doubt(
            "dark_level",
            f"the level of the images differs from that of the dark by {level:+.2f} ADU "
            f"(expected within {largest:.2f} ADU). The intensity of every pixel is wrong by this "
            "amount. Load a dark taken with the same settings in the same night, or fit the dark "
            "to each image: DARK_FIT = 'offset' (or 'both').",
            {"level": level, "noise": noise},
            grave=abs(level) > _GRAVE_LEVEL * largest,
        )
    ]


def dark_exposure(dark: float, images: float | None) -> list[Doubt]:
    """Return a doubt if the exposures of dark and images differ; both in seconds."""
    if images is None or abs(dark / images - 1) <= _EXPOSURE:
        return []
    return [
        Doubt(
            "dark_exposure",
            f"the exposure of the dark is {dark:g} s, that of the images {images:g} s (expected "
            f"the same within {_EXPOSURE:.0%}). Load a dark with the same exposure.",
            {"dark": dark, "images": images},
        )
    ]
