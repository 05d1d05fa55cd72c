"""Methods of `hRIXS` that add up and normalise spectra."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from hrixs.spectra.aggregate import (
    add,
    add_in_quadrature,
    aggregate_all,
    aggregate_groups,
    normalized,
    normalized_error,
)
from hrixs.spectrometer.settings import Settings
from hrixs.utils.errors import warn


class AggregationMethods(Settings):
    """Adds up and normalises spectra."""

    def aggregator(self, da: xr.DataArray, dim: str) -> xr.DataArray | None:
        """Aggregate one variable over `dim` as `aggregators` says; None where it says nothing.

        Errors that are to add in quadrature are left out where what they belong to does not add.
        """
        if not isinstance(self.aggregators, Mapping):
            raise TypeError(
                f"aggregators is {type(self.aggregators).__name__}, expected a dict of functions, "
                "{name: function(da, dim)}."
            )
        name = str(da.name)
        aggregate = self.aggregators.get(name)
        of = self.aggregators.get(name.removesuffix("_err"))
        if aggregate is add_in_quadrature and of is not add:
            if of is not None:
                warn(
                    f"{name} is left out: aggregators[{name.removesuffix('_err')!r}] is no sum any "
                    f"more, so that its error does not add in quadrature. Give an "
                    f"aggregators[{name!r}] that belongs to it."
                )
            return None
        return None if aggregate is None else aggregate(da, dim)

    def aggregate(self, ds: xr.Dataset, var: str | None = None, dim: str = "trainId") -> xr.Dataset:
        """Add up all frames of a dataset, or those of each value of `var` separately.

        Parameters
        ----------
        ds : xarray.Dataset
            With RIXS data, usually with spectra.
        var : str, optional
            Variable to group by, for example ``'hRIXS_delay'``.
        dim : str
            Dimension to aggregate over.

        Returns
        -------
        xarray.Dataset
            The variables in `aggregators`, without `dim`, over the values of `var` where given.
            ``counts`` is the number of frames in each group. ``spectrum_err`` adds in quadrature.

        Raises
        ------
        MissingDataError
            If `ds` has no `dim` or no `var`.

        Warns
        -----
        HrixsWarning
            For frames without a value of `var`, and for an error that is left out since
            `aggregators` does not add up any more what it belongs to.

        Examples
        --------
        >>> agg = h.aggregate(data)  # doctest: +SKIP
        >>> by_delay = h.aggregate(data, 'hRIXS_delay')  # doctest: +SKIP
        """
        if var is None:
            return self.aggregate_ds(ds, dim)
        return aggregate_groups(ds, var, self.aggregate_ds, dim)

    def aggregate_ds(self, ds: xr.Dataset, dim: str = "trainId") -> xr.Dataset:
        """Add up all frames of a dataset; see `aggregate`."""
        return aggregate_all(ds, self.aggregator, dim)

    def normalize(self, data: xr.Dataset, which: str = "hRIXS_norm") -> xr.Dataset:
        """Add ``normalized``, the ratio of ``spectrum`` and `which`, to a dataset.

        Parameters
        ----------
        data : xarray.Dataset
            With spectra; ``normalized`` is added to it, in place of an earlier one, and
            ``normalized_err`` where the spectra have an error.
        which : str
            Variable to divide by, usually ``'hRIXS_norm'`` or ``'counts'``.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with ``normalized``. Its error is ``spectrum_err / |which|``;
            where `data` has ``<which>_err``, one standard deviation of `which`, its part is added
            in quadrature. That part is common to all bins of a spectrum.

        Raises
        ------
        MissingDataError
            If `data` has no spectrum or no `which`.
        """
        ratio = normalized(data, which)
        error = normalized_error(data, which)
        data["normalized"] = ratio
        if error is not None:
            data["normalized_err"] = error
        elif "normalized_err" in data:
            del data["normalized_err"]
        return data.copy(deep=False)
