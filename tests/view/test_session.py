"""What a page shows is what the class makes: photons once, the rest on the photons."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import RUN
from hrixs import hRIXS
from hrixs.cli.main import main
from hrixs.doubt_rules.doubt import DOUBTS
from hrixs.view import taken as saved
from hrixs.view.images import RunImages
from hrixs.view.session import Session
from hrixs.view.taken import as_command, as_python

SLOW = ("resolve", "best")


@pytest.fixture
def session(h: hRIXS) -> Session:
    h.STD_THRESHOLD = 4.0
    return Session(RunImages(h, RUN), h)


def made(h: hRIXS, method: str = "auto") -> xr.Dataset:
    return h.process_run(RUN, method=method, progress=False)


def doubts_of(data: xr.Dataset) -> list[str]:
    return [one.code for one in hrixs.doubts(data)]


@pytest.mark.parametrize("method", ["auto", "manual", "resolve", "integrate", "best"])
@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_what_is_shown_is_what_process_run_makes(session, h, method):
    h.ELECTRONS_PER_ADU = 1.04
    session.set(method=method, electrons_per_adu=1.04)
    shown, expected = session.spectra(), made(h, method)
    np.testing.assert_allclose(shown.spectrum, expected.spectrum, rtol=1e-12)
    np.testing.assert_array_equal(shown.energy, expected.energy)
    assert doubts_of(shown) == doubts_of(expected)
    counts = {"n_photons", "n_outside", "n_hits", "n_dropped"} & set(expected.spectrum.attrs)
    assert {n: shown.spectrum.attrs[n] for n in counts} == {
        n: expected.spectrum.attrs[n] for n in counts
    }


@pytest.mark.parametrize("memory", [None, "45MB"])
def test_curve_bins_and_axis_need_no_photon_anew(data_root, h, memory):
    session = Session(RunImages(h, RUN, memory=memory), h)
    session.spectra()
    changes = {"curve_a": 0.03, "bins": 300, "energy_slope": 0.02, "energy_intercept": 500.0}
    session.set(**changes)
    h.set_params(**changes)
    shown, expected = session.spectra(), made(h)
    assert session.n_found == 1
    np.testing.assert_array_equal(shown.spectrum, expected.spectrum)
    np.testing.assert_array_equal(shown.energy, expected.energy)
    assert doubts_of(shown) == doubts_of(expected)
    session.set(std_threshold=5.0)
    session.spectra()
    session.set(std_threshold=h.STD_THRESHOLD)
    session.spectra()
    assert session.n_found == 2  # the first ones are kept


def test_a_doubt_of_the_curve_goes_with_the_curve(data_root, h):
    right = h.curvature
    h.set_params(curve_a=0.0, curve_b=0.0)
    session = Session(RunImages(h, RUN), h)
    assert "curve" in doubts_of(session.spectra())
    session.set(curvature=right)
    h.curvature = right
    assert "curve" not in doubts_of(session.spectra())
    assert doubts_of(session.spectra()) == doubts_of(made(h))
    assert session.n_found == 1


def test_a_run_that_does_not_fit_the_memory_is_reduced_from_its_files(data_root, h):
    images = RunImages(h, RUN, memory="45MB")
    assert images.held(images.crop(hRIXS())) is not None
    images._most = 1000
    images._held = None
    assert images.held(images.crop(h)) is None
    session = Session(images, h)
    np.testing.assert_array_equal(session.spectra().spectrum, made(h).spectrum)
    assert len(session.photons_of(0)["x"])


def test_slow_methods_tell_what_is_done(session):
    told = []
    session.set(method="resolve")
    images = session.images
    images._held = None
    from hrixs.view import found

    before, found._AT_A_TIME = found._AT_A_TIME, 3
    try:
        session.spectra(lambda part, n, of: told.append((part.sizes["trainId"], n, of)))
    finally:
        found._AT_A_TIME = before
    assert told == [(3, 3, 8), (6, 6, 8), (8, 8, 8)]


def test_images_and_their_mean_are_those_of_the_run(session, simulated):
    images = session.images
    assert images.n_images == 8
    np.testing.assert_array_equal(images.image(3), simulated.frames[3])
    np.testing.assert_allclose(images.mean(), simulated.frames.mean(axis=0))
    parts = list(images.means())
    assert parts[-1][1] == 8
    assert images.train_of(2) == int(images.train_ids[2])


def test_photons_lie_in_the_image_they_were_found_in(session, simulated):
    places = session.photons_of(5)
    pixels = simulated.frames[5]
    x, y = np.rint(places["x"]).astype(int), np.rint(places["y"]).astype(int)
    assert len(x) > 50
    assert np.median(pixels[x, y]) > np.median(pixels) + 20
    assert y.min() >= 700


def test_a_dataset_is_shown_as_it_is_loaded(h, data):
    session = Session(RunImages(h, data), h)
    np.testing.assert_array_equal(session.spectra().spectrum, h.centroid(data).spectrum)
    session.set(bins=300)
    h.BINS = 300
    np.testing.assert_array_equal(session.spectra().spectrum, h.centroid(data).spectrum)
    assert session.n_found == 1
    assert "spectrum" not in data or data.spectrum.sizes["energy"] == 300


def test_integrated_beside_counted_is_the_mean_of_all_images(session, h):
    shown = session.integrated(session.images.mean())
    expected = made(h, "integrate").spectrum.mean("trainId")
    np.testing.assert_allclose(shown, expected, rtol=1e-9)
    np.testing.assert_array_equal(shown.energy, expected.energy)


def test_wrong_settings_leave_all_as_it_was(session):
    before = session.h.get_params()
    with pytest.raises(ValueError, match="leaves 0 of 1024 pixels"):
        session.set(bins=5, y_range=slice(2000, 2100))
    with pytest.raises(AttributeError):
        session.set(no_such=5)
    assert session.h.get_params() == before


def test_two_sessions_do_not_change_each_other(session, h):
    other = Session(session.images, session.h)
    other.set(std_threshold=6.0, bins=100)
    assert session.h.STD_THRESHOLD == 4.0
    assert h.STD_THRESHOLD == 4.0
    assert session.spectra().spectrum.sizes["energy"] == 500
    assert other.spectra().spectrum.sizes["energy"] == 100


def test_width_drift_and_curve_are_those_of_the_library(session, h):
    total = made(h).spectrum.sum("trainId", keep_attrs=True)
    assert session.width().fwhm == hrixs.line_width(total).fwhm
    region = (512.5, 513.5)
    assert session.width(region).centre == hrixs.line_width(total, region=region).centre
    assert {"drift", "drift_err"} <= set(session.drift())
    curve = session.fit_curvature()
    h.find_curvature(RUN, plot=False)
    assert curve.coefficients == h.curvature.coefficients
    assert session.noise_report().threshold == h.noise_report(RUN).threshold


def test_the_text_in_python_makes_the_spectrum_that_is_shown(session):
    session.set(method="manual", electrons_per_adu=1.04, bins=300, x_range=slice(10, 200))
    text = as_python(session)
    assert "process_run(145, method='manual')" in text
    made_again: dict = {}
    exec(text, made_again)
    np.testing.assert_array_equal(made_again["data"].spectrum, session.spectra().spectrum)


@pytest.mark.parametrize("with_mask", [False, True])
def test_the_command_writes_the_spectrum_that_is_shown(session, tmp_path, monkeypatch, with_mask):
    monkeypatch.chdir(tmp_path)
    session.set(curve_b=-3e-5, bins=300, dbl_threshold=200.0)
    if with_mask:
        mask = np.zeros(session.images.chip_shape, bool)
        mask[5:9] = True
        session.set(mask=mask)
        name, content = saved.settings_file(session)
        assert name.endswith(".zip")
        import io
        import zipfile

        zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    text = as_command(session)
    assert text.startswith("#") == with_mask
    words = shlex.split(text.splitlines()[-1])
    assert main([*words[1:], "--no-progress"]) == 0
    with xr.open_dataset("spectrum.nc") as written:
        np.testing.assert_array_equal(written.spectrum, session.spectra().spectrum)


def test_what_is_saved_is_what_is_shown(session, tmp_path):
    name, content = saved.spectrum_file(session)
    assert name == "r0145-spectrum.nc"
    (tmp_path / name).write_bytes(content)
    with xr.open_dataset(tmp_path / name) as written:
        np.testing.assert_array_equal(written.spectrum, session.spectra().spectrum)
        assert "process_run" in hrixs.how_made(tmp_path / name)
    name, content = saved.settings_file(session)
    (tmp_path / name).write_bytes(content)
    assert hRIXS.load(tmp_path / name).get_params() == session.h.get_params()
    assert saved.picture_file(session)[1][:4] == b"\x89PNG"
    name, content = saved.report_file(session)
    assert name == "r0145-report.html"
    assert b"<h1>" in content


def test_doubts_are_those_of_the_present_curve(session):
    session.spectra()
    before = session.spectra().spectrum.attrs[DOUBTS]
    session.set(energy_slope=1.0, energy_intercept=0.0)
    session.set(bins=20)
    assert session.doubts() == hrixs.doubts(session.spectra())
    assert session.spectra().spectrum.attrs[DOUBTS] != before
