"""Settings saved and loaded: text that is read and edited, and the images beside it."""

import json
import tomllib

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, PROPOSAL, RUN
from hrixs import Curvature, HrixsWarning, MissingDataError, average, hRIXS, mnemonics
from hrixs.settings.table import DETECTOR_FIELDS


@pytest.fixture
def full(h):
    """Settings with all that there is."""
    h.load_dark(DARK)
    h.curvature = Curvature((0.04, -2e-5, 1e-10), 300.0, ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)))
    h.calibrated = (498.27, 0.018387), (525.0, 535.0)
    h.MASK = np.arange(256 * 1024).reshape(256, 1024) % 9973 == 5
    h.THRESHOLD, h.PEDESTAL, h.THREADS = "6 sigma", slice(860, 895), 2
    return h


def test_results_of_loaded_settings_are_the_same_bytes(full, tmp_path):
    full.save(tmp_path / "night.toml")
    again = hRIXS.load(tmp_path / "night.toml")
    was, now = (one.process_run(RUN, progress=False) for one in (full, again))
    xr.testing.assert_identical(now, was)
    assert now.spectrum.attrs["doubts"] == was.spectrum.attrs["doubts"]
    assert again.curvature.covariance == full.curvature.covariance
    assert again.dark.counts == full.dark.counts
    assert again.THREADS == 2


def test_the_file_is_text_with_a_word_on_each_setting(full, tmp_path):
    full.save(tmp_path / "night.toml")
    text = (tmp_path / "night.toml").read_text()
    assert 'y_range = "700:900" # rows to use, along the energy, in px\n' in text
    assert tomllib.loads(text)["settings"]["threshold"] == "6 sigma"
    edited = text.replace('y_range = "700:900"', 'y_range = "710:890"')
    (tmp_path / "night.toml").write_text(edited.replace("std_threshold = 3.5", ""))
    assert slice(710, 890) == hRIXS.load(tmp_path / "night.toml").Y_RANGE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X_RANGE", slice(None, -3)), ("MAX_PHOTONS", 12), ("READ_NOISE", np.float32(1.5)),
        ("DARK_FIT", "offset"), ("I0", "SCS_SA3 * transmission / 100"), ("I0_SHIFT", -1),
        ("ENERGY_SLOPE", -0.018), ("PROPOSAL", "p003145"), ("BINS", np.int64(31)),
        ("THRESHOLD", 470), ("THRESHOLD", float("inf")), ("STD_THRESHOLD", None),
        ("FIELDS", ["MaranaX", ("SCS/A/B", "c.value"), {"own": {"source": "S", "key": "k.value",
                                                               "dim": []}}]),
    ],
)  # fmt: skip
def test_each_value_comes_back_as_it_was(name, value, tmp_path):
    h = hRIXS()
    setattr(h, name, value)
    h.save(tmp_path / "s.toml")
    assert getattr(hRIXS.load(tmp_path / "s.toml"), name) == value


@pytest.mark.parametrize("first", [None, (100, 600)])
def test_images_keep_their_place_on_the_chip(first, tmp_path):
    shape = (20, 30)
    mask = np.zeros(shape, bool)
    mask[3, 4] = True
    noise = np.random.default_rng(0).random(shape)
    h = hRIXS()
    h.MASK, h.READ_NOISE, h.dark_image = mask, noise, noise + 100
    if first is not None:
        at = {"x": 100 + np.arange(20), "y": 600 + np.arange(30)}
        h.MASK = xr.DataArray(mask, at, ("x", "y")).transpose("y", "x")
        h.READ_NOISE = xr.DataArray(noise, at, ("x", "y"))
    h.save(tmp_path / "s.toml")
    again = hRIXS.load(tmp_path / "s.toml")
    np.testing.assert_array_equal(np.asarray(again.MASK), mask)
    np.testing.assert_array_equal(np.asarray(again.READ_NOISE), noise)
    np.testing.assert_array_equal(again.dark_image, noise + 100)
    if first is not None:
        assert (int(again.MASK.x[0]), int(again.READ_NOISE.y[0])) == first


def test_images_of_another_file_are_refused(full, tmp_path):
    full.save(tmp_path / "a.toml")
    full.MASK[0, 0] = True
    full.save(tmp_path / "b.toml")
    (tmp_path / "b.images.nc").replace(tmp_path / "a.images.nc")
    with pytest.raises(
        ValueError, match=r"a.images.nc does not have the mask that a.toml was saved with"
    ):
        hRIXS.load(tmp_path / "a.toml")
    with pytest.raises(
        MissingDataError, match=r"b.images.nc, which is not in the same folder. Move"
    ):
        hRIXS.load(tmp_path / "b.toml")


def test_an_image_is_named_once(full, tmp_path):
    full.save(tmp_path / "a.toml")
    text = (tmp_path / "a.toml").read_text()
    (tmp_path / "a.toml").write_text(text.replace("[settings]", '[settings]\nmask = "bad.npy"'))
    with pytest.raises(ValueError, match=r"a.toml has mask in \[settings\] and in \[images\]"):
        hRIXS.load(tmp_path / "a.toml")


def test_whole_numbers_may_be_none_or_less(tmp_path):
    (tmp_path / "s.toml").write_text("[settings]\ni0_shift = -1\nbins = 31.0\nmax_pixel = inf\n")
    h = hRIXS.load(tmp_path / "s.toml")
    assert (-1, 31, float("inf")) == (h.I0_SHIFT, h.BINS, h.MAX_PIXEL)


def test_settings_without_images_are_one_file(tmp_path):
    hRIXS(PROPOSAL).save(tmp_path / "s.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_a_camera_of_ones_own_is_known_in_another_session(tmp_path, monkeypatch):
    monkeypatch.setitem(
        mnemonics, "Mine", {"source": "S/C/D:out", "key": "image", "dim": ["x", "y"]}
    )
    monkeypatch.setitem(DETECTOR_FIELDS, "Mine", ["Mine", "nrj"])
    hRIXS(detector="Mine").save(tmp_path / "s.toml")
    monkeypatch.delitem(mnemonics, "Mine")
    monkeypatch.delitem(DETECTOR_FIELDS, "Mine")
    h = hRIXS.load(tmp_path / "s.toml")
    assert (h.DETECTOR, h.FIELDS) == ("Mine", ["Mine", "nrj"])
    assert mnemonics["Mine"]["source"] == "S/C/D:out"
    monkeypatch.setitem(mnemonics, "Mine", {"source": "other", "key": "image", "dim": []})
    with pytest.warns(HrixsWarning, match=r"mnemonics\['Mine'\] is .*'other'.* The present one"):
        hRIXS.load(tmp_path / "s.toml")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[settings]\nbins = [", ValueError, "is not valid TOML"),
        ("[settings]\nbins = 3\nmask = None", ValueError, r"The line is: mask = None. Write true"),
        ("[settings]\ny_range = 7:9", ValueError, r'The line is: y_range = 7:9. .*"700:900"'),
        ("[settings]\nbinz = 3", AttributeError, r"s.toml: unknown .*'binz'. Did you mean 'bins'"),
        (
            'hrixs_version = "9"\n[settings]\nbinz = 3',
            AttributeError,
            "It was saved by hrixs 9, and",
        ),
        (
            "[setings]\nbins = 3",
            ValueError,
            r"has unknown entries: setings. Did you mean \[settings\]",
        ),
        ("bins = 3", ValueError, r"has bins above the line \[settings\]. Move it below"),
        ('[aggregators]\nnrj = "averege"', ValueError, "Did you mean 'average'"),
        ('[dark]\nrun = "166"', ValueError, "has a section .dark., but no dark in .images."),
        (
            '[settings]\nbins = "500"',
            ValueError,
            r's.toml: bins = "500", expected a number: write it without quotes',
        ),
        ("[settings]\nbins = 31.5", ValueError, r"bins = 31.5, expected a whole number"),
        ("[settings]\nthreads = true", ValueError, r"threads = true, expected a whole number"),
        ("[settings]\ncurve_a = [1, 2]", ValueError, r"curve_a = \[1, 2\], expected a number"),
        ('[settings]\ncurve_b = "bent"', ValueError, r'curve_b = "bent", expected a number\.'),
        ('[settings]\nuse_dark = "yes"', ValueError, "use_dark = 'yes', expected True or False"),
        ("[settings]\ny_range = 700", ValueError, r'y_range = 700, expected a range .*"700:900"'),
        ('[settings]\nposition = "centre"', ValueError, "s.toml: unknown position 'centre'"),
        ("[settings]\ni0 = 3", ValueError, "i0 = 3, expected text"),
        (
            '[settings]\nmask = "bad.npy"',
            ValueError,
            r'mask = "bad.npy", .* set h.MASK = image in Python',
        ),
        (
            'hrixs_version = "9"\n[settings]\nbins = "500"',
            ValueError,
            "without quotes. It was saved by hrixs 9, and",
        ),
    ],
)
def test_files_that_are_none(text, error, said, tmp_path):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(error, match=said):
        hRIXS.load(tmp_path / "s.toml")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_what_editors_make_of_text(encoding, tmp_path):
    (tmp_path / "s.toml").write_text("# Größe\r\n[settings]\r\nbins = 31\r\n", encoding=encoding)
    if encoding == "utf-8-sig":
        assert hRIXS.load(tmp_path / "s.toml").BINS == 31
        return
    with pytest.raises(ValueError, match="Save it as UTF-8 text"):
        hRIXS.load(tmp_path / "s.toml")


def test_none_is_a_word_for_every_setting(tmp_path):
    text = '[settings]\nthreshold = "none"\nstd_threshold = "None"\nmask = "none"\n'
    (tmp_path / "s.toml").write_text(text)
    h = hRIXS.load(tmp_path / "s.toml")
    assert (h.THRESHOLD, h.STD_THRESHOLD, h.MASK) == (None, None, None)


def test_a_range_with_a_step_is_not_taken_for_one_without(tmp_path):
    h = hRIXS()
    h.X_RANGE = slice(0, 100, 2)
    h.save(tmp_path / "s.toml")
    assert hRIXS.load(tmp_path / "s.toml").X_RANGE == "0:100:2"  # refused, where it is used
    assert "X_RANGE=0:100:2" in repr(h)


def test_ways_to_aggregate_are_saved_by_their_names(tmp_path, recwarn):
    h = hRIXS()
    h.aggregators |= {"mono": average, "note": None}
    del h.aggregators["nrj"]
    h.save(tmp_path / "s.toml")
    ways = hRIXS.load(tmp_path / "s.toml").aggregators
    assert (ways["mono"], ways["note"], ways["nrj"]) == (average, None, None)
    assert not recwarn


def test_an_entry_without_dimensions_is_the_same_one(tmp_path, monkeypatch, recwarn):
    monkeypatch.setitem(mnemonics, "mine", {"source": "A/B/C", "key": "d.value", "dim": None})
    h = hRIXS()
    h.FIELDS.append("mine")
    h.save(tmp_path / "s.toml")
    hRIXS.load(tmp_path / "s.toml")
    assert not recwarn


def test_other_names_and_places(tmp_path):
    with pytest.raises(ValueError, match=r"expected a name that ends with .toml"):
        hRIXS().save(tmp_path / "s.json")
    with pytest.raises(ValueError, match=r"settings of a result, type hRIXS.from_result"):
        hRIXS.load(tmp_path / "s.nc")
    with pytest.raises(MissingDataError, match="there is no folder"):
        hRIXS().save(tmp_path / "no" / "s.toml")
    with pytest.raises(MissingDataError, match="there is no file"):
        hRIXS.load(tmp_path / "s.toml")


def test_functions_that_can_not_be_saved_are_told(tmp_path):
    h = hRIXS()
    h.aggregators["mono"] = lambda da, dim: da.max(dim)
    with pytest.warns(HrixsWarning, match=r"aggregators of mono are your own functions: s.toml"):
        h.save(tmp_path / "s.toml")


@pytest.mark.parametrize(
    ("name", "value"), [("BINS", object()), ("READ_NOISE", xr.Dataset()), ("MASK", object())]
)
def test_a_value_that_is_none_is_refused_before_anything_is_written(name, value, tmp_path):
    h = hRIXS()
    setattr(h, name, value)
    with pytest.raises(TypeError, match=rf"{name} = .* cannot be stored"):
        h.save(tmp_path / "s.toml")
    assert list(tmp_path.iterdir()) == []


def test_the_mask_of_a_result_that_was_tampered_with(h):
    text = json.loads(h.process_run(RUN, progress=False).attrs["settings"])
    for bad in ({"shape": [10**6, 10**6], "bad": ""}, {"shape": [4, 4], "bad": "AAAA"}, {"bad": 3}):
        with pytest.raises(ValueError, match="MASK cannot be read from its text"):
            hRIXS().set_params(**{**text, "mask": bad})
