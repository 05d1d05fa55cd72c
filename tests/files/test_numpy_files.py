"""Arrays of NumPy in files."""

import numpy as np
import pytest

from hrixs import open_images
from image_files import FRAMES


def images(path, **options):
    return open_images(path, **options)["MaranaX"]


class TestNpy:
    def test_a_stack(self, tmp_path):
        np.save(tmp_path / "a.npy", FRAMES)
        np.testing.assert_array_equal(images(tmp_path / "a.npy"), FRAMES)

    def test_the_order_of_its_axes_in_memory_does_not_matter(self, tmp_path):
        np.save(tmp_path / "a.npy", np.asfortranarray(FRAMES.astype(">i4")))
        read = images(tmp_path / "a.npy")
        np.testing.assert_array_equal(read, FRAMES)
        assert read.dtype == np.dtype("i4")

    def test_objects_are_refused(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([FRAMES, None], dtype=object), allow_pickle=True)
        with pytest.raises(ValueError, match="Python objects, expected an array of numbers"):
            images(tmp_path / "a.npy")

    @pytest.mark.parametrize("array", [np.ones((4, 8, 8), complex), np.array(["a"])])
    def test_what_is_no_number_is_refused(self, tmp_path, array):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(ValueError, match=r"a\.npy holds .*, expected images of real numbers"):
            images(tmp_path / "a.npy")

    def test_a_line_is_no_image(self, tmp_path):
        np.save(tmp_path / "a.npy", np.arange(10))
        with pytest.raises(ValueError, match=r"shape \(10,\): there is no image in it"):
            images(tmp_path / "a.npy")


class TestNpz:
    def test_one_array(self, tmp_path):
        np.savez_compressed(tmp_path / "a.npz", FRAMES, note=np.array("text"))
        np.testing.assert_array_equal(images(tmp_path / "a.npz"), FRAMES)

    def test_several_are_listed_and_one_is_chosen(self, tmp_path):
        np.savez(tmp_path / "a.npz", images=FRAMES, darks=FRAMES[:2])
        listed = r"2 arrays .*: images \(6x64x128 uint16\), darks \(2x64x128 uint16\)"
        with pytest.raises(ValueError, match=listed):
            images(tmp_path / "a.npz")
        np.testing.assert_array_equal(images(tmp_path / "a.npz", dataset="images"), FRAMES)
        with pytest.raises(ValueError, match=r"unknown array 'image'\. Did you mean 'images'"):
            images(tmp_path / "a.npz", dataset="image")

    def test_stacks_of_the_same_shape_are_not_joined(self, tmp_path):
        np.savez(tmp_path / "a.npz", FRAMES, FRAMES)
        with pytest.raises(ValueError, match="2 arrays"):
            images(tmp_path / "a.npz")

    def test_an_array_an_image_is_a_stack(self, tmp_path):
        np.savez(tmp_path / "a.npz", *FRAMES, *FRAMES)
        read = images(tmp_path / "a.npz")
        np.testing.assert_array_equal(read, np.concatenate([FRAMES, FRAMES]))
