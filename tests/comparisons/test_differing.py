"""Which settings differ: as they are shown, images and curves too."""

import json

import numpy as np
import xarray as xr

from hrixs import Curvature, hRIXS
from hrixs.comparisons.differing import settings_that_differ, told_by
from hrixs.settings.state import plain_settings


def test_equal_ones_do_not_differ():
    h1, h2 = hRIXS(3145), hRIXS(3145)
    h1.MASK, h2.MASK = (np.eye(4, dtype=bool) for _ in range(2))
    h1.Y_RANGE, h2.Y_RANGE = slice(7, 9), slice(7, 9)
    assert settings_that_differ(h1, h2) == {}


def test_each_kind():
    h1, h2 = hRIXS(3145), hRIXS(3146, "hRIXS_det")
    h2.MASK = np.eye(4, dtype=bool)
    h2.set_params(y_range=slice(7, 9), threshold="6 sigma", read_noise=np.ones((2, 3)))
    assert settings_that_differ(h1, h2) == {
        "PROPOSAL": (3145, 3146),
        "DETECTOR": ("MaranaX", "hRIXS_det"),
        "FIELDS": (h1.FIELDS, h2.FIELDS),
        "Y_RANGE": (":", "7:9"),
        "THRESHOLD": (None, "6 sigma"),
        "READ_NOISE": (None, "image (2, 3)"),
        "MASK": (None, "image (4, 4), 4 marked"),
    }


def test_curves_of_which_the_first_coefficients_are_the_same():
    h1, h2 = hRIXS(), hRIXS()
    h1.curvature = Curvature((0.02, 1e-5, 1e-9))
    h2.curvature = Curvature((0.02, 1e-5, 2e-9))
    assert settings_that_differ(h1, h2) == {"curvature": (h1.curvature, h2.curvature)}


def test_another_dark():
    h1, h2 = hRIXS(), hRIXS()
    for h, run in ((h1, 1), (h2, 2)):
        h.dark_image, h.dark_run, h.USE_DARK = np.full((2, 2), run), str(run), True
    assert settings_that_differ(h1, h2) == {"dark": ("run 1", "run 2")}


def test_what_results_tell():
    a, b = (xr.Dataset({"spectrum": ("energy", [1])}) for _ in range(2))
    a.spectrum.attrs = {"algorithm": "auto", "curve_a": 0.1, "bins": 5, "doubts": "x"}
    b.spectrum.attrs = {"algorithm": "resolve", "curve_a": 0.1, "bins": 6, "doubts": "y"}
    assert told_by(a, b) == {"method": ("auto", "resolve"), "BINS": (5, 6)}


def test_what_recorded_settings_tell():
    a, b = (xr.Dataset({"spectrum": ("energy", [1])}) for _ in range(2))
    for one, threshold, masked in ((a, 5.0, 3), (b, 6.0, 4)):
        h = hRIXS()
        h.STD_THRESHOLD, h.MASK = threshold, np.arange(16).reshape(4, 4) < masked
        one.attrs["settings"] = json.dumps(plain_settings(h))
    assert told_by(a, b) == {
        "STD_THRESHOLD": (5.0, 6.0),
        "MASK": ("image (4, 4), 3 marked", "image (4, 4), 4 marked"),
    }
