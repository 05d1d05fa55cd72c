"""Drift between groups of trains: measured within its uncertainty, and taken out."""

import numpy as np
import pytest
import xarray as xr

from hrixs import (
    HrixsWarning,
    MissingDataError,
    align,
    line_width,
    photon_spectrum,
    photon_table,
)
from hrixs.simulation import rixs_lines

CURVATURE = (0.0240845, -3.6953e-7)
N_TRAINS, PER_TRAIN = 120, 100


def slow_drift(n):
    t = np.linspace(0, 1, n)
    return 1.5 * np.sin(2 * np.pi * t) + 1.5 * (t - 0.5)


def drifting(seed=0, *, drift=None, per_train=PER_TRAIN, curvature=CURVATURE):
    """Photon table of a RIXS spectrum and 20 % of false hits in 200 rows, and its drift in px."""
    rng = np.random.default_rng(seed)
    drift = slow_drift(N_TRAINS) if drift is None else np.asarray(drift)
    lines = rixs_lines(170.0)
    train = np.repeat(np.arange(len(drift)), rng.poisson(per_train, len(drift)))
    n = len(train)
    which = rng.choice(len(lines), n, p=[one.weight for one in lines])
    y = rng.normal(
        np.array([one.y for one in lines])[which], np.array([one.sigma for one in lines])[which]
    )
    y += drift[train]
    false = rng.random(n) < 0.2
    y[false] = rng.uniform(0, 200, false.sum())
    inside = (y >= 0) & (y < 200)
    y, train = y[inside], train[inside]
    x = rng.uniform(0, 2048, len(y))
    table = xr.Dataset(
        {
            "x": ("photon", x),
            "y": ("photon", y + (curvature[1] * x + curvature[0]) * x, {"units": "px"}),
            "double": ("photon", np.zeros(len(y), bool)),
        },
        coords={"frame": ("photon", train), "trainId": ("photon", 1000 + train)},
    )
    return table, drift


def true_drift(aligned, drift):
    """Drift of each group against the mean over all photons, from the truth."""
    of_photon = drift[aligned.frame.values]
    groups = aligned.group_number.values
    truth = np.bincount(groups, of_photon) / np.bincount(groups)
    return truth - np.average(truth, weights=aligned.n_compared)


@pytest.fixture(scope="module")
def tables():
    return [drifting(seed) for seed in range(8)]


def test_drift_is_found_within_its_uncertainty(tables):
    pulls, errors = [], []
    for table, drift in tables:
        aligned = align(table, curvature=CURVATURE, photons_per_group=500)
        error = aligned.drift.values - true_drift(aligned, drift)
        errors.append(error)
        pulls.append(error / aligned.drift_err.values)
    assert 0.8 < np.std(np.concatenate(pulls)) < 1.2
    # The elastic line's 100 photons can't be placed better than 1.3 / sqrt(100) = 0.13 px.
    assert np.std(np.concatenate(errors)) < 0.15


def test_a_slow_drift_is_found_to_less_than_a_tenth_of_a_pixel(tables):
    errors = []
    for table, drift in tables:
        aligned = align(table, curvature=CURVATURE, photons_per_group=500, slow_drift=True)
        errors.append(aligned.drift.values - true_drift(aligned, drift))
        assert 0.02 < float(aligned.drift_err.mean()) < 0.1
    assert np.std(np.concatenate(errors)) < 0.1


def test_the_line_gets_its_width_back(tables):
    table, _ = tables[0]
    before = table.copy(deep=True)
    aligned = align(table, curvature=CURVATURE)
    assert table.identical(before)

    def width(photons):
        spectrum = photon_spectrum(photons, bins=500, range=(0, 200), curvature=CURVATURE)
        return line_width(spectrum.sum("frame"))

    assert width(table).fwhm > 3.4
    assert width(aligned).fwhm == pytest.approx(3.06, abs=0.2)
    # On the whole nothing moves.
    assert width(aligned).centre == pytest.approx(width(table).centre, abs=0.15)
    np.testing.assert_allclose(
        aligned.y + aligned.drift.values[aligned.group_number.values], table.y
    )
    assert np.average(aligned.drift, weights=aligned.n_compared) == pytest.approx(0, abs=1e-9)
    assert aligned.attrs["align_photons_per_group"] == 500
    assert aligned.y.attrs["units"] == "px"


def test_without_drift_the_spectrum_stays():
    table, _ = drifting(1, drift=np.zeros(40))
    aligned = align(table, curvature=CURVATURE, slow_drift=True)
    assert np.abs(aligned.drift).max() < 0.12


def test_a_jump_is_found():
    table, drift = drifting(2, drift=np.repeat([-3.0, 3.0], 20))
    aligned = align(table, curvature=CURVATURE, trains_per_group=5)
    np.testing.assert_allclose(aligned.drift, true_drift(aligned, drift), atol=0.6)


def test_groups_of_trains_and_of_photons():
    table, _ = drifting(3, drift=np.zeros(23))
    by_trains = align(table, curvature=CURVATURE, trains_per_group=5)
    assert by_trains.sizes["group"] == 4
    assert by_trains.first_trainId.values.tolist() == [1000, 1005, 1010, 1015]
    by_photons = align(table, curvature=CURVATURE, photons_per_group=300)
    counts = np.bincount(by_photons.group_number)
    assert counts.min() > 150
    assert abs(counts.mean() - 300) < 100
    # All photons of a train are in one group.
    for _, part in by_photons.group_number.groupby("trainId"):
        assert len(np.unique(part)) == 1


def test_aligning_again_replaces_the_groups():
    table, _ = drifting(3, drift=np.zeros(20))
    once = align(table, curvature=CURVATURE, trains_per_group=5)
    twice = align(once, curvature=CURVATURE, trains_per_group=10)
    assert twice.sizes["group"] == 2


@pytest.mark.parametrize(("bit", "compared"), [(1, 0), (2, 0), (4, 1), (8, 1), (16, 1), (6, 0)])
def test_photons_that_no_fit_placed_are_moved_but_not_compared(bit, compared):
    table, _ = drifting(4, drift=np.repeat([-2.0, 2.0], 10))
    flag = np.zeros(table.sizes["photon"], np.uint8)
    flag[::3] = bit
    aligned = align(table.assign(flag=("photon", flag)), curvature=CURVATURE, trains_per_group=10)
    n_left_out = 0 if compared else np.count_nonzero(flag)
    assert aligned.attrs["align_n_flagged_not_compared"] == n_left_out
    assert (aligned.y != table.y).all()


def clean(row, *, n_groups=20, seed=0):
    """Photons of a spectrum without false hits: nothing lies above its elastic line, at `row`."""
    rng = np.random.default_rng(seed)
    lines = rixs_lines(row)
    n = 500 * n_groups
    which = rng.choice(len(lines), n, p=[one.weight for one in lines])
    y = rng.normal(
        np.array([one.y for one in lines])[which], np.array([one.sigma for one in lines])[which]
    )
    train = np.repeat(np.arange(n_groups), 500)
    drift = slow_drift(n_groups)
    return xr.Dataset(
        {
            "x": ("photon", rng.uniform(0, 2048, n)),
            "y": ("photon", y + drift[train]),
            "double": ("photon", np.zeros(n, bool)),
        },
        coords={"frame": ("photon", train)},
    ), drift


def rms_of(aligned, drift):
    return float(np.std(aligned.drift.values - true_drift(aligned, drift)))


class TestTheRegionByDefault:
    def test_the_elastic_line_takes_part_though_nothing_lies_above_it(self):
        table, drift = clean(170.0)
        by_default = align(table, trains_per_group=1)
        given = align(table, trains_per_group=1, region=(0, 200))
        assert rms_of(by_default, drift) < 0.16
        assert rms_of(by_default, drift) < 1.2 * rms_of(given, drift)

    def test_it_is_the_frame_where_its_size_is_known(self):
        table, _ = clean(170.0)
        on_chip = table.assign(y=table.y + 700).assign_attrs(y_range=np.array([700, 900]))
        of_frame = align(on_chip, trains_per_group=1)
        given = align(table, trains_per_group=1, region=(-0.5, 199.5))
        np.testing.assert_allclose(of_frame.drift, given.drift, atol=1e-9)

    def test_of_a_curved_frame_it_holds_the_straightened_corners(self):
        table, _ = clean(170.0)
        bent = table.assign(y=table.y + 0.02 * table.x).assign_attrs(y_range=[0, 250])
        straight = align(bent, trains_per_group=1, curvature=(0.02, 0.0))
        given = align(bent, trains_per_group=1, curvature=(0.02, 0.0), region=(-41.5, 249.5))
        np.testing.assert_allclose(straight.drift, given.drift, atol=0.01)

    def test_a_tallest_line_that_is_not_compared_is_told(self):
        table, _ = clean(170.0)
        with pytest.warns(HrixsWarning, match=r"tallest line, at row 1\d\d.* not compared"):
            align(table.assign_attrs(y_range=[0, 176]), trains_per_group=1)

    def test_many_photons_that_are_not_compared_are_told(self):
        table, _ = clean(170.0)
        with pytest.warns(HrixsWarning, match=r"\d\d % of the photons .* not compared"):
            align(table, trains_per_group=1, region=(70, 180))


def test_the_photons_of_a_processed_run_move_with_its_spectra():
    table, _ = clean(170.0)
    spectrum = photon_spectrum(table, bins=800, range=(0, 200)).rename(frame="trainId", y="energy")
    spectrum = spectrum.assign_coords(energy=spectrum.energy * 0.02, trainId=1000 + np.arange(20))
    spectrum = spectrum.assign_attrs(energy_slope=0.02, energy_intercept=0.0)
    names = ("x", "y", "double", "frame")
    columns = {f"photon_{name}": ("photon", table[name].values) for name in names}
    result = xr.Dataset({"spectrum": spectrum, **columns}).assign(
        photon_charge=("photon", table.x.values),
        photon_trainId=("photon", 1000 + table.frame.values),
    )
    before = result.copy(deep=True)
    aligned = align(result, trains_per_group=1)
    assert result.identical(before)
    found = photon_table(aligned)
    np.testing.assert_allclose(
        found.y, table.y.values - aligned.drift.values[table.frame.values], atol=1e-12
    )
    with pytest.warns(HrixsWarning, match="photon_y stays as it was"):
        kept = align(result.drop_vars("photon_trainId"), trains_per_group=1)
    np.testing.assert_array_equal(kept.photon_y, result.photon_y)


def test_a_double_hit_is_two_independent_photons():
    table, _ = drifting(5, drift=np.zeros(20))
    single = align(table, curvature=CURVATURE, trains_per_group=5)
    double = align(table.assign(double=~table.double), curvature=CURVATURE, trains_per_group=5)
    np.testing.assert_allclose(double.drift, single.drift, atol=0.01)
    np.testing.assert_allclose(double.drift_err, single.drift_err / np.sqrt(2), rtol=0.1)


@pytest.fixture
def spectra(tables):
    """Spectra of each train over the energy, as the class makes them."""
    table, _ = tables[0]
    spectrum = photon_spectrum(table, bins=500, range=(0, 200), curvature=CURVATURE)
    spectrum = spectrum.rename(frame="trainId", y="energy").assign_coords(
        energy=("energy", 498.27 + 0.018387 * (700 + spectrum.y.values), {"units": "eV"})
    )
    spectrum = spectrum.assign_attrs(energy_slope=0.018387, energy_intercept=498.27)
    data = xr.Dataset({"spectrum": spectrum, "spectrum_err": np.sqrt(spectrum)})
    return data.assign(nrj=("trainId", np.full(data.sizes["trainId"], 515.0))), table


def test_spectra_are_moved_and_their_counts_kept(spectra):
    data, table = spectra
    before = data.copy(deep=True)
    aligned = align(data, trains_per_group=5)
    assert data.identical(before)
    lost = aligned.attrs["align_n_moved_out"]
    total = float(data.spectrum.sum())
    assert float(aligned.spectrum.sum()) + lost == pytest.approx(total)
    assert lost < 0.01 * total
    assert aligned.spectrum.dims == data.spectrum.dims
    assert aligned.nrj.variable.identical(data.nrj.variable)
    # As the photons say themselves.
    photons = align(table, curvature=CURVATURE, trains_per_group=5)
    np.testing.assert_allclose(aligned.drift[::5], photons.drift, atol=0.1)
    np.testing.assert_allclose(aligned.drift_err[::5], photons.drift_err, rtol=0.25)
    width = line_width(aligned.spectrum.sum("trainId")).fwhm / 0.018387
    assert width == pytest.approx(3.06, abs=0.25)


def test_groups_that_cannot_be_measured_are_told_of():
    table, _ = drifting(6, drift=np.zeros(20))
    sparse = table.isel(photon=(table.frame < 18) | (np.arange(table.sizes["photon"]) % 30 == 0))
    with pytest.warns(HrixsWarning, match=r"1 of 10 groups have fewer than 20 photons"):
        aligned = align(sparse, curvature=CURVATURE, trains_per_group=2)
    assert np.isnan(aligned.drift_err[-1])
    assert float(aligned.drift[-1]) == 0
    far, _ = drifting(7, drift=np.repeat([0.0, 0.0, 0.0, 9.0], 5))
    with pytest.warns(HrixsWarning, match="fit best at the largest shift"):
        align(far, curvature=CURVATURE, trains_per_group=5, max_shift=5.0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"trains_per_group": 100}, "1 groups with 20 photons or more"),
        ({"trains_per_group": 0}, "trains_per_group = 0"),
        ({"photons_per_group": 0}, "photons_per_group = 0"),
        ({"max_shift": 80, "region": (0, 200)}, "too small for max_shift"),
        ({"max_shift": -1}, "expected positive pixels"),
        ({"region": (100, 110)}, "too small for max_shift"),
        ({"region": (700, 900)}, r"rows 710 to 890 of the crop.* lie in rows -?\d+ to \d+"),
        ({"curvature": (1,)}, "expected a pair"),
    ],
)
def test_bad_options(options, text):
    table, _ = drifting(8, drift=np.zeros(10))
    with pytest.raises(ValueError, match=text):
        align(table, **({"curvature": CURVATURE} | options))


def test_rows_of_a_processed_run_are_those_of_the_full_chip(spectra):
    with pytest.raises(ValueError, match=r"of the full chip.* lie in rows 7\d\d to 900"):
        align(spectra[0], trains_per_group=5, region=(0, 200))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda d: d.drop_vars("spectrum"), MissingDataError, "expected a photon table"),
        (lambda d: d.spectrum, TypeError, "expected a photon table"),
        (lambda d: d.expand_dims("cell"), ValueError, "expected .trainId, energy"),
        (lambda d: d.assign(spectrum=d.spectrum - 1), ValueError, "expected counted photons"),
        (lambda d: d.assign(spectrum=d.spectrum.drop_attrs()), ValueError, "lack energy_slope"),
    ],
)
def test_bad_datasets(spectra, change, error, text):
    with pytest.raises(error, match=text):
        align(change(spectra[0]))
