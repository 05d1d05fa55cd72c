"""EDF, CBF and others that fabio reads."""

import fabio
import numpy as np
import pytest

from hrixs import open_images
from image_files import FRAMES


def images(path):
    return open_images(path)["MaranaX"]


def write_edf(path, frames, headers=None):
    headers = headers or [{}] * len(frames)
    file = fabio.edfimage.EdfImage(data=frames[0], header=dict(headers[0]))
    for frame, header in zip(frames[1:], headers[1:], strict=True):
        file.append_frame(data=frame, header=dict(header))
    file.write(str(path))


class TestEdf:
    def test_one_image(self, tmp_path):
        write_edf(tmp_path / "a.edf", FRAMES[:1], [{"count_time": "0.5"}])
        read = images(tmp_path / "a.edf")
        np.testing.assert_array_equal(read, FRAMES[:1])
        assert read.attrs == {"exposure": 0.5, "exposure_units": "s"}

    def test_all_frames_with_their_times(self, tmp_path):
        times = [{"acq_frame_time": f"2026-05-04T10:00:0{number}"} for number in range(6)]
        write_edf(tmp_path / "a.edf", FRAMES, times)
        read = images(tmp_path / "a.edf")
        np.testing.assert_array_equal(read, FRAMES)
        assert read["time"].values[5] == np.datetime64("2026-05-04T10:00:05")

    def test_packed(self, tmp_path):
        write_edf(tmp_path / "a.edf.gz", FRAMES[:1])
        np.testing.assert_array_equal(images(tmp_path / "a.edf.gz"), FRAMES[:1])

    def test_frames_of_another_shape_are_listed(self, tmp_path):
        write_edf(tmp_path / "a.edf", [FRAMES[0], FRAMES[1, ::2]])
        with pytest.raises(ValueError, match="not all alike: 64x128 uint16, 32x128 uint16"):
            images(tmp_path / "a.edf")

    @pytest.mark.parametrize("n", [1, 6])
    def test_a_file_that_is_cut_short(self, tmp_path, n):
        path = tmp_path / "a.edf"
        write_edf(path, FRAMES[:n])
        path.write_bytes(path.read_bytes()[:-3000])
        with pytest.raises(ValueError, match=r"a\.edf .*cut short"):
            images(path)


def test_cbf(tmp_path):
    file = fabio.cbfimage.CbfImage(data=FRAMES[0].astype("i4"))
    file.header["_array_data.header_contents"] = "# Exposure_time 0.10 s\r\n# Tau = 0 s"
    file.write(str(tmp_path / "a.cbf"))
    read = images(tmp_path / "a.cbf")
    np.testing.assert_array_equal(read[0], FRAMES[0])
    assert read.attrs["exposure"] == 0.1


def test_a_mask_of_fit2d(tmp_path):
    fabio.fit2dmaskimage.Fit2dMaskImage(data=(FRAMES[0] > 105).astype("u1")).write(
        str(tmp_path / "a.msk")
    )
    np.testing.assert_array_equal(images(tmp_path / "a.msk")[0], FRAMES[0] > 105)


def test_a_text_in_braces_is_no_edf(tmp_path):
    (tmp_path / "a.json").write_text('{"threshold": 5}')
    with pytest.raises(ValueError, match=r"a\.json: images are read from"):
        images(tmp_path / "a.json")
