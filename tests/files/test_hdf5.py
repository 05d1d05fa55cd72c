"""HDF5 files: names, links, NeXus, sources, filters."""

import os
import subprocess
import sys

import h5py
import hdf5plugin
import numpy as np
import pytest

from hrixs import HrixsWarning, open_images
from image_files import FRAMES, write_filtered, write_hdf5, write_virtual


def images(path, dataset=None, **options):
    return open_images(path, dataset=dataset, **options)["MaranaX"]


def same(path, dataset=None):
    np.testing.assert_array_equal(images(path, dataset), FRAMES)


class TestLinks:
    @pytest.fixture
    def linked(self, tmp_path):
        write_hdf5(tmp_path / "part.h5", name="data")
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            file["entry/instrument/andor/data"] = FRAMES
            file["entry/hard"] = file["entry/instrument/andor/data"]
            file["entry/soft"] = h5py.SoftLink("/entry/instrument/andor/data")
            file["entry/external"] = h5py.ExternalLink("part.h5", "/data")
            file["entry/twice"] = h5py.SoftLink("/entry/external")
            file["gone"] = h5py.ExternalLink("gone.h5", "/data")
            file["nowhere"] = h5py.SoftLink("/entry/nothing")
            file["circle"] = h5py.SoftLink("/")
        return tmp_path / "scan.h5"

    @pytest.mark.parametrize(
        "name",
        ["entry/instrument/andor/data", "/entry/hard", "entry/soft", "entry/external",
         "entry/twice", "circle/circle/entry/hard"],
    )  # fmt: skip
    def test_a_name_that_h5py_opens_is_read(self, linked, name):
        same(linked, name)

    def test_the_file_that_a_link_leads_to_is_named(self, linked):
        with pytest.raises(ValueError, match=r"link to /data of gone\.h5.*gone\.h5 is missing"):
            images(linked, "gone")
        with pytest.raises(ValueError, match="link to /entry/nothing, which is not there"):
            images(linked, "nowhere")

    def test_one_dataset_of_several_names_is_one(self, tmp_path):
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            file["1.1/instrument/cam/data"] = FRAMES
            file["1.1/measurement/cam"] = h5py.SoftLink("/1.1/instrument/cam/data")
            file["1.1/again"] = file["1.1/instrument/cam/data"]
        same(tmp_path / "scan.h5")

    def test_a_master_file_whose_links_are_all_there_is(self, tmp_path):
        write_hdf5(tmp_path / "part.h5", name="data")
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file["1.1/instrument/cam/data"] = h5py.ExternalLink("part.h5", "/data")
            file["1.1/measurement/cam"] = h5py.SoftLink("/1.1/instrument/cam/data")
        same(tmp_path / "master.h5")

    def test_links_that_lead_nowhere_are_listed(self, tmp_path):
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file["entry/data"] = h5py.ExternalLink("gone.h5", "/data")
        with pytest.raises(ValueError, match=r"Broken links: entry/data -> gone\.h5: /data"):
            images(tmp_path / "master.h5")


class TestWhichDataset:
    @pytest.mark.parametrize("dataset", ["entry/data", "entry/data/imag*"])
    def test_a_group_or_a_pattern_whose_images_lie_elsewhere(self, tmp_path, dataset):
        with h5py.File(tmp_path / "scan.nxs", "w") as file:
            file["raw/andor"], file["raw/other"] = FRAMES, FRAMES[:, ::2]
            file["entry/data/images"] = h5py.SoftLink("/raw/andor")
            file["entry/data/gone"] = h5py.SoftLink("/nothing")
            file["entry/data/flatfield"] = np.ones((64, 128))
        same(tmp_path / "scan.nxs", dataset)

    def test_a_group_of_several_lists_them(self, tmp_path):
        with h5py.File(tmp_path / "scan.nxs", "w") as file:
            file["entry/left"], file["entry/right"], file["other"] = FRAMES, FRAMES, FRAMES
        told = r"'entry' has 2 datasets, .*: entry/left \(6x64x128 uint16\), entry/right \("
        with pytest.raises(ValueError, match=told):
            images(tmp_path / "scan.nxs", "entry")

    def test_default_and_signal_of_nexus_are_followed(self, tmp_path):
        with h5py.File(tmp_path / "scan.nxs", "w") as file:
            file["entry/plot/counts"] = FRAMES
            file["entry/other"] = FRAMES[:, ::2]
            file.attrs["default"] = "entry"
            file["entry"].attrs["default"] = "plot"
            file["entry/plot"].attrs["signal"] = np.array([b"counts"])
        same(tmp_path / "scan.nxs")

    def test_the_only_signal_is_taken_where_there_is_no_default(self, tmp_path):
        with h5py.File(tmp_path / "scan.nxs", "w") as file:
            file["entry/plot/counts"] = FRAMES
            file["entry/other"] = FRAMES[:, ::2]
            file["entry/plot"].attrs["signal"] = "counts"
        same(tmp_path / "scan.nxs")

    def test_a_signal_of_another_kind_is_not_taken_for_images(self, tmp_path):
        with h5py.File(tmp_path / "scan.nxs", "w") as file:
            file["entry/plot/sum"] = FRAMES.sum((1, 2))
            file["entry/images"] = FRAMES
            file.attrs["default"] = "entry/plot"
            file["entry/plot"].attrs["signal"] = "sum"
        same(tmp_path / "scan.nxs")

    def test_images_come_before_calibration(self, tmp_path):
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file["entry/instrument/detector/detectorSpecific/flatfield"] = np.ones((64, 128))
            file["entry/instrument/detector/pixel_mask"] = np.zeros((64, 128), "u4")
            file["entry/events"] = np.zeros((500, 2))  # a table
            file["entry/data/data_000001"] = FRAMES
        same(tmp_path / "master.h5")

    def test_candidates_are_listed_with_shape_and_type_the_likeliest_first(self, tmp_path):
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            file["a/dark"] = np.zeros((64, 128))
            file["b/left"] = FRAMES
            file["b/right"] = FRAMES
        listed = (
            r"3 datasets that may be images: b/left \(6x64x128 uint16\), b/right "
            r"\(6x64x128 uint16\), a/dark \(64x128 float64\)\. Name one with --dataset"
        )
        with pytest.raises(ValueError, match=listed):
            images(tmp_path / "scan.h5")
        with pytest.raises(ValueError, match=r"'b/middle' is not in the file.*b/left"):
            images(tmp_path / "scan.h5", "b/middle")

    def test_a_file_without_images(self, tmp_path):
        write_hdf5(tmp_path / "scan.h5", np.arange(5))
        with pytest.raises(ValueError, match="no dataset that may be images"):
            images(tmp_path / "scan.h5")
        with pytest.raises(ValueError, match=r"entry/data has shape \(5,\) and type int64"):
            images(tmp_path / "scan.h5", "entry/data")

    def test_a_stack_of_no_images(self, tmp_path):
        write_hdf5(tmp_path / "scan.h5", np.zeros((96, 200, 0), "u2"))
        with pytest.raises(ValueError, match=r"shape \(96, 200, 0\): there is no image in it"):
            images(tmp_path / "scan.h5")

    def test_a_file_of_a_run_is_read_as_such(self, tmp_path):
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            file["INDEX/trainId"] = np.arange(6)
            file["pixels"] = FRAMES
        with pytest.raises(ValueError, match=r"file of a run .*from_run"):
            images(tmp_path / "scan.h5")
        same(tmp_path / "scan.h5", "pixels")


class TestOneDatasetAnImage:
    @pytest.fixture
    def numbered(self, tmp_path):
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            for number, frame in zip((1, 2, 3, 9, 10, 11), FRAMES, strict=True):
                file[f"entry/image_{number}"] = frame
        return tmp_path / "scan.h5"

    @pytest.mark.parametrize("dataset", [None, "entry", "entry/image_*"])
    def test_they_are_one_stack_in_the_order_of_their_numbers(self, numbered, dataset):
        same(numbered, dataset)
        said = open_images(numbered, dataset=dataset).attrs["images"]
        assert "6 datasets, entry/image_1 to entry/image_11" in said

    def test_of_another_shape(self, numbered):
        with h5py.File(numbered, "r+") as file:
            file["entry/image_12"] = FRAMES[0, ::2]
        with pytest.raises(ValueError, match=r"not all alike: .*entry/image_12 \(32x128 uint16\)"):
            images(numbered)

    def test_blocks_of_images_follow_each_other(self, tmp_path):
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file["entry/data/data_000002"] = FRAMES[4:]
            file["entry/data/data_000001"] = FRAMES[:4]
        same(tmp_path / "master.h5")


class TestSources:
    def test_a_virtual_dataset(self, tmp_path):
        write_hdf5(tmp_path / "part.h5", name="data")
        write_virtual(tmp_path / "master.h5", ["part.h5", str(tmp_path / "part.h5")])
        assert len(images(tmp_path / "master.h5")) == 12

    def test_a_source_that_is_missing_is_named(self, tmp_path):
        write_hdf5(tmp_path / "part.h5", name="data")
        write_virtual(tmp_path / "master.h5", ["part.h5", "gone.h5"])
        why = r"gone\.h5, which is not there\. HDF5 would give zeros"
        with pytest.raises(ValueError, match=why):
            images(tmp_path / "master.h5")

    def test_a_dataset_of_a_source_that_is_missing(self, tmp_path):
        write_hdf5(tmp_path / "part.h5", name="other")
        write_virtual(tmp_path / "master.h5", ["part.h5"])
        with pytest.raises(ValueError, match=r"data of part\.h5, which is not there"):
            images(tmp_path / "master.h5")

    def test_a_source_of_a_source(self, tmp_path):
        write_virtual(tmp_path / "part.h5", ["gone.h5"], "data")
        write_virtual(tmp_path / "master.h5", ["part.h5"])
        with pytest.raises(ValueError, match=r"gone\.h5, which is not there"):
            images(tmp_path / "master.h5")

    @pytest.mark.parametrize(
        ("n_rows", "why"), [(12, "no file gives its data"), (6, "data of part.h5 ends before")]
    )
    def test_images_that_no_file_gives(self, tmp_path, n_rows, why):
        short = 0 if n_rows == 12 else 2
        write_hdf5(tmp_path / "part.h5", FRAMES[short:], "data")
        layout = h5py.VirtualLayout((n_rows, *FRAMES.shape[1:]), FRAMES.dtype)
        layout[:6] = h5py.VirtualSource("part.h5", "data", FRAMES.shape)
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file.create_virtual_dataset("entry/data", layout)
        with pytest.raises(ValueError, match=f"{why}.*HDF5 would give zeros"):
            images(tmp_path / "master.h5")

    def test_the_same_file_as_a_source(self, tmp_path):
        layout = h5py.VirtualLayout(FRAMES.shape, FRAMES.dtype)
        layout[:] = h5py.VirtualSource(".", "raw", FRAMES.shape)
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            file["raw"] = FRAMES
            file.create_virtual_dataset("images", layout)
        same(tmp_path / "scan.h5", "images")

    def test_a_relative_source_where_the_environment_says(self, tmp_path, monkeypatch):
        (tmp_path / "raw").mkdir()
        write_hdf5(tmp_path / "raw" / "part.h5", name="data")
        write_virtual(tmp_path / "master.h5", ["part.h5"])
        monkeypatch.chdir(tmp_path / "raw")
        same(tmp_path / "master.h5")  # HDF5 looks there too

    def test_chunks_that_were_never_written(self, tmp_path):
        with h5py.File(tmp_path / "scan.h5", "w") as file:
            stored = file.create_dataset("data", FRAMES.shape, "u2", chunks=(1, 64, 128))
            stored[:4] = FRAMES[:4]
        with pytest.warns(HrixsWarning, match="2 of the 6 chunks of /data were never written"):
            images(tmp_path / "scan.h5")


class TestFilters:
    def test_compressed_images_are_read(self, tmp_path):
        chunks = {"chunks": (1, 64, 128)}
        write_hdf5(tmp_path / "a.h5", **chunks, **hdf5plugin.Bitshuffle())
        same(tmp_path / "a.h5")

    def test_a_filter_that_nothing_brings_is_named(self, tmp_path):
        write_filtered(tmp_path / "a.h5", 32002)
        with pytest.raises(ValueError, match=r"MAFISC \(HDF5 filter 32002\), which is not loaded"):
            images(tmp_path / "a.h5")

    def test_without_hdf5plugin_the_line_to_type_is_told(self, tmp_path):
        write_filtered(tmp_path / "part.h5", 32008, "data")
        write_virtual(tmp_path / "a.h5", ["part.h5"])
        code = (
            "import sys; sys.modules['hdf5plugin'] = None\n"
            "import hrixs\nhrixs.open_images(sys.argv[1])"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "a.h5")]
        environment = {key: one for key, one in os.environ.items() if key != "HDF5_PLUGIN_PATH"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert "Bitshuffle (HDF5 filter 32008), which is not loaded: pip install hdf5plugin" in (
            done.stderr
        )


class TestWhatTheFileTells:
    def test_exposure_units_and_times(self, tmp_path):
        with h5py.File(tmp_path / "a.nxs", "w") as file:
            file["entry/instrument/detector/data"] = FRAMES
            file["entry/instrument/detector/data"].attrs["units"] = "counts"
            file["entry/instrument/detector/count_time"] = 250.0
            file["entry/instrument/detector/count_time"].attrs["units"] = "ms"
            stamps = [f"2026-05-04T10:00:0{number}+02:00" for number in range(6)]
            file["entry/instrument/detector/frame_start_time"] = stamps
        read = images(tmp_path / "a.nxs")
        assert read.attrs == {"units": "counts", "exposure": 0.25, "exposure_units": "s"}
        assert read["time"].values[5] == np.datetime64("2026-05-04T08:00:05")

    def test_an_exposure_without_a_unit_is_not_guessed(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["entry/data"] = FRAMES
            file["entry/exposure_time"] = 250.0
        assert images(tmp_path / "a.h5").attrs == {}

    def test_an_exposure_an_image_is_a_coordinate(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["entry/instrument/detector/data"] = FRAMES
            file["entry/instrument/NDAttributes/AcquireTime"] = np.arange(1.0, 7.0)
            file["entry/instrument/NDAttributes/NDArrayEpicsTSSec"] = np.arange(6) + 10
            file["entry/instrument/NDAttributes/NDArrayEpicsTSnSec"] = np.full(6, 5)
        read = images(tmp_path / "a.h5")
        assert read["exposure"].values.tolist() == [1, 2, 3, 4, 5, 6]
        assert read["exposure"].attrs["units"] == "s"
        assert read["time"].values[0] == np.datetime64("1990-01-01T00:00:10.000000005")

    def test_chunks_of_one_image_each_tell_the_axis(self, tmp_path):
        write_hdf5(tmp_path / "a.h5", np.moveaxis(FRAMES, 0, -1), chunks=(64, 128, 1))
        same(tmp_path / "a.h5")

    def test_nexus_says_that_the_last_axes_are_an_image(self, tmp_path):
        write_hdf5(tmp_path / "a.h5", np.moveaxis(FRAMES, 0, -1))
        with h5py.File(tmp_path / "a.h5", "r+") as file:
            file["entry/data"].attrs["interpretation"] = "image"
        assert images(tmp_path / "a.h5").shape == (64, 128, 6)


@pytest.mark.parametrize("suffix", ["h5", "hdf5", "hdf", "nxs", "cxi", "dat"])
def test_hdf5_by_any_name(tmp_path, suffix):
    write_hdf5(tmp_path / f"a.{suffix}")
    same(tmp_path / f"a.{suffix}")


def test_behind_a_block_of_the_users_own(tmp_path):
    write_hdf5(tmp_path / "a.h5")
    whole = (tmp_path / "a.h5").read_bytes()
    with h5py.File(tmp_path / "b.h5", "w", userblock_size=512) as file:
        file["entry/data"] = FRAMES
    assert len((tmp_path / "b.h5").read_bytes()) > len(whole)
    same(tmp_path / "b.h5")


def test_a_file_that_is_cut_short(tmp_path):
    write_hdf5(tmp_path / "a.h5")
    (tmp_path / "a.h5").write_bytes((tmp_path / "a.h5").read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"a\.h5 can't be read as HDF5, NeXus: .*cut short"):
        images(tmp_path / "a.h5")
