"""Fit the curve of the spectral lines to an image or to photons."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.curvature.image_fit import CurvatureFit, fit_curvature_image
    from hrixs.curvature.photon_fit import PhotonCurvatureFit, fit_curvature
    from hrixs.curvature.plots import plot_curvature
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "CurvatureFit",
    "PhotonCurvatureFit",
    "fit_curvature",
    "fit_curvature_image",
    "plot_curvature",
]
