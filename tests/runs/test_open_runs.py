"""What an open run, a number, or a path says is what is read, and from where it says."""

import shutil
import warnings

import h5py
import numpy as np
import pytest
from extra_data import H5File, RunDirectory, by_id, open_run

import hrixs
from hrixs import MissingDataError, hRIXS
from oracles.made_runs import (
    FIRST,
    FRAMES,
    KEY,
    OFFSET,
    PIXELS,
    PROPOSAL,
    RUN,
    SOURCE,
    camera_files,
    make_overview,
    processed,
    raw_run,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*is left out. the run has no:hrixs.HrixsWarning")
CORRECTED = FRAMES - OFFSET


@pytest.fixture
def h(tmp_path, monkeypatch) -> hRIXS:
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path))
    return hRIXS(PROPOSAL)


@pytest.fixture
def raw(tmp_path):
    return raw_run(tmp_path)


def images(h, run, **options):
    return h.from_run(run, **options)["MaranaX"].values


class TestRawAndProcessed:
    @pytest.mark.parametrize("more", [False, True])
    @pytest.mark.parametrize("data", ["raw", "proc", "default", "all"])
    def test_a_collection_is_read_as_extra_data_reads_it(self, h, raw, data, more):
        processed(raw, more=more)
        run = open_run(str(raw.parents[1]), RUN, data=data)
        right = run[SOURCE, KEY].ndarray()
        np.testing.assert_array_equal(right, CORRECTED if data in ("proc", "all") else FRAMES)
        np.testing.assert_array_equal(images(h, run), right)
        np.testing.assert_array_equal(h.from_run(run, lazy=True)["MaranaX"].compute(), right)
        h.load_dark(run)
        np.testing.assert_allclose(h.dark_image, right.mean(axis=0), atol=3)

    def test_spectra_of_a_collection(self, h, raw):
        processed(raw, more=True)
        run = open_run(str(raw.parents[1]), RUN, data="all")
        result = h.process_run(run, method="integrate", progress=False)
        assert (result.sizes["trainId"], result.attrs["n_skipped"]) == (8, 0)
        assert result.spectrum.mean() == pytest.approx(CORRECTED.mean(), rel=0.01)

    def test_images_of_another_type_replace_the_raw_ones(self, h, raw):
        proc = processed(raw, more=True)
        for path in camera_files(proc):
            with h5py.File(path, "r+") as file:
                pixels = file[PIXELS][:].astype(np.float32)
                del file[PIXELS]
                file[PIXELS] = pixels
        read = images(h, open_run(str(raw.parents[1]), RUN, data="all"))
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, CORRECTED)

    def test_a_union_of_what_was_deselected(self, h, tmp_path):
        raw = raw_run(tmp_path, slow={"hRIXS_delay": np.arange(8.0)})
        proc = processed(raw)
        run = RunDirectory(raw).deselect(SOURCE).union(RunDirectory(proc))
        np.testing.assert_array_equal(images(h, run), CORRECTED)

    def test_trains_that_only_the_raw_data_have(self, h, raw):
        processed(raw, first_file=1)
        run = open_run(str(raw.parents[1]), RUN, data="all")
        with pytest.warns(hrixs.HrixsWarning, match=r"1 files of CORR-R0005-DA02 are missing"):
            np.testing.assert_array_equal(images(h, run), CORRECTED[4:])


class TestData:
    """`data` of a run's number or folder."""

    @pytest.mark.parametrize(
        ("data", "right"),
        [(None, FRAMES), ("raw", FRAMES), ("proc", CORRECTED), ("all", CORRECTED)],
    )
    @pytest.mark.parametrize("by", ["number", "folder", "setting"])
    def test_which_images(self, h, raw, data, right, by):
        processed(raw, more=True)
        if by == "setting":
            h.DATA = data
            np.testing.assert_array_equal(images(h, RUN), right)
        else:
            run = RUN if by == "number" else raw
            loaded = h.from_run(run, data=data)
            np.testing.assert_array_equal(loaded["MaranaX"], right)
            assert loaded.attrs.get("data") == data
            assert set(loaded.run.values) == {f"r{RUN:04d}"}
            assert loaded.attrs.get(f"path_of_r{RUN:04d}", str(RUN)) == str(run)

    def test_a_path_is_what_it_says(self, h, raw):
        proc = processed(raw)
        np.testing.assert_array_equal(images(h, proc), CORRECTED)
        np.testing.assert_array_equal(images(h, proc, data="raw"), FRAMES)

    def test_every_method_that_takes_a_run(self, h, raw):
        processed(raw)
        h.load_dark(RUN, data="proc")
        np.testing.assert_allclose(h.dark_image, CORRECTED.mean(axis=0), atol=3)
        h.USE_DARK = False
        mean = CORRECTED.mean(axis=0)
        np.testing.assert_allclose(h.mean_image(RUN, data="proc"), mean)
        result = h.process_run(RUN, data="proc", method="integrate", progress=False)
        assert result.spectrum.mean() == pytest.approx(CORRECTED.mean(), rel=0.01)
        with pytest.warns(hrixs.HrixsWarning, match="a dark is given"):
            assert h.noise_report(RUN, data="proc", dark=RUN).frames.sizes["frames"] == 8
        assert h.find_bad_pixels(RUN, data="proc").sizes == {"x": 32, "y": 40}
        for call in (h.estimate_cloud, h.find_curvature):
            with pytest.raises(MissingDataError, match=r"there is no folder.*proc"):
                call(RUN + 1, data="proc")
        with pytest.raises(MissingDataError, match=r"there is no folder.*proc"):
            h.calibrate_energy([RUN + 1], [530.0], data="proc")

    def test_the_other_sources_of_all_are_the_raw_ones(self, h, tmp_path):
        raw = raw_run(tmp_path, slow={"hRIXS_delay": np.arange(8.0)})
        processed(raw)
        data = h.from_run(RUN, data="all")
        np.testing.assert_array_equal(data.hRIXS_delay, np.arange(8))
        assert "hRIXS_delay" not in h.from_run(RUN, data="proc")

    def test_all_of_a_run_that_was_not_processed(self, h, raw):
        with pytest.warns(hrixs.HrixsWarning, match=r"no folder.*proc.r0005: only .*raw"):
            np.testing.assert_array_equal(images(h, RUN, data="all"), FRAMES)

    def test_what_was_given_wrongly(self, h, raw):
        with pytest.raises(ValueError, match=r"unknown data 'row'. Did you mean 'raw'"):
            h.from_run(RUN, data="row")
        with pytest.raises(MissingDataError, match=r"there is no folder .*proc.r0005"):
            h.from_run(RUN, data="proc")
        with pytest.raises(ValueError, match=r"given with an open run.*extra_data.open_run"):
            h.from_run(RunDirectory(raw), data="raw")
        with pytest.raises(ValueError, match="which is not a run's folder in a folder raw or proc"):
            h.from_run(camera_files(raw)[0], data="proc")
        with pytest.raises(ValueError, match="were given with a dataset"):
            h.load_dark(h.from_run(RUN), data="proc")
        h.DATA = "proc"  # of runs by number: an open one has its data already
        np.testing.assert_array_equal(images(h, RunDirectory(raw)), FRAMES)


class TestDeselected:
    @pytest.mark.parametrize("key", ["*", KEY])
    @pytest.mark.parametrize("way", ["deselect", "select"])
    def test_a_camera_that_was_deselected(self, h, tmp_path, key, way):
        raw = raw_run(tmp_path, slow={"hRIXS_delay": np.arange(8.0)})
        run = RunDirectory(raw)
        if way == "deselect":
            run = run.deselect(SOURCE, key)
        else:
            run = run.select([("*SCAN*", "*"), (SOURCE, "data.trainId")][: 1 + (key == KEY)])
        for call in (h.from_run, h.load_dark, h.find_curvature):
            with pytest.raises(MissingDataError, match=r"camera MaranaX.*was deselected"):
                call(run)
        with pytest.raises(MissingDataError, match="was deselected"):
            h.process_run(run, progress=False)

    def test_everything_was_deselected(self, h, raw):
        with pytest.raises(MissingDataError, match="all sources of the open run were deselected"):
            h.from_run(RunDirectory(raw).deselect("*"))

    def test_slow_data_that_were_deselected(self, h, tmp_path):
        raw = raw_run(tmp_path, slow={"hRIXS_delay": np.arange(8.0)})
        run = RunDirectory(raw).deselect("SCS_HRIXS_ACQ/MDL/SCAN")
        h.FIELDS = ["MaranaX", "hRIXS_delay"]
        with pytest.warns(hrixs.HrixsWarning, match="hRIXS_delay is left out: .* was deselected"):
            data = h.from_run(run)
        assert "hRIXS_delay" not in data
        np.testing.assert_array_equal(data["MaranaX"], FRAMES)

    def test_a_camera_that_is_not_there_is_none_that_was_deselected(self, h, raw):
        h.DETECTOR = "hRIXS_det"
        with pytest.raises(MissingDataError, match="the run has no camera hRIXS_det"):
            h.from_run(RunDirectory(raw))

    def test_suspect_trains_that_were_not_opened(self, h, raw):
        with h5py.File(camera_files(raw)[0], "r+") as file:
            file["INDEX/flag"][1] = 0
        run = RunDirectory(raw, inc_suspect_trains=False)
        np.testing.assert_array_equal(images(h, run), run[SOURCE, KEY].ndarray())


class TestOverview:
    """The virtual file that stands for a run's files, beside those of other runs."""

    @pytest.fixture
    def usr(self, raw):
        """Overviews of raw and proc of a run, and of another run, where extra-data puts them."""
        usr = raw.parents[1] / "usr" / ".extra_data"
        proc = processed(raw, more=True)
        other = raw_run(raw.parents[4], RUN + 1, FRAMES[::-1])
        for name, folder in (("RAW-R0005", raw), ("PROC-R0005", proc), ("RAW-R0006", other)):
            make_overview(folder, usr / f"{name}-OVERVIEW.h5")
        return usr

    def test_of_several_runs(self, h, raw, usr):
        run = H5File(usr / "RAW-R0005-OVERVIEW.h5")
        assert len(run.files) == 1
        for given in (
            RUN,
            raw,
            str(raw),
            run,
            run.select_trains(np.s_[:]),
            usr / "RAW-R0005-OVERVIEW.h5",
        ):
            np.testing.assert_array_equal(images(h, given), FRAMES)
        np.testing.assert_array_equal(images(h, RUN + 1), FRAMES[::-1])
        np.testing.assert_array_equal(images(h, RUN, data="proc"), CORRECTED)
        np.testing.assert_array_equal(
            images(h, open_run(str(raw.parents[1]), RUN, data="all")), CORRECTED
        )
        assert h.from_run(run).attrs[f"path_of_{raw.name}"] == str(raw)

    def test_of_some_trains(self, h, usr):
        run = open_run(str(usr.parents[1]), RUN, data="raw").select_trains(np.s_[2:6])
        np.testing.assert_array_equal(images(h, run), FRAMES[2:6])

    @pytest.mark.parametrize("overview", [False, True])
    def test_suspect_trains_are_told_of_where_extra_data_brings_them_back(self, h, raw, overview):
        """findings/extra_data_overview_brings_suspect_trains_back.sh."""
        with h5py.File(camera_files(raw)[0], "r+") as file:
            file["INDEX/flag"][1] = 0
        if overview:
            make_overview(raw, raw / "overview.h5")
        run = RunDirectory(raw, inc_suspect_trains=False)
        assert len(run.train_ids) == (8 if overview else 7)
        for given in (raw, RUN, run) if overview else (raw, RUN):
            with pytest.warns(hrixs.HrixsWarning, match="1 trains are marked as suspect"):
                np.testing.assert_array_equal(images(h, given), FRAMES)
            with pytest.warns(hrixs.HrixsWarning, match="1 trains are marked as suspect"):
                result = h.process_run(given, method="integrate", progress=False)
            assert (result.sizes["trainId"], result.attrs["n_suspect"]) == (8, 1)

    def test_a_gap_of_trains(self, h, usr):
        """findings/extra_data_by_id_in_a_gap.sh."""
        run = H5File(usr / "RAW-R0005-OVERVIEW.h5").select_trains(np.s_[[0, 1, 2, 6, 7]])
        with pytest.raises(TypeError):
            run.select_trains(by_id[FIRST + 1 : FIRST + 4])
        data = h.from_run(run, subset=by_id[FIRST + 1 : FIRST + 4])
        assert (data.trainId.values - FIRST).tolist() == [1, 2]

    def test_of_files_that_are_gone(self, h, raw, usr):
        run = H5File(usr / "RAW-R0005-OVERVIEW.h5")
        camera_files(raw)[1].unlink()
        with pytest.warns(hrixs.HrixsWarning, match="DA02-S00001.h5 can't be read"):
            np.testing.assert_array_equal(images(h, run), FRAMES[:4])
        shutil.rmtree(raw)
        # extra-data may still know the file that it had open, so that it fails later, and is told.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hrixs.HrixsWarning)
            with pytest.raises(MissingDataError, match=r"DA02-S00000.h5"):
                h.from_run(run)


class TestSubsetById:
    @pytest.fixture
    def gap(self, tmp_path, monkeypatch):
        """Trains 4 to 6 were not recorded: 0 1 2 3 7 8 9 10."""
        folder = raw_run(tmp_path, n_sequence_files=1)
        for path in folder.glob("*.h5"):
            with h5py.File(path, "r+") as file:
                for one in (file["INDEX/trainId"], file[PIXELS.replace("image/pixels", "trainId")]):
                    values = one[:]
                    one[:] = np.where(values >= FIRST + 4, values + 3, values)
        return folder

    @pytest.mark.parametrize(
        ("begin", "end", "right"),
        [
            (0, 8, [0, 1, 2, 3, 7]),
            (5, 9, [7, 8]),
            (2, 6, [2, 3]),
            (5, None, [7, 8, 9, 10]),
            (None, 5, [0, 1, 2, 3]),
            (-5, 2, [0, 1]),
            (9, 99, [9, 10]),
            (None, None, [0, 1, 2, 3, 7, 8, 9, 10]),
        ],
    )
    def test_ends_in_a_gap(self, h, gap, begin, end, right):
        ends = [None if one is None else FIRST + one for one in (begin, end)]
        data = h.from_run(gap, subset=by_id[ends[0] : ends[1]])
        assert (data.trainId.values - FIRST).tolist() == right

    def test_every_second_and_numbers_of_numpy(self, h, gap):
        data = h.from_run(gap, subset=by_id[np.uint64(FIRST + 1) : np.int64(FIRST + 9) : 2])
        assert (data.trainId.values - FIRST).tolist() == [1, 3, 8]

    def test_trains_that_are_not_there(self, h, gap):
        for subset in (by_id[FIRST + 4 : FIRST + 7], by_id[FIRST + 9 : FIRST + 2], by_id[[7]]):
            with pytest.raises(
                MissingDataError, match=r"subset = by_id\[.*none of the run's train"
            ):
                h.from_run(gap, subset=subset)

    def test_ends_that_are_no_train_ids(self, h, gap):
        with pytest.raises(TypeError, match=r"the ends are 1.5 and 'b', expected train ids"):
            h.from_run(gap, subset=by_id[1.5:"b"])
