"""Medians of an image's lines are those of NumPy, in all ways through them."""

import warnings

import numpy as np
import pytest

from hrixs.utils.statistics import cell_medians, line_medians, median_of


def image_with_gaps(shape: tuple[int, int], share: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.rint(rng.normal(100, 5, shape)) / 4
    image[rng.random(shape) < share] = np.nan
    image[0, :] = np.where(np.isnan(image[0]), 3.0, image[0])  # no column without a number
    image[:, 0] = np.where(np.isnan(image[:, 0]), 5.0, image[:, 0])
    return image


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.95])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (130, 257), (200, 64)])
@pytest.mark.parametrize("threads", [1, 3])
def test_medians_are_those_of_numpy(
    axis: int, share: float, shape: tuple[int, int], threads: int
) -> None:
    image = image_with_gaps(shape, share)
    before = image.copy()
    found = line_medians(image, axis, threads=threads)
    assert found.tobytes() == np.nanmedian(image, axis=axis).tobytes()
    less = np.arange(shape[axis], dtype=np.float64)
    own = image - np.expand_dims(less, 1 - axis)
    found = line_medians(image, axis, less=less, threads=threads)
    assert found.tobytes() == np.nanmedian(own, axis=axis).tobytes()
    assert image.tobytes() == before.tobytes()


def test_a_line_without_a_number_has_none() -> None:
    image = np.ones((3, 4))
    image[1] = np.nan
    np.testing.assert_array_equal(line_medians(image, 1), [1.0, np.nan, 1.0])
    np.testing.assert_array_equal(line_medians(image, 0), np.ones(4))


@pytest.mark.parametrize("kind", ["alike", "of different levels", "of many"])
def test_medians_of_a_large_image_are_those_of_numpy(kind: str) -> None:
    rng = np.random.default_rng(3)
    image = np.rint(rng.normal(100, 5, (700, 900))) / 20
    if kind == "of different levels":
        image += 10 * rng.normal(size=900)
        image[100:150] += 1e3
    elif kind == "of many":
        image[rng.random(image.shape) < 0.3] = np.nan
        image[rng.random(image.shape) < 0.1] = -np.inf
        image[3], image[:, 7] = np.nan, np.inf
        image[3, 7] = np.nan
    for axis in (0, 1):
        with warnings.catch_warnings(action="ignore"):
            expected = np.nanmedian(image, axis=axis)
        np.testing.assert_array_equal(line_medians(image, axis), expected)


@pytest.mark.parametrize("size", [(64, 64), (7, 40), (300, 5), (1, 2), (1000, 1000)])
@pytest.mark.parametrize("as_it_lies", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_medians_of_cells_are_those_of_numpy(
    size: tuple[int, int], as_it_lies: bool, threads: int
) -> None:
    image = image_with_gaps((130, 257), 0.2)
    if not as_it_lies:
        image = np.asfortranarray(image)
    of_y, of_x = np.arange(257.0) / 3, np.arange(130.0) / 7
    medians, n = cell_medians(image, size, less_of_y=of_y, less_of_x=of_x, threads=threads)
    own = image - of_y - of_x[:, None]
    assert medians.shape == n.shape == (-(-130 // size[0]), -(-257 // size[1]))
    for i, j in np.ndindex(medians.shape):
        cell = own[i * size[0] : (i + 1) * size[0], j * size[1] : (j + 1) * size[1]]
        assert n[i, j] == np.count_nonzero(~np.isnan(cell))
        if n[i, j]:
            assert medians[i, j] == np.nanmedian(cell)
        else:
            assert np.isnan(medians[i, j])


def test_cells_that_do_not_fit_are_refused() -> None:
    image = np.ones((3, 4))
    with pytest.raises(ValueError, match="cells of 0 x 1 pixels, expected 1 or more"):
        cell_medians(image, (0, 1))
    with pytest.raises(ValueError, match="less_of_y has 3 values, expected 4"):
        cell_medians(image, (1, 1), less_of_y=np.ones(3))
    with pytest.raises(ValueError, match="less_of_x has 4 values, expected 3"):
        cell_medians(image, (1, 1), less_of_x=np.ones(4))
    medians, n = cell_medians(np.ones((0, 4)), (1, 4))
    assert medians.shape == n.shape == (0, 1)


@pytest.mark.parametrize("n", [1, 2, 99_999, 100_000, 300_001])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9999])
@pytest.mark.parametrize("kind", ["real", "whole", "sorted", "two"])
def test_median_of_many_is_that_of_numpy(n: int, share: float, kind: str) -> None:
    rng = np.random.default_rng(n)
    values = rng.normal(100, 3, n)
    if kind == "whole":
        values = np.rint(values)
    elif kind == "sorted":
        values = np.sort(values)
    elif kind == "two":
        values = np.where(np.arange(n) % (n // 4096 or 1) == 0, 1.0, 7.0)  # as no sample is
    values[1:][rng.random(n - 1) < share] = np.nan
    assert median_of(values) == np.nanmedian(values)


def test_median_of_infinite_values_is_that_of_numpy() -> None:
    values = np.full(200_000, np.inf)
    values[:100] = 3.0
    assert median_of(values) == np.inf
