"""FITS files."""

import numpy as np
import pytest
from astropy.io import fits

from hrixs import open_images
from image_files import FRAMES


def images(path, **options):
    return open_images(path, **options)["MaranaX"]


class TestFits:
    def test_a_cube_with_what_its_header_tells(self, tmp_path):
        unit = fits.PrimaryHDU(FRAMES)  # stored as int16 with an offset
        unit.header["EXPTIME"], unit.header["BUNIT"] = 2.0, "adu"
        unit.writeto(tmp_path / "a.fits")
        read = images(tmp_path / "a.fits")
        np.testing.assert_array_equal(read, FRAMES)
        assert read.dtype == np.dtype("u2")
        assert read.attrs == {"units": "adu", "exposure": 2.0, "exposure_units": "s"}

    def test_an_extension_an_image(self, tmp_path):
        units = [fits.ImageHDU(frame, name="CCD") for frame in FRAMES]
        for number, unit in enumerate(units):
            unit.header["DATE-OBS"] = f"2026-05-04T10:00:0{number}"
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "a.fits")
        read = images(tmp_path / "a.fits")
        np.testing.assert_array_equal(read, FRAMES)
        assert read["time"].values[3] == np.datetime64("2026-05-04T10:00:03")

    def test_extensions_of_several_names_are_listed(self, tmp_path):
        units = [fits.ImageHDU(FRAMES[0], name="SCI"), fits.ImageHDU(FRAMES[1], name="ERR")]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "a.fits")
        listed = r"2 extensions .*: 1 SCI 64x128 uint16, 2 ERR 64x128 uint16"
        with pytest.raises(ValueError, match=listed):
            images(tmp_path / "a.fits")
        for name in ("SCI", "sci", "1"):
            np.testing.assert_array_equal(images(tmp_path / "a.fits", dataset=name)[0], FRAMES[0])
        with pytest.raises(ValueError, match="no image 'DQ', expected one of: 1 SCI"):
            images(tmp_path / "a.fits", dataset="DQ")

    def test_packed_and_compressed(self, tmp_path):
        fits.PrimaryHDU(FRAMES).writeto(tmp_path / "a.fits.gz")
        np.testing.assert_array_equal(images(tmp_path / "a.fits.gz"), FRAMES)
        fits.CompImageHDU(FRAMES[0].astype("i4")).writeto(tmp_path / "b.fits")
        np.testing.assert_array_equal(images(tmp_path / "b.fits")[0], FRAMES[0])

    def test_a_table_is_no_image(self, tmp_path):
        table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=np.arange(4.0))])
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "a.fits")
        with pytest.raises(ValueError, match="no image: its extensions are tables, or empty"):
            images(tmp_path / "a.fits")

    def test_a_file_that_is_cut_short(self, tmp_path):
        path = tmp_path / "a.fits"
        fits.PrimaryHDU(FRAMES).writeto(path)
        path.write_bytes(path.read_bytes()[:-5000])
        with pytest.raises(ValueError, match="is cut short"):
            images(path)
