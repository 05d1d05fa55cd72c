"""Width and position of one spectral line; for the elastic line this is the resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.energy.line_fit import HALF_WINDOW, Noise, bins_of_line, fit_line
from hrixs.spectra.rebin import axis_and_values, equal_step
from hrixs.utils.errors import unknown_name
from hrixs.utils.statistics import with_error


@dataclass(frozen=True, repr=False)
class LineFit:
    """One spectral line, as fitted, with one standard deviation of each number.

    Attributes
    ----------
    fwhm, centre : float
        Full width at half maximum and position, in `units`. The width is corrected for the width
        of the bins.
    height : float
        Height of the line above the background in the bin of its centre, in the unit of the
        spectrum.
    area : float
        Sum of the line over the bins, in the unit of the spectrum: its photons.
    background : float
        Background in each bin, in the unit of the spectrum.
    lorentzian : float
        FWHM of the Lorentzian part over that of the line: 0 for a Gaussian.
    fwhm_err, centre_err, height_err, area_err, background_err, lorentzian_err : float
        Standard deviations; 0 for a number at its limit (no background, no Lorentzian part).
    chi2 : float
        Pearson's chi-square per degree of freedom: about 1 if line and noise are as assumed.
        Neighbouring bins are joined until at least 5 photons are expected; NaN if there are too
        few.
    window : (float, float)
        Ends of the fitted part of the axis, in `units`.
    shape : {'gaussian', 'voigt'}
        Shape of the line.
    units : str
        Unit of the axis.
    """

    fwhm: float
    centre: float
    height: float
    area: float
    background: float
    lorentzian: float
    fwhm_err: float
    centre_err: float
    height_err: float
    area_err: float
    background_err: float
    lorentzian_err: float
    chi2: float
    window: tuple[float, float]
    shape: str
    units: str

    def __repr__(self) -> str:
        share = f", Lorentzian share {self.lorentzian:.2f}" if self.shape == "voigt" else ""
        return (
            f"<LineFit ({self.shape}): FWHM {with_error(self.fwhm, self.fwhm_err)} {self.units} "
            f"at {with_error(self.centre, self.centre_err)} {self.units}, area "
            f"{with_error(self.area, self.area_err)}{share}, chi2 {self.chi2:.2f}>"
        )

    def model(self, axis: ArrayLike) -> NDArray[np.float64]:
        """Line and background in the bins with centres `axis`, as fitted.

        Parameters
        ----------
        axis : array_like, shape (n,)
            In `units`, in steps of the fitted spectrum.
        """
        at = np.asarray(axis, dtype=np.float64)
        step = abs(equal_step(at, "axis"))
        share = self.lorentzian if self.shape == "voigt" else None
        line = bins_of_line((at - self.centre) / step, self.fwhm / step, share)
        return np.asarray(self.area * line + self.background)

    def plot(self, spectrum: xr.DataArray, error: ArrayLike | None = None) -> Any:
        """Draw the spectrum around the line with its errors, the fitted line, and the residuals.

        Parameters
        ----------
        spectrum : xarray.DataArray
            The spectrum that was fitted.
        error : array_like, optional
            One standard deviation of each bin; by default that of counted photons.

        Returns
        -------
        matplotlib.figure.Figure
            With the residuals in standard deviations.
        """
        from hrixs.energy.line_plot import plot_line

        return plot_line(self, spectrum, error)


def line_width(
    spectrum: xr.DataArray,
    *,
    shape: str = "gaussian",
    region: tuple[float, float] | None = None,
    noise: str = "poisson",
    error: xr.DataArray | ArrayLike | None = None,
) -> LineFit:
    """Fit the tallest line of a spectrum: its width, position and photons.

    Maximum likelihood of a line on a constant, both integrated over the bins.

    Parameters
    ----------
    spectrum : xarray.DataArray, one dimension
        Over ``energy`` or ``y``, in equal bins, for example the sum of a run's spectra; or
        over ``energy_loss``. Bins that are NaN are
        left out.
    shape : {'gaussian', 'voigt'}
        Shape of the line.
    region : (float, float), optional
        Part of the axis to fit, in the unit of the axis: one line and its surroundings. By default
        the tallest line of all is fitted within 1.7 FWHM of its centre (Voigt: 6).
    noise : {'poisson', 'gaussian'}
        ``'poisson'`` for counted photons, also when they are divided by a norm: the variance is
        that of the fitted line, since the square roots of small counts would bias the fit.
        ``'gaussian'`` for integrated intensity.
    error : array_like, optional
        One standard deviation of each bin. For ``'poisson'`` it gives the ratio of the variance to
        the spectrum, the same for all bins; by default that is 1, for counts. For ``'gaussian'``
        it gives weights; by default all bins have the same weight, and their scatter gives the
        uncertainties, which are too small if neighbouring bins share intensity.

    Returns
    -------
    LineFit

    Raises
    ------
    NoLineError
        If no line stands out.
    ValueError
        If `spectrum` has not one dimension in equal bins, or too few; for an unknown `shape` or
        `noise`; for ``'poisson'`` if the spectrum is negative, or no count and without `error`.

    Notes
    -----
    The likelihood of counts is that of W. Cash, Astrophys. J. 228, 939 (1979). The width of a
    Voigt line follows J. J. Olivero and R. L. Longbothum, J. Quant. Spectrosc. Radiat. Transfer
    17, 233 (1977), right to 0.02 %.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import line_width
    >>> energies = np.random.default_rng(1).normal(530, 0.02, 5000)
    >>> counts, edges = np.histogram(energies, 200, (529, 531))
    >>> spectrum = xr.DataArray(counts, {"energy": (edges[1:] + edges[:-1]) / 2}, ["energy"])
    >>> fit = line_width(spectrum)
    >>> round(fit.fwhm, 3), round(fit.fwhm_err, 4), round(fit.centre, 3)
    (0.047, 0.0006, 530.0)
    """
    if shape not in HALF_WINDOW:
        raise ValueError(unknown_name("shape", shape, HALF_WINDOW))
    axis, values, step = axis_and_values(spectrum)
    used = np.isfinite(values)
    if region is not None:
        low, high = sorted(float(end) for end in region)
        used &= (axis >= low) & (axis <= high)
    if used.sum() < 6:
        dim = spectrum.dims[0]
        units = spectrum[dim].attrs.get("units", "")
        raise ValueError(
            f"{used.sum()} bins with a value in region = {region!r}, expected 6 or more; the axis "
            f"{dim!r} goes from {axis.min():.7g} to {axis.max():.7g} {units}".rstrip()
            + "."
        )
    origin = float(axis[used][0])
    line = fit_line(
        (axis[used] - origin) / step,
        values[used],
        _noise_of(noise, spectrum, error, used),
        shape,
        whole=region is not None,
    )
    p = line.parameters
    errors = np.sqrt(np.diag(line.covariance))
    width, size = float(np.exp(p[2])), abs(step)
    low, high = sorted(origin + end * step for end in line.window)
    return LineFit(
        fwhm=width * size,
        centre=origin + float(p[1]) * step,
        height=line.height,
        area=float(p[0]),
        background=float(p[3]),
        lorentzian=float(p[4]) if shape == "voigt" else 0.0,
        fwhm_err=width * float(errors[2]) * size,
        centre_err=float(errors[1]) * size,
        height_err=line.height_err,
        area_err=float(errors[0]),
        background_err=float(errors[3]),
        lorentzian_err=float(errors[4]) if shape == "voigt" else 0.0,
        chi2=line.chi2,
        window=(low, high),
        shape=shape,
        units=str(spectrum[spectrum.dims[0]].attrs.get("units", "")),
    )


def _noise_of(
    noise: str,
    spectrum: xr.DataArray,
    error: xr.DataArray | ArrayLike | None,
    used: NDArray[np.bool_],
) -> Noise:
    values = np.asarray(spectrum.values, dtype=np.float64)[used]
    sigma = None if error is None else np.asarray(error, dtype=np.float64)
    if sigma is not None and sigma.shape != spectrum.shape:
        raise ValueError(
            f"error has shape {sigma.shape}, expected that of the spectrum, {spectrum.shape}."
        )
    sigma = None if sigma is None else sigma[used]
    if noise == "gaussian":
        if sigma is None:
            return Noise(sigma=np.ones(len(values)), from_scatter=True)
        if not (np.isfinite(sigma).all() and sigma.min() > 0):
            raise ValueError("error has values that are not positive, expected weights for all.")
        return Noise(sigma=sigma)
    if noise != "poisson":
        raise ValueError(unknown_name("noise", noise, ("poisson", "gaussian")))
    if values.min() < 0:
        raise ValueError(
            f"the spectrum has negative values, down to {values.min():g}, expected counts. For "
            "integrated intensity give noise='gaussian'."
        )
    if sigma is None:
        units = spectrum.attrs.get("units", "photons")
        if units != "photons":
            raise ValueError(
                f"the spectrum is in {units!r}, expected photons. Give its error, or "
                "noise='gaussian' for integrated intensity."
            )
        return Noise()
    total = float(values.sum())
    return Noise(dispersion=float((sigma**2).sum()) / total if total > 0 else 1.0)
