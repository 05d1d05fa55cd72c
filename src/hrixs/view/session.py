"""The state of one browser: settings, and results made with them. Does not know the page."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.camera.curve import Curvature
from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.listing import doubts
from hrixs.energy.drift import align
from hrixs.energy.line import LineFit, line_width
from hrixs.energy.loss import energy_loss
from hrixs.noise.report import NoiseReport
from hrixs.reduction.analysis import require_method
from hrixs.settings.state import plain_beside, plain_settings
from hrixs.spectra.errors import known_error
from hrixs.spectra.integrated import integrate_frames
from hrixs.spectrometer.recipe import camera_options, over_energy
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import UnknownUncertaintyError
from hrixs.view.found import Found, Kept, Progress
from hrixs.view.images import RunImages
from hrixs.view.scans.found_runs import find_all
from hrixs.view.worker import RECKONING, quiet, silence

#: Settings that are applied to photons after they are found.
ON_PHOTONS = frozenset(
    ("bins", "curve_a", "curve_b", "curvature", "energy_intercept", "energy_slope", "fields")
)
# Number of photons whose shift is measured together, for about ten groups if there are enough.
_LEAST_A_GROUP, _MOST_A_GROUP, _GROUPS = 50, 500, 10


@dataclass(frozen=True)
class Made:
    """The results that a page shows for some settings.

    Attributes
    ----------
    h, method
        The settings.
    spectra, photons
        Spectra and photons of all images; no photons for integrated intensity.
    row
        Row of the chip at which the strongest line is in column 0.
    integrated
        The integrated spectrum of the mean image, if known.
    doubts
        Doubts about the spectra.
    """

    h: hRIXS
    method: str
    spectra: xr.Dataset
    photons: xr.Dataset | None
    row: float
    integrated: xr.DataArray | None
    doubts: list[Doubt]


class Session:
    """The settings of one page, and the photons and spectra that they make.

    Parameters
    ----------
    images : RunImages
        Images of the run, which several sessions may share.
    h : hRIXS
        Initial settings; they are copied.
    method : str
        As in `hRIXS.process_run`.
    kept : Kept, optional
        Photons that were already found, shared with other sessions on the same images.

    Attributes
    ----------
    h : hRIXS
        The settings; change them with `set`.
    method : str
    loss : bool
        Whether the axis of the spectra is the energy loss.
    n_found : int
        How often photons were searched for.
    """

    def __init__(
        self, images: RunImages, h: hRIXS, method: str = "auto", *, kept: Kept | None = None
    ) -> None:
        self.images, self.method = images, method
        self.h = copy.copy(h)
        self.h.aggregators = dict(h.aggregators)
        self.loss = False
        self.n_found = 0
        self.kept = kept or Kept()
        self._spectra: tuple[str, xr.Dataset] | None = None
        self._own = threading.RLock()

    def set(self, *, method: str | None = None, **params: Any) -> None:
        """Change settings; if one of them is wrong, none is changed.

        Raises
        ------
        AttributeError, TypeError, ValueError
            As `hRIXS.set_params`; or if the crop is not on the chip.
        """
        tried = copy.copy(self.h)
        if method is not None:
            require_method(method)
        with quiet():
            tried.set_params(**params)
            self.images.crop(tried)
        self.h, self.method = tried, method or self.method

    @property
    def crop(self) -> Crop:
        """The part of the images that is used, as a crop."""
        with quiet():
            return self.images.crop(self.h)

    def found(self, progress: Progress | None = None) -> Found:
        """The photons found with the present settings; they are found once."""
        return self._found_with(self.h, self.method, progress)

    def _found_with(self, h: hRIXS, method: str, progress: Progress | None) -> Found:
        """As `found`, for settings that may be replaced meanwhile."""

        def now() -> Found:
            self.n_found += 1
            return find_all(self.images, copy.copy(h), method, progress)

        return self.kept.get(_key(h, method), now)

    def spectra(self, progress: Progress | None = None) -> xr.Dataset:
        """The spectra of all images with the present settings."""
        h, method = self.h, self.method
        key = _key(h, method, all_settings=True)
        with self._own:
            key += f"loss {self.loss}"
            if self._spectra is None or self._spectra[0] != key:
                made = self._found_with(h, method, progress).spectra(h)
                if self.loss:
                    with silence():
                        made = energy_loss(made)
                self._spectra = key, made
            return self._spectra[1]

    def total(self, progress: Progress | None = None) -> tuple[xr.DataArray, xr.DataArray | None]:
        """The spectrum of all images, and its error if it can be estimated.

        Counts are summed; intensity is averaged over all images.
        """
        return total_of(self.spectra(progress))

    def integrated(self, image: NDArray[Any]) -> xr.DataArray:
        """The integrated spectrum of the mean image; it equals the mean of all integrated spectra.

        In ADU, for the rows of the crop, on the present axis.
        """
        crop = self.crop
        with RECKONING, silence():
            part = np.asarray(image[crop.x, crop.y], dtype=np.float64)
            made: Any = integrate_frames(
                xr.DataArray(part, crop.pixels, ("x", "y")),
                curvature=self.h.curvature,
                **camera_options(self.h, crop),
            )
            return over_energy(self.h, made)

    def corrected(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """A whole image with the dark subtracted, and NaN at masked pixels."""
        options = camera_options(self.h, self.images.whole)
        made = np.asarray(image, dtype=np.float64)
        if options["dark"] is not None:
            made = made - np.asarray(options["dark"])
        return made if options["mask"] is None else np.where(options["mask"], np.nan, made)

    def width(self, region: tuple[float, float] | None = None) -> LineFit:
        """Fit a line of the summed spectrum, within a part of the axis.

        Raises
        ------
        NoLineError, ValueError
            As `hrixs.line_width`.
        """
        spectrum, error = self.total()
        counted = spectrum.attrs.get("units") == "photons" and spectrum.dtype.kind in "iu"
        with RECKONING:
            if counted:
                return line_width(spectrum, region=region)
            return line_width(spectrum, region=region, noise="gaussian", error=error)

    def find_bad_pixels(self) -> None:
        """Find bad pixels in the first images, and add them to the mask."""
        tried = copy.copy(self.h)
        with silence():
            tried.find_bad_pixels(self.images.source)
        self._take(tried, "MASK")

    def load_dark(self, name: str) -> None:
        """Subtract the mean of a dark run, given by number or path; with an empty name no dark."""
        tried = copy.copy(self.h)
        name = name.strip()
        with silence():
            if name:
                tried.load_dark(int(name) if name.isdecimal() else name)
            else:
                tried.USE_DARK = False
        self._take(tried, "dark", "USE_DARK")

    def _take(self, tried: hRIXS, *names: str) -> None:
        """Take over new settings; other settings may have changed meanwhile."""
        h = copy.copy(self.h)
        for name in names:
            setattr(h, name, getattr(tried, name))
        self.h = h

    def make(self, mean: NDArray[Any] | None = None, progress: Progress | None = None) -> Made:
        """Compute all results for the present settings; with `mean` the integrated one, too."""
        h, method = self.h, self.method
        found = self._found_with(h, method, progress)
        spectra = self.spectra(progress)
        return Made(
            h,
            method,
            spectra,
            found.photons,
            _line_row(found.spectra(h) if self.loss else spectra),
            None if mean is None else self.integrated(mean),
            doubts(spectra),
        )

    def line_row(self) -> float:
        """Row of the chip, at column 0, of the highest bin of all images together."""
        return _line_row(self.found().spectra(self.h))

    def fit_curvature(self) -> Curvature:
        """Fit the curve of the strongest line, and set it; a doubtful curve is an error."""
        tried = copy.copy(self.h)
        with RECKONING, silence():
            tried.find_curvature(self.images.source, plot=False)
        self._take(tried, "curvature", "curvature_fit")
        return tried.curvature

    def noise_report(self) -> NoiseReport:
        """Noise, charges and suggested thresholds of the first images in the crop."""
        with RECKONING, silence():
            return self.h.noise_report(self.images.source)

    def drift(self) -> xr.Dataset:
        """Shift of groups of images relative to the sum of all, over dim ``group``, in pixels.

        Raises
        ------
        ValueError
            If there are too few photons, or photons are not counted.
        """
        photons = self.found().photons
        if photons is None:
            raise ValueError(
                "drift is measured with counted photons. Choose a method that counts photons, "
                "such as auto."
            )
        per_group = min(_MOST_A_GROUP, max(_LEAST_A_GROUP, photons.sizes["photon"] // _GROUPS))
        with RECKONING, silence():
            return align(photons, curvature=self.h.curvature, photons_per_group=per_group)

    def doubts(self) -> list[Doubt]:
        """Doubts about the spectra."""
        return doubts(self.spectra())

    def find_range(self) -> None:
        """Find the rows and columns with light, and use them.

        Raises
        ------
        NoLineError
            If there is no line.
        """
        tried = copy.copy(self.h)
        with silence():
            tried.auto_range(self.images.source, set=True, plot=False)
        self._take(tried, "X_RANGE", "Y_RANGE")

    def mask(self) -> NDArray[np.bool_] | None:
        """Bad pixels of the images (True); None if no mask is set."""
        return None if self.h.MASK is None else np.asarray(self.h.MASK, dtype=bool)

    def photons_of(self, number: int) -> dict[str, NDArray[Any]]:
        """Positions of the photons of one image, their charges, and which are double hits."""
        return photons_of(self.found().photons, number)


def _key(h: hRIXS, method: str, *, all_settings: bool = False) -> str:
    """Text that differs if the settings would give other photons, or other spectra."""
    settings: dict[str, Any] = dict(plain_settings(h))
    beside = plain_beside(h)
    # Intensity is integrated along the curve, so it depends on all settings.
    if not all_settings and method not in ("integrate", "best"):
        settings = {k: v for k, v in settings.items() if k not in ON_PHOTONS}
        beside = {k: v for k, v in beside.items() if k != "calibrated"}
    return json.dumps([method, settings, beside], default=str)


def _line_row(spectra: xr.Dataset) -> float:
    """Row of the chip, at column 0, of the highest bin of all images together."""
    spectrum, _ = total_of(spectra)
    at = float(spectrum["energy"].values[int(np.argmax(spectrum.fillna(0.0).values))])
    intercept, slope = (spectrum.attrs[f"energy_{one}"] for one in ("intercept", "slope"))
    return (at - float(intercept)) / float(slope)


def photons_of(photons: xr.Dataset | None, number: int | None) -> dict[str, NDArray[Any]]:
    """Positions of the photons of one image, their charges, and which are double hits."""
    names = ("x", "y", "charge", "double")
    if photons is None or number is None:
        return {name: np.empty(0) for name in names}
    of_image = np.flatnonzero(photons["frame"].values == number)
    return {name: photons[name].values[of_image] for name in names}


def total_of(spectra: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray | None]:
    """The spectrum of all images, and its standard deviation."""
    spectrum = spectra["spectrum"]
    dims = list(spectrum.dims[:-1])
    if spectrum.attrs.get("units") != "photons":
        return spectrum.mean(dims, keep_attrs=True), None
    total = spectrum.sum(dims, keep_attrs=True)
    try:
        error = known_error(spectra.sum(dims, keep_attrs=True))
    except (UnknownUncertaintyError, TypeError):
        error = None
    return total, error


def per_image(spectra: xr.Dataset) -> Iterator[tuple[int, float]]:
    """Number of each image, with its photons or mean intensity."""
    spectrum = spectra["spectrum"]
    counted = spectrum.attrs.get("units") == "photons"
    values = np.asarray(spectrum.values, np.float64).reshape(-1, spectrum.shape[-1])
    sums = values.sum(axis=-1) if counted else values.mean(axis=-1)
    yield from enumerate(sums.tolist())
