"""RIXS camera frames to spectra: photons placed to a fraction of a pixel, or intensity integrated.

`hRIXS` is the class for data of the European XFEL's hRIXS spectrometer; the functions work on
frames of any camera.
"""

try:
    from hrixs import _core as _core
except ImportError as error:
    raise ImportError(
        f"the compiled part of hrixs can't be loaded: {error}. Install hrixs with 'pip install .' "
        "from its folder, and import it from outside of that folder's src."
    ) from error

from hrixs.curvature import CurvatureFit, fit_curvature_image
from hrixs.errors import (
    FaultyRunError,
    HrixsWarning,
    MissingDataError,
    NoLineError,
    NonFinitePixelsError,
    TooManyPhotonsError,
)
from hrixs.histogram import photon_spectrum
from hrixs.integration import integrate_frames
from hrixs.lazy import concat_photons, photon_parts
from hrixs.mnemonics import mnemonics
from hrixs.photon_columns import photon_table
from hrixs.photons import classify_photons, find_photons
from hrixs.provenance import __version__
from hrixs.spectrometer import hRIXS

__all__ = [
    "CurvatureFit",
    "FaultyRunError",
    "HrixsWarning",
    "MissingDataError",
    "NoLineError",
    "NonFinitePixelsError",
    "TooManyPhotonsError",
    "__version__",
    "classify_photons",
    "concat_photons",
    "find_photons",
    "fit_curvature_image",
    "hRIXS",
    "integrate_frames",
    "mnemonics",
    "photon_parts",
    "photon_spectrum",
    "photon_table",
]
