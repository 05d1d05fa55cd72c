"""The dark against the images: level, exposure, noise; and what was wrong with its own images."""

from __future__ import annotations

from collections.abc import Sequence

from hrixs.doubt_rules.doubt import Doubt

# Level of the images above their dark, in parts of a pixel's noise, and at least in ADU; so many
# times that is grave.
_LEVEL_NOISES, _LEAST_LEVEL, _GRAVE_LEVEL = 0.5, 0.5, 2.0
_EXPOSURE = 0.01
# Noise of the images in that of the dark's. Light adds to it.
_LEAST_NOISE, _MOST_NOISE = 0.75, 1.5


def dark_images(remarks: Sequence[str], *, lit: bool) -> list[Doubt]:
    """Doubt a dark of which images were left out, or on which light fell.

    Parameters
    ----------
    remarks : sequence of str
        What was seen, a sentence each.
    lit : bool
        Whether light fell on most of the images.
    """
    if not remarks:
        return []
    return [Doubt("dark_images", " ".join(remarks), {"lit": lit}, grave=lit)]


def dark_noise(dark: float | None, images: float) -> list[Doubt]:
    """Doubt a dark whose images have another noise than the data.

    Parameters
    ----------
    dark : float or None
        Noise of a pixel of the dark's images from frame to frame, in ADU, where it is known.
    images : float
        That of the images' pixels without light, less the dark.
    """
    if dark is None or not dark > 0 or _LEAST_NOISE <= images / dark <= _MOST_NOISE:
        return []
    return [
        Doubt(
            "dark_noise",
            f"a pixel of the images has a noise of {images:.2f} ADU, one of the dark's images "
            f"{dark:.2f} ADU, {images / dark:.2f} times as much (expected {_LEAST_NOISE:g} to "
            f"{_MOST_NOISE:g}). Load a dark of the same camera, gain and readout.",
            {"dark": dark, "images": images},
        )
    ]


def dark_level(level: float, noise: float) -> list[Doubt]:
    """Doubt a dark that is not at the images' level.

    Parameters
    ----------
    level : float
        Median of the images' pixels without light, less the dark, in ADU.
    noise : float
        Of a pixel, in ADU.
    """
    largest = max(_LEVEL_NOISES * noise, _LEAST_LEVEL)
    if abs(level) <= largest:
        return []
    return [
        Doubt(
            "dark_level",
            f"the images lie {level:+.2f} ADU off their dark (expected within {largest:.2f} ADU): "
            "intensity is off by that in every pixel. Load a dark of the same settings and night, "
            "or fit it to each image: DARK_FIT = 'offset' (or 'both').",
            {"level": level, "noise": noise},
            grave=abs(level) > _GRAVE_LEVEL * largest,
        )
    ]


def dark_exposure(dark: float, images: float | None) -> list[Doubt]:
    """Doubt a dark of another exposure than the images have, in seconds."""
    if images is None or abs(dark / images - 1) <= _EXPOSURE:
        return []
    return [
        Doubt(
            "dark_exposure",
            f"the dark was exposed for {dark:g} s, the images for {images:g} s (expected the same "
            f"within {_EXPOSURE:.0%}). Load a dark of the same exposure.",
            {"dark": dark, "images": images},
        )
    ]
