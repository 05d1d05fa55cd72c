"""A frame of the camera: its crop, dark and mask, and datasets of images.

Arrays given as frames are converted to a form that the core reads without a copy.
"""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.camera.counts import (
        PixelStatistics,
        SquareMaxima,
        ValueCounts,
        count_frames,
        pixel_statistics,
        square_maxima,
        step_of,
    )
    from hrixs.camera.crop import Crop, first_row, fitting, pixels_of
    from hrixs.camera.curve import Curvature, CurveLike, Number
    from hrixs.camera.dark import DarkImage, DarkMean
    from hrixs.camera.dataset import (
        energies_of,
        image_parts,
        images_of,
        one_image,
        require_finite,
        sum_of_images,
    )
    from hrixs.camera.frames import (
        FRAME_DIMS,
        Frames,
        as_dark,
        as_frames,
        as_mask,
        as_noise,
        first_pixel,
        pixel_coords,
    )
    from hrixs.camera.plots import plot_image, plot_mask
    from hrixs.camera.unlike_frames import OddFrames, named_frames, odd_frames
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "FRAME_DIMS",
    "Crop",
    "Curvature",
    "CurveLike",
    "DarkImage",
    "DarkMean",
    "Frames",
    "Number",
    "OddFrames",
    "PixelStatistics",
    "SquareMaxima",
    "ValueCounts",
    "as_dark",
    "as_frames",
    "as_mask",
    "as_noise",
    "count_frames",
    "energies_of",
    "first_pixel",
    "first_row",
    "fitting",
    "image_parts",
    "images_of",
    "named_frames",
    "odd_frames",
    "one_image",
    "pixel_coords",
    "pixel_statistics",
    "pixels_of",
    "plot_image",
    "plot_mask",
    "require_finite",
    "square_maxima",
    "step_of",
    "sum_of_images",
]
