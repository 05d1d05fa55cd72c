"""`open_images`: files, folders and patterns of any kind as one stack of images."""

import subprocess
import sys
from pathlib import Path

import fabio
import numpy as np
import pytest
import tifffile

from hrixs import HrixsWarning, MissingDataError, open_images
from hrixs.files import is_image_source, open_mask
from hrixs.utils import memory
from image_files import FRAMES, write_hdf5, write_sif, write_spool


@pytest.fixture
def folder(tmp_path):
    """Six images, whose names are not in the order of their digits."""
    for number, frame in zip((1, 2, 3, 9, 10, 11), FRAMES, strict=True):
        tifffile.imwrite(tmp_path / f"scan_{number}.tif", frame)
    return tmp_path


class TestResult:
    def test_dims_and_numbers(self, tmp_path):
        np.save(tmp_path / "a.npy", FRAMES)
        data = open_images(str(tmp_path / "a.npy"), detector="mine")
        assert data["mine"].dims == ("trainId", "x", "y")
        assert data["trainId"].values.tolist() == [*range(6)]
        assert data.attrs["n_images"] == 6

    def test_transposed(self, tmp_path):
        np.save(tmp_path / "a.npy", FRAMES)
        data = open_images(tmp_path / "a.npy", transpose=True)
        np.testing.assert_array_equal(data["MaranaX"], FRAMES.swapaxes(1, 2))

    def test_it_says_what_was_read_and_which_axis_counts(self, tmp_path):
        np.save(tmp_path / "a.npy", np.moveaxis(FRAMES, 0, 2))
        said = open_images(tmp_path / "a.npy", stack_axis=2).attrs["images"]
        assert said.startswith("6 images of 64 x 128 pixels from ")
        assert said.endswith("a.npy (axis 2 of (64, 128, 6) counts them)")


class TestManyFiles:
    def test_a_folder_is_one_stack_in_the_order_of_the_numbers(self, folder):
        data = open_images(folder)
        np.testing.assert_array_equal(data["MaranaX"], FRAMES)
        assert data.attrs["images"] == (
            f"6 images of 64 x 128 pixels, one per file of {folder.name}: first scan_1.tif, last "
            "scan_11.tif"
        )

    def test_a_pattern(self, folder):
        data = open_images(f"{folder}/scan_?.tif")
        np.testing.assert_array_equal(data["MaranaX"], FRAMES[:4])

    def test_several_paths_in_the_order_given(self, folder):
        data = open_images([folder / "scan_10.tif", folder / "scan_2.tif"])
        np.testing.assert_array_equal(data["MaranaX"], FRAMES[[4, 1]])

    def test_files_of_several_images_follow_each_other(self, tmp_path):
        np.save(tmp_path / "a_1.npy", FRAMES[:4])
        np.save(tmp_path / "a_2.npy", FRAMES[4])
        np.save(tmp_path / "a_3.npy", FRAMES[5:])
        np.testing.assert_array_equal(open_images(tmp_path)["MaranaX"], FRAMES)

    def test_unlike_images_are_listed(self, folder):
        tifffile.imwrite(folder / "scan_12.tif", FRAMES[0, ::2])
        listed = (
            r"7 files are not all alike: 64 x 128 uint16: scan_1.tif, scan_2.tif, scan_3.tif and 3 "
            r"more; 32 x 128 uint16: scan_12.tif"
        )
        with pytest.raises(ValueError, match=listed):
            open_images(folder)

    def test_files_that_are_no_images_are_told(self, folder):
        (folder / "log.txt").write_text("a note")
        with pytest.warns(HrixsWarning, match=r"1 files in .* are not images.*log.txt"):
            assert len(open_images(folder)["MaranaX"]) == 6

    def test_two_formats_are_not_mixed(self, folder):
        np.save(folder / "mean.npy", FRAMES[0])
        with pytest.raises(ValueError, match=r"several formats: 1 of NumPy, 6 of TIFF.* pattern"):
            open_images(folder)

    def test_a_damaged_file_is_named(self, folder):
        (folder / "scan_9.tif").write_bytes((folder / "scan_9.tif").read_bytes()[:3000])
        with pytest.raises(ValueError, match=r"scan_9\.tif is cut short"):
            open_images(folder)

    def test_nothing_but_notes(self, tmp_path):
        (tmp_path / "log.txt").write_text("a note")
        with pytest.raises(ValueError, match=r"has no images in it: .*log\.txt"):
            open_images(tmp_path)

    def test_times_and_exposures_of_each_file(self, tmp_path):
        for number in range(6):
            header = {"count_time": "0.5", "acq_frame_time": f"2026-05-04T10:00:0{number}"}
            image = fabio.edfimage.EdfImage(data=FRAMES[number], header=header)
            image.write(str(tmp_path / f"a_{number}.edf"))
        images = open_images(tmp_path)["MaranaX"]
        assert images.attrs["exposure"] == 0.5
        assert (np.diff(images["time"].values) == np.timedelta64(1, "s")).all()


class TestRefused:
    @pytest.mark.parametrize("content", [b"", b"a note", bytes(5000)])
    def test_a_file_of_no_known_kind(self, tmp_path, content):
        (tmp_path / "a.dat").write_bytes(content)
        told = r"a\.dat: images are read from .*\.tif .*pip install tifffile.*\.edf .*fabio"
        with pytest.raises(ValueError, match=told):
            open_images(tmp_path / "a.dat")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(MissingDataError, match=r"there is no file .*a\.tif"):
            open_images(tmp_path / "a.tif")

    def test_memory_is_asked_for_before_many_files_are_read(self, folder, monkeypatch):
        monkeypatch.setattr(memory, "available_memory", lambda: 20_000)
        with pytest.raises(MemoryError, match=r"would take 9\.83e-05 GB"):
            open_images(folder)

    def test_a_packed_file_of_a_reader_that_does_not_unpack(self, tmp_path):
        import gzip

        tifffile.imwrite(tmp_path / "a.tif", FRAMES)
        packed = tmp_path / "a.tif.gz"
        packed.write_bytes(gzip.compress((tmp_path / "a.tif").read_bytes()))
        with pytest.raises(ValueError, match=r"a\.tif\.gz is packed: unpack it first"):
            open_images(packed)

    @pytest.mark.parametrize(
        ("name", "package", "pip"),
        [("a.tif", "tifffile", "tifffile"), ("a.edf", "fabio", "fabio"),
         ("a.fits", "astropy", "astropy"), ("a.sif", "sif_parser", "sif_parser")],
    )  # fmt: skip
    def test_a_missing_package_is_named_with_the_line_to_type(self, tmp_path, name, package, pip):
        begins = {
            "a.tif": b"II*\0", "a.edf": b"{\nDim_1 = 4 ;\n}\n", "a.fits": b"SIMPLE  =",
            "a.sif": b"Andor Technology Multi-Channel File\n",
        }  # fmt: skip
        (tmp_path / name).write_bytes(begins[name] + bytes(5000))
        code = (
            f"import sys; sys.modules[{package!r}] = None\n"
            "import hrixs\nhrixs.open_images(sys.argv[1])"
        )
        command = [sys.executable, "-c", code, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"need the package {pip}" in done.stderr
        assert f"pip install {pip}" in done.stderr


class TestIsImageSource:
    def test_files_and_folders_of_images(self, folder):
        write_hdf5(folder / "a.h5")
        write_sif(folder / "a.sif")
        write_spool(folder / "spool")
        for name in ("scan_1.tif", "a.h5", "a.sif", "spool", "scan_*.tif"):
            assert is_image_source(str(folder / name))
        assert is_image_source(folder)

    def test_a_file_of_no_kind_is_none_of_a_run(self, tmp_path):
        (tmp_path / "a.dat").write_text("a note")
        assert is_image_source(tmp_path / "a.dat")

    def test_a_missing_file_of_an_image(self, tmp_path):
        assert is_image_source(tmp_path / "gone.edf")

    def test_runs_are_none(self, simulated):
        assert not is_image_source(simulated.folder)
        assert not any(is_image_source(file) for file in Path(simulated.folder).glob("*.h5"))

    @pytest.mark.parametrize("what", [145, None, "r0145", "gone/r0145"])
    def test_numbers_and_folders_that_are_not_there_are_left_to_runs(self, what):
        assert not is_image_source(what)

    def test_a_damaged_file_of_a_run(self, tmp_path):
        (tmp_path / "RAW-R0145-DA02-S00000.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
        assert not is_image_source(tmp_path)
        assert not is_image_source(tmp_path / "RAW-R0145-DA02-S00000.h5")


class TestMask:
    def test_any_image(self, tmp_path):
        mask = FRAMES[0] > 110
        tifffile.imwrite(tmp_path / "m.tif", mask.astype("u1"))
        write_hdf5(tmp_path / "m.h5", mask)
        np.save(tmp_path / "m.npy", mask)
        for name in ("m.tif", "m.h5", "m.npy"):
            np.testing.assert_array_equal(open_mask(tmp_path / name), mask)
        np.testing.assert_array_equal(open_mask(tmp_path / "m.npy", transpose=True), mask.T)

    def test_of_one_image(self, tmp_path):
        np.save(tmp_path / "m.npy", FRAMES)
        with pytest.raises(ValueError, match=r"the mask is 6 images of .*expected one"):
            open_mask(tmp_path / "m.npy")
