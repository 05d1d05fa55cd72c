"""A result makes itself again, to the last byte; what it can't is told, and what differs, too."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tifffile
import xarray as xr

import hrixs
from conftest import DARK, OTHER_RUN, PROPOSAL, RUN
from hrixs import Curvature, HrixsWarning, MissingDataError, hRIXS, replay
from hrixs.simulation import write_run

pytestmark = pytest.mark.filterwarnings(
    "ignore:crowded:hrixs.LostPhotonsWarning",
    "ignore:charge_balance:hrixs.ChargeBalanceWarning",
    r"ignore:\d of \d images are left out:hrixs.HrixsWarning",
)


@pytest.fixture
def set_up(h):
    """Settings with dark, mask and a curve of a higher degree."""
    h.load_dark(DARK)
    h.curvature = Curvature((0.04, -2e-5, 1e-11), reference=128.0)
    h.MASK = np.arange(256 * 1024).reshape(256, 1024) % 9973 == 5
    h.set_params(bins=300, std_threshold=5.0)
    return h


def saved(result, path):
    """The result as a file gives it back, months later."""
    result.to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as read:
        return read.load()


def own_variable(h):
    data = h.process_run(RUN, progress=False)
    data["half"] = ("trainId", np.arange(8) % 2)
    return h.aggregate(data, "half")


def changed_variable(h):
    data = h.process_run(RUN, progress=False)
    data["nrj"] = data.nrj + 0.25
    return hrixs.energy_loss(data)


def fewer_trains(h):
    data = h.process_run(RUN, progress=False)
    return h.aggregate(data.isel(trainId=[0, 2, 5]).drop_vars("hRIXS_index"))


def in_place(h):
    data = h.from_run(RUN)
    h.centroid(data)
    h.normalize(data)
    return h.aggregate(data)


def of_photons(h):
    data = h.process_run(RUN, photons=True, progress=False)
    photons = hrixs.photon_table(data)
    h.set_params(curve_a=0.041, curve_b=-2.1e-5)
    return h.count(photons, data)


def pumped_and_not(h):
    data = h.process_run(RUN, progress=False)
    pumped, not_pumped = (
        h.normalize(h.aggregate(hrixs.select(data, index=slice(k, None, 2)))) for k in (0, 1)
    )
    return hrixs.difference(pumped, not_pumped, bins_together=5)


def once_more(h):
    data = h.from_run(RUN)
    data = h.centroid(data)
    h.BINS = 200
    data = h.normalize(h.integrate(data))
    return h.centroid(data, method="manual").drop_vars("MaranaX")


def with_steps(h):
    data = h.process_run(RUN, progress=False)
    return h.aggregate(data, ["hRIXS_delay"], edges={"hRIXS_delay": np.array([-2.0, 0.5, 3.0])})


def own_spectra_and_notes(h):
    data = h.process_run(RUN, progress=False).assign_attrs(sample="NiO", temperature=20.5)
    data["background"] = 0.1 * data.spectrum.assign_attrs(window=np.array([1.0, np.nan]))
    data["quality"] = "trainId", np.array([np.nan, *range(7)], np.float32)
    return data


def chosen_by_values(h):
    data = h.process_run(RUN, progress=False)
    return hrixs.select(data, data.hRIXS_norm > 950)


WAYS = {
    "own spectra and notes": own_spectra_and_notes,
    "chosen by values": chosen_by_values,
    "photons lazily": lambda h: h.centroid(h.from_run(RUN, lazy=True)).drop_vars("MaranaX"),
    "a run": lambda h: h.process_run(RUN, method="best", progress=False),
    "chosen trains": lambda h: h.process_run(RUN, subset=slice(1, 9), drop_first=1, progress=False),
    "trains by id": lambda h: h.process_run(RUN, trains=[1600000001, 1600000005], progress=False),
    "loaded": lambda h: h.centroid(h.from_run(RUN), method="manual").drop_vars("MaranaX"),
    "lazily": lambda h: h.integrate(h.from_run(RUN, lazy=True)).compute().drop_vars("MaranaX"),
    "in place": in_place,
    "once more": once_more,
    "runs": lambda h: h.process_runs([RUN, OTHER_RUN], progress=False),
    "joined": lambda h: hrixs.concat([h.process_run(r, progress=False) for r in (RUN, OTHER_RUN)]),
    "aggregated": lambda h: h.aggregate_ds(h.process_run(RUN, progress=False)),
    "groups": with_steps,
    "selected": lambda h: h.select(h.process_run(RUN, progress=False), "hRIXS_norm > 950"),
    "an own variable": own_variable,
    "a changed variable": changed_variable,
    "fewer trains": fewer_trains,
    "of photons": of_photons,
    "a difference": pumped_and_not,
    "a map": lambda h: h.rixs_map(h.process_run(RUN, progress=False), normalize="hRIXS_norm"),
    "less background": lambda h: h.subtract_background(
        h.aggregate(h.process_run(RUN, progress=False)), degree=1
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.one_in(2)
def test_a_result_on_disk_makes_itself_again(set_up, way, tmp_path, recwarn):
    result = saved(WAYS[way](set_up), tmp_path / "result.nc")
    recwarn.clear()
    again = replay(tmp_path / "result.nc")
    assert not [w for w in recwarn if "made again" in str(w.message)]
    xr.testing.assert_identical(saved(again, tmp_path / "again.nc"), result)


def test_the_file_is_the_same_bytes(set_up, tmp_path):
    result = set_up.process_run(RUN, progress=False)
    hrixs.export(result, tmp_path / "a.nc")
    again = replay(tmp_path / "a.nc")

    def written(one, name):
        hrixs.export(one, tmp_path / name)
        return (tmp_path / name).read_bytes()

    # h5py before 3.15 writes the clock's second into the file: two of one second are compared.
    assert any(written(again, "b.nc") == written(result, "a.nc") for _ in range(5))


@pytest.mark.parametrize("suffix", ["nxs", "dat", "csv"])
def test_other_files_tell_the_steps_too(set_up, suffix, tmp_path):
    result = set_up.process_run(RUN, progress=False)
    hrixs.export(result, tmp_path / f"a.{suffix}")
    again = replay(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(again.spectrum, result.spectrum)
    other = hRIXS.from_result(tmp_path / f"a.{suffix}")
    assert other.curvature == set_up.curvature
    np.testing.assert_array_equal(other.dark_image, set_up.dark_image)


def test_a_run_that_was_open_and_given_by_path(set_up, simulated, tmp_path):
    import extra_data

    run = extra_data.RunDirectory(simulated.folder)
    for given in (run, run.select_trains(extra_data.by_index[:5]), simulated.folder):
        result = saved(set_up.process_run(given, progress=False), tmp_path / "a.nc")
        xr.testing.assert_identical(saved(replay(result), tmp_path / "b.nc"), result)


def test_image_files(h, simulated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"photometric": "minisblack"}
    tifffile.imwrite("stack.tif", simulated.frames, **options)
    tifffile.imwrite("dark.tif", simulated.frames[:4] * 0 + 99, **options)
    h.load_dark("dark.tif")
    result = h.centroid(hrixs.open_images("stack.tif")).drop_vars("MaranaX")
    saved(result, "a.nc")
    monkeypatch.chdir("/")  # paths are kept in full
    xr.testing.assert_identical(replay(tmp_path / "a.nc").drop_attrs(), result.drop_attrs())


class TestMoved:
    @pytest.fixture
    def elsewhere(self, simulated, tmp_path):
        old, new = tmp_path / "old", tmp_path / "new"
        shutil.copytree(simulated.folder.parent, old)
        h = hRIXS(PROPOSAL)
        h.set_params(y_range=slice(700, 900))
        h.load_dark(old / simulated.folder.name.replace(f"{RUN:04d}", f"{DARK:04d}"))
        result = h.process_run(old / simulated.folder.name, progress=False)
        result.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
        old.rename(new)
        return tmp_path

    def test_folders_that_lie_elsewhere_now(self, elsewhere, recwarn):
        with pytest.raises(MissingDataError, match=r"there is no run at .*old"):
            replay(elsewhere / "a.nc")
        moved = {str(elsewhere / "old"): str(elsewhere / "new")}
        recwarn.clear()
        again = replay(elsewhere / "a.nc", moved=moved)
        assert not [one for one in recwarn if "made again" in str(one.message)]
        assert again.attrs["path_of_r0145"] == str(elsewhere / "new" / "r0145")
        assert int(again.spectrum.sum()) > 500

    def test_settings_without_the_dark(self, elsewhere):
        with pytest.warns(HrixsWarning, match=r"the dark is not set: there is no run at"):
            h = hRIXS.from_result(elsewhere / "a.nc")
        assert h.dark_image is None
        assert slice(700, 900) == h.Y_RANGE
        moved = {str(elsewhere / "old"): str(elsewhere / "new")}
        assert hRIXS.from_result(elsewhere / "a.nc", moved=moved).dark_image.shape == (256, 1024)


def test_runs_that_lie_elsewhere_without_their_proposal(
    set_up, simulated, tmp_path, monkeypatch, recwarn
):
    result = set_up.process_run(RUN, progress=False)
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path))
    with pytest.raises(
        MissingDataError, match=r"moved={'166': '/new/r0166'}, or type hrixs replay"
    ):
        replay(result)
    moved = {str(RUN): str(simulated.folder), "0166": str(simulated.folder.parent / "r0166")}
    recwarn.clear()
    again = replay(result, moved=moved)
    assert not [one for one in recwarn if "made again" in str(one.message)]
    np.testing.assert_array_equal(again.spectrum, result.spectrum)


def test_an_open_folder_that_lies_elsewhere_is_told_with_what_to_type(h, simulated, tmp_path):
    (tmp_path / "old").mkdir()
    folder = shutil.copytree(simulated.folder, tmp_path / "old" / "r0145")
    result = h.process_run(folder, progress=False)
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(MissingDataError, match=rf"hrixs replay --moved {tmp_path / 'old'}=/new"):
        replay(result)
    again = replay(result, moved={str(tmp_path / "old"): str(tmp_path / "new")})
    np.testing.assert_array_equal(again.spectrum, result.spectrum)


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_netcdf_under_another_name(h, suffix, tmp_path):
    result = saved(h.process_run(RUN, progress=False), tmp_path / f"r{suffix}")
    np.testing.assert_array_equal(replay(tmp_path / f"r{suffix}").spectrum, result.spectrum)
    assert hRIXS.from_result(tmp_path / f"r{suffix}").Y_RANGE == h.Y_RANGE


@pytest.mark.parametrize("n_bytes", [0, 5000])
def test_a_file_that_was_cut(h, n_bytes, tmp_path):
    saved(h.process_run(RUN, progress=False), tmp_path / "r.nc")
    (tmp_path / "r.nc").write_bytes((tmp_path / "r.nc").read_bytes()[:n_bytes])
    for call in (replay, hrixs.how_made, hRIXS.from_result):
        with pytest.raises(ValueError, match=r"r.nc cannot be read as netCDF .*copied completely"):
            call(tmp_path / "r.nc")


def test_settings_of_a_result_are_those_that_made_it(set_up, tmp_path):
    set_up.calibrated = (498.27, 0.018387), (525.0, 535.0)
    result = set_up.aggregate(set_up.process_run(RUN, progress=False))
    saved(result, tmp_path / "a.nc")
    for given in (result, tmp_path / "a.nc", set_up.centroid(set_up.from_run(RUN))):
        h = hRIXS.from_result(given)
        assert repr(h) == repr(set_up)
        assert (h.curvature, h.calibrated) == (set_up.curvature, set_up.calibrated)
        again = h.process_run(OTHER_RUN, progress=False)
        xr.testing.assert_identical(again, set_up.process_run(OTHER_RUN, progress=False))


def test_a_class_of_ones_own_is_kept(h):
    class Mine(hRIXS):
        pass

    assert type(Mine.from_result(h.process_run(RUN, progress=False))) is Mine


def test_a_dark_in_memory_is_told(h, data, tmp_path):
    h.dark_image, h.dark_detector, h.USE_DARK = np.full((256, 1024), 100.0), "MaranaX", True
    result = h.process_run(RUN, progress=False)
    with pytest.warns(HrixsWarning, match=r"the dark is not set: the dark \(run None\) was an im"):
        hRIXS.from_result(result)
    with pytest.raises(MissingDataError, match="was an image in memory") as info:
        replay(result)
    assert "In step 1 of 1, process_run." in info.value.__notes__
    h.save(tmp_path / "s.toml")
    assert hRIXS.load(tmp_path / "s.toml").dark.digest == h.dark.digest


@pytest.mark.parametrize(("position", "method"), [("gaussian", "auto"), ("com", "resolve")])
@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_an_image_of_the_noise_is_told(h, position, method):
    h.READ_NOISE, h.CLOUD_SIGMA = np.full((256, 1024), 1.8), 0.55
    h.POSITION = position
    result = h.centroid(h.from_run(RUN), method=method)
    with pytest.raises(
        MissingDataError, match=r"was an image of 256 x 1024 pixels.*h.READ_NOISE ="
    ):
        replay(result)


@pytest.mark.filterwarnings("ignore:made again:hrixs.HrixsWarning")
def test_an_image_of_the_noise_that_nothing_used_is_not_missed(h):
    h.READ_NOISE = np.full((256, 1024), 1.8)
    result = h.process_run(RUN, progress=False)
    with pytest.warns(HrixsWarning, match="READ_NOISE was an image"):
        again = replay(result)
    np.testing.assert_array_equal(again.spectrum, result.spectrum)


def test_a_dark_of_chosen_images_is_made_again(h):
    data = h.from_run(RUN)
    h.load_dark(h.select(data, trains=data.trainId.values[::2]))
    result = h.process_run(OTHER_RUN, progress=False)
    assert hRIXS.from_result(result).dark.digest == h.dark.digest
    assert "darks = hrixs.select(darks, trains=" in hrixs.how_made(result)
    xr.testing.assert_identical(replay(result), result)


def test_a_dark_that_is_another_one_by_now_is_told(tmp_path):
    frames = np.random.default_rng(0).normal(100, 2, (6, 64, 128)).astype(np.uint16)
    folder = write_run(tmp_path, xr.DataArray(frames, dims=("trainId", "x", "y")),
                       proposal=PROPOSAL, run=1)  # fmt: skip
    h = hRIXS()
    h.load_dark(folder)
    h.FIELDS = ["MaranaX"]
    result = h.integrate(h.from_run(folder))
    shutil.rmtree(folder)
    write_run(tmp_path, xr.DataArray(frames + 1, dims=("trainId", "x", "y")), proposal=PROPOSAL,
              run=1)  # fmt: skip
    with pytest.warns(HrixsWarning, match=r"the dark, run .*, differs from the original"):
        hRIXS.from_result(result)


@pytest.mark.parametrize("way", ["own spectra and notes", "chosen by values", "an own variable"])
def test_the_python_makes_the_same(h, way):
    result = WAYS[way](h)
    made: dict[str, xr.Dataset] = {}
    exec(hrixs.how_made(result), made)
    for name in result.variables:
        np.testing.assert_array_equal(made["data"][name], result[name])
    assert made["data"].attrs.get("sample") == result.attrs.get("sample")


class TestWhatCanNotBeDoneAgain:
    def test_large_variables_of_ones_own_are_taken_from_the_result(self, h):
        result = h.process_run(RUN, progress=False)
        result["own"] = ("trainId", "q"), np.ones((8, 3000))
        with pytest.warns(
            HrixsWarning, match=r"values of own were not recorded: they are more than 20000"
        ):
            again = replay(result)
        xr.testing.assert_identical(again, result)
        result = hrixs.energy_loss(result)
        with (
            pytest.warns(HrixsWarning, match=r"made again, .* own is missing"),
            pytest.warns(HrixsWarning, match=r"Later steps are repeated without them"),
        ):
            replay(result)

    def test_runs_that_xarray_has_joined(self, h):
        both = [h.process_run(run, progress=False) for run in (RUN, OTHER_RUN)]
        with pytest.raises(
            MissingDataError, match=r"8 of 16 images, .*Join them with hrixs.concat"
        ):
            replay(xr.concat(both, "trainId"))

    def test_images_in_memory(self, h, data):
        images = xr.Dataset({"MaranaX": data.MaranaX}).drop_attrs()
        result = h.centroid(images)
        assert "data = ...  # a dataset in memory" in hrixs.how_made(result)
        with pytest.raises(ValueError, match="a dataset in memory without recorded calls"):
            replay(result)

    def test_functions_of_ones_own(self, h):
        result = h.process_run(RUN, progress=False)
        h.aggregators["nrj"] = lambda da, dim: da.max(dim)
        with pytest.raises(ValueError, match=r"function .* was given, which could not be recorded"):
            replay(h.aggregate(result))

    def test_functions_that_no_step_needed_do_not_matter(self, h):
        h.aggregators["another"] = lambda da, dim: da.max(dim)
        result = h.aggregate(h.process_run(RUN, progress=False))
        xr.testing.assert_identical(replay(result), result)
        with pytest.warns(HrixsWarning, match=r"aggregators of another were functions"):
            again = hRIXS.from_result(result)
        with pytest.raises(TypeError, match="which could not be recorded"):
            again.aggregate(result.expand_dims(trainId=2).assign(another=("trainId", [1, 2])))

    @pytest.mark.parametrize("change", ["none", "gone", "all gone"])
    def test_aggregators_that_were_taken_away(self, h, change, recwarn):
        data = h.process_run(RUN, progress=False)
        data["mine"] = data.hRIXS_norm * 2
        h.aggregators["mine"] = None
        if change != "none":
            del h.aggregators["hRIXS_norm"]
        if change == "all gone":
            h.aggregators = {"spectrum": hrixs.add, "mine": None}
        result = h.aggregate(data, "hRIXS_delay")
        recwarn.clear()
        xr.testing.assert_identical(replay(result), result)
        assert not [one for one in recwarn if "is left out" in str(one.message)]

    def test_functions_of_the_package(self, h):
        result = h.process_run(RUN, progress=False)
        h.aggregators["mine"] = h.aggregators["nrj"]
        result = h.aggregate(result.assign(mine=result.hRIXS_norm * 2))
        xr.testing.assert_identical(replay(result), result)

    def test_a_result_without_steps(self, h):
        result = h.process_run(RUN, progress=False).drop_attrs()
        assert hrixs.how_made(result) == ""
        with pytest.raises(MissingDataError, match="the result has no attribute 'steps'"):
            replay(result)
        with pytest.raises(MissingDataError, match="the result has no attribute 'settings'"):
            hRIXS.from_result(result)

    def test_what_was_done_to_spectra_meanwhile_is_seen_at_the_end(self, h):
        result = h.process_run(RUN, progress=False)
        result["spectrum"] = result.spectrum.copy(data=result.spectrum.values * 2)
        result.attrs["n_images"] = 9
        with pytest.warns(HrixsWarning, match=r"spectrum differs in \d+ of 4000 .*n_images was 9"):
            replay(result)

    def test_a_version_that_is_another_one_is_named(self, h):
        result = h.process_run(RUN, progress=False)
        result["spectrum"] = (result.spectrum * 2).assign_attrs(
            result.spectrum.attrs | {"hrixs_version": "0.1.0"}
        )
        with pytest.warns(HrixsWarning, match=r"It was made by hrixs 0\.1\.0, and this is"):
            replay(result)

    @pytest.mark.parametrize("call", ["system", "to_netcdf", "save", "eval", "__init__"])
    def test_a_file_calls_nothing_but_the_known_calls(self, h, call):
        result = h.process_run(RUN, progress=False)
        for of in ("hRIXS", None):
            steps = [*json.loads(result.attrs["steps"]), {"call": call, "args": {}, "of": of}]
            with pytest.raises(ValueError, match=f"does not know the step '{call}'"):
                replay(result.assign_attrs(steps=json.dumps(steps)))

    def test_other_things(self, tmp_path):
        with pytest.raises(TypeError, match="got int, expected a result"):
            replay(3)
        with pytest.raises(MissingDataError, match="there is no file"):
            replay(tmp_path / "no.nc")
        (tmp_path / "a.json").write_text("{}")
        with pytest.raises(ValueError, match="unknown suffix"):
            replay(tmp_path / "a.json")


class TestHowMade:
    def test_it_is_python_that_makes_it_again(self, set_up, tmp_path):
        set_up.MASK = None
        result = set_up.process_run(RUN, method="best", progress=False)
        result = hrixs.select(result, "hRIXS_norm > 950")
        result["half"] = ("trainId", np.arange(result.sizes["trainId"]) % 2)
        result = set_up.normalize(set_up.aggregate(result, "half"))
        text = hrixs.how_made(result)
        assert "data = h.process_run(145, method='best')" in text
        assert "h.set_params(y_range=slice(700, 900), std_threshold=5.0, bins=300," in text
        made: dict[str, xr.Dataset] = {}
        exec(text, made)
        xr.testing.assert_identical(made["data"].drop_attrs(), result.drop_attrs())

    def test_settings_that_changed_between_calls_are_told_where_they_did(self, h):
        data = h.from_run(RUN)
        h.BINS = 123
        lines = hrixs.how_made(h.centroid(data)).splitlines()
        assert [line.partition("(")[0] for line in lines if "h" in line][-5:] == [
            "h.set_params", "data = h.from_run", "h = hRIXS", "h.set_params", "data = h.centroid"
        ]  # fmt: skip
        assert "bins=123" in lines[-2]
        assert "bins" not in lines[-5]


def test_recording_adds_nothing_to_what_is_given(h, data):
    before = data.copy(deep=True)
    h.aggregate(h.centroid(data))
    assert data.attrs == before.attrs
    assert {*data.variables} - {*before.variables} == {"spectrum", "energy"}
