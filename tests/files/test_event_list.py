"""Event lists of ADRESS (SLS), made small in the layout of its files."""

import h5py
import numpy as np
import pytest

import hrixs
from hrixs.files import is_event_list, read_events
from oracles.adress_file import CF1, CF2, N_EXPOSURES, NX, NY, write_adress


@pytest.fixture
def path(tmp_path):
    return write_adress(tmp_path / "Co_0001_d2.h5")


def own_spectrum(path):
    with h5py.File(path) as file:
        return file["entry/analysis/spectrum"][:]


def made_spectrum(photons):
    return hrixs.photon_spectrum(
        photons,
        bins=photons.attrs["bins"],
        range=photons.attrs["range"],
        curvature=hrixs.Curvature.of_attrs(photons.attrs),
    )


def test_with_the_files_own_curve_the_spectrum_is_the_files_own_bin_by_bin(path):
    made = made_spectrum(read_events(path)).sum("frame")
    np.testing.assert_array_equal(made, own_spectrum(path))
    assert made.sum() > 800
    np.testing.assert_allclose(made.y[:2], [-0.375, -0.125])  # rows, whose centres are whole


def test_positions_are_counted_from_the_centre_of_the_first_pixel(path):
    with h5py.File(path) as file:
        events = file["entry/analysis/events"][:]
    photons = read_events(path)
    np.testing.assert_array_equal(photons.x, events[:, 0] - 0.5)
    np.testing.assert_array_equal(photons.y, events[:, 1] - 0.5)
    assert photons.attrs["x_range"] == (0, NX)
    assert photons.attrs["y_range"] == (0, NY)
    assert "charge" not in photons


def test_each_photon_is_of_its_exposure_and_those_without_count_too(path):
    photons = read_events(path)
    np.testing.assert_array_equal(np.bincount(photons.frame, minlength=5), [300, 0, 280, 310, 0])
    made = made_spectrum(photons)
    assert made.sizes["frame"] == N_EXPOSURES
    np.testing.assert_allclose(made.nrj, 776 + 0.003 * np.arange(N_EXPOSURES))
    assert made.nrj.attrs["units"] == "eV"


def test_what_stays_the_same_is_in_the_attributes(path):
    attrs = read_events(path).attrs
    assert attrs["AcquireTime"] == 300.0
    assert attrs["Comment"] == "Co L3"
    assert attrs["ExpansionFactor"] == 4.0
    assert attrs["run"] == str(path)


def test_counts_that_do_not_add_up_are_told_and_frames_not_made_up(tmp_path):
    path = write_adress(tmp_path / "a.h5", EventCount=np.array([10, 20, 30, 40, 50]))
    with pytest.warns(hrixs.HrixsWarning, match="EventCount ends at 50 for 890 photons"):
        photons = read_events(path)
    assert photons.attrs["frames_told"] == 0
    np.testing.assert_array_equal(made_spectrum(photons).sum("frame"), own_spectrum(path))
    np.testing.assert_allclose(photons.attrs["PhotonEnergy"], 776 + 0.003 * np.arange(5))


def test_a_curve_that_changes_is_none(tmp_path):
    path = write_adress(tmp_path / "a.h5", CurvatureCF1=np.linspace(0, 1, N_EXPOSURES))
    with pytest.warns(hrixs.HrixsWarning, match="changes from exposure to exposure"):
        assert "curve_a" not in read_events(path).attrs


def test_a_third_coefficient_is_told(tmp_path):
    path = write_adress(tmp_path / "a.h5", CurvatureCF3=np.full(N_EXPOSURES, 1e-9))
    with pytest.warns(hrixs.HrixsWarning, match="CurvatureCF3 is 1e-09"):
        attrs = read_events(path).attrs
    assert hrixs.Curvature.of_attrs(attrs).coefficients == (CF1, CF2, 1e-9)


def test_a_file_without_attributes_has_photons_still(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/analysis/events"] = np.array([[3.0, 4.0], [5.0, 6.0]])
    photons = read_events(path)
    np.testing.assert_array_equal(photons.x, [2.5, 4.5])
    assert photons.attrs["frames_told"] == 0
    assert "bins" not in photons.attrs


def test_a_file_without_a_photon_has_an_empty_table(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/analysis/events"] = np.zeros((0, 2))
    assert read_events(path).sizes["photon"] == 0


def test_other_files_are_refused(tmp_path):
    path = write_adress(tmp_path / "a.h5", events_name="entry/other/list")
    with pytest.raises(hrixs.MissingDataError, match="no entry/analysis/events of shape"):
        read_events(path)


def test_a_list_is_told_from_images(tmp_path, path):
    assert is_event_list(path)
    both = write_adress(tmp_path / "b.h5", images=3)
    assert not is_event_list(both)  # its images are there to be used
    assert is_event_list(both, "/entry/analysis/events")
    assert not is_event_list(path, "entry/analysis/bad")
    (tmp_path / "text.h5").write_text("none")
    assert not is_event_list(tmp_path / "text.h5")
    assert not is_event_list(tmp_path)
