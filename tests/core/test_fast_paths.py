"""The ways around the plain algorithm: what makes the kernels fast must not show in what they find.

Counts are compared in 16 bits within a window around the mean, a dark is rounded to counts, floats
are searched in single precision, frames are gone through in bands of rows, sums along the line are
moments of groups of rows. Each has edges, and these are here.
"""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from core.test_against_reference import (
    classify_as_reference,
    contents,
    images_of,
    is_near,
    laid_out,
)
from hrixs import NonFinitePixelsError, _core, classify_photons, find_photons, integrate_frames
from oracles import frames as reference

fuzzed = settings(derandomize=True, deadline=None, max_examples=60, database=None)

# A photon of 1 eV makes 1 ADU.
GAIN = {"ev_per_pair": 1.0, "electrons_per_adu": 1.0}
PHOTON = 140.0
BAND = 256
CHUNK = 64
BLOCK = 512
# Around whole chunks and vectors of a row, and some more that leave a rest.
WIDTHS = (4, 5, 63, 64, 65, 66, 70, 128, 129, 130, 961, 1030)
HEIGHTS = (4, 15, 17, 255, 256, 257, 258, 511, 512, 513, 514)


def photon_places(shape, rng, number=12):
    """Places all over a frame, and on the edges of bands, chunks and blocks."""
    nx, ny = shape
    x = [0, 1, 2, nx - 3, nx - 2, nx - 1, *range(BAND - 3, BAND + 3), 2 * BAND - 1, 2 * BAND]
    y = [0, 1, 2, ny - 3, ny - 2, ny - 1]
    y += [edge + d for edge in (CHUNK, 2 * CHUNK, 15 * CHUNK, BLOCK) for d in (-2, -1, 0, 1)]
    at_x = np.concatenate([x, rng.integers(0, nx, number)])
    at_y = np.concatenate([y, rng.integers(0, ny, number)])
    at_x, at_y = rng.choice(at_x, 2 * number), rng.choice(at_y, 2 * number)
    inside = (at_x < nx) & (at_y < ny)
    return at_x[inside], at_y[inside]


def counts(shape, *, pedestal=1000, noise=3.0, photon=PHOTON, seed=0, above=0.0, number=12):
    """A frame of 16-bit counts on top of `above`, with photons on every kind of edge."""
    rng = np.random.default_rng(seed)
    frame = pedestal + noise * rng.standard_normal(shape) + above
    for x, y in zip(*photon_places(shape, rng, number), strict=True):
        frame[x, y] += 0.6 * photon
        frame[x : x + 2, y : y + 2] += 0.15 * photon
    return np.clip(np.rint(frame), 0, 65535).astype(np.uint16)


def darks(shape, seed=0):
    """Darks of every kind, by name: those that are rounded to counts, and those that are not."""
    rng = np.random.default_rng(seed + 1)
    fraction = 1000 + 2.0 * rng.standard_normal(shape)
    hot = np.round(fraction, 2)

    def with_one(value):
        dark = hot.copy()
        dark[shape[0] // 2, shape[1] // 2] = value
        return dark

    def striped(low, high):
        dark = hot.copy()
        dark[::3], dark[1::3] = low, high
        return dark

    return {
        "whole float64": np.round(fraction),
        "whole float32": np.round(fraction).astype(np.float32),
        "uint16": np.round(fraction).astype(np.uint16),
        "int64": np.round(fraction).astype(np.int64),
        "float64": fraction,
        "float32": fraction.astype(np.float32),
        "constant fraction": np.full(shape, 1003.37),
        "constant fraction float32": np.full(shape, 1003.37, np.float32),
        "all halves": np.full(shape, 1000.5),
        "quarters": 1000 + rng.integers(-2, 3, shape) / 4,
        "zero": np.zeros(shape),
        "rounds to zero": np.full(shape, 0.25),
        "below zero but rounds to it": np.full(shape, -0.5),
        "negative": fraction - 3000,
        "negative somewhere": with_one(-3.0),
        "one hot pixel": with_one(5000.0),
        "one very hot pixel": with_one(20000.0),
        "largest": with_one(16383.0),
        "largest that rounds": with_one(16383.49),
        "a bit more": with_one(16383.51),
        "over the frame": fraction + 5000,
        "all over the range": rng.random(shape) * 16383,
        "outside its window": striped(300.0, 2100.25),
        "huge": np.full(shape, 1e9),
    }


DARKS = tuple(darks((4, 4)))


def decided_by_rounding_find(frame, dark, threshold, std_threshold, dbl_threshold=None):
    img = reference.corrected(frame, dark)
    sums = reference.squares(img)
    used = reference.square_threshold(img, threshold, std_threshold)
    scale = np.abs(img).max() + 1
    # The threshold is known to what is kept of a rounded dark.
    if threshold is None and np.any(np.abs(sums - used) < 1e-9 * scale + 1e-6):
        return True
    hits = reference._local_maxima(sums, sums > used)
    charges = [np.sum(img[i - 1 : i + 3, j - 1 : j + 3] - img.mean()) for i, j in hits]
    limits = [0.0] + [dbl_threshold] * (dbl_threshold is not None)
    return any(is_near(charges, limit, scale) for limit in limits)


# Of the squares of a dark that is rounded to counts, 2^-24 ADU are kept.
OF_ROUNDED_DARK = 4 * 2.0**-24


def assert_same(table, images, expected, dark):
    """Compare with the reference, as far as the digits of all that goes in tell."""
    used = [image.astype(np.float64) for image in images]
    if dark is not None:
        used.append(np.asarray(dark, np.float64))
    scale = max(np.abs(array).max() for array in used)
    counts = [len(photons.x) for photons in expected]
    np.testing.assert_array_equal(table["frame"], np.repeat(np.arange(len(images)), counts))
    np.testing.assert_array_equal(table["n_dropped"], [p.n_dropped for p in expected])
    charge, x, y, double = (
        np.concatenate([getattr(photons, name) for photons in expected])
        for name in ("charge", "x", "y", "double")
    )
    np.testing.assert_array_equal(table["double"], double)
    np.testing.assert_allclose(table["charge"], charge, rtol=1e-12, atol=16e-14 * scale)
    # A spot with next to no charge has its centre of mass anywhere.
    unsure = 1e-9 + 1e-12 * scale / charge
    for name, position in (("x", x), ("y", y)):
        off = np.abs(table[name].values - position) / (1 + np.abs(position))
        assert (off <= unsure).all(), name
    off = OF_ROUNDED_DARK if images[0].dtype == np.uint16 and dark is not None else 0.0
    thresholds = [photons.threshold for photons in expected]
    np.testing.assert_allclose(table["threshold"], thresholds, rtol=1e-12, atol=off + 1e-12 * scale)
    means = [reference.corrected(image, dark).mean() for image in images]
    np.testing.assert_allclose(table["base"], means, rtol=1e-12, atol=1e-14 * scale)


def check_find(frame, dark=None, *, threshold=None, std_threshold=3.5, threads=1):
    """Compare with the reference; False where rounding decides what is found."""
    options = {"threshold": threshold, "std_threshold": std_threshold, "dark": dark}
    images = images_of(frame)
    for image in images:
        if decided_by_rounding_find(image, dark, threshold, std_threshold, 1.5 * PHOTON):
            return False
    options["dbl_threshold"] = 1.5 * PHOTON
    expected = [reference.find_photons(image, **options) for image in images]
    assert_same(find_photons(frame, **options, threads=threads), images, expected, dark)
    return True


def check_classify(frame, dark=None, *, photon=PHOTON, threads=1, **options):
    """Compare with the reference; False where rounding decides what is found."""
    img = reference.corrected(frame, dark)
    charge = img - img.mean()
    limits = (photon * options.get("candidate_low", 0.2), photon)
    if any(is_near(charge, limit, np.abs(img).max() + 1) for limit in limits):
        return False
    options = {"dark": dark, **GAIN, **options}
    expected = [reference.classify_photons(frame, photon, **options)]
    table = classify_photons(frame, photon, **options, threads=threads)
    assert_same(table, [frame], expected, dark)
    return True


def check_integrate(frames, curvature, chip, threads=1, rtol=1e-11):
    spectra = np.asarray(integrate_frames(frames, curvature=curvature, **chip, threads=threads))
    for spectrum, image in zip(
        spectra.reshape(-1, frames.shape[-1]), images_of(frames), strict=True
    ):
        expected, weights, _ = reference.integrate(image, curvature=curvature, **chip)
        # Of a row that hardly anything of a pixel reaches, little but rounding is known.
        reached = weights > 1e-2
        values = np.abs(np.nan_to_num(image.astype(np.float64)))
        scale = values[~chip["mask"]].max() if chip.get("mask") is not None else values.max()
        if chip.get("dark") is not None:
            scale = max(scale, np.abs(chip["dark"].astype(np.float64)).max())
        np.testing.assert_allclose(spectrum[reached], expected[reached], rtol=0, atol=rtol * scale)
        np.testing.assert_array_equal(np.isnan(spectrum), np.isnan(expected))
    return spectra


class TestCounts:
    """uint16 frames against the reference."""

    @pytest.mark.parametrize("ny", WIDTHS)
    @pytest.mark.parametrize("with_dark", [False, True])
    def test_widths(self, ny, with_dark):
        shape = (40, ny)
        frame = counts(shape, seed=ny)
        dark = darks(shape)["float64"] if with_dark else None
        level = 0.0 if with_dark else 1000.0
        assert check_find(frame, dark)
        assert check_find(frame, dark, threshold=4 * level + 100.3)
        assert check_classify(frame, dark)

    @pytest.mark.parametrize("nx", HEIGHTS)
    @pytest.mark.parametrize("with_dark", [False, True])
    def test_heights(self, nx, with_dark):
        shape = (nx, 70)
        frame = counts(shape, seed=nx, number=25)
        dark = darks(shape)["float32"] if with_dark else None
        level = 0.0 if with_dark else 1000.0
        assert check_find(frame, dark)
        assert check_find(frame, dark, threshold=4 * level + 100.3)
        assert check_classify(frame, dark)

    @pytest.mark.parametrize("name", DARKS)
    @pytest.mark.parametrize("shape", [(20, 7), (258, 67)])
    def test_darks(self, name, shape):
        dark = darks(shape)[name]
        frame = counts(shape, pedestal=1003, seed=3)
        level = float(np.median(frame - dark.astype(np.float64)))
        check_find(frame, dark)
        check_find(frame, dark, threshold=4 * level + 101.0)
        check_find(frame, dark, threshold=4 * level + 9.5)
        check_classify(frame, dark)
        check_classify(frame, dark, photon=3000.3, candidate_low=0.001)

    @pytest.mark.parametrize("above", [0, 1, 7, 500, 20_000, 49_000])
    @pytest.mark.parametrize("name", ["float64", "float32", "constant fraction", "rounds to zero"])
    def test_frames_on_top_of_their_dark(self, name, above):
        shape = (70, 130)
        dark = darks(shape)[name]
        frame = counts(shape, pedestal=0, above=dark + above, seed=above)
        assert check_find(frame, dark)
        assert check_find(frame, dark, threshold=4.0 * above + 100.3)
        assert check_classify(frame, dark)

    @pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
    def test_a_frame_that_is_its_dark_has_no_photon(self, dtype):
        frame = counts((70, 130), photon=0)
        dark = frame.astype(dtype)
        table = find_photons(frame, dark=dark)
        assert (table["base"].item(), table["threshold"].item()) == (0.0, 0.0)
        assert table.sizes["photon"] == 0
        assert find_photons(frame, dark=dark, threshold=-1.0).sizes["photon"] == 0
        assert classify_photons(frame, 530.0, dark=dark).sizes["photon"] == 0
        assert not integrate_frames(frame, dark=dark, curvature=(0.11, -3e-4)).any()

    @pytest.mark.parametrize(
        "pedestal",
        [0, 1, 255, 256, 257, 1023, 8191, 16384, 32768, 64512, 64768, 65000, 65279, 65500, 65535],
    )
    def test_pedestals(self, pedestal):
        frame = counts((50, 140), pedestal=pedestal, seed=pedestal)
        # Where all is cut at an end of the range, plateaus need not be ties with the threshold.
        check_find(frame)
        assert check_find(frame, threshold=4 * pedestal + 100.3)
        assert check_classify(frame)
        dark = darks(frame.shape)["float64"]
        check_find(frame, dark)
        assert check_find(frame, dark, threshold=4 * (pedestal - 1000) + 100.3)
        assert check_classify(frame, dark)

    @pytest.mark.parametrize("photon", [50, 255, 256, 767, 768, 1023, 1024, 4096, 30_000])
    @pytest.mark.parametrize("name", [None, "float64", "float32", "outside its window"])
    def test_photons_of_any_size(self, photon, name):
        shape = (60, 200)
        frame = counts(shape, pedestal=1000, noise=2.5, photon=photon, seed=photon)
        dark = None if name is None else darks(shape)[name]
        level = 1000.0 if dark is None else 0.0
        check_find(frame, dark)
        assert check_find(frame, dark, threshold=4 * level + photon / 2 + 0.3)
        assert check_classify(frame, dark, photon=float(photon))

    @pytest.mark.parametrize("deviation", [-257, -256, -255, 766, 767, 768, 769])
    @pytest.mark.parametrize("with_dark", [False, True])
    def test_the_window_s_edges(self, deviation, with_dark):
        shape = (30, 200)
        dark = np.full(shape, 900.25) if with_dark else None
        frame = np.full(shape, 1000, np.uint16)
        frame[::4, ::5] += 1
        at = [0, 1, 62, 63, 64, 65, 127, 128, 134, 135, 136, 191, 192, 198, 199]
        for row, y in enumerate(at):
            frame[2 * row, y] = 1000 + deviation
        assert check_find(frame, dark, std_threshold=2.2)
        assert check_find(frame, dark, threshold=3700.3 if not with_dark else 400.1)
        assert check_classify(frame, dark, photon=abs(deviation) * 1.7)

    @pytest.mark.parametrize("share", [0.001, 0.02, 0.5, 0.97])
    @pytest.mark.parametrize("name", [None, "float64", "all over the range", "one hot pixel"])
    def test_saturated_pixels(self, share, name):
        shape = (60, 150)
        frame = counts(shape, seed=7)
        frame[np.random.default_rng(1).random(shape) < share] = 65535
        dark = None if name is None else darks(shape)[name]
        check_find(frame, dark)
        check_find(frame, dark, threshold=100_000.7)
        check_classify(frame, dark, photon=70_001.3)

    @pytest.mark.parametrize("dark", [0.0, 0.25, -0.5, 0.5, 1.0, 3.25])
    @pytest.mark.parametrize("brightest", [65535, 65534, 65532])
    def test_a_saturated_pixel_above_a_dark_of_nothing(self, dark, brightest):
        frame = np.full((12, 70), 5, np.uint16)
        frame[5, 20] = frame[7, 68] = frame[9, 64] = brightest
        dark = np.full(frame.shape, dark)
        table = classify_as_reference(frame, 1e5, {"dark": dark, "mask": None}, **GAIN)
        assert table.sizes["photon"] == 3
        assert check_find(frame, dark, threshold=60_000.0)

    @pytest.mark.parametrize("number", [400, 6000])
    def test_many_candidates(self, number):
        frame = counts((260, 200), photon=0, noise=6.0, seed=number)
        std_threshold = {400: 2.5, 6000: 1.2}[number]
        assert check_find(frame, darks(frame.shape)["float64"], std_threshold=std_threshold)

    def test_sampled_rows_that_tell_nothing(self):
        frame = counts((256, 100), pedestal=1000, seed=1)
        for brighter in (0, 30_000):
            frame[::16] = brighter
            for dark in (None, darks(frame.shape)["float64"]):
                check_find(frame, dark)
                check_find(frame, dark, std_threshold=0.3)
                check_classify(frame, dark)

    @pytest.mark.parametrize("of_dark", ["plain", "crop", "reversed", "step 2", "transposed"])
    @pytest.mark.parametrize("of_frame", ["plain", "crop", "reversed", "step 2", "fortran"])
    def test_layouts(self, of_frame, of_dark):
        shape = (60, 135)
        frame = laid_out(counts(shape, seed=5), of_frame)
        for name in ("float64", "float32"):
            dark = laid_out(darks(shape)[name], of_dark)
            assert check_find(frame, dark)
            assert check_find(frame, dark, threshold=100.3)
            assert check_classify(frame, dark)
            check_integrate(frame, (0.11, -3e-4), {"dark": dark})


@st.composite
def wild_counts(draw):
    """Counts near a pedestal with outliers anywhere, and a dark in steps of 1/8 or finer."""
    shape = (draw(st.integers(4, 40)), draw(st.sampled_from([*range(4, 9), *range(60, 135, 3)])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pedestal = draw(st.sampled_from([0, 3, 300, 1000, 17_000, 65_300, 65_535]))
    spread = draw(st.sampled_from([1, 2, 5, 200, 1100]))
    frame = pedestal + rng.integers(-spread, spread + 1, shape)
    outliers = rng.random(shape) < draw(st.sampled_from([0.0, 0.01, 0.1]))
    low, high = draw(st.sampled_from([(0, 65536), (700, 900), (65_535, 65_536), (0, 1)]))
    frame[outliers] = rng.integers(low, high, int(outliers.sum()))
    frame = np.clip(frame, 0, 65535).astype(np.uint16)
    kind = draw(st.sampled_from(["none", "small", "near", "wild", "frame", "negative"]))
    if kind == "none":
        return frame, None
    steps = draw(st.sampled_from([1, 2, 8, 2**11, 2**24]))
    fractions = rng.integers(-4 * steps, 4 * steps + 1, shape) / steps
    dark = {
        "small": np.maximum(fractions, 0),
        "near": np.clip(pedestal, 4, 16379) + fractions,
        "wild": 8000 + 1900 * fractions,
        "frame": frame + np.where(rng.random(shape) < 0.1, fractions, 0),
        "negative": fractions - 1,
    }[kind]
    return frame, dark.astype(draw(st.sampled_from(["float64", "float32"])))


@fuzzed
@given(
    stack=wild_counts(),
    std_threshold=st.sampled_from([-0.4, 0.3, 1.3, 2.7, 3.5]),
    offset=st.sampled_from([None, -3.25, 0.0, 1.5, 40.0, 250_000.0]),
    threads=st.integers(1, 3),
)
def test_find_photons_in_wild_counts(stack, std_threshold, offset, threads):
    frame, dark = stack
    level = 4 * np.median(reference.corrected(frame, dark))
    threshold = None if offset is None else float(level + offset)
    options = {"threshold": threshold, "std_threshold": std_threshold}
    assume(check_find(frame, dark, **options, threads=threads))


@fuzzed
@given(
    stack=wild_counts(),
    photon=st.sampled_from([1.37, 5.3, 41.7, 1000.3, 200_000.7]),
    candidate_low=st.sampled_from([-0.3, 0.0003, 0.2, 0.6]),
    threads=st.integers(1, 3),
)
def test_classify_photons_in_wild_counts(stack, photon, candidate_low, threads):
    frame, dark = stack
    img = reference.corrected(frame, dark)
    img = img - img.mean()
    sums = sum(
        np.pad(img, 1)[1 + i : 1 + i + img.shape[0], 1 + j : 1 + j + img.shape[1]]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    )
    scale = np.abs(img).max() + 1
    assume(not any(is_near(sums, limit * photon, scale) for limit in (0.0, 0.2, 1.5)))
    assume(check_classify(frame, dark, photon=photon, candidate_low=candidate_low, threads=threads))


def float_frame(kind, shape=(70, 1030), seed=0):
    rng = np.random.default_rng(seed)
    frame = rng.normal(10, 1, shape)
    for x, y in zip(*photon_places(shape, rng, 30), strict=True):
        frame[x, y] += 60 + rng.random()
    if kind == "whole":
        frame = np.round(frame)
    elif kind == "tiny":
        frame *= 1e-30
    elif kind == "denormal":
        frame *= 1e-42
    elif kind == "large":
        frame *= 1e30
    elif kind == "largest":
        frame *= 1e36
    elif kind == "negative":
        frame -= 1e4
    elif kind == "ties":
        frame = rng.integers(0, 4, shape) * np.float32(0.1)
    elif kind == "nearly ties":
        frame = 1 + rng.integers(0, 4, shape) * 2.0**-23
    elif kind == "many scales":
        frame = 10.0 ** rng.uniform(-12, 8, shape) * rng.choice([-1, 1], shape)
    return frame.astype(np.float32)


FLOATS = (
    *("noise", "whole", "tiny", "denormal", "large", "largest"),
    *("negative", "ties", "nearly ties", "many scales"),
)


def assert_as_doubles(frames, dark=None, mask=None, **options):
    """Floats give what the same numbers give as doubles, but for the base's last digit."""
    narrow = find_photons(frames, dark=dark, mask=mask, **options)
    wide = find_photons(frames.astype(np.float64), dark=dark, mask=mask, **options)
    for name in ("frame", "double", "n_dropped", "threshold"):
        np.testing.assert_array_equal(narrow[name], wide[name])
    scale = float(np.abs(frames).max())
    np.testing.assert_allclose(narrow["base"], wide["base"], rtol=1e-15, atol=1e-15 * scale)
    for name, atol in (("x", 1e-9), ("y", 1e-9), ("charge", 1e-13 * scale)):
        np.testing.assert_allclose(narrow[name], wide[name], rtol=1e-13, atol=atol)
    return narrow


class TestFloats:
    """float32 frames, which are searched in single precision, against the same as float64."""

    @pytest.mark.parametrize("kind", FLOATS)
    @pytest.mark.parametrize("ny", [5, 66, 514])
    def test_as_doubles(self, kind, ny):
        frame = float_frame(kind, (60, ny))
        squares = reference.squares(frame)
        if kind != "denormal":  # whose squares' spread is nothing
            assert_as_doubles(frame)
        for share in (0.5, 0.9, 0.99):
            threshold = float(np.quantile(squares, share))
            assert_as_doubles(frame, threshold=threshold)
            assert_as_doubles(frame, threshold=float(np.nextafter(threshold, -np.inf)))

    @pytest.mark.parametrize("kind", ["noise", "ties", "nearly ties", "whole"])
    def test_as_reference(self, kind):
        frame = float_frame(kind, (40, 530))
        threshold = float(np.quantile(reference.squares(frame), 0.9))
        assert check_find(frame, threshold=threshold)
        table = find_photons(frame, threshold=threshold)
        assert table.sizes["photon"] > 50

    @pytest.mark.parametrize("value", [1e8, 9e36, 1.1e37, 3.4e38])
    @pytest.mark.parametrize("x", [20, 255, 256, 299])
    @pytest.mark.parametrize("y", [512])
    def test_one_huge_pixel(self, value, x, y):
        frame = float_frame("noise", (300, 1030))[:, : y + 70].copy()
        frame[x, y] = value
        table = assert_as_doubles(frame, threshold=60.0)
        assert table.sizes["photon"] + table["n_dropped"].item() > 5
        frame[x, y] = -value
        assert_as_doubles(frame, threshold=60.0)

    @pytest.mark.parametrize("y", [1, 63, 510, 511, 512, 598])
    @pytest.mark.parametrize("places", [(0, 1), (2, 3), (0, 2), (1, 3)])
    def test_a_pixel_far_above_all_before_that_is_found_only_by_what_is_added(self, y, places):
        digit = 2.0**-11  # the last of a float of 4096
        frame = np.zeros((12, 601), np.float32)
        corners = [(4, y), (4, y + 1), (5, y), (5, y + 1)]
        for k in range(4):
            other = [corners[i] for i in places if i != k]
            img = frame.copy()
            for at in other:
                img[at] = 0.49 * digit
            img[corners[k]] = 4096.0
            added = float(img[4:6, y : y + 2].astype(np.float64).sum())
            for threshold in (4096 + 0.25 * digit, 4096 + 0.75 * digit, added - 1e-9):
                expected = reference.find_photons(img, threshold=threshold)
                table = assert_as_doubles(img, threshold=threshold)
                assert table.sizes["photon"] == len(expected.x)

    def test_classify(self):
        for kind in ("noise", "whole", "ties", "negative"):
            frame = float_frame(kind, (60, 530))
            narrow = classify_photons(frame, 70.3, **GAIN)
            wide = classify_photons(frame.astype(np.float64), 70.3, **GAIN)
            assert contents(narrow) == contents(wide)
            assert check_classify(frame, photon=70.3)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("x", [0, 17, 255, 256])
    @pytest.mark.parametrize("y", [0, 512, 529])
    def test_what_is_no_number_is_an_error(self, bad, x, y):
        frame = np.ones((2, 300, 530), np.float32)
        frame[1, x, y] = bad
        for call in (
            lambda: find_photons(frame),
            lambda: find_photons(frame, threshold=10.0),
            lambda: classify_photons(frame, 530.0),
            lambda: integrate_frames(frame, curvature=(0.1, 0.0)),
        ):
            with pytest.raises(NonFinitePixelsError, match="frame 1 has 1 pixel"):
                call()


@fuzzed
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(4, 20), st.sampled_from([4, 5, 8, 9, 65, 66, 513, 514, 520])),
    scales=st.sampled_from([(0, 0), (0, 3), (-7, 0), (-30, -20), (0, 7), (-3, 36)]),
    share=st.sampled_from([0.0, 0.3, 0.9, 0.99]),
    digits=st.sampled_from([2, 4, 1000]),
)
@example(seed=0, shape=(12, 520), scales=(-7, 3), share=0.99, digits=1000)
def test_floats_of_many_scales_are_found_as_doubles(seed, shape, scales, share, digits):
    rng = np.random.default_rng(seed)
    powers = 10.0 ** rng.integers(*scales, shape, endpoint=True)
    frame = (
        rng.integers(1, digits, shape) / digits * powers * rng.choice([1, 1, 1, -1], shape)
    ).astype(np.float32)
    squares = np.sort(reference.squares(frame).ravel())
    # Just below a square that is there, so that rounding counts.
    threshold = float(np.nextafter(squares[int(share * (squares.size - 1))], -np.inf))
    assert_as_doubles(frame, threshold=threshold)


DTYPES = ("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def stack_of(dtype, number=4, shape=(530, 66)):
    rng = np.random.default_rng(8)
    stack = np.stack([counts(shape, pedestal=60, seed=k, number=30) for k in range(number)])
    if dtype == "uint8":
        stack = np.minimum(stack, 255)
    stack = stack.astype(dtype)
    if dtype in ("float32", "float64"):
        stack += rng.random(stack.shape).astype(dtype)
    dark = 60 + rng.normal(0, 1, shape)
    return stack, dark, rng.random(shape) < 0.01


def columns(table):
    return {name: np.asarray(variable) for name, variable in table.variables.items()}


CALLS = {
    "find": lambda frames, **options: find_photons(frames, **options),
    "find fixed": lambda frames, **options: find_photons(frames, threshold=90.3, **options),
    "classify": lambda frames, **options: classify_photons(frames, PHOTON, **GAIN, **options),
}


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("of_dark", [None, "float64", "float32"])
@pytest.mark.parametrize("dtype", DTYPES)
class TestSameBytes:
    """However the work is shared out."""

    def chip(self, dark, mask, of_dark, with_mask):
        if of_dark is not None:
            dark = dark.astype(of_dark)
        return {
            "dark": None if of_dark is None else dark,
            "mask": mask if with_mask else None,
        }

    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    def test_photons(self, call, dtype, of_dark, with_mask):
        stack, dark, mask = stack_of(dtype, number=2)
        chip = self.chip(dark, mask, of_dark, with_mask)
        whole = columns(call(stack, **chip, threads=1))
        assert whole["x"].size > 20
        for threads in (2, 3, 5):
            again = columns(call(stack, **chip, threads=threads))
            for name, values in whole.items():
                np.testing.assert_array_equal(again[name], values, err_msg=name)
        for threads in (3,):
            parts = [columns(call(frame, **chip, threads=threads)) for frame in stack]
            for name in ("x", "y", "charge", "double"):
                joined = np.concatenate([part[name] for part in parts])
                np.testing.assert_array_equal(joined, whole[name], err_msg=name)
            for name in ("threshold", "base", "n_dropped"):
                joined = np.ravel([part[name] for part in parts])
                np.testing.assert_array_equal(joined, np.ravel(whole[name]), err_msg=name)

    def test_spectra(self, dtype, of_dark, with_mask):
        stack, dark, mask = stack_of(dtype, number=2, shape=(530, 40))
        chip = self.chip(dark, mask, of_dark, with_mask)
        options = {"curvature": (0.0240845, -3.6953e-7), **chip}
        whole = integrate_frames(stack, **options, threads=1)
        for threads in (2, 3, 5):
            again = integrate_frames(stack, **options, threads=threads)
            np.testing.assert_array_equal(again, whole)
        for threads in (1, 3):
            alone = [integrate_frames(frame, **options, threads=threads) for frame in stack]
            np.testing.assert_array_equal(alone, whole)
        chunked = [integrate_frames(stack[:1], **options), integrate_frames(stack[1:], **options)]
        np.testing.assert_array_equal(np.concatenate(chunked), whole)


CURVATURES = [
    (0.0, 0.0),
    (0.0240845, -3.6953e-7),
    (1e-4, 0.0),
    (-1e-4, 1e-7),
    (0.31, 4e-4),
    (-0.31, 4e-4),
    (-0.8, -1e-3),
    (3.7, -0.0071),
    (-20.3, 0.04),
    (1 / 72, 0.0),
    (1 / 73, 0.0),
    (-0.256, 0.0005),
]


class TestIntegrate:
    @pytest.mark.parametrize("curvature", CURVATURES)
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_as_reference(self, curvature, dtype):
        stack, dark, mask = stack_of(dtype, number=1, shape=(300, 70))
        for chip in ({}, {"dark": dark}, {"dark": dark.astype("f4"), "mask": mask}, {"mask": mask}):
            check_integrate(stack, curvature, chip)

    @pytest.mark.parametrize("nx", [4, 71, 72, 73, 144, 145, 255, 256, 257, 328, 329, 513])
    @pytest.mark.parametrize("dtype", ["uint8", "uint16"])
    def test_the_largest_counts_do_not_overflow(self, nx, dtype):
        frame = np.full((nx, 9), np.iinfo(dtype).max, dtype)
        for curvature in ((0.0, 0.0), (1e-5, 0.0), (-1e-5, 0.0), (0.01, 0.0)):
            spectrum = check_integrate(frame, curvature, {})
            np.testing.assert_allclose(spectrum, np.iinfo(dtype).max, rtol=1e-13)

    @pytest.mark.parametrize("name", [name for name in DARKS if name != "huge"])
    def test_darks(self, name):
        shape = (300, 70)
        check_integrate(counts(shape), (0.11, -3e-4), {"dark": darks(shape)[name]})

    @pytest.mark.parametrize("a", [0.02, 0.18, 0.26, 0.3, 0.6, 0.7, 0.1])
    @pytest.mark.parametrize("x", [5, 10, 20, 50])
    def test_a_row_that_no_pixel_reaches_is_nan_whatever_is_rounded(self, a, x):
        # The one row that is not masked moves by a whole number of rows, or nearly.
        frame = counts((64, 300))
        mask = np.ones(frame.shape, bool)
        mask[x] = False
        expected, weights, _ = reference.integrate(frame, curvature=(a, 0.0), mask=mask)
        for dark in (None, np.full(frame.shape, 990.3)):
            # Of the core itself: in front of it, a mask that leaves so little is an error.
            sums, reached = _core.integrate_frames(
                frame, curve_a=a, curve_b=0.0, dark=dark, mask=mask.view(np.uint8), threads=1
            )
            spectrum = np.where(reached > 0, sums, np.nan).reshape(-1)
            certain = (weights == 0) | (weights > 1e-9)
            np.testing.assert_array_equal(np.isnan(spectrum)[certain], np.isnan(expected)[certain])


@fuzzed
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(4, 300), st.integers(4, 40)),
    a=st.floats(-30, 30) | st.floats(-0.1, 0.1),
    b=st.floats(-0.1, 0.1) | st.floats(-1e-4, 1e-4) | st.just(0.0),
    dtype=st.sampled_from(DTYPES),
    with_dark=st.booleans(),
)
def test_integrate_frames_along_any_line(seed, shape, a, b, dtype, with_dark):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 120, shape).astype(dtype)
    dark = rng.normal(50, 10, shape) if with_dark else None
    check_integrate(frame, (a, b), {"dark": dark})
