import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hrixs import classify_photons, find_photons, integrate_frames
from hrixs.simulation import Sensor, simulate_frames
from oracles import frames as reference

DTYPES = ("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64")
LAYOUTS = ("plain", "crop", "reversed", "step 2", "fortran", "transposed", "frames last")
TUTORIAL_CURVATURE = (0.0240845, -3.6953e-7)

many_examples = settings(derandomize=True, deadline=None, max_examples=150, database=None)


def laid_out(array, layout):
    """An array equal to `array`, with other strides."""
    array = np.ascontiguousarray(array)
    if layout == "crop":
        margins = [(0, 0)] * (array.ndim - 2) + [(1, 2), (3, 1)]
        return np.pad(array, margins, constant_values=77)[..., 1:-2, 3:-1]
    if layout == "reversed":
        return array[..., ::-1, ::-1].copy()[..., ::-1, ::-1]
    if layout == "step 2":
        spread = np.full((*array.shape[:-2], 2 * array.shape[-2], 2 * array.shape[-1]), 77)
        spread = spread.astype(array.dtype)
        spread[..., ::2, ::2] = array
        return spread[..., ::2, ::2]
    if layout == "fortran":
        return np.asfortranarray(array)
    if layout == "transposed":
        return array.swapaxes(-2, -1).copy().swapaxes(-2, -1)
    if layout == "frames last" and array.ndim > 2:
        return np.moveaxis(np.moveaxis(array, 0, -1).copy(), -1, 0)
    return array


@st.composite
def few_valued_stacks(draw):
    """Frames, dark and mask. With few pixel values, ties and plateaus are everywhere."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    leading = draw(st.sampled_from([(), (1,), (3,), (2, 2), (2, 1, 2)]))
    # A row of more than 32 pixels is scanned in more than one block.
    shape = (draw(st.integers(4, 9)), draw(st.integers(4, 40)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.integers(2, 7))
    rarity = draw(st.sampled_from([1, 2, 4]))
    values = rng.integers(0, levels, (*leading, *shape)) // rng.integers(1, rarity + 1)
    values = values * (rng.integers(0, rarity, values.shape) == 0)
    if dtype.kind in "if":
        values = values - draw(st.integers(0, 2))
    if dtype.kind == "f":
        values = values / 4
    frames = laid_out(values.astype(dtype), draw(st.sampled_from(LAYOUTS)))
    dark = mask = None
    if draw(st.booleans()):
        quarters = rng.integers(0, 5, shape) / 4
        dark = laid_out(quarters.astype(draw(st.sampled_from(["float64", "float32"]))), "plain")
        dark = laid_out(dark, draw(st.sampled_from(LAYOUTS)))
    if draw(st.booleans()):
        mask = rng.random(shape) < draw(st.sampled_from([0.02, 0.1, 0.4]))
        mask = laid_out(mask, draw(st.sampled_from(LAYOUTS)))
        # A mask of more than half is an error; and what the mean or the threshold of nothing is,
        # the specification does not say.
        assume(mask.mean() <= 0.5)
        usable = ~mask
        assume((usable[:-1, :-1] & usable[:-1, 1:] & usable[1:, :-1] & usable[1:, 1:]).any())
    return frames, dark, mask


def images_of(frames):
    return np.asarray(frames).reshape(-1, *frames.shape[-2:])


def is_exact(mean):
    """Whether sums of few-valued pixels above this mean come out the same in any order."""
    return float(mean * 1024).is_integer()


def is_near(values, limit, scale):
    return bool(np.any(np.abs(np.asarray(values) - limit) < 1e-9 * scale))


def charges_near(image, chip, corners, size, limits):
    """Whether rounding decides how a charge compares with one of the limits."""
    frame = reference.corrected(image, **chip)
    base = np.nanmean(frame)
    charges = [np.nansum(frame[i : i + size, j : j + size] - base) for i, j in corners]
    scale = np.nanmax(np.abs(frame)) + 1
    return not is_exact(base) and any(is_near(charges, limit, scale) for limit in limits)


def rounding_decides_find(frames, chip, dbl_threshold=None, threshold=None, **options):
    limits = (0.0,) if dbl_threshold is None else (0.0, dbl_threshold)
    for image in images_of(frames):
        sums = reference.squares(reference.corrected(image, **chip))
        used = reference.square_threshold(reference.corrected(image, **chip), threshold, **options)
        valid = sums[~np.isnan(sums)]
        if threshold is None and is_near(valid, used, np.abs(valid).max()):
            return True
        corners = [(i - 1, j - 1) for i, j in reference._local_maxima(sums, sums > used)]
        if charges_near(image, chip, corners, 4, limits):
            return True
    return False


def rounding_decides_classify(frames, photons, chip, single_low=0.2, double_low=1.5, **_):
    for image, photon in zip(images_of(frames), photons, strict=True):
        frame = reference.corrected(image, **chip)
        corners = [(i - 1, j - 1) for i, j in reference._local_maxima(frame, ~np.isnan(frame))]
        limits = (0.0, single_low * photon, double_low * photon)
        if charges_near(image, chip, corners, 3, limits):
            return True
    return False


def assert_same_photons(table, images, expected, chip):
    counts = [len(photons.x) for photons in expected]
    np.testing.assert_array_equal(table["frame"], np.repeat(np.arange(len(images)), counts))
    for name in ("x", "y"):
        positions = np.concatenate([getattr(photons, name) for photons in expected])
        np.testing.assert_allclose(table[name], positions, rtol=0, atol=1e-9)
    brightest = max(np.nanmax(np.abs(reference.corrected(image, **chip))) for image in images)
    charges = np.concatenate([photons.charge for photons in expected])
    np.testing.assert_allclose(table["charge"], charges, rtol=1e-12, atol=1e-12 * brightest)
    doubles = np.concatenate([photons.double for photons in expected])
    np.testing.assert_array_equal(table["double"], doubles)
    assert table["double"].dtype == np.bool_
    np.testing.assert_array_equal(table["n_dropped"], [p.n_dropped for p in expected])
    thresholds = [photons.threshold for photons in expected]
    scales = 1e-12 * max(np.abs(thresholds).max(), brightest)
    np.testing.assert_allclose(table["threshold"], thresholds, rtol=1e-12, atol=scales)
    means = [np.nanmean(reference.corrected(image, **chip)) for image in images]
    np.testing.assert_allclose(table["base"], means, rtol=1e-12, atol=1e-15 * brightest)


def find_as_reference(frames, chip, threads=1, **options):
    images = images_of(frames)
    expected = [reference.find_photons(image, **chip, **options) for image in images]
    table = find_photons(frames, **chip, **options, threads=threads)
    assert_same_photons(table, images, expected, chip)
    return table


def classify_as_reference(frames, energy, chip, threads=1, **options):
    images = images_of(frames)
    energies = np.broadcast_to(energy, frames.shape[:-2]).ravel()
    expected = [
        reference.classify_photons(image, one, **chip, **options)
        for image, one in zip(images, energies, strict=True)
    ]
    table = classify_photons(frames, energy, **chip, **options, threads=threads)
    assert_same_photons(table, images, expected, chip)
    return table


def integrate_as_reference(frames, curvature, chip, threads=1):
    spectra = np.asarray(integrate_frames(frames, curvature=curvature, **chip, threads=threads))
    assert spectra.shape == (*frames.shape[:-2], frames.shape[-1])
    for spectrum, image in zip(images_of(spectra[..., np.newaxis]), images_of(frames), strict=True):
        expected, _, _ = reference.integrate(image, curvature=curvature, **chip)
        np.testing.assert_array_equal(np.isnan(spectrum[:, 0]), np.isnan(expected))
        scale = np.nanmax(np.abs(reference.corrected(image, **chip)))
        np.testing.assert_allclose(spectrum[:, 0], expected, rtol=1e-12, atol=1e-12 * scale)
    return spectra


@many_examples
@given(
    stack=few_valued_stacks(),
    threshold=st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0, 4.5, 6.0]),
    dbl_threshold=st.sampled_from([None, 0.0, 2.0, 4.0, 7.5]),
    threads=st.integers(1, 4),
)
def test_find_photons_with_a_given_threshold(stack, threshold, dbl_threshold, threads):
    frames, dark, mask = stack
    chip = {"dark": dark, "mask": mask}
    options = {"threshold": threshold, "dbl_threshold": dbl_threshold}
    assume(not rounding_decides_find(frames, chip, **options))
    find_as_reference(frames, chip, threads, **options)


@many_examples
@given(
    stack=few_valued_stacks(),
    std_threshold=st.sampled_from([-0.3, 0.4, 1.1, 1.7, 2.6, 3.5]),
    dbl_threshold=st.sampled_from([None, 3.0]),
    threads=st.integers(1, 4),
)
def test_find_photons_with_the_threshold_from_the_frame(
    stack, std_threshold, dbl_threshold, threads
):
    frames, dark, mask = stack
    chip = {"dark": dark, "mask": mask}
    options = {"std_threshold": std_threshold, "dbl_threshold": dbl_threshold}
    assume(not rounding_decides_find(frames, chip, **options))
    find_as_reference(frames, chip, threads, **options)


@many_examples
@given(
    stack=few_valued_stacks(),
    photon=st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0]),
    fractions=st.sampled_from(
        [
            {},
            {"candidate_low": 0.25, "candidate_high": 0.75, "single_low": 0.5, "double_low": 1.0},
            {"candidate_low": 0.0, "candidate_high": 2.0, "single_low": 0.0, "double_low": 2.5},
            {"candidate_low": -0.5, "candidate_high": 0.5, "single_low": 1.0, "double_low": 1.0},
        ]
    ),
    per_frame=st.booleans(),
    threads=st.integers(1, 4),
)
def test_classify_photons(stack, photon, fractions, per_frame, threads):
    frames, dark, mask = stack
    chip = {"dark": dark, "mask": mask}
    leading = frames.shape[:-2]
    number = int(np.prod(leading))
    photons = photon + np.arange(number) / 2 if per_frame else np.full(number, photon)
    energy = photons.reshape(leading) if per_frame else photon
    assume(not rounding_decides_classify(frames, photons, chip, **fractions))
    # With this gain a photon of 1 eV makes 1 ADU, so pixels tie with the limits too.
    gain = {"ev_per_pair": 1.0, "electrons_per_adu": 1.0}
    classify_as_reference(frames, energy, chip, threads, **gain, **fractions)


@many_examples
@given(
    stack=few_valued_stacks(),
    sixteenths=st.tuples(st.integers(-100, 100), st.integers(-20, 20)),
    threads=st.integers(1, 4),
)
def test_integrate_frames(stack, sixteenths, threads):
    frames, dark, mask = stack
    # Shares of whole 1/256 are exact, so which rows are reached does not depend on rounding.
    curvature = (sixteenths[0] / 16, sixteenths[1] / 256)
    integrate_as_reference(frames, curvature, {"dark": dark, "mask": mask}, threads)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0, 3])
def test_a_flat_frame_has_no_photon(dtype, value):
    frame = np.full((8, 40), value, dtype)
    assert find_photons(frame).sizes["photon"] == 0
    # The whole frame is one plateau, and its one maximum lies on the border.
    assert find_photons(frame, threshold=-1.0).sizes["photon"] == 0
    assert classify_photons(frame, 530.0).sizes["photon"] == 0


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-300, 1e15 + 0.3])
def test_a_flat_frame_of_an_inexact_value_has_no_photon(value):
    assert find_photons(np.full((9, 41), value)).sizes["photon"] == 0


@pytest.mark.parametrize(
    "plateau", [np.s_[4:6, 5:7], np.s_[4:7, 5:8], np.s_[3, 4:9], np.s_[3:8, 5]]
)
def test_a_plateau_is_one_photon(plateau):
    frame = np.zeros((12, 14))
    frame[plateau] = 10.0
    table = find_as_reference(frame, {}, threshold=15.0)
    assert table.sizes["photon"] == 1
    table = classify_as_reference(frame, 20.0, {}, ev_per_pair=1.0, electrons_per_adu=1.0)
    assert table.sizes["photon"] == 1


@pytest.mark.parametrize("corner", [(0, 0), (0, 6), (6, 0), (14, 12), (14, 6), (7, 12)])
def test_a_brighter_square_on_the_border_hides_its_neighbour_but_is_no_photon(corner):
    frame = np.zeros((16, 14))
    x, y = corner
    frame[x : x + 2, y : y + 2] = 20.0
    assert find_as_reference(frame, {}, threshold=10.0).sizes["photon"] == 0


@pytest.mark.parametrize("square", [(1, 1), (1, 10), (12, 1), (12, 10)])
def test_photons_are_found_up_to_where_their_spot_just_fits(square):
    frame = np.zeros((16, 14))
    x, y = square
    frame[x : x + 2, y : y + 2] = 20.0
    table = find_as_reference(frame, {}, threshold=50.0)
    assert table.sizes["photon"] == 1
    assert (table["x"].item(), table["y"].item()) == pytest.approx((x + 0.5, y + 0.5), abs=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_squares_that_tie_but_for_rounding_are_added_in_the_specified_order(seed):
    # Tenths have no exact sum, so which of two equal squares is larger depends on the order.
    frames = np.random.default_rng(seed).integers(0, 4, (4, 40, 70)) * 0.1
    assert find_as_reference(frames, {}, threshold=0.85).sizes["photon"] > 100


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32"])
def test_saturated_pixels_do_not_overflow(dtype):
    rng = np.random.default_rng(2)
    largest = np.iinfo(dtype).max
    frames = np.where(rng.random((3, 20, 70)) < 0.9, largest, 0).astype(dtype)
    frames[1] = largest
    photon = float(largest)
    find_as_reference(frames, {}, threshold=3.5 * photon)
    classify_as_reference(frames, photon, {}, ev_per_pair=1.0, electrons_per_adu=1.0)
    integrate_as_reference(frames, (0.25, 0.0), {})
    dark = np.full(frames.shape[-2:], photon)
    integrate_as_reference(frames, (0.25, 0.0), {"dark": dark})


@pytest.fixture(scope="module")
def camera():
    """Two frames of 512 x 512 with some hundred photons, their dark and their hot pixels."""
    sensor = Sensor(shape=(512, 512), hot_fraction=1e-4, cosmics_per_frame=2.0)
    frames, _ = simulate_frames(2, sensor=sensor, photons_per_frame=400, seed=5)
    return frames.values, np.round(sensor.pattern), sensor.pattern > 150.0


CHIPS = {
    "raw": (False, False),
    "dark": (True, False),
    "mask": (False, True),
    "dark and mask": (True, True),
}


@pytest.mark.parametrize(("with_dark", "with_mask"), CHIPS.values(), ids=CHIPS)
class TestRealisticFrames:
    def test_find_photons(self, camera, with_dark, with_mask):
        frames, dark, mask = camera
        chip = {"dark": dark if with_dark else None, "mask": mask if with_mask else None}
        table = find_as_reference(frames, chip, threads=2, dbl_threshold=210.0)
        assert table.sizes["photon"] > 400
        assert table["double"].any()
        pedestal = 0.0 if with_dark else 400.0
        table = find_as_reference(frames, chip, threshold=pedestal + 60.0)
        assert table.sizes["photon"] > 400

    def test_classify_photons(self, camera, with_dark, with_mask):
        frames, dark, mask = camera
        chip = {"dark": dark if with_dark else None, "mask": mask if with_mask else None}
        table = classify_as_reference(frames, np.array([530.0, 640.0]), chip, threads=2)
        assert table.sizes["photon"] > 400
        assert table["double"].any()

    def test_integrate_frames(self, camera, with_dark, with_mask):
        frames, dark, mask = camera
        chip = {"dark": dark if with_dark else None, "mask": mask if with_mask else None}
        integrate_as_reference(frames, TUTORIAL_CURVATURE, chip, threads=2)
        integrate_as_reference(frames, (-0.31, 4e-4), chip)


def find(frames, **options):
    return find_photons(frames, **options)


def classify(frames, **options):
    return classify_photons(frames, 530.0, **options)


def integrate(frames, **options):
    return integrate_frames(frames, curvature=TUTORIAL_CURVATURE, **options)


def contents(result):
    """Bytes of everything in a result."""
    if isinstance(result, np.ndarray):
        return result.tobytes()
    return {name: variable.values.tobytes() for name, variable in result.variables.items()}


@pytest.fixture(scope="module")
def small_camera():
    sensor = Sensor(shape=(40, 70))
    frames, _ = simulate_frames(3, sensor=sensor, photons_per_frame=25, seed=9)
    mask = np.zeros(sensor.shape, bool)
    mask[7, 30:33] = True
    return frames.values, np.round(sensor.pattern).astype(np.float64), mask


def unaligned(array):
    padded = np.zeros(array.nbytes + 1, np.uint8)
    padded[1:] = array.view(np.uint8).ravel()
    result = padded[1:].view(array.dtype).reshape(array.shape)
    assert not result.flags.aligned
    return result


def with_odd_strides(array):
    """As a field of a packed record: strides that are no multiple of the pixel's size."""
    records = np.zeros(array.shape, np.dtype([("flag", "u1"), ("pixel", array.dtype)]))
    records["pixel"] = array
    return records["pixel"]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


FORMS = {
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "read-only": read_only,
    "unaligned": unaligned,
    "odd strides": with_odd_strides,
    **{layout: (lambda array, layout=layout: laid_out(array, layout)) for layout in LAYOUTS[1:]},
}


@pytest.mark.parametrize("kernel", [find, classify, integrate])
class TestForms:
    @pytest.mark.parametrize(
        "wider", ["float64", "uint32", "int32", "float32", "int64", "uint64", "int16"]
    )
    def test_the_same_values_in_another_dtype_give_the_same_bytes(
        self, kernel, wider, small_camera
    ):
        frames, dark, mask = small_camera
        expected = kernel(frames, dark=dark, mask=mask)
        assert contents(kernel(frames.astype(wider), dark=dark, mask=mask)) == contents(expected)
        assert contents(kernel(frames.astype(wider))) == contents(kernel(frames))

    @pytest.mark.parametrize("narrow", ["bool", "int8", "float16"])
    def test_a_dtype_narrower_than_the_core_s_is_read_without_loss(
        self, kernel, narrow, small_camera
    ):
        frames, _, _ = small_camera
        values = (frames > 110) if narrow == "bool" else np.minimum(frames, 127) - 90.0
        frames = values.astype(narrow)
        assert contents(kernel(frames)) == contents(kernel(frames.astype("float64")))

    @pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
    @pytest.mark.parametrize("dtype", ["uint16", "float64"])
    def test_any_form_of_the_memory_gives_the_same_bytes(self, kernel, form, dtype, small_camera):
        frames, dark, mask = small_camera
        frames = frames.astype(dtype)
        expected = contents(kernel(frames, dark=dark, mask=mask))
        assert contents(kernel(form(frames), dark=form(dark), mask=mask)) == expected

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_a_mask_may_have_any_strides(self, kernel, layout, small_camera):
        frames, dark, mask = small_camera
        expected = contents(kernel(frames, dark=dark, mask=mask))
        assert contents(kernel(frames, dark=dark, mask=laid_out(mask, layout))) == expected

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "int64"])
    def test_a_dark_may_have_any_dtype(self, kernel, dtype, small_camera):
        frames, dark, _ = small_camera
        expected = contents(kernel(frames, dark=dark))
        assert contents(kernel(frames, dark=dark.astype(dtype))) == expected

    def test_a_stack_is_its_frames_one_by_one(self, kernel, small_camera):
        frames, _, _ = small_camera
        values = "charge" if kernel is not integrate else slice(None)
        one_by_one = np.concatenate([np.asarray(kernel(frame)[values]) for frame in frames])
        np.testing.assert_array_equal(np.ravel(kernel(frames)[values]), one_by_one)

    @pytest.mark.parametrize("dtype", ["uint16", "float64", ">u2", "int64"])
    def test_inputs_are_never_changed(self, kernel, dtype, small_camera):
        given = [array.copy() for array in small_camera]
        given[0] = given[0].astype(dtype)
        before = [array.tobytes() for array in given]
        kernel(given[0], dark=given[1], mask=given[2])
        assert [array.tobytes() for array in given] == before
