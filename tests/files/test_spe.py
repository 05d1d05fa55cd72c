"""Princeton Instruments' SPE files."""

import numpy as np
import pytest

from hrixs import open_images
from image_files import FRAMES, write_old_spe, write_spe


@pytest.mark.parametrize("stamps", [True, False])
def test_frames_lie_as_far_apart_as_the_footer_says(tmp_path, stamps):
    write_spe(tmp_path / "a.spe", stamps=stamps)
    data = open_images(tmp_path / "a.spe")
    np.testing.assert_array_equal(data["MaranaX"], FRAMES)
    assert data["MaranaX"].attrs == {"exposure": 0.25, "exposure_units": "s"}
    assert ("time" in data.coords) == stamps


def test_stamps_are_times_in_utc(tmp_path):
    write_spe(tmp_path / "a.spe")
    times = open_images(tmp_path / "a.spe")["time"].values
    assert times[0] == np.datetime64("2026-05-04T08:00:00.001")
    assert (np.diff(times) == np.timedelta64(250, "ms")).all()


def test_winview(tmp_path):
    write_old_spe(tmp_path / "a.SPE")
    images = open_images(tmp_path / "a.SPE")["MaranaX"]
    np.testing.assert_array_equal(images, FRAMES)
    assert images.attrs["exposure"] == 1.5


def test_several_regions_are_refused(tmp_path):
    write_spe(tmp_path / "a.spe", regions=2)
    with pytest.raises(ValueError, match=r"2 regions of the chip .*32 x 128, 32 x 128"):
        open_images(tmp_path / "a.spe")


@pytest.mark.parametrize("size", [50, 4100, 20_000])
@pytest.mark.parametrize("write", [write_spe, write_old_spe])
def test_a_file_that_is_cut_short(tmp_path, size, write):
    path = tmp_path / "a.spe"
    write(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"a.spe(:|) .*(cut short|damaged|0 bytes follow)"):
        open_images(path)


def test_pixels_of_an_unknown_type(tmp_path):
    path = tmp_path / "a.spe"
    write_spe(path)
    path.write_bytes(path.read_bytes().replace(b"MonochromeUnsigned16", b"MonochromeComplex128"))
    with pytest.raises(ValueError, match="pixels MonochromeComplex128 cannot be read"):
        open_images(path)


def test_a_footer_that_contradicts_itself(tmp_path):
    path = tmp_path / "a.spe"
    write_spe(path)
    path.write_bytes(path.read_bytes().replace(b'width="128"', b'width="120"'))
    with pytest.raises(ValueError, match="has 15360 bytes, but the footer states 16384 bytes"):
        open_images(path)
