"""What the settings make: options of the functions, an `Analysis`, a labelled spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.crop import Crop, fitting, pixels_of
from hrixs.camera.dataset import energies_of, images_of
from hrixs.camera.frames import first_pixel
from hrixs.camera.placed import require_usable_mask
from hrixs.deconvolution.options import Deconvolution
from hrixs.deconvolution.result import one_spectrum
from hrixs.doubt_rules.doubt import DOUBTS, from_text, require_none_grave
from hrixs.level.told import VARIABLES
from hrixs.photons.placement import fits_clouds
from hrixs.reduction.analysis import Analysis, require_method
from hrixs.reduction.analysis import needs_cloud as method_needs_cloud
from hrixs.reduction.first_images import settled
from hrixs.reduction.judge import Seen
from hrixs.reduction.lazy import lazy_spectra
from hrixs.reduction.stack import settled_by_first, spectra_of
from hrixs.settings.attributes import Settings
from hrixs.spectra.dataset import COUNTS_OF, images_of_result, store_spectrum, with_energy
from hrixs.spectrometer.levels import mending_of, with_columns
from hrixs.spectrometer.slow_doubts import with_slow_doubts
from hrixs.utils.checks import finite_number, yes_or_no
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.errors import MissingDataError
from hrixs.utils.provenance import provenance


def find_options(h: Settings, position: str | None = None) -> dict[str, Any]:
    """Options of `find_photons`; `position` in place of `POSITION`."""
    position = position or h.POSITION
    return {
        "threshold": h.THRESHOLD,
        "flatten": True,
        "std_threshold": h.STD_THRESHOLD,
        "dbl_threshold": h.DBL_THRESHOLD,
        "electrons_per_adu": h.ELECTRONS_PER_ADU if fits_clouds(position) else None,
        "max_photons": h.MAX_PHOTONS,
    } | placement_options(h, position)


def classify_options(h: Settings, position: str | None = None) -> dict[str, Any]:
    """Options of `classify_photons`; `position` in place of `POSITION`."""
    return {
        "ev_per_pair": h.EV_PER_PAIR,
        "electrons_per_adu": h.ELECTRONS_PER_ADU,
        "candidate_low": h.CANDIDATE_LOW,
        "candidate_high": h.CANDIDATE_HIGH,
        "single_low": h.SINGLE_LOW,
        "double_low": h.DOUBLE_LOW,
        "max_photons": h.MAX_PHOTONS,
    } | placement_options(h, position or h.POSITION)


def resolve_options(h: Settings) -> dict[str, Any]:
    """Options of `resolve_photons`, all of them."""
    return {
        "ev_per_pair": h.EV_PER_PAIR,
        "electrons_per_adu": h.ELECTRONS_PER_ADU,
        "photon_charge": h.PHOTON_CHARGE,
        "cloud_sigma": h.CLOUD_SIGMA,
        "read_noise": h.READ_NOISE,
        "local_background": h.LOCAL_BACKGROUND,
        "max_pixel": h.MAX_PIXEL,
        "max_photons": h.MAX_PHOTONS,
    }


def placement_options(h: Settings, position: str) -> dict[str, Any]:
    """Options that say where in its pixel a photon lies, and what is too bright for one."""
    options = {
        "position": position,
        "split_doubles": h.SPLIT_DOUBLES,
        "max_pixel": h.MAX_PIXEL,
        "max_charge": h.MAX_CHARGE,
    }
    # The width and the noise may be known, and the fit not wanted.
    if not fits_clouds(position):
        return options
    return options | {
        "cloud_sigma": h.CLOUD_SIGMA,
        "read_noise": h.READ_NOISE,
        "local_background": h.LOCAL_BACKGROUND,
    }


_BY_THRESHOLD = {"auto": find_options, "manual": classify_options}


def uses_dark(h: Settings) -> bool:
    """Whether the dark is subtracted."""
    return yes_or_no("USE_DARK", h.USE_DARK)


def dark_in_use(h: Settings) -> xr.DataArray | NDArray[np.float64] | None:
    """Dark of the whole chip, with its place where that is known; None where none is subtracted.

    Raises
    ------
    MissingDataError
        If it is to be subtracted, and there is none.
    ValueError
        If it is of another camera.
    """
    if not uses_dark(h):
        return None
    if h.dark_image is None:
        raise MissingDataError(
            "USE_DARK is set, but there is no dark; load one with load_dark(run), or set "
            "USE_DARK = False."
        )
    if h.dark_detector != h.DETECTOR:
        raise ValueError(
            f"the dark is of {h.dark_detector}, but DETECTOR is {h.DETECTOR}. Load a dark of the "
            "same camera, or set USE_DARK = False."
        )
    dark: xr.DataArray | NDArray[np.float64] = h.dark.placed
    return dark


def mask_of(bad: NDArray[Any] | None) -> NDArray[Any] | None:
    """The part `bad` of `MASK` that is used, once it leaves enough pixels."""
    if bad is not None:
        require_usable_mask("MASK", bad)
    return bad


def crop_of(h: Settings, nx: int, ny: int) -> Crop:
    """The part of a chip of so many pixels that `X_RANGE` and `Y_RANGE` leave."""
    return Crop.of(h.X_RANGE, h.Y_RANGE, nx, ny)


def cropped(h: Settings, data: xr.Dataset) -> tuple[xr.DataArray, Crop]:
    """The images of a dataset in the crop, and the crop."""
    frames = images_of(data, h.DETECTOR)
    crop = crop_of(h, frames.sizes["x"], frames.sizes["y"])
    crop = replace(crop, first=first_pixel(frames) or (0, 0))
    return frames.isel(x=crop.x, y=crop.y).assign_coords(crop.pixels), crop


def camera_options(h: Settings, crop: Crop) -> dict[str, Any]:
    """Dark and mask in the crop, and threads."""
    return {
        "dark": crop.of_chip("the dark", dark_in_use(h)),
        "mask": mask_of(crop.of_chip("MASK", h.MASK)),
        "threads": h.THREADS,
    }


def image_options(
    h: Settings, image: NDArray[Any], first: tuple[int, int] | None = None
) -> dict[str, Any]:
    """As `camera_options`, for one image of the whole chip or of the crop; with a noise map."""

    def of_image(name: str, chip_image: Any) -> NDArray[Any] | None:
        return fitting(name, chip_image, image, h.X_RANGE, h.Y_RANGE, first=first)

    options = {
        "dark": of_image("the dark", dark_in_use(h)),
        "mask": mask_of(of_image("MASK", h.MASK)),
        "threads": h.THREADS,
    }
    if fits_clouds(h.POSITION) and pixels_of("READ_NOISE", h.READ_NOISE).ndim:
        options["read_noise"] = of_image("READ_NOISE", h.READ_NOISE)
    return options


def analysis_of(
    h: Settings,
    method: str,
    crop: Crop,
    bins: int | None = None,
    *,
    position: str | None = None,
    deconvolution: Deconvolution | None = None,
) -> Analysis:
    """What is done with cropped frames by the present settings."""
    require_method(method)
    if deconvolution is not None and method != "integrate":
        raise ValueError(
            f"deconvolve=True with method={method!r}, expected 'integrate': photons that are "
            "counted have their places, and no cloud that could be taken out."
        )
    options: dict[str, Any] = {}
    if method in _BY_THRESHOLD:
        options = _BY_THRESHOLD[method](h, position)
    elif method != "integrate" or deconvolution is not None:
        options = resolve_options(h)
    if pixels_of("READ_NOISE", options.get("read_noise")).ndim:
        options["read_noise"] = crop.of_chip("READ_NOISE", options["read_noise"])
    return Analysis(
        method,
        options,
        camera_options(h, crop),
        h.curvature,
        h.BINS if bins is None else bins,
        origin=crop.origin,
        dark_noise=h.dark_noise if uses_dark(h) else None,
        deconvolution=deconvolution,
    )


def mending_analysis(
    h: Settings,
    method: str,
    crop: Crop,
    bins: int | None = None,
    *,
    deconvolution: Deconvolution | None = None,
) -> Analysis:
    """As `analysis_of`, of frames that are mended first, as `PEDESTAL` and others say."""
    analysis = analysis_of(h, method, crop, bins, deconvolution=deconvolution)
    mending = mending_of(h, crop, analysis)
    if mending is None:
        return analysis
    dark = None if mending.subtracts else analysis.camera["dark"]
    return replace(analysis, mending=mending, camera=analysis.camera | {"dark": dark})


def needs_cloud(h: Settings, method: str) -> bool:
    """Whether the width of the charge cloud has to be estimated before the work begins."""
    return method_needs_cloud(method, h.POSITION, h.CLOUD_SIGMA)


def learned(h: Settings, method: str, trains: Sequence[xr.Dataset]) -> Analysis:
    """The analysis of trains that come one by one, as the first ones decide it.

    Their photon energies are used where all have one. Those that can't be analysed decide nothing.

    Raises
    ------
    MissingDataError
        If too few photons are isolated in them.
    """
    by_energy = all("nrj" in data.variables for data in trains)
    first = []
    for data in trains:
        frames, crop = cropped(h, data)
        analysis = mending_analysis(h, method, crop)
        energies = energies_of(data, frames) if by_energy and analysis.takes_energy else None
        if analysis.can_use(frames, energies):
            first.append((frames, energies))
    return settled(analysis, len(first), lambda n: first[:n])


def add_spectra(
    h: Settings,
    data: xr.Dataset,
    method: str,
    bins: int | None = None,
    *,
    analysis: Analysis | None = None,
    strict: bool = False,
    look: bool = True,
    keep: list[Seen] | None = None,
    tables: list[xr.Dataset] | None = None,
    deconvolution: Deconvolution | None = None,
    crop: Crop | None = None,
) -> xr.Dataset:
    """Put the spectra of a dataset's images into it, in the way of the method.

    An `analysis` of images before, as from `learned`, is used as it is. Without `look` the first
    images are not looked at for what does not belong to light. What images in memory show
    is put into `keep` in place of being judged, where that is given; photons of each part into
    `tables`, for which lazy images are read part by part. Images that are a `crop` of the chip
    already are given with it.
    """
    strict = yes_or_no("strict", strict)
    frames, crop = cropped(h, data) if crop is None else (images_of(data, h.DETECTOR), crop)
    lazy = is_lazy(frames) and tables is None
    known = analysis
    analysis = known or mending_analysis(h, method, crop, bins, deconvolution=deconvolution)
    has_energy = analysis.takes_energy and "nrj" in data.variables
    energies = energies_of(data, frames) if analysis.needs_energy or has_energy else None
    if known is None:
        # In memory they are told by the photons that are found anyway.
        analysis = settled_by_first(analysis, frames, energies, losses=lazy, look=look)
    if lazy:
        made = lazy_spectra(frames, analysis, energies)
    else:
        made = spectra_of(frames, analysis, energies, keep=keep, tables=tables)
    columns = {name: made.coords[name].variable for name in VARIABLES if name in made.coords}
    made, beside = one_of_all(h, made.drop_vars(columns), analysis, crop, data)
    spectrum = labelled(h, made, crop)
    if keep is None:
        spectrum = with_slow_doubts(h, spectrum, data)
        if strict:
            require_none_grave(from_text(spectrum.attrs[DOUBTS]))
    return with_columns(data, store_spectrum(data, spectrum, beside), columns)


def integrated(h: Settings, data: xr.Dataset, *, strict: bool, **options: Any) -> xr.Dataset:
    """Integrated spectra of a dataset's images, as `hrixs.hRIXS.integrate` documents."""
    wanted = Deconvolution.asked(**options)
    return add_spectra(h, data, "integrate", strict=strict, deconvolution=wanted)


def one_of_all(
    h: Settings, made: xr.DataArray, analysis: Analysis, crop: Crop, data: xr.Dataset
) -> tuple[xr.DataArray, dict[str, xr.DataArray]]:
    """The deconvolved spectrum of all images, and what belongs to it; others as they are."""
    if analysis.deconvolution is None:
        return made, {}
    spectrum, beside = one_spectrum(
        made.assign_attrs({COUNTS_OF: images_of_result(data, made)}),
        analysis.deconvolution,
        cloud_sigma=analysis.options["cloud_sigma"],
        curvature=h.curvature,
        origin=analysis.origin,
        shape=crop.shape,
        mask=analysis.camera["mask"],
        axis=(float(h.ENERGY_INTERCEPT), float(h.ENERGY_SLOPE)),
    )
    return spectrum, beside


def over_energy(h: Settings, spectrum: xr.DataArray) -> xr.DataArray:
    """`spectrum` over rows of the full chip, on the energy axis of the settings."""
    return with_energy(
        spectrum,
        intercept=finite_number("energy_intercept", h.ENERGY_INTERCEPT),
        slope=finite_number("energy_slope", h.ENERGY_SLOPE),
    )


def labelled(h: Settings, spectrum: xr.DataArray, crop: Crop) -> xr.DataArray:
    """`spectrum` on the energy axis, with the settings that made it."""
    spectrum = over_energy(h, spectrum)
    spectrum.attrs |= provenance(
        spectrum.attrs["algorithm"],
        detector=h.DETECTOR,
        **crop.ranges,
        use_dark=uses_dark(h),
        dark_run=h.dark_run if uses_dark(h) else None,
        **(h.dark_counts if uses_dark(h) else {}),
        n_masked=0 if h.MASK is None else int(np.count_nonzero(h.MASK)),
    )
    return spectrum


def origin_of(
    h: Settings, image: xr.DataArray | ArrayLike, shape: tuple[int, int]
) -> tuple[int, int]:
    """Pixel of the chip at which one image begins, which may be the whole chip or the crop.

    An image with coordinates tells it. Else an image of the crop's shape is taken for the crop,
    and any other counts from its corner.
    """
    begin = first_pixel(image)
    if begin is not None:
        return begin
    known = [pixels_of("MASK", one).shape for one in (h.dark_image, h.MASK) if one is not None]
    chip = next((one for one in known if len(one) == 2), None)
    starts: list[int | None] = []
    for axis, (range_, n_pixels) in enumerate(zip((h.X_RANGE, h.Y_RANGE), shape, strict=True)):
        size = None if chip is None else chip[axis]
        starts.append(_start_of(range_, n_pixels, size))
    if None in starts:
        return 0, 0
    return int(starts[0] or 0), int(starts[1] or 0)


def _start_of(range_: slice, n_pixels: int, size: int | None) -> int | None:
    """First pixel of a range that leaves `n_pixels`; None where it leaves another number."""
    if not isinstance(range_, slice):
        return None
    start, stop = range_.start or 0, range_.stop
    if size is not None:
        start, stop, _ = range_.indices(size)
        return start if stop - start == n_pixels else None
    if stop is None and start >= 0:
        return int(start)  # of a chip of unknown size, what is left is as large as the image
    if stop is not None and (start >= 0) == (stop >= 0) and stop - start == n_pixels and start >= 0:
        return int(start)
    return None
