"""Andor's SIF files and spools, made with the layout that sif_parser reads."""

import numpy as np
import pytest

from hrixs import open_images
from image_files import FRAMES, write_sif, write_spool


class TestSif:
    def test_frames_exposure_and_times(self, tmp_path):
        write_sif(tmp_path / "a.sif")
        data = open_images(tmp_path / "a.sif")
        np.testing.assert_array_equal(data["MaranaX"], FRAMES)
        assert data["MaranaX"].attrs == {"exposure": 0.5, "exposure_units": "s"}
        assert data["time"].values[0] == np.datetime64(1_700_000_000, "s")
        assert (np.diff(data["time"].values) == np.timedelta64(40, "ms")).all()

    def test_known_by_its_first_bytes(self, tmp_path):
        write_sif(tmp_path / "frames.dat")
        assert open_images(tmp_path / "frames.dat").sizes["trainId"] == 6

    def test_a_header_that_ends_too_early_is_an_error_at_once(self, tmp_path):
        (tmp_path / "a.sif").write_bytes(b"Andor Technology Multi-Channel File\n65538 1\n65547 0 ")
        with pytest.raises(ValueError, match=r"a.sif can't be read as Andor SIF: .* too early"):
            open_images(tmp_path / "a.sif")

    def test_pixels_that_are_missing(self, tmp_path):
        write_sif(tmp_path / "a.sif", pixels=False)
        with pytest.raises(ValueError, match=r"a.sif can't be read as Andor SIF: .*cut short"):
            open_images(tmp_path / "a.sif")

    def test_several_areas_of_the_chip_are_refused(self, tmp_path):
        write_sif(tmp_path / "a.sif", n_areas=2)
        with pytest.raises(ValueError, match="2 areas of the chip in a frame"):
            open_images(tmp_path / "a.sif")


class TestSpool:
    @pytest.mark.parametrize(("encoding", "dtype"), [("Mono16", "u2"), ("Mono32", "u4")])
    @pytest.mark.parametrize("padding", [0, 12, 300])
    def test_rows_are_cut_to_the_width_of_the_area(self, tmp_path, encoding, dtype, padding):
        write_spool(tmp_path / "spool", padding=padding, encoding=encoding)
        data = open_images(tmp_path / "spool")
        np.testing.assert_array_equal(data["MaranaX"], FRAMES)
        assert data["MaranaX"].dtype == dtype
        assert data["MaranaX"].attrs["exposure"] == 0.5

    def test_files_are_in_the_order_of_their_numbers_read_backwards(self, tmp_path):
        frames = np.repeat(np.arange(12, dtype="u2"), 64).reshape(12, 8, 8)
        write_spool(tmp_path / "spool", frames)
        assert open_images(tmp_path / "spool")["MaranaX"][:, 0, 0].values.tolist() == [*range(12)]

    def test_a_file_that_is_missing(self, tmp_path):
        write_spool(tmp_path / "spool")
        (tmp_path / "spool" / "2000000000spool.dat").unlink()
        with pytest.raises(ValueError, match=r"5 images in 5 spool files, .* states 6"):
            open_images(tmp_path / "spool")

    def test_pixels_of_12_bits_are_refused(self, tmp_path):
        write_spool(tmp_path / "spool", encoding="Mono12Packed")
        with pytest.raises(ValueError, match="Mono12Packed, expected Mono16 or Mono32"):
            open_images(tmp_path / "spool")

    def test_without_its_settings(self, tmp_path):
        write_spool(tmp_path / "spool")
        (tmp_path / "spool" / "acquisitionmetadata.ini").unlink()
        with pytest.raises(ValueError, match=r"\.ini file, which is missing"):
            open_images(tmp_path / "spool")

    def test_its_header_alone(self, tmp_path):
        write_spool(tmp_path / "spool")
        with pytest.raises(ValueError, match=r"spool.dat files next to it. Give the folder"):
            open_images(tmp_path / "spool" / "Spooled files.sifx")
