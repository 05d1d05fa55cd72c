"""Sub-pixel phases: when they are uniform, what makes them not so, and what is said about it."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from hrixs import HrixsWarning, classify_photons, phase_uniformity
from hrixs.photons.phases import (
    cumulative,
    kuiper,
    kuiper_p_value,
    left_by_tilt,
    phase_of,
)
from hrixs.simulation import CURVE_A, CURVE_B, Sensor, SpectralLine, simulate_frames

TILT = (CURVE_A, CURVE_B)


def table_of(x, y, **columns):
    columns = {"double": np.zeros(len(x), bool)} | columns | {"x": x, "y": y}
    return xr.Dataset({name: ("photon", values) for name, values in columns.items()})


def photons_on_line(n, *, curvature=TILT, sigma=1.3, bias=0.0, seed=0):
    """Photons of one line; `bias` is that of y, peak to peak, largest a quarter off the centre."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.5, 2047.5, n)
    y = 100.2 + rng.normal(0, sigma, n) + (curvature[1] * x + curvature[0]) * x
    return table_of(x, y - bias / 2 * np.sin(2 * np.pi * y))


def test_phase_is_the_distance_from_the_pixels_centre():
    x = np.array([-0.75, -0.5, 0.0, 0.25, 0.5, 700.75])
    np.testing.assert_array_equal(phase_of(x), [0.25, -0.5, 0.0, 0.25, -0.5, -0.25])


def test_phase_stays_in_range_at_the_edge_of_a_pixel():
    edges = np.arange(-3, 3000) + 0.5
    for x in (np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf)):
        assert ((phase_of(x) >= -0.5) & (phase_of(x) < 0.5)).all()


def test_cumulative_distribution_of_phases_on_the_edges():
    phase = np.array([0.0, -0.5, 0.25, -0.5])
    share = cumulative(phase, np.array([-0.5, 0.0, 0.1, 0.5]))
    np.testing.assert_array_equal(share, [0, 0.5, 0.75, 1])


def test_kuipers_statistic_is_the_sum_of_both_one_sided_distances():
    phase = np.random.default_rng(3).uniform(-0.5, 0.5, 200)
    above = stats.kstest(phase + 0.5, "uniform", alternative="greater").statistic
    below = stats.kstest(phase + 0.5, "uniform", alternative="less").statistic
    assert kuiper(phase) == pytest.approx(above + below, abs=1e-15)


def test_the_test_does_not_depend_on_where_the_circle_is_cut():
    phase = np.random.default_rng(4).normal(0, 0.3, 500)
    statistics = [kuiper(phase_of(phase + shift)) for shift in np.linspace(0, 1, 7)]
    np.testing.assert_allclose(statistics, statistics[0], atol=1e-12)


@pytest.mark.parametrize("n", [100, 3000])
def test_false_alarms_are_as_many_as_the_p_value_says(n):
    rng = np.random.default_rng(5)
    p = np.array([kuiper_p_value(kuiper(rng.uniform(-0.5, 0.5, n)), n) for _ in range(2000)])
    for level in (0.5, 0.1, 0.05, 0.01):  # within 4 standard deviations of the counting
        assert abs((p < level).mean() - level) < 4 * np.sqrt(level * (1 - level) / len(p))


def test_unbiased_positions():
    found = phase_uniformity(photons_on_line(20_000), curvature=TILT)
    assert found.is_uniform("x")
    assert found.is_uniform("y")
    assert found.blocks_agree
    assert found.tilted
    assert found.table.bias_pp.max() < found.table.attrs["least_seen"] == pytest.approx(0.014, 0.05)
    assert "y: uniform" in repr(found)


def test_a_bias_of_y_is_found_and_measured():
    found = phase_uniformity(photons_on_line(40_000, bias=0.05), curvature=TILT)
    assert found.is_uniform("x")
    assert not found.is_uniform("y")
    of_y = found.table.sel(axis="y")
    assert float(of_y.bias_pp) == pytest.approx(0.05, abs=0.01)
    # The photons of the phases -1/4 and 1/4 have moved towards the pixel's centre.
    assert float(of_y.bias.sel(edge=-0.22, method="nearest")) == pytest.approx(0.025, abs=0.006)
    assert float(of_y.bias.sel(edge=0.22, method="nearest")) == pytest.approx(-0.025, abs=0.006)
    assert float(of_y.modulation) == pytest.approx(np.pi * 0.05, abs=0.03)
    assert "y: not uniform (p = " in repr(found)
    assert "as with a bias of 0.05" in repr(found)


def test_all_counts_add_up():
    photons = photons_on_line(5000)
    table = phase_uniformity(photons, n_bins=20, n_blocks=5).table
    assert (table.counts.sum("phase") == 5000).all()
    assert (table.block_counts.sum("phase") == 1000).all()
    assert (table.block_counts.sum("block") == table.counts.sel(axis="y")).all()
    np.testing.assert_array_equal(table.counts_err, np.sqrt(table.counts))
    np.testing.assert_array_equal(
        table.counts.sel(axis="x"),
        np.histogram(phase_of(photons.x), np.linspace(-0.5, 0.5, 21))[0],
    )


class TestLineThatIsNotTilted:
    def test_its_phases_are_its_own_and_no_bias(self):
        found = phase_uniformity(photons_on_line(5000, curvature=(0.0, 0.0), sigma=0.2))
        assert not found.is_uniform("y")
        assert not found.tilted
        assert found.blocks_agree  # the same phase everywhere: blocks alone cannot show it
        assert "which may be due to the line instead of a bias" in repr(found)
        assert "100% of a narrow line's own phases remain" in repr(found)

    def test_blocks_of_columns_tell_a_narrow_line_that_crosses_few_rows(self):
        # From the first to the last column the line crosses one row: its phases are uniform, by
        # luck, and differ from block to block.
        slow = (1 / 2048, 0.0)
        found = phase_uniformity(photons_on_line(5000, curvature=slow, sigma=0.2), curvature=slow)
        assert found.is_uniform("y")
        assert not found.blocks_agree
        assert found.table.attrs["blocks_modulation"] > 0.5
        assert "a narrow line has a different phase in each" in repr(found)

    def test_two_lines_half_a_pixel_apart_show_in_the_overtone(self):
        slow = (1 / 2048, 0.0)
        photons = photons_on_line(5000, curvature=slow, sigma=0.05)
        photons["y"] = photons.y + 0.5 * (np.arange(5000) % 2)
        assert not phase_uniformity(photons, curvature=slow).blocks_agree

    def test_a_wide_line_has_uniform_phases_all_the_same(self):
        found = phase_uniformity(photons_on_line(5000, curvature=(0.0, 0.0), sigma=1.3))
        assert found.is_uniform("y")
        assert found.blocks_agree


def test_blocks_agree_where_all_have_the_same_bias():
    p = [
        phase_uniformity(photons_on_line(4000, bias=0.03, seed=seed)).table.attrs["blocks_p_value"]
        for seed in range(100)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("rows", [0.5, 3.0, 10.3, 49.0])
def test_what_a_tilt_leaves_is_a_sinc(rows):
    x = (np.arange(100_000) + 0.5) / 100_000 * 2048
    expected = max(abs(np.sinc(rows)), abs(np.sinc(2 * rows)))
    assert left_by_tilt(x, (rows / 2048, 0.0)) == pytest.approx(expected, abs=1e-4)


class TestPhotonsLeftOut:
    def test_doubles_and_flagged_ones_are_counted(self):
        photons = photons_on_line(2000)
        single = phase_uniformity(photons)
        photons["flag"] = "photon", np.zeros(2000, np.uint8)
        centres = np.full(600, 50.0)
        others = table_of(
            centres,
            centres,
            double=np.arange(600) < 400,
            flag=np.where(np.arange(600) < 300, 0, 4).astype(np.uint8),
        )
        found = phase_uniformity(xr.concat([photons, others], "photon"))
        assert "(400 doubles, 200 flagged left out)" in repr(found)
        assert found.table.attrs["n_singles"] == 2000
        xr.testing.assert_equal(found.table, single.table)

    def test_a_position_that_is_missing_without_a_flag_is_a_warning(self):
        photons = photons_on_line(1000)
        photons["y"].values[:3] = np.nan
        with pytest.warns(
            HrixsWarning, match="3 of 1000 photons are left out: they have no finite position"
        ):
            found = phase_uniformity(photons)
        assert found.table.attrs["n_not_finite"] == 3
        assert found.table.attrs["n_singles"] == 997


def test_centres_of_mass_of_wide_clouds_are_biased():
    sensor = Sensor(shape=(1024, 200), cloud_sigma=0.8)
    frames, _ = simulate_frames(
        4, sensor=sensor, lines=(SpectralLine(80, 20, 1),), photons_per_frame=500, seed=1
    )
    photons = classify_photons(frames, 530.0, dark=sensor.pattern, candidate_low=0.12, threads=1)
    found = phase_uniformity(photons, curvature=TILT)
    assert not found.is_uniform("x")
    assert not found.is_uniform("y")
    assert found.blocks_agree
    assert float(found.table.bias_pp.min()) > 0.1


def test_the_plot_shows_all_three():
    found = phase_uniformity(photons_on_line(2000), curvature=TILT)
    axes = found.plot().axes
    assert [ax.get_xlabel() for ax in axes[:2]] == ["phase in the pixel (px)"] * 2
    assert "2000 single photons" in axes[0].get_title()
    assert axes[2].get_xlabel() == "phase of y (px)"


def test_the_numbers_go_through_netcdf(tmp_path):
    table = phase_uniformity(photons_on_line(1000), curvature=TILT).table
    table.to_netcdf(tmp_path / "phases.nc", engine="h5netcdf")
    read = xr.load_dataset(tmp_path / "phases.nc", engine="h5netcdf")
    xr.testing.assert_equal(read, table)
    assert read.attrs["n_singles"] == 1000


def test_inputs_stay_as_they_were():
    photons = photons_on_line(1000)
    before = photons.copy(deep=True)
    phase_uniformity(photons)
    xr.testing.assert_identical(photons, before)


@pytest.mark.parametrize(
    ("photons", "error", "text"),
    [
        (np.zeros(3), TypeError, "expected a photon table"),
        (xr.Dataset({"x": ("photon", [1.0])}), ValueError, "with x, y and double"),
        (photons_on_line(99), ValueError, "99 single photons, expected at least 100"),
        (photons_on_line(0), ValueError, "0 single photons, expected at least 100"),
    ],
)
def test_bad_tables(photons, error, text):
    with pytest.raises(error, match=text):
        phase_uniformity(photons)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"n_bins": 0}, "n_bins = 0"),
        ({"n_blocks": 1.5}, "n_blocks = 1.5"),
        ({"n_blocks": 30}, "expected at least 300 for 30 blocks"),
        ({"curvature": (0.1,)}, "expected a pair"),
    ],
)
def test_bad_settings(options, text):
    with pytest.raises(ValueError, match=text):
        phase_uniformity(photons_on_line(200), **options)
