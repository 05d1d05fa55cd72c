"""Photon tables of lists that another program made, and the functions that take them."""

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import hRIXS, photon_table_from

SHAPE = (600, 400)
CURVE = (0.03, -1e-5)
N_FRAMES = 12


def events(n_frames=N_FRAMES, per_frame=600, seed=1, drift=0.0):
    """A list as other beamlines have it: x, y, frame; two lines on a tilted curve."""
    rng = np.random.default_rng(seed)
    n = n_frames * per_frame
    frame = np.repeat(np.arange(n_frames), per_frame)
    x = rng.uniform(2, SHAPE[0] - 3, n)
    row = rng.choice([150.0, 220.0], n, p=[0.7, 0.3]) + drift * (frame - n_frames / 2)
    y = rng.normal(row, 1.3) + CURVE[0] * x + CURVE[1] * x**2
    return x, y, frame


def table(**options):
    x, y, frame = events(**options)
    return photon_table_from(x, y, frame=frame, n_frames=N_FRAMES + 1, shape=SHAPE)


def test_its_columns_are_what_was_given_and_nothing_else():
    photons = photon_table_from([1.0, 2.5], [3.0, 4.5])
    assert set(photons.variables) == {"x", "y", "double", "frame", "frames_frame"}
    np.testing.assert_array_equal(photons.x, [1.0, 2.5])
    np.testing.assert_array_equal(photons.y, [3.0, 4.5])
    np.testing.assert_array_equal(photons.double, [False, False])
    assert photons.x.attrs["units"] == "px"
    with_more = photon_table_from([1, 2], [3, 4], charge=[100, 210], double=[0, 1], frame=[0, 3])
    np.testing.assert_array_equal(with_more.charge, [100, 210])
    assert with_more.charge.attrs["units"] == "ADU"
    np.testing.assert_array_equal(with_more.double, [False, True])
    assert with_more.sizes["frames"] == 4


@pytest.mark.parametrize("kind", ["list", "xarray", "integers"])
def test_columns_of_any_kind(kind):
    x, y = [3, 4, 5], [10, 11, 12]
    if kind == "xarray":
        x, y = (xr.DataArray(one, dims="event") for one in (x, y))
    if kind == "integers":
        x, y = np.array(x, np.uint16), np.array(y, np.int32)
    photons = photon_table_from(x, y)
    np.testing.assert_array_equal(photons.y, [10.0, 11.0, 12.0])


def test_columns_of_a_text_file(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("x,y,frame\n10.2,40.5,0\n11.7,40.6,0\n12.0,90.1,1\n")
    x, y, frame = np.genfromtxt(path, delimiter=",", skip_header=1, unpack=True)
    photons = photon_table_from(x, y, frame=frame)
    np.testing.assert_array_equal(photons.frame, [0, 0, 1])


@pytest.mark.parametrize(("first_centre", "name"), [(0.0, "hrixs"), (0.5, "corner"), (1.0, "1")])
def test_lists_that_count_from_elsewhere_make_the_same_spectrum(first_centre, name):
    x, y, frame = events()
    photons = photon_table_from(
        x + first_centre, y + first_centre, frame=frame, shape=SHAPE, first_centre=first_centre
    )
    np.testing.assert_allclose(photons.x, x, atol=1e-12)
    made = hrixs.photon_spectrum(photons, bins=400, range=(-0.5, 399.5), curvature=CURVE)
    expected = np.histogram(y - CURVE[0] * x - CURVE[1] * x**2, 400, (-0.5, 399.5))[0]
    np.testing.assert_array_equal(made.sum("frame"), expected)


def test_photons_of_a_crop_lie_on_the_full_chip():
    photons = photon_table_from([1.0], [2.0], shape=(20, 30), first_pixel=(100, 700))
    assert (float(photons.x[0]), float(photons.y[0])) == (101.0, 702.0)
    np.testing.assert_array_equal(photons.attrs["first_pixel"], (100, 700))
    assert photons.attrs["y_range"] == (700, 730)


def test_frames_without_a_photon_have_a_spectrum_of_zeros():
    made = hrixs.photon_spectrum(table(), bins=100, range=(0, 400))
    assert made.dims == ("frame", "y")
    np.testing.assert_array_equal(made.frame, np.arange(N_FRAMES + 1))
    assert made[-1].sum() == 0
    assert made.sum() == N_FRAMES * 600


def test_doubles_count_twice():
    photons = photon_table_from([1, 2], [3, 3], double=[False, True])
    assert hrixs.photon_spectrum(photons, bins=1, range=(0, 10)).sum() == 3


def test_curvature_width_and_axis():
    photons = table()
    fit = hrixs.fit_curvature(photons, shape=SHAPE)
    assert abs(fit.curve_a - CURVE[0]) < 4 * fit.curve_a_err
    spectrum = hrixs.photon_spectrum(
        photons, bins=1600, range=(-0.5, 399.5), curvature=fit.curvature
    )
    line = hrixs.line_width(spectrum.sum("frame", keep_attrs=True), region=(140, 160))
    assert line.fwhm == pytest.approx(2.355 * 1.3, rel=0.05)
    # Two more runs at other energies: the axis takes photon tables as they are.
    lines = [table(seed=2), photons]
    lines[0]["y"] = lines[0]["y"] + 50
    axis = hrixs.calibrate_energy(lines, [931.0, 930.0], curvature=fit.curvature)
    assert axis.slope == pytest.approx(1 / 50, rel=0.01)


def test_drift_is_found_and_taken_out():
    aligned = hrixs.align(table(drift=0.3), photons_per_group=600, curvature=CURVE)
    assert float(aligned.drift[-1] - aligned.drift[0]) == pytest.approx(0.3 * 11, abs=0.4)


def test_phases_and_their_correction():
    photons = table(per_frame=2000)
    found = hrixs.phase_uniformity(photons, curvature=CURVE)
    assert found.is_uniform("x")
    correction = hrixs.phase_correction(photons, curvature=CURVE)
    assert np.abs(correction.apply(photons).x - photons.x).max() < 0.1


def test_the_class_counts_and_fits_them():
    h = hRIXS()
    h.find_curvature(table(), method="photons", plot=False)
    assert abs(h.CURVE_A - CURVE[0]) < 4 * h.curvature_fit.curve_a_err
    h.ENERGY_INTERCEPT, h.ENERGY_SLOPE = 900.0, 0.02
    counted = h.count(table(), bins=400)
    assert counted.spectrum.dims == ("frame", "energy")
    assert counted.spectrum.sum() == N_FRAMES * 600
    assert counted.spectrum.sum("frame").energy.values[0] == pytest.approx(900.01)
    summed = h.aggregate(counted, dim="frame")
    assert summed.spectrum.dims == ("energy",)
    axis = h.calibrate_energy([table(), table().assign(y=table().y + 50)], [930, 931], plot=False)
    assert axis.slope == pytest.approx(1 / 50, rel=0.01)


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda p: hrixs.align(p), "photon_table_from\\(x, y, frame="),
        (lambda p: hrixs.estimate_cloud(p), "has no 'charge'; make it with find_photons"),
        (lambda p: hrixs.concat_photons([p, p]), "not from photon_parts"),
        (lambda p: hRIXS().count(p), "give the frames' shape"),
        (lambda p: hRIXS().centroid(p), "count\\(photons\\) makes its spectra"),
        (lambda p: hRIXS().count(with_shape(), xr.Dataset()), "does not list the trains"),
    ],
)
def test_what_needs_more_than_positions_says_so(use, text):
    x, y, _ = events()
    with pytest.raises((ValueError, LookupError), match=text):
        use(photon_table_from(x, y))


def with_shape():
    x, y, frame = events()
    return photon_table_from(x, y, frame=frame, shape=SHAPE)


@pytest.mark.parametrize(
    ("args", "options", "text"),
    [
        (([1, 2], [3]), {}, "different lengths: x 2, y 1"),
        (([1, 2], [3, 4]), {"frame": [0]}, "frame 1"),
        (([[1, 2]], [[3, 4]]), {}, r"photon_table_from\(\*table.T\)"),
        ((["a"], [1]), {}, "x has values that are not numbers"),
        (([np.nan, 1], [1, 1]), {}, "1 of 2 photons have a position that is NaN"),
        (([1], [1]), {"frame": [-1]}, "expected whole numbers from 0"),
        (([1], [1]), {"frame": [0.5]}, "expected whole numbers from 0"),
        (([1], [1]), {"frame": [1_600_000_000]}, "np.unique"),
        (([1], [1]), {"frame": [3], "n_frames": 3}, "below 3"),
        (([1], [1]), {"double": [2]}, "values other than 0 and 1"),
        (([1], [90]), {"shape": (100, 80)}, "Check the order"),
        (([-1], [10]), {"shape": (100, 80)}, "beside the 100 pixels"),
        (([1], [1]), {"shape": 100}, "expected pixels along x and y"),
        (([1], [1]), {"first_centre": "corner"}, "expected a number"),
    ],
)
def test_errors_help(args, options, text):
    with pytest.raises(ValueError, match=text):
        photon_table_from(*args, **options)


@pytest.mark.parametrize("take", [
    lambda p: hrixs.photon_spectrum(p, bins=4, range=(0, 10)),
    lambda p: hrixs.fit_curvature(p),
    lambda p: hrixs.phase_uniformity(p),
    lambda p: hrixs.align(p),
    lambda p: hrixs.calibrate_energy([p, p], [1, 2]),
])  # fmt: skip
def test_a_list_by_itself_is_told_how_to_become_a_table(take):
    by_hand = xr.Dataset({"x": ("photon", [1.0, 2.0]), "y": ("photon", [3.0, 4.0])})
    with pytest.raises(ValueError, match=r"expected a photon table .*make one: photon_table_from"):
        take(by_hand)


def test_an_array_is_told_how_to_become_a_table():
    with pytest.raises(TypeError, match="photon_table_from"):
        hrixs.photon_spectrum(np.zeros((5, 2)), bins=4, range=(0, 10))


def test_a_table_survives_a_file(tmp_path):
    photons = table()
    photons.to_netcdf(tmp_path / "photons.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "photons.nc", engine="h5netcdf") as again:
        made = hrixs.photon_spectrum(again.load(), bins=100, range=(0, 400))
    xr.testing.assert_equal(made, hrixs.photon_spectrum(photons, bins=100, range=(0, 400)))
