"""The list of the columns of a photon table: names, units and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hrixs import _core


@dataclass(frozen=True)
class Column:
    """A column of the photon table.

    Attributes
    ----------
    attrs
        Units and long name.
    fitted
        Whether only photons from a fit of their charge clouds have it.
    attrs_of_fit
        Units and long name for these photons, if different.
    of_crowd
        Whether only photons from `resolve_photons` have it.
    """

    attrs: dict[str, Any]
    fitted: bool = False
    attrs_of_fit: dict[str, Any] | None = None
    of_crowd: bool = False

    def attrs_in(self, *, fitted: bool) -> dict[str, Any]:
        """Return units and name for a table with, or without, fitted positions."""
        return self.attrs_of_fit if fitted and self.attrs_of_fit else self.attrs


#: Values of a photon, in the order of the columns.
COLUMNS: dict[str, Column] = {
    "x": Column({"units": "px", "long_name": "position along the line"}),
    "y": Column({"units": "px", "long_name": "position along the energy"}),
    "charge": Column(
        {"units": "ADU", "long_name": "spot sum"},
        attrs_of_fit={"units": "ADU", "long_name": "charge of the fitted cloud"},
    ),
    "double": Column({"long_name": "two photons in one spot"}),
    "sigma_x": Column({"units": "px", "long_name": "standard deviation of x"}, fitted=True),
    "sigma_y": Column({"units": "px", "long_name": "standard deviation of y"}, fitted=True),
    "chi2": Column({"long_name": "chi square of the fit for each degree of freedom"}, fitted=True),
    "own_cloud_sigma": Column(
        {"units": "px", "long_name": "width of the photon's own charge cloud"}, fitted=True
    ),
    "own_cloud_sigma_err": Column(
        {"units": "px", "long_name": "standard deviation of own_cloud_sigma"}, fitted=True
    ),
    "flag": Column(
        {
            "long_name": "what is special about the place",
            "flag_masks": np.array(list(_core.PHOTON_FLAGS.values()), np.uint8),
            "flag_meanings": " ".join(_core.PHOTON_FLAGS),
        },
        fitted=True,
    ),
    "crowding": Column(
        {"long_name": "light of other photons at the place, in photons"}, fitted=True, of_crowd=True
    ),
}

#: The coordinate with the frame of each photon.
FRAME = {"long_name": "number of the frame, from 0"}

#: Values of a frame that was searched for photons.
FRAME_COLUMNS: dict[str, dict[str, Any]] = {
    "threshold": {"units": "ADU"},
    "base": {"units": "ADU", "long_name": "mean of the frame"},
    "n_dropped": {"long_name": "spots left out"},
    "n_cosmics": {"long_name": "hits too bright for photons"},
    "noise": {"units": "ADU", "long_name": "noise of a pixel"},
}
