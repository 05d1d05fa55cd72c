import contextlib
import subprocess
import sys

import numpy as np
import pytest

from hrixs import NonFinitePixelsError, _core

FIND = {
    "threshold": None,
    "std_threshold": 3.5,
    "dbl_threshold": None,
    "max_photons": 1000,
}
CLASSIFY = {
    "candidate_low": 0.2,
    "candidate_high": 1.0,
    "single_low": 0.2,
    "double_low": 1.5,
    "max_photons": 1000,
}


def find(frames, **changes):
    settings = FIND | {"dark": None, "mask": None, "threads": 1} | changes
    return _core.find_photons(frames, **settings)


def classify(frames, **changes):
    settings = CLASSIFY | {"dark": None, "mask": None, "threads": 1} | changes
    if "photon_adu" not in settings:
        settings["photon_adu"] = np.full(int(np.prod(frames.shape[:-2])), 140.0)
    return _core.classify_photons(frames, **settings)


def integrate(frames, **changes):
    settings = {"curve_a": 0.25, "curve_b": 0.0, "dark": None, "mask": None, "threads": 1}
    return _core.integrate_frames(frames, **(settings | changes))


every_kernel = pytest.mark.parametrize("kernel", [find, classify, integrate])


def photon_frames(number=3, dtype="uint16", shape=(12, 14)):
    frames = np.ones((number, *shape), dtype)
    frames[:, 5:7, 6:8] = 40
    return frames


def contents(result):
    arrays = result.values() if isinstance(result, dict) else result
    return [array.tobytes() for array in arrays]


def unaligned(array):
    padded = np.zeros(array.nbytes + 1, np.uint8)
    padded[1:] = array.view(np.uint8).ravel()
    return padded[1:].view(array.dtype).reshape(array.shape)


def packed_field(array):
    records = np.zeros(array.shape, np.dtype([("flag", "u1"), ("pixel", array.dtype)]))
    records["pixel"] = array
    return records["pixel"]


@every_kernel
class TestFrames:
    @pytest.mark.parametrize(
        "dtype",
        ["bool", "int8", "int64", "uint64", "float16", "longdouble", "complex128", "object"],
    )
    def test_a_dtype_the_core_does_not_know_is_named(self, kernel, dtype):
        expected = str(np.dtype(dtype))
        with pytest.raises(TypeError, match=f"frames has dtype {expected}, expected uint8, uint16"):
            kernel(np.zeros((2, 8, 8), dtype))

    @pytest.mark.parametrize("dtype", ["U4", "S2", "datetime64[s]", "V3"])
    def test_what_is_no_number_is_refused(self, kernel, dtype):
        with pytest.raises(TypeError, match="frames has dtype"):
            kernel(np.zeros((2, 8, 8), dtype))

    @pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64"])
    def test_a_foreign_byte_order_is_refused(self, kernel, dtype):
        swapped = photon_frames().astype(np.dtype(dtype).newbyteorder("S"))
        with pytest.raises(TypeError, match="in native byte order"):
            kernel(swapped)

    @pytest.mark.parametrize("form", [unaligned, packed_field])
    @pytest.mark.parametrize("dtype", ["uint16", "int32", "float64"])
    def test_memory_that_can_not_be_read_in_place_is_refused(self, kernel, form, dtype):
        with pytest.raises(ValueError, match=r"frames (is not aligned|has a stride of)"):
            kernel(form(photon_frames(dtype=dtype)))

    @pytest.mark.parametrize("shape", [(), (5,), (0,)])
    def test_less_than_two_dimensions_are_refused(self, kernel, shape):
        with pytest.raises(ValueError, match=rf"frames has {len(shape)} dimensions, expected \("):
            kernel(np.zeros(shape))

    @pytest.mark.parametrize("shape", [(3, 8), (8, 3), (2, 0, 8), (2, 8, 0), (0, 0), (0, 1, 1)])
    def test_less_than_4_x_4_pixels_are_refused(self, kernel, shape):
        pixels = f"{shape[-2]} x {shape[-1]} pixels, expected at least 4 x 4"
        with pytest.raises(ValueError, match=pixels):
            kernel(np.zeros(shape, np.uint16))

    @pytest.mark.parametrize("not_an_array", [None, 5, [[1, 2], [3, 4]], "frames"])
    def test_what_is_no_array_is_refused(self, kernel, not_an_array):
        changes = {"photon_adu": np.ones(1)} if kernel is classify else {}
        with pytest.raises(TypeError, match=r"frames: numpy\.ndarray"):
            kernel(not_an_array, **changes)

    @pytest.mark.parametrize("leading", [(0,), (0, 3), (3, 0)])
    def test_no_frames_give_empty_results(self, kernel, leading):
        result = kernel(np.zeros((*leading, 8, 9), np.uint16))
        if kernel is integrate:
            sums, weights = result
            assert sums.shape == (0, 9)
            assert weights.shape == (9,)
            return
        assert {name: array.shape for name, array in result.items()} == dict.fromkeys(result, (0,))

    @pytest.mark.parametrize("threads", [1, 2])
    def test_strides_of_zero_are_read_as_repetition(self, kernel, threads):
        frame = photon_frames(1)[0]
        repeated = np.broadcast_to(frame, (5, *frame.shape))
        assert contents(kernel(repeated, threads=threads)) == contents(kernel(repeated.copy()))
        column = np.broadcast_to(frame[:, 6:7], (2, 12, 14))
        assert contents(kernel(column, threads=threads)) == contents(kernel(column.copy()))

    def test_negative_strides_are_read_backwards(self, kernel):
        frames = photon_frames()
        frames[:, 2, 3] = 90
        backwards = frames[::-1, ::-1, ::-1]
        assert contents(kernel(backwards)) == contents(kernel(backwards.copy()))

    def test_a_frame_of_one_has_strides_without_meaning(self, kernel):
        frame = photon_frames(1)
        odd = np.lib.stride_tricks.as_strided(frame, strides=(12345 * 3, *frame.strides[1:]))
        assert contents(kernel(odd)) == contents(kernel(frame))

    def test_frames_are_counted_in_row_major_order_whatever_their_strides(self, kernel):
        frames = np.ones((2, 3, 2, 8, 8), np.uint16)
        frames[..., 4, 4] = np.arange(50, 62).reshape(2, 3, 2)
        turned = frames.transpose(2, 1, 0, 3, 4)
        assert contents(kernel(turned)) == contents(kernel(turned.copy()))

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("masked", [False, True])
    def test_pixels_that_are_no_number_are_counted(self, kernel, bad, dtype, masked):
        frames = photon_frames(dtype=dtype)
        frames[1, 0, :3] = bad
        mask = np.zeros(frames.shape[1:], np.uint8)
        mask[0, 0] = masked
        count = 2 if masked else 3
        with pytest.raises(NonFinitePixelsError, match=f"frame 1 has {count} pixels that are NaN"):
            kernel(frames, mask=mask)
        mask[0, :3] = 1
        kernel(frames, mask=mask)

    def test_opposite_infinities_are_found(self, kernel):
        frames = photon_frames(dtype="float64")
        frames[2, 3, 3:5] = np.inf, -np.inf
        with pytest.raises(NonFinitePixelsError, match="frame 2 has 2 pixels"):
            kernel(frames)

    def test_a_mean_past_the_largest_float_is_an_error_that_says_so(self, kernel):
        with pytest.raises(NonFinitePixelsError, match="too large to add up") as error:
            kernel(np.full((1, 8, 8), 1e308))
        assert "0 pixels" not in str(error.value)

    def test_integers_that_a_huge_dark_drives_to_infinity_are_an_error(self, kernel):
        with pytest.raises(ValueError, match="too large"):
            kernel(photon_frames(), dark=np.full((12, 14), 1e308))


@every_kernel
class TestDarkAndMask:
    @pytest.mark.parametrize("shape", [(14, 12), (12, 13), (1, 1), (0, 0)])
    @pytest.mark.parametrize(("name", "dtype"), [("dark", "f8"), ("mask", "u1")])
    def test_another_shape_is_named(self, kernel, shape, name, dtype):
        text = rf"{name} has shape \({shape[0]}, {shape[1]}\), expected that of a frame, \(12, 14\)"
        with pytest.raises(ValueError, match=text):
            kernel(photon_frames(), **{name: np.zeros(shape, dtype)})

    @pytest.mark.parametrize("shape", [(), (14,), (1, 12, 14)])
    @pytest.mark.parametrize(("name", "dtype"), [("dark", "f8"), ("mask", "u1")])
    def test_other_dimensions_are_named(self, kernel, shape, name, dtype):
        with pytest.raises(ValueError, match=rf"{name} has {len(shape)} dimensions, expected \(x"):
            kernel(photon_frames(), **{name: np.zeros(shape, dtype)})

    @pytest.mark.parametrize(
        "dtype", ["float16", "uint16", "int64", ">f4", ">f8", "complex128", "object"]
    )
    def test_a_dark_of_another_dtype_is_refused(self, kernel, dtype):
        with pytest.raises(TypeError, match=r"dark has dtype .*, expected float64 in native byte"):
            kernel(photon_frames(), dark=np.zeros((12, 14), dtype))

    @pytest.mark.parametrize("of_frames", ["uint16", "int32", "float32", "float64"])
    def test_a_dark_of_floats_is_read_as_it_is(self, kernel, of_frames):
        frames = photon_frames(dtype=of_frames)
        # Of few digits: what rounding takes from a dark of floats is added in floats.
        dark = (np.random.default_rng(1).integers(0, 400, (14, 24)) / np.float32(64)).T[::-2]
        expected = contents(kernel(frames, dark=dark.astype(np.float64)))
        for given in (dark, dark.copy()):
            assert contents(kernel(frames, dark=given)) == expected

    @pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float64", "object"])
    def test_a_mask_of_another_dtype_is_refused(self, kernel, dtype):
        with pytest.raises(TypeError, match=r"mask has dtype .*, expected uint8"):
            kernel(photon_frames(), mask=np.zeros((12, 14), dtype))

    @pytest.mark.parametrize("form", [unaligned, packed_field])
    def test_a_dark_that_can_not_be_read_in_place_is_refused(self, kernel, form):
        with pytest.raises(ValueError, match=r"dark (is not aligned|has a stride of)"):
            kernel(photon_frames(), dark=form(np.zeros((12, 14))))
        with pytest.raises(ValueError, match=r"dark (is not aligned|has a stride of)"):
            kernel(photon_frames(), dark=form(np.zeros((12, 14), np.float32)))

    @pytest.mark.parametrize("not_an_array", [5.0, [[0.0]], "dark"])
    @pytest.mark.parametrize("name", ["dark", "mask"])
    def test_what_is_no_array_is_refused(self, kernel, name, not_an_array):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            kernel(photon_frames(), **{name: not_an_array})

    def test_any_byte_but_zero_masks(self, kernel):
        mask = np.zeros((12, 14), np.uint8)
        mask[5, 6], mask[9, 2] = 1, 1
        other = mask * np.uint8(255)
        assert contents(kernel(photon_frames(), mask=mask)) == contents(
            kernel(photon_frames(), mask=other)
        )

    def test_strides_of_dark_and_mask_are_followed(self, kernel):
        rng = np.random.default_rng(1)
        dark = rng.integers(0, 3, (14, 24)).astype(np.float64).T[::-2]
        mask = (rng.random((14, 12)) < 0.1).astype(np.uint8).T[::-1, ::-1]
        assert contents(kernel(photon_frames(), dark=dark, mask=mask)) == contents(
            kernel(photon_frames(), dark=dark.copy(), mask=mask.copy())
        )
        constant = np.broadcast_to(np.float64(3), (12, 14))
        assert contents(kernel(photon_frames(), dark=constant)) == contents(
            kernel(photon_frames(), dark=constant.copy())
        )

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_dark_that_is_no_number_is_counted_where_it_is_used(self, kernel, bad):
        dark = np.zeros((12, 14))
        dark[3, 2:6] = bad
        with pytest.raises(ValueError, match="dark has 4 pixels that are NaN or infinite"):
            kernel(photon_frames(), dark=dark)
        mask = np.zeros((12, 14), np.uint8)
        mask[3, 2:6] = 1
        kernel(photon_frames(), dark=dark, mask=mask)

    def test_a_mask_of_everything_leaves_nothing(self, kernel):
        result = kernel(photon_frames(), mask=np.ones((12, 14), np.uint8))
        if kernel is integrate:
            sums, weights = result
            assert not sums.any()
            assert not weights.any()
        else:
            assert result["x"].size == 0
            assert not result["n_dropped"].any()


@every_kernel
class TestThreads:
    @pytest.mark.parametrize("threads", [0, -1, -(2**31)])
    def test_less_than_one_thread_is_refused(self, kernel, threads):
        with pytest.raises(ValueError, match=f"threads = {threads}, expected 1 or more"):
            kernel(photon_frames(), threads=threads)

    @pytest.mark.parametrize("threads", [2**31, 1.5, None, "2"])
    def test_what_is_no_c_int_is_refused(self, kernel, threads):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            kernel(photon_frames(), threads=threads)

    def test_more_threads_than_frames_are_harmless(self, kernel):
        frames = photon_frames()
        assert contents(kernel(frames, threads=2**31 - 1)) == contents(kernel(frames))

    def test_more_threads_than_the_machine_can_start_do_not_crash(self, kernel):
        calls = {
            find: f"find_photons(frames, **{FIND}",
            classify: f"classify_photons(frames, **{CLASSIFY}, photon_adu=np.ones(len(frames))",
            integrate: "integrate_frames(frames, curve_a=0.0, curve_b=0.0",
        }
        script = (
            "import numpy as np; from hrixs import _core;"
            "frames = np.broadcast_to(np.zeros((4, 4), np.uint16), (300_000, 4, 4));"
            f"_core.{calls[kernel]}, dark=None, mask=None, threads=2**31 - 1)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        assert done.returncode == 0 or "Error: threads = " in done.stderr


class TestParameters:
    @pytest.mark.parametrize("name", ["threshold", "std_threshold", "dbl_threshold"])
    def test_nan_is_named(self, name):
        with pytest.raises(ValueError, match=f"^{name} is NaN, expected a number"):
            find(photon_frames(), **{name: np.nan})

    @pytest.mark.parametrize("name", ["threshold", "std_threshold"])
    def test_no_square_is_above_infinity(self, name):
        assert find(photon_frames(), **{name: np.inf})["x"].size == 0

    def test_every_maximum_is_above_minus_infinity(self):
        assert find(photon_frames(), threshold=-np.inf)["x"].size == 3

    @pytest.mark.parametrize("dbl_threshold", [-np.inf, np.inf])
    def test_a_double_threshold_may_be_infinite(self, dbl_threshold):
        found = find(photon_frames(), dbl_threshold=dbl_threshold)
        assert found["double"].tolist() == [dbl_threshold < 0] * 3

    @pytest.mark.parametrize("kernel", [find, classify])
    @pytest.mark.parametrize("max_photons", [0, -1])
    def test_no_room_for_photons_is_refused(self, kernel, max_photons):
        with pytest.raises(ValueError, match=f"max_photons = {max_photons}, expected 1 or more"):
            kernel(photon_frames(), max_photons=max_photons)

    @pytest.mark.parametrize("kernel", [find, classify])
    @pytest.mark.parametrize("max_photons", [2**63, 1.5, None])
    def test_what_is_no_count_is_refused(self, kernel, max_photons):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            kernel(photon_frames(), max_photons=max_photons)

    @pytest.mark.parametrize(
        "name", ["candidate_low", "candidate_high", "single_low", "double_low"]
    )
    def test_fractions_that_are_nan_are_refused(self, name):
        with pytest.raises(ValueError, match=f"{name} = nan.*expected candidate_low <"):
            classify(photon_frames(), **{name: np.nan})

    @pytest.mark.parametrize(
        "fractions",
        [
            {"candidate_low": 1.0},
            {"candidate_low": 2.0},
            {"single_low": 1.6},
            {"single_low": -0.1},
        ],
    )
    def test_fractions_out_of_order_are_refused(self, fractions):
        with pytest.raises(ValueError, match="expected candidate_low < candidate_high and 0 <="):
            classify(photon_frames(), **fractions)

    @pytest.mark.parametrize("adu", [0.0, -1.0, np.nan, np.inf])
    def test_a_photon_without_charge_names_its_frame(self, adu):
        with pytest.raises(ValueError, match=r"photon of frame 2 makes .*a positive number"):
            classify(photon_frames(), photon_adu=np.array([1.0, 2.0, adu]))

    @pytest.mark.parametrize("photon_adu", [np.ones(2), np.ones(4), np.ones(0)])
    def test_one_photon_charge_a_frame(self, photon_adu):
        text = f"photon_adu has {len(photon_adu)} values, expected one for each of 3 frames"
        with pytest.raises(ValueError, match=text):
            classify(photon_frames(), photon_adu=photon_adu)

    @pytest.mark.parametrize("shape", [(), (1, 3), (3, 1)])
    def test_photon_charges_of_other_dimensions_are_refused(self, shape):
        with pytest.raises(ValueError, match="photon_adu has"):
            classify(photon_frames(), photon_adu=np.ones(shape))

    @pytest.mark.parametrize("dtype", ["float32", "int64", ">f8", "complex128", "object"])
    def test_photon_charges_of_another_dtype_are_refused(self, dtype):
        with pytest.raises(TypeError, match="photon_adu: "):
            classify(photon_frames(), photon_adu=np.ones(3, dtype))

    @pytest.mark.parametrize("stride", [2, -1])
    def test_photon_charges_with_gaps_are_refused(self, stride):
        with pytest.raises(TypeError, match="photon_adu: "):
            classify(photon_frames(), photon_adu=np.ones(6)[::stride][:3])

    def test_photon_charges_that_are_not_aligned_are_read_right_or_refused(self):
        charges = np.array([120.0, 140.0, 160.0])
        expected = contents(classify(photon_frames(), photon_adu=charges))
        with contextlib.suppress(TypeError, ValueError):
            assert contents(classify(photon_frames(), photon_adu=unaligned(charges))) == expected

    @pytest.mark.parametrize("curve_a", [np.nan, np.inf, -np.inf, 1e300, -1e9])
    def test_a_curvature_past_any_frame_is_refused(self, curve_a):
        with pytest.raises(ValueError, match=r"curvature = \(.*expected a pair of finite numbers"):
            integrate(photon_frames(), curve_a=curve_a)
        with pytest.raises(ValueError, match=r"curvature = \(.*expected a pair of finite numbers"):
            integrate(photon_frames(), curve_b=curve_a)

    @pytest.mark.parametrize("curve_a", [1e5, -1e5, 8e7, -8e7])
    def test_a_huge_curvature_keeps_only_the_first_column(self, curve_a):
        frames = photon_frames()
        sums, weights = integrate(frames, curve_a=curve_a)
        np.testing.assert_array_equal(weights, np.ones(14))
        np.testing.assert_array_equal(sums, frames[:, 0])
