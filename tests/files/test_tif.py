"""TIFF files, as programs write them: pages, series, tags."""

import numpy as np
import pytest
import tifffile

from hrixs import HrixsWarning, open_images
from image_files import FRAMES


def images(path, **options):
    return open_images(path, **options)["MaranaX"]


class TestStacks:
    def test_one_call_for_a_stack(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", FRAMES)
        np.testing.assert_array_equal(images(tmp_path / "a.tif"), FRAMES)

    @pytest.mark.parametrize("n", [3, 4])
    def test_as_many_frames_as_colours(self, tmp_path, n):
        """findings/skimage_takes_three_frames_for_colours.sh."""
        tifffile.imwrite(tmp_path / "a.tif", FRAMES[:n], photometric="minisblack")
        np.testing.assert_array_equal(images(tmp_path / "a.tif"), FRAMES[:n])

    def test_a_series_a_frame(self, tmp_path):
        """findings/tifffile_reads_the_first_of_many_frames.sh."""
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            for frame in FRAMES:
                file.write(frame)
        np.testing.assert_array_equal(images(tmp_path / "a.tif"), FRAMES)

    def test_a_file_that_grew(self, tmp_path):
        for frame in FRAMES:
            tifffile.imwrite(tmp_path / "a.tif", frame, append=True)
        np.testing.assert_array_equal(images(tmp_path / "a.tif"), FRAMES)

    def test_series_of_several_stacks(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            for part in (FRAMES[:3], FRAMES[3:]):
                file.write(part, photometric="minisblack")
        np.testing.assert_array_equal(images(tmp_path / "a.tif"), FRAMES)

    def test_bigtiff_of_the_other_byte_order_compressed(self, tmp_path):
        options = {"bigtiff": True, "byteorder": ">", "compression": "zlib"}
        tifffile.imwrite(tmp_path / "a.tif", FRAMES, **options)
        read = images(tmp_path / "a.tif")
        np.testing.assert_array_equal(read, FRAMES)
        assert read.dtype.isnative

    def test_of_imagej(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", FRAMES, imagej=True)
        np.testing.assert_array_equal(images(tmp_path / "a.tif"), FRAMES)

    def test_unlike_series_are_listed_and_one_can_be_chosen(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            file.write(FRAMES)
            file.write(FRAMES[0, ::2, ::2])
        listed = r"2 series of unlike images: series 0 \(6x64x128 uint16\), series 1 \(32x64 uint16"
        with pytest.raises(ValueError, match=listed):
            images(tmp_path / "a.tif")
        np.testing.assert_array_equal(images(tmp_path / "a.tif", dataset="0"), FRAMES)
        with pytest.raises(ValueError, match="series '2' was given, expected 0 to 1"):
            images(tmp_path / "a.tif", dataset="2")

    def test_series_of_another_type_are_no_images_of_the_stack(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            file.write(FRAMES[0])
            file.write(FRAMES[0].astype("f4"))
        with pytest.raises(ValueError, match="unlike images"):
            images(tmp_path / "a.tif")


class TestSamples:
    @pytest.mark.parametrize("n", [3, 4])
    def test_colours_are_refused(self, tmp_path, n):
        picture = np.stack([FRAMES[0]] * n, -1)
        extra = {"extrasamples": ["unassalpha"]} if n == 4 else {}
        tifffile.imwrite(tmp_path / "a.tif", picture, photometric="rgb", **extra)
        with pytest.raises(ValueError, match=rf"{n} samples per pixel: RGB.* give --stack-axis 2"):
            images(tmp_path / "a.tif")

    def test_samples_that_are_images_can_be_told(self, tmp_path):
        picture = np.stack(FRAMES[:3], -1)
        tifffile.imwrite(tmp_path / "a.tif", picture, photometric="rgb")
        np.testing.assert_array_equal(images(tmp_path / "a.tif", stack_axis=2), FRAMES[:3])

    def test_three_frames_that_tifffile_wrote_as_colours(self, tmp_path):
        planes = {"photometric": "rgb", "planarconfig": "separate"}
        tifffile.imwrite(tmp_path / "a.tif", FRAMES[:3], **planes)
        with pytest.raises(ValueError, match=r"3 samples per pixel.* give --stack-axis 0"):
            images(tmp_path / "a.tif")
        np.testing.assert_array_equal(images(tmp_path / "a.tif", stack_axis=0), FRAMES[:3])

    def test_a_palette_is_refused(self, tmp_path):
        pixels = (FRAMES[0] % 256).astype(np.uint8)
        colours = np.zeros((3, 256), np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="palette", colormap=colours)
        with pytest.raises(ValueError, match="colours of a palette"):
            images(tmp_path / "a.tif")

    def test_images_along_the_last_axis_are_asked_for(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(FRAMES, 0, -1), photometric="minisblack")
        with pytest.raises(ValueError, match=r"64 images of 128 x 6 .* or 6 of 64 x 128"):
            images(tmp_path / "a.tif")
        np.testing.assert_array_equal(images(tmp_path / "a.tif", stack_axis=-1), FRAMES)


class TestWhatTheFileTells:
    def test_an_orientation_is_told_and_pixels_stay_as_stored(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", FRAMES[0], extratags=[(274, 3, 1, 4, True)])
        with pytest.warns(HrixsWarning, match=r"bottom left \(orientation tag\)"):
            read = images(tmp_path / "a.tif")
        np.testing.assert_array_equal(read[0], FRAMES[0])

    def test_white_that_is_zero_is_told(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", FRAMES[0], photometric="miniswhite")
        with pytest.warns(HrixsWarning, match="0 is white"):
            images(tmp_path / "a.tif")

    def test_exposure_and_date(self, tmp_path):
        exposure = (33434, 5, 1, (1, 4), True)  # a fraction
        options = {"datetime": "2026:05:04 10:00:00", "extratags": [exposure]}
        tifffile.imwrite(tmp_path / "a.tif", FRAMES[0], metadata=None, **options)
        read = images(tmp_path / "a.tif")
        assert read.attrs == {"exposure": 0.25, "exposure_units": "s"}
        assert read["time"].values.tolist() == [np.datetime64("2026-05-04T10:00:00", "ns").item()]

    def test_times_and_attributes_of_areadetector(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            for number, frame in enumerate(FRAMES):
                tags = [
                    (65002, 4, 1, 1_000_000_000 + number, True),
                    (65003, 4, 1, 500_000_000, True),
                    (65010, 2, 0, "AcquireTime:1.5", True),
                ]
                file.write(frame, extratags=tags, metadata=None, contiguous=False)
        read = images(tmp_path / "a.tif")
        assert read.attrs["exposure"] == 1.5
        first = np.datetime64("1990-01-01") + np.timedelta64(1_000_000_000_500, "ms")
        assert read["time"].values[0] == first
        assert (np.diff(read["time"].values) == np.timedelta64(1, "s")).all()

    def test_exposure_of_a_pilatus(self, tmp_path):
        text = "# Pixel_size 172e-6 m x 172e-6 m\r\n# Exposure_time 0.10 s\r\n"
        tifffile.imwrite(tmp_path / "a.tif", FRAMES[0], description=text, metadata=None)
        assert images(tmp_path / "a.tif").attrs["exposure"] == 0.1


@pytest.mark.parametrize("lost", [50, 3000, 30_000])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_is_cut_short(tmp_path, compression, lost):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAMES, compression=compression, metadata=None)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(ValueError, match=r"a\.tif .*cut short"):
        open_images(path)


def test_a_file_without_an_image(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0" + bytes(200))
    with pytest.raises(ValueError, match="without an image"):
        open_images(tmp_path / "a.tif")
