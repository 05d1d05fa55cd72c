import json

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs.cli.main import main
from hrixs.deconvolution.options import Deconvolution
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run
from hrixs.spectrometer.recipe import add_spectra
from oracles import deconvolved as reference

TRUTH = reference.Truth(photons=2000, shape=(256, 28))


def images(n=6):
    rng = np.random.default_rng(0)
    frames = np.stack([np.round(TRUTH.frame(rng)).astype(np.uint16) for _ in range(n)])
    return xr.Dataset(
        {
            "MaranaX": (("trainId", "x", "y"), frames),
            "nrj": ("trainId", np.full(n, 540.0), {"units": "eV"}),
            "hRIXS_delay": ("trainId", np.arange(n) % 2.0),
        },
        {"trainId": 1000 + np.arange(n)},
    )


def spectrometer():
    h = hrixs.hRIXS()
    h.set_params(curve_a=TRUTH.tilt, cloud_sigma=0.55, electrons_per_adu=1.0)
    h.set_params(energy_slope=0.02, energy_intercept=500.0)
    return h


def test_the_class_makes_one_spectrum_of_all_images():
    data, h = images(), spectrometer()
    made = h.integrate(data, deconvolve=True)
    assert made["spectrum"].dims == ("energy",)
    assert made["spectrum_cov"].dims == ("energy", "cov_lag")
    assert made["sampled"].dims == ("trainId", "sampled_height")
    assert made["spectrum"].attrs["counts_of"] == "6 images"
    assert made.energy.attrs["units"] == "eV"
    direct = hrixs.integrate_frames(
        data["MaranaX"], curvature=(TRUTH.tilt, 0.0), deconvolve=True, cloud_sigma=0.55,
        photon_charge=150.0,
    )  # fmt: skip
    np.testing.assert_allclose(made["spectrum"], direct["spectrum"], rtol=1e-3, atol=0.3)
    np.testing.assert_allclose(made.energy, 500 + 0.02 * direct.y)
    np.testing.assert_array_equal(hrixs.error_of(made), made["spectrum_err"])
    # A plain one takes its place again, and another number of bins.
    assert h.integrate(made, deconvolve=True, oversample=2).sizes["energy"] == 2 * 28
    plain = h.integrate(made)
    assert plain["spectrum"].dims == ("trainId", "energy")
    assert not {"sampled", "spectrum_cov", "spectrum_err", "resolution"} & set(plain.variables)


def test_lazy_images_give_the_same_lazily():
    pytest.importorskip("dask")
    data, h = images(), spectrometer()
    lazy = h.integrate(data.chunk(trainId=2), deconvolve=True)
    assert lazy["spectrum"].chunks is not None
    expected = h.integrate(data, deconvolve=True)
    for name in ("spectrum", "spectrum_err", "spectrum_cov", "sampled"):
        np.testing.assert_array_equal(lazy[name].compute(), expected[name])


def test_groups_have_spectra_of_their_own_sums():
    data, h = images(), spectrometer()
    made = h.integrate(data, deconvolve=True).drop_vars("MaranaX")
    groups = h.aggregate(made, "hRIXS_delay")
    assert groups["spectrum"].dims == ("hRIXS_delay", "energy")
    odd = h.integrate(data.isel(trainId=slice(1, None, 2)), deconvolve=True)
    # The noise of a pixel is that of the first images of each.
    np.testing.assert_allclose(groups["spectrum"][1], odd["spectrum"], rtol=2e-3, atol=0.5)
    all_ = h.aggregate(made)
    np.testing.assert_allclose(all_["spectrum"], made["spectrum"], rtol=1e-9, atol=1e-9)
    other = hrixs.deconvolve(made, oversample=5, smoothing=1e-3)
    assert other.sizes["energy"] == 5 * 28
    assert float(other["resolution"]) > float(made["resolution"])


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_chosen_images_have_a_spectrum_of_their_own():
    made = spectrometer().integrate(images(), deconvolve=True, oversample=4)
    few = hrixs.select(made, "hRIXS_delay > 0")
    assert few["spectrum"].attrs["n_images"] == 3
    assert few["spectrum"].attrs["counts_of"] == "3 images"
    expected = hrixs.deconvolve(made.isel(trainId=slice(1, None, 2)), oversample=4)
    np.testing.assert_array_equal(few["spectrum"], expected["spectrum"])
    assert few.attrs["n_left_out"] == 3
    assert few["spectrum"].attrs["detector"] == made["spectrum"].attrs["detector"]
    assert hrixs.doubts(few) == hrixs.doubts(made)
    # Of images that are chosen otherwise the spectrum is that of all: wide sums tell it.
    with pytest.raises(ValueError, match="images were selected"):
        hrixs.sum_between(made.isel(trainId=[0, 1]), 500.0, 501.0)


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_wide_sums_of_groups_have_the_errors_of_their_own_images():
    made = spectrometer().integrate(images(), deconvolve=True)
    groups = hrixs.aggregate(made, "hRIXS_delay")
    odd = hrixs.select(made, "hRIXS_delay > 0")
    found = hrixs.sum_between(groups, 500.0, 500.5)
    np.testing.assert_allclose(
        found["spectrum_err"][1], hrixs.sum_between(odd, 500.0, 500.5)["spectrum_err"]
    )


def test_results_are_stored_and_told(tmp_path):
    made = spectrometer().integrate(images(), deconvolve=True).drop_vars("MaranaX")
    path = tmp_path / "result.nc"
    hrixs.export(made, path)
    with xr.open_dataset(path, engine="h5netcdf") as stored:
        again = hrixs.deconvolve(stored)
        np.testing.assert_allclose(again["spectrum"], made["spectrum"], rtol=1e-12)
    assert "integrate(data, deconvolve=True)" in hrixs.how_made(made)
    assert json.loads(made.attrs["steps"])[-1]["args"]["deconvolve"] is True


def test_runs_give_the_same_as_their_images(tmp_path):
    data, h = images(), spectrometer()
    h.FIELDS = ["MaranaX", "nrj"]
    run = write_run(tmp_path, data["MaranaX"].values, slow={"nrj": data["nrj"].values})
    made = h.process_run(run, method="integrate", deconvolve=True, progress=False)
    expected = h.integrate(data, deconvolve=True)
    np.testing.assert_allclose(made["spectrum"], expected["spectrum"], rtol=1e-9, atol=1e-9)
    assert made["n_photons"].sizes == {"trainId": 6}


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_several_runs_make_one_spectrum_of_all_images(tmp_path):
    data, h = images(), spectrometer()
    h.FIELDS = ["MaranaX", "nrj"]
    runs = []
    for number in range(2):
        part = data.isel(trainId=slice(3 * number, 3 * number + 3))
        (tmp_path / str(number)).mkdir()
        runs.append(
            write_run(
                tmp_path / str(number), part["MaranaX"].values, slow={"nrj": part["nrj"].values}
            )
        )
    made = h.process_runs(runs, method="integrate", deconvolve=True, progress=False)
    assert made["spectrum"].dims == ("energy",)
    assert made["sampled"].sizes["trainId"] == 6
    assert made["spectrum"].attrs["n_images"] == 6
    assert made["spectrum"].attrs["counts_of"].startswith("6 images")
    assert made["spectrum"].attrs["detector"] == "MaranaX"
    assert made["spectrum"].attrs["curve_a"] == TRUTH.tilt
    hrixs.doubts(made)  # they were looked at
    done = {"checkpoint": tmp_path / "kept", "method": "integrate", "deconvolve": True}
    for _ in range(2):  # and loaded from there
        again = h.process_runs(runs, progress=False, **done)
        np.testing.assert_array_equal(again["spectrum"], made["spectrum"])
    assert "deconvolve=True" in hrixs.how_made(made)
    hrixs.sum_between(made, 500.0, 500.6)
    expected = h.integrate(data, deconvolve=True)
    # The noise of a pixel is that of the first images of each run.
    np.testing.assert_allclose(made["spectrum"], expected["spectrum"], rtol=2e-3, atol=0.5)
    h.set_params(cloud_sigma=0.6)
    other = h.process_run(runs[0], method="integrate", deconvolve=True, progress=False)
    one = hrixs.select(made, index=[0])
    with pytest.raises(ValueError, match="cloud_sigma of deconvolved runs differ"):
        hrixs.concat([one, other])
    with pytest.raises(hrixs.MissingDataError, match="deconvolve=True"):
        hrixs.concat([one, h.process_run(runs[1], method="integrate", progress=False)])


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_the_command_line_deconvolves_stacks_of_images(tmp_path, capsys):
    data, h = images(), spectrometer()
    np.save(tmp_path / "stack.npy", data["MaranaX"].values)
    words = ["process", str(tmp_path / "stack.npy"), "-o", str(tmp_path / "out.nc")]
    words += ["--method", "integrate", "--deconvolve", "--oversample", "4", "--cloud-sigma", "0.55"]
    words += ["--photon-charge", "150", "--curve-a", str(TRUTH.tilt)]
    words += ["--electrons-per-adu", "1", "--energy-slope", "0.02", "--energy-intercept", "500"]
    assert main(words) == 0
    assert "6 images" in capsys.readouterr().out
    expected = h.integrate(data, deconvolve=True, oversample=4)
    with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as made:
        np.testing.assert_allclose(made["spectrum"], expected["spectrum"], rtol=1e-9, atol=1e-9)


def test_what_can_not_be_is_told_of():
    data, h = images(), spectrometer()
    with pytest.raises(ValueError, match="needs deconvolve=True here"):
        h.integrate(data, oversample=3)
    with pytest.raises(ValueError, match=r"method='auto', expected 'integrate'"):
        add_spectra(h, data, "auto", deconvolution=Deconvolution())
    with pytest.raises(ValueError, match="align='elastic' moves spectra of images"):
        h.process_runs([1, 2], method="integrate", deconvolve=True, align="elastic")
    with pytest.raises(hrixs.MissingDataError, match="no variable 'sampled'"):
        hrixs.deconvolve(data)
    h.CLOUD_SIGMA = None
    dense = reference.Truth(photons=40_000, shape=(256, 28)).frame(np.random.default_rng(1))
    data["MaranaX"] = data["MaranaX"].copy(
        data=np.repeat(np.round(dense).astype(np.uint16)[None], 6, 0)
    )
    with pytest.raises(hrixs.MissingDataError, match="Set CLOUD_SIGMA"):
        h.integrate(data, deconvolve=True)


def test_a_run_without_photon_energy_shows_the_charge_of_a_photon(tmp_path):
    frames, _ = simulate_frames(
        40, sensor=Sensor(shape=(128, 200), hot_fraction=0.0), seed=1,
        lines=(SpectralLine(100.0, 6.0, 1.0),), photons_per_frame=60, curvature=(TRUTH.tilt, 0.0),
    )  # fmt: skip
    h = spectrometer()
    h.set_params(fields=["MaranaX"], cloud_sigma=None)
    run = write_run(tmp_path, frames)
    made = h.process_run(run, method="integrate", deconvolve=True, progress=False).spectrum
    assert made.attrs["photon_charge_learned"] == 1
    np.testing.assert_allclose(made, h.integrate(h.from_run(run), deconvolve=True).spectrum)
