"""The correction of positions inside the pixel: against truth, and where it is refused."""

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import cKDTree

from hrixs import (
    HrixsWarning,
    NoPhaseCorrectionError,
    PhaseCorrection,
    classify_photons,
    phase_correction,
)
from hrixs import phase_uniformity as uniformity
from hrixs.photons.phases import phase_of
from hrixs.simulation import CURVE_A, CURVE_B, Sensor, SpectralLine, simulate_frames

TILT = (CURVE_A, CURVE_B)
UNTILTED = (0.0, 0.0)


def true_photons(n, *, curvature=TILT, sigma=1.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.5, 2047.5, n)
    return x, 100.2 + rng.normal(0, sigma, n) + (curvature[1] * x + curvature[0]) * x


def measured(x, y, *, bias=0.08, algorithm="centroid_two"):
    """A photon table with a known bias towards the pixel's centre, peak to peak."""
    columns = {name: at - bias / 2 * np.sin(2 * np.pi * at) for name, at in (("x", x), ("y", y))}
    columns["double"] = np.zeros(len(x), bool)
    table = xr.Dataset({name: ("photon", values) for name, values in columns.items()})
    return table.assign_attrs(algorithm=algorithm, energy=530.0)


@pytest.fixture(scope="module")
def truth():
    return true_photons(20_000)


@pytest.fixture(scope="module")
def photons(truth):
    return measured(*truth)


@pytest.fixture(scope="module")
def correction(photons):
    return phase_correction(photons, curvature=TILT)


def test_a_known_bias_is_taken_away(photons, correction, truth):
    corrected = correction.apply(photons)
    for name, true in zip(("x", "y"), truth, strict=True):
        before, after = photons[name].values - true, corrected[name].values - true
        assert np.sqrt(np.mean(before**2)) == pytest.approx(0.08 / 2 / np.sqrt(2), rel=0.02)
        # What is left is the error of the table.
        assert np.sqrt(np.mean(after**2)) < 2 * correction.table.attrs["table_err"]


def test_photons_that_were_not_learned_from_get_better_as_well(correction):
    x, y = true_photons(20_000, seed=9)
    other = measured(x, y)
    assert not uniformity(other, curvature=TILT).is_uniform("y")
    assert uniformity(correction.apply(other), curvature=TILT).table.bias_pp.max() < 0.015


def test_stated_error_of_the_table_is_its_scatter():
    errors = []
    for seed in range(40):
        table = phase_correction(
            measured(*true_photons(2000, seed=seed), bias=0.0), curvature=TILT, min_singles=1000
        ).table
        errors.append((table.unbiased - table.phase).values)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(table.attrs["table_err"], rel=0.15)


def test_positions_move_only_within_their_pixel(correction):
    edges = np.arange(0, 2000) + 0.5
    y = np.concatenate([np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf)])
    corrected = correction.apply(measured(y, y, bias=0.0))
    np.testing.assert_array_equal(np.floor(corrected.y + 0.5), np.floor(y + 0.5))
    order = np.argsort(y, kind="stable")
    assert (np.diff(corrected.y.values[order]) >= 0).all()


def test_phases_that_no_photon_had_stay_in_their_pixel_as_well(truth):
    x, y = (np.floor(at + 0.5) + 0.8 * phase_of(at) for at in truth)
    gap = phase_correction(measured(x, y, bias=0.0), curvature=TILT)
    y = np.array([99.55, 100.0, 100.45])
    corrected = gap.apply(measured(y, y, bias=0.0)).y
    np.testing.assert_array_equal(np.floor(corrected + 0.5), [100, 100, 100])
    np.testing.assert_allclose(corrected, [99.5, 100.0, 100.5], atol=0.02)


def test_the_table_is_monotone_from_edge_to_edge(correction):
    unbiased = correction.table.unbiased
    assert (unbiased.diff("phase") >= 0).all()
    assert (unbiased.isel(phase=0) == -0.5).all()
    assert (unbiased.isel(phase=-1) == 0.5).all()
    assert unbiased.sizes == {"axis": 2, "phase": 201}


class TestWhoMoves:
    @pytest.fixture
    def mixed(self, photons):
        kinds = np.arange(photons.sizes["photon"]) % 3
        return photons.assign(
            double=("photon", kinds == 1), flag=("photon", np.where(kinds == 2, 8, 0))
        )

    def test_singles_do_and_doubles_and_flagged_ones_do_not(self, correction, mixed):
        corrected = correction.apply(mixed)
        moved = corrected.y.values != mixed.y.values
        assert not moved[mixed.double.values | (mixed.flag.values != 0)].any()
        assert moved[::3].mean() > 0.99
        assert corrected.attrs["n_phase_corrected"] == len(moved[::3])
        assert corrected.attrs["phase_corrected"] == 1

    def test_doubles_do_when_asked(self, correction, mixed):
        corrected = correction.apply(mixed, doubles=True)
        moved = corrected.y.values != mixed.y.values
        assert moved[1::3].mean() > 0.99
        assert not moved[2::3].any()

    def test_only_singles_are_learned_from(self, mixed):
        learned = phase_correction(mixed, curvature=TILT, min_singles=5000)
        alone = phase_correction(
            mixed.isel(photon=slice(0, None, 3)), curvature=TILT, min_singles=1
        )
        xr.testing.assert_equal(learned.table, alone.table)
        assert learned.table.attrs["n_doubles"] == 6667
        assert learned.table.attrs["n_flagged"] == 6666


def test_the_rest_of_the_table_stays(photons, correction):
    before = photons.copy(deep=True)
    corrected = correction.apply(photons)
    xr.testing.assert_identical(photons, before)
    xr.testing.assert_identical(corrected.double, photons.double)
    assert corrected.attrs["algorithm"] == "centroid_two"
    assert corrected.attrs["energy"] == 530.0


def test_it_goes_through_netcdf(tmp_path, photons, correction):
    correction.table.to_netcdf(tmp_path / "correction.nc", engine="h5netcdf")
    read = PhaseCorrection(xr.load_dataset(tmp_path / "correction.nc", engine="h5netcdf"))
    xr.testing.assert_identical(read.apply(photons), correction.apply(photons))
    assert repr(read) == repr(correction)


def test_it_says_how_far_photons_move(correction):
    assert "from 20000 single photons" in repr(correction)
    assert "y: moves up to 0.04" in repr(correction)
    assert "error of the table: 0.0029 px rms" in repr(correction)


class TestRefused:
    def test_without_the_curvature(self, photons):
        with pytest.raises(
            NoPhaseCorrectionError, match="100% of the phases of a narrow line"
        ) as e:
            phase_correction(photons)
        assert "Give curvature=(CURVE_A, CURVE_B) of this run" in str(e.value)

    def test_on_a_line_that_is_not_tilted(self):
        flat = measured(*true_photons(10_000, curvature=UNTILTED, sigma=0.3))
        with pytest.raises(NoPhaseCorrectionError, match="cross too few rows"):
            phase_correction(flat, curvature=UNTILTED)

    def test_on_a_line_too_sharp_for_its_tilt(self):
        curvature = (3.5 / 2048, 0.0)
        narrow = measured(*true_photons(10_000, curvature=curvature, sigma=0.1), bias=0.0)
        with pytest.raises(NoPhaseCorrectionError, match="too sharp for their tilt"):
            phase_correction(narrow, curvature=curvature)

    def test_on_a_line_that_crosses_rows_slowly(self):
        # Over four rows the phases are uniform, and only because all columns are as bright.
        curvature = (4 / 2048, 0.0)
        narrow = measured(*true_photons(10_000, curvature=curvature, sigma=0.2), bias=0.0)
        with pytest.raises(NoPhaseCorrectionError, match="8 blocks of columns differ"):
            phase_correction(narrow, curvature=curvature)

    @pytest.mark.parametrize("n", [0, 9_999])
    def test_on_too_few_photons(self, n):
        with pytest.raises(NoPhaseCorrectionError, match=f"{n} single photons, expected at least"):
            phase_correction(measured(*true_photons(n)), curvature=TILT)

    def test_not_where_the_table_of_x_serves_for_y(self):
        x, y = true_photons(20_000, curvature=UNTILTED, sigma=0.3)
        flat = measured(x, y)
        correction = phase_correction(flat, y_from_x=True)
        assert np.std(correction.apply(flat).y.values - y) < 0.3 * np.std(flat.y.values - y)
        assert "(the table of x)" in repr(correction)


def test_a_line_that_is_not_as_tilted_as_was_said_is_a_warning():
    flat = measured(*true_photons(10_000, curvature=UNTILTED, sigma=0.2))
    with pytest.warns(HrixsWarning, match="Check that the curvature is that of this run"):
        phase_correction(flat, curvature=TILT)


class TestNotApplied:
    def test_twice(self, photons, correction):
        with pytest.raises(ValueError, match="were already corrected"):
            correction.apply(correction.apply(photons))

    def test_to_photons_of_another_finder(self, truth, correction):
        with pytest.raises(ValueError, match=r"from centroid_one, .* learned from centroid_two"):
            correction.apply(measured(*truth, algorithm="centroid_one"))

    def test_to_photons_placed_another_way(self, photons, correction):
        with pytest.raises(ValueError, match="from centroid_two with position='gaussian'"):
            correction.apply(photons.assign_attrs(position="gaussian"))
        correction.apply(photons.assign_attrs(position="com"))

    def test_to_what_is_no_photon_table(self, correction):
        with pytest.raises(ValueError, match="expected a photon table"):
            correction.apply(correction.table)


@pytest.mark.parametrize(
    ("table", "error"), [({}, TypeError), (xr.Dataset({"unbiased": ("phase", [0.0])}), ValueError)]
)
def test_not_a_correction(table, error):
    with pytest.raises(error, match="the table of a PhaseCorrection"):
        PhaseCorrection(table)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"n_knots": 2}, "at least 3"),
        ({"min_singles": 0}, "min_singles"),
        ({"curvature": 1}, "pair"),
    ],
)
def test_bad_settings(photons, options, text):
    with pytest.raises(ValueError, match=text):
        phase_correction(photons, **({"curvature": TILT} | options))


def test_centres_of_mass_of_simulated_photons_get_better():
    sensor = Sensor(shape=(1024, 400), cloud_sigma=0.8)
    frames, truth = simulate_frames(
        8, sensor=sensor, lines=(SpectralLine(180, 40, 1),), photons_per_frame=900, seed=1
    )
    photons = classify_photons(frames, 530.0, dark=sensor.pattern, candidate_low=0.12, threads=1)
    correction = phase_correction(photons, curvature=TILT, min_singles=5000)
    tree = cKDTree(np.stack([1e4 * truth.frame, truth.x, truth.y], axis=1))
    places = np.stack([1e4 * photons.frame, photons.x, photons.y], axis=1)
    distance, match = tree.query(places)
    near = (distance < 1) & ~photons.double.values
    before, after = (
        (table.y.values - truth.y.values[match])[near]
        for table in (photons, correction.apply(photons))
    )
    assert np.std(after) < 0.9 * np.std(before)
    edge = np.abs(phase_of(truth.y.values[match][near])) > 0.4
    assert np.std(after[edge]) < np.std(before[edge])
