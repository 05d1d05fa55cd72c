"""Methods of `hRIXS` about the energy axis: its calibration, and the energy loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.crop import first_row
from hrixs.energy.axis import EnergyCalibration
from hrixs.energy.calibration import calibrate_energy
from hrixs.energy.loss import energy_loss
from hrixs.reduction.analysis import require_method
from hrixs.runs.run import RunLike
from hrixs.spectrometer.spectrum_methods import SpectrumMethods
from hrixs.utils.errors import warn


class EnergyMethods(SpectrumMethods):
    """Calibrates the energy axis."""

    def calibrate_energy(
        self,
        runs: Sequence[RunLike | xr.Dataset | xr.DataArray],
        energies: ArrayLike,
        *,
        degree: int = 1,
        plot: bool = True,
        proposal: int | str | None = None,
        method: str = "auto",
        shape: str = "gaussian",
        region: tuple[float, float] | None = None,
    ) -> EnergyCalibration:
        """Fit the energy axis to runs with elastic lines at known energies, and set it.

        Parameters
        ----------
        runs : sequence of int, path, extra_data.DataCollection, xarray.Dataset or DataArray
            One for each energy. A run is processed as by `process_run`, and its spectra are added
            up. A dataset may hold spectra, images, or be a photon table.
        energies : array_like, shape (n,)
            Photon energies in eV.
        degree : {1, 2}
            Of the polynomial of the row. `ENERGY_INTERCEPT` and `ENERGY_SLOPE` are a straight line:
            with 2 they are the nearest one to the lines, and the result has the quadratic term.
        plot : bool
            Whether to draw the lines' energies over their rows, and the residuals.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        method : {'auto', 'manual', 'integrate'}
            How to make spectra of runs and images. ``'integrate'`` also for datasets whose spectra
            were made so.
        shape, region
            As in `hrixs.line_width`, with the region in rows of the full chip. By default the
            tallest line is taken for the elastic one.

        Returns
        -------
        EnergyCalibration
            With uncertainties, covariance and residuals.

        Raises
        ------
        NoLineError
            A run has no line. Then the old values are kept, as on every error.
        ValueError
            As `hrixs.calibrate_energy`; or `Y_RANGE` counts from the end of the chip.
        MissingDataError
            No such run, or no camera or image in it.

        Warns
        -----
        HrixsWarning
            For a line that is wide or has another shape, as a wrong curvature makes them, or that
            the others contradict, lines that scatter by more than their uncertainties, and for
            degree 2, by how much the straight axis is off.

        Examples
        --------
        >>> h.calibrate_energy([150, 151, 152], [529.0, 530.0, 531.0])  # doctest: +SKIP
        """
        require_method(method)
        lines = [self._with_line(run, proposal, method) for run in runs]
        result = calibrate_energy(
            lines,
            energies,
            degree=degree,
            curvature=(self.CURVE_A, self.CURVE_B),
            first_row=first_row(self.Y_RANGE),
            shape=shape,
            region=region,
            noise="gaussian" if method == "integrate" else "poisson",
        )
        self.ENERGY_INTERCEPT, self.ENERGY_SLOPE = result.axis
        if degree == 2:
            straight = result.axis[0] + result.axis[1] * result.rows
            off = float(np.abs(straight - result.energy(result.rows)).max())
            warn(
                f"ENERGY_INTERCEPT and ENERGY_SLOPE are a straight line, which is off by up to "
                f"{1e3 * off:.2g} meV at the lines; use the result's energy(row) for the curve."
            )
        if plot:
            from hrixs.energy.calibration_plot import plot_calibration

            plot_calibration(result)
        return result

    def energy_loss(
        self, data: xr.Dataset, *, elastic: float | xr.DataArray | None = None
    ) -> xr.Dataset:
        """Give the spectra of a dataset an axis of energy loss, ``nrj - energy``.

        Parameters
        ----------
        data : xarray.Dataset
            With spectra on a calibrated axis; it is not changed.
        elastic : float or xarray.DataArray, optional
            Energy of the elastic line on the spectrum's own axis, in eV, in place of ``nrj``.

        Returns
        -------
        xarray.Dataset
            A new one, with the coordinate ``energy_loss``; see `hrixs.energy_loss`.

        Raises
        ------
        MissingDataError, ValueError
            As `hrixs.energy_loss`.

        Examples
        --------
        >>> loss = h.energy_loss(h.aggregate(data))  # doctest: +SKIP
        >>> loss.spectrum.plot(x="energy_loss")  # doctest: +SKIP
        """
        return energy_loss(data, elastic=elastic)

    def _with_line(
        self, run: RunLike | xr.Dataset | xr.DataArray, proposal: int | str | None, method: str
    ) -> xr.Dataset | xr.DataArray:
        """Something that `hrixs.calibrate_energy` takes for a line."""
        if isinstance(run, xr.DataArray):
            return run
        if not isinstance(run, xr.Dataset):
            return self.process_run(run, proposal=proposal, method=method)
        if "spectrum" in run or "photon" in run.dims:
            return run
        return self._add_spectra(run.copy(deep=False), method)
