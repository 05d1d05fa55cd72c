"""The energy axis from elastic lines: within its uncertainties, and outliers are told."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from hrixs import (
    EnergyCalibration,
    HrixsWarning,
    LostPhotonsWarning,
    NoLineError,
    calibrate_energy,
    doubts,
    hRIXS,
    line_width,
    photon_table,
)
from hrixs.simulation import Sensor, SpectralLine, rixs_lines, simulate_frames, write_run

SLOPE, INTERCEPT, FIRST_ROW = 0.018387, 498.27, 700
CURVATURE = (0.0240845, -3.6953e-7)
ENERGIES = np.linspace(512.0, 514.4, 5)


def row_of(energy):
    return (energy - INTERCEPT) / SLOPE - FIRST_ROW


def photons_of(row, n_photons, rng):
    """Photon table of a RIXS spectrum with the elastic line at `row` of the crop, curved."""
    lines = rixs_lines(row)
    which = rng.choice(len(lines), n_photons, p=[one.weight for one in lines])
    straight = rng.normal(
        np.array([one.y for one in lines])[which], np.array([one.sigma for one in lines])[which]
    )
    x = rng.uniform(0, 2048, n_photons)
    y = straight + (CURVATURE[1] * x + CURVATURE[0]) * x
    return xr.Dataset(
        {"x": ("photon", x), "y": ("photon", y), "double": ("photon", np.zeros(n_photons, bool))}
    )


def lines_at(rows, seed, n_photons=2000):
    """Spectra of plain lines, over the rows of the crop."""
    rng = np.random.default_rng(seed)
    return [
        xr.DataArray(
            np.histogram(rng.normal(row, 1.3, n_photons), 400, (0, 200))[0],
            {"y": np.arange(0.25, 200, 0.5)},
            ["y"],
        )
        for row in rows
    ]


def test_photon_tables_give_slope_and_intercept():
    rng = np.random.default_rng(0)
    tables = [photons_of(row_of(energy), 4000, rng) for energy in ENERGIES]
    before = [table.copy(deep=True) for table in tables]
    fit = calibrate_energy(tables, ENERGIES, curvature=CURVATURE, first_row=FIRST_ROW)
    assert all(table.identical(old) for table, old in zip(tables, before, strict=True))
    assert fit.slope == pytest.approx(SLOPE, abs=3 * fit.slope_err)
    assert fit.intercept == pytest.approx(INTERCEPT, abs=3 * fit.intercept_err)
    assert fit.slope_err < 2e-5
    assert fit.energy(800.0) == pytest.approx(INTERCEPT + 800 * SLOPE, abs=3e-3)
    assert np.abs(fit.residuals).max() < 5e-3
    assert fit.axis == pytest.approx((fit.intercept, fit.slope))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), [fit.intercept_err, fit.slope_err])


# One in a thousand scatters by chance.
@pytest.mark.filterwarnings("ignore:the 5 lines scatter")
@pytest.mark.parametrize("degree", [1, 2])
def test_stated_errors_are_the_scatter(degree):
    rng = np.random.default_rng(1)
    line = line_width(lines_at([100.0], 0)[0])
    rows, errors = row_of(ENERGIES), np.array([0.05, 0.02, 0.05, 0.1, 0.03])
    pulls = []
    for _ in range(200):
        found = [
            replace(line, centre=rng.normal(row, error), centre_err=error)
            for row, error in zip(rows, errors, strict=True)
        ]
        fit = calibrate_energy(found, ENERGIES, degree=degree, first_row=FIRST_ROW)
        pulls.append(
            [
                (fit.slope - SLOPE) / fit.slope_err,
                (fit.intercept - INTERCEPT) / fit.intercept_err,
                (fit.energy(800.0) - INTERCEPT - 800 * SLOPE) / fit.energy_err(800.0),
            ]
        )
    assert np.all(np.std(pulls, axis=0) > 0.85)
    assert np.all(np.std(pulls, axis=0) < 1.15)


def test_a_quadratic_term():
    quadratic = 4e-6
    rows = np.linspace(20, 180, 7) + FIRST_ROW
    energies = INTERCEPT + SLOPE * rows + quadratic * rows**2
    fit = calibrate_energy(lines_at(rows - FIRST_ROW, 1), energies, degree=2, first_row=FIRST_ROW)
    assert fit.quadratic == pytest.approx(quadratic, abs=3 * fit.quadratic_err)
    assert fit.quadratic > 5 * fit.quadratic_err
    assert fit.slope == pytest.approx(SLOPE, abs=3 * fit.slope_err)
    assert fit.energy(rows[3]) == pytest.approx(energies[3], abs=4 * fit.energy_err(rows[3]))
    # The straight axis is off by the sagitta, no more: it is no tangent at row 0.
    straight = fit.axis[0] + fit.axis[1] * rows
    assert np.abs(straight - energies).max() < quadratic * 160**2 / 4


def test_spectra_lines_and_datasets_give_the_same():
    spectra = lines_at(row_of(ENERGIES), 12)
    fit = calibrate_energy(spectra, ENERGIES, first_row=FIRST_ROW)
    lines = [line_width(spectrum) for spectrum in spectra]
    over_energy = [
        spectrum.rename(y="energy")
        .assign_coords(energy=500 + 0.02 * (FIRST_ROW + spectrum.y.values))
        .assign_attrs(energy_slope=0.02, energy_intercept=500.0)
        for spectrum in spectra
    ]
    halves = [(s.expand_dims(trainId=2) / 2).assign_attrs(s.attrs) for s in over_energy]
    datasets = [xr.Dataset({"spectrum": half}) for half in halves]
    for others in (lines, over_energy, datasets):
        again = calibrate_energy(others, ENERGIES, first_row=FIRST_ROW)
        assert again.slope == pytest.approx(fit.slope, rel=1e-6)
        assert again.intercept == pytest.approx(fit.intercept, rel=1e-6)


def test_the_two_photons_of_a_double_hit_count_as_independent():
    rng = np.random.default_rng(3)
    tables = [photons_of(row_of(energy), 4000, rng) for energy in ENERGIES[::2]]
    doubles = [table.assign(double=~table.double) for table in tables]
    fits = [calibrate_energy(t, ENERGIES[::2], curvature=CURVATURE) for t in (tables, doubles)]
    np.testing.assert_allclose(fits[1].row_errs, fits[0].row_errs / np.sqrt(2), rtol=0.05)


def test_an_outlier_is_told_and_stays():
    wrong = ENERGIES.copy()
    wrong[2] += 0.05
    with pytest.warns(HrixsWarning) as warned:
        fit = calibrate_energy(lines_at(row_of(ENERGIES), 4), wrong, first_row=FIRST_ROW)
    texts = " ".join(str(one.message) for one in warned)
    assert texts == " ".join(map(str, doubts(fit)))
    assert [doubt.code for doubt in fit.doubts] == ["calibration"]
    assert "line 2, of 513.25 eV" in texts
    assert "times their uncertainties" in texts
    assert fit.outliers == (2,)
    assert fit.scale > 5
    assert fit.slope == pytest.approx(SLOPE, abs=3 * fit.slope_err)


def test_a_line_much_wider_than_the_others_is_told():
    spectra = lines_at(row_of(ENERGIES), 4)
    rng = np.random.default_rng(0)
    smeared = rng.uniform(-8, 8, 2000) + rng.normal(row_of(ENERGIES[1]), 1.3, 2000)
    spectra[1] = spectra[1].copy(data=np.histogram(smeared, 400, (0, 200))[0])
    with pytest.warns(HrixsWarning, match=r"line 1, of 512\.6 eV, is \d.* curvature"):
        calibrate_energy(spectra, ENERGIES, first_row=FIRST_ROW)


@pytest.mark.filterwarnings("ignore:the 5 lines scatter", "ignore:line . of")
def test_lines_of_a_wrong_curvature_are_told():
    rng = np.random.default_rng(0)
    tables = [photons_of(row_of(energy), 20_000, rng) for energy in ENERGIES]
    with pytest.warns(HrixsWarning, match=r"chi2 of \d.*curvature"):
        calibrate_energy(tables, ENERGIES, curvature=(0.0240845 + 0.006, CURVATURE[1]))


def test_energies_that_have_nothing_to_do_with_the_rows_give_no_axis():
    spectra = lines_at(row_of(ENERGIES), 4)
    shuffled = ENERGIES[[3, 0, 4, 1, 2]]
    with pytest.raises(ValueError, match=r"no energy axis.*order of runs and energies"):
        calibrate_energy(spectra, shuffled, first_row=FIRST_ROW)


def test_a_bright_line_may_scatter_by_far_more_than_its_uncertainty():
    line = line_width(lines_at([100.0], 0)[0])
    offsets = 0.5 * np.array([1, -1, 1, -1, 1])  # 9 meV of the beam
    lines = [replace(line, centre=row, centre_err=0.001) for row in row_of(ENERGIES) + offsets]
    with pytest.warns(HrixsWarning, match="times their uncertainties"):
        fit = calibrate_energy(lines, ENERGIES, first_row=FIRST_ROW)
    assert fit.scale > 100


def test_an_empty_region_is_told_in_rows_of_the_full_chip():
    with pytest.raises(ValueError, match=r"line 0, .*700\.25 to 899\.75.* rows of the full chip"):
        calibrate_energy(
            lines_at(row_of(ENERGIES), 4), ENERGIES, first_row=FIRST_ROW, region=(20, 60)
        )


def test_the_text_tells_the_axis():
    fit = calibrate_energy(lines_at(row_of(ENERGIES), 5), ENERGIES, first_row=FIRST_ROW)
    assert repr(fit).startswith("<EnergyCalibration: slope 18.3")
    assert "5 lines, rms" in repr(fit)
    assert isinstance(fit, EnergyCalibration)


def test_a_run_without_line_is_named():
    spectra = lines_at(row_of(ENERGIES[:2]), 6)
    spectra[1] = spectra[1] * 0
    with pytest.raises(NoLineError, match=r"line 1, of 512\.6 eV: no spectral line"):
        calibrate_energy(spectra, ENERGIES[:2])


@pytest.mark.parametrize(
    ("energies", "options", "text"),
    [
        ([512.0, 513.0], {}, "3 lines and energies of shape"),
        ([512.0, 513.0, np.nan], {}, "one finite energy"),
        ([512.0, 512.0, 512.0], {}, "1 different energies given, expected 2 or more"),
        ([512.0, 513.0, 513.0], {"degree": 2}, "expected 3 or more for degree 2"),
        ([512.0, 513.0, 514.0], {"degree": 3}, "expected 1 or 2"),
    ],
)
def test_bad_arguments(energies, options, text):
    with pytest.raises(ValueError, match=text):
        calibrate_energy(lines_at([20, 90, 160], 7), energies, **options)


def test_a_spectrum_without_rows_is_refused():
    spectra = [s.rename(y="energy") for s in lines_at([20, 90], 8)]
    with pytest.raises(ValueError, match="no attributes that give its rows"):
        calibrate_energy(spectra, [512, 513])


@pytest.fixture(scope="module")
def elastic_runs(tmp_path_factory):
    """Two runs with elastic lines, 60 rows apart, and their energies."""
    folders, energies = [], []
    for number, row in enumerate((230.0, 290.0)):
        frames, _ = simulate_frames(
            3,
            sensor=Sensor(shape=(64, 340), seed=1),
            lines=(SpectralLine(row, 1.3, 1.0),),
            curvature=(0.04, 0.0),
            photons_per_frame=150,
            seed=number,
        )
        root = tmp_path_factory.mktemp("elastic")
        folders.append(write_run(root, frames, proposal=3145, run=number))
        energies.append(INTERCEPT + SLOPE * row)
    return folders, energies


class TestTheClass:
    @pytest.fixture
    def h(self):
        h = hRIXS(3145)
        h.Y_RANGE = slice(200, 330)
        h.set_params(curve_a=0.04, threshold=60.0, fields=["MaranaX"])
        return h

    def test_runs_set_the_axis(self, h, elastic_runs):
        folders, energies = elastic_runs
        with pytest.warns(LostPhotonsWarning):
            fit = h.calibrate_energy(folders, energies)
        assert fit.slope == h.ENERGY_SLOPE
        assert fit.slope == pytest.approx(SLOPE, abs=4 * fit.slope_err)
        assert pytest.approx(INTERCEPT, abs=4 * fit.intercept_err) == h.ENERGY_INTERCEPT
        assert fit.rows == pytest.approx([230, 290], abs=0.4)
        # Once calibrated, the same runs give the same axis.
        with pytest.warns(LostPhotonsWarning):
            again = h.calibrate_energy(folders, energies, plot=False)
        assert again.slope == pytest.approx(fit.slope, rel=1e-6)
        integrated = h.calibrate_energy(folders, energies, plot=False, method="integrate")
        assert integrated.rows == pytest.approx(fit.rows, abs=0.4)

    def test_datasets_are_not_changed(self, h, elastic_runs):
        folders, energies = elastic_runs
        images = [h.from_run(folder) for folder in folders]
        before = [data.copy(deep=True) for data in images]
        with pytest.warns(LostPhotonsWarning):
            fit = h.calibrate_energy(images, energies, plot=False)
        assert all(data.identical(old) for data, old in zip(images, before, strict=True))
        assert fit.slope == pytest.approx(SLOPE, abs=4 * fit.slope_err)

    def test_a_photon_table_tells_its_rows(self, h, elastic_runs):
        folders, energies = elastic_runs
        with pytest.warns(LostPhotonsWarning):
            results = [h.process_run(one, photons=True, progress=False) for one in folders]
        tables = [photon_table(result) for result in results]
        fit = h.calibrate_energy(tables, energies, plot=False)
        h.Y_RANGE = slice(150, 340)
        again = h.calibrate_energy(tables, energies, plot=False)
        assert again.rows == pytest.approx(fit.rows)
        assert fit.rows == pytest.approx([230, 290], abs=0.4)

    @pytest.mark.parametrize(
        ("rows", "error", "said"),
        [(slice(-200, None), ValueError, "counts from the end"), ({}, TypeError, "a slice")],
    )
    def test_the_first_row_must_be_known(self, h, rows, error, said):
        h.Y_RANGE = rows
        with pytest.raises(error, match=said):
            h.calibrate_energy(lines_at([20, 120], 9), [529.0, 531.0], plot=False)

    def test_says_of_which_runs_it_is(self):
        lines = [
            one.to_dataset(name="spectrum").assign_attrs(run=f"r000{k}", proposal="3145")
            for k, one in enumerate(lines_at([20, 120], 9))
        ]
        assert calibrate_energy(lines, [529.0, 531.0]).source == "p003145, r0000, r0001"

    def test_a_plot_of_lines_and_residuals(self, h):
        import matplotlib.pyplot as plt

        rows = np.linspace(20, 120, 4)
        energies = INTERCEPT + SLOPE * (200 + rows) + 2e-6 * (200 + rows) ** 2
        with pytest.warns(HrixsWarning, match="straight line, which deviates by up to"):
            fit = h.calibrate_energy(lines_at(rows, 9), energies, degree=2)
        assert fit.axis == (h.ENERGY_INTERCEPT, h.ENERGY_SLOPE)
        above, below = plt.gcf().axes
        assert above.get_ylabel() == "photon energy (eV)"
        assert above.get_title().startswith("energy calibration\nintercept ")
        assert below.get_xlabel() == "row of the full chip (px)"

    def test_on_an_error_the_axis_stays(self, h):
        spectra = lines_at([20, 120], 10)
        with pytest.raises(NoLineError):
            h.calibrate_energy([spectra[0], spectra[1] * 0], [512.0, 513.0])
        assert (h.ENERGY_INTERCEPT, h.ENERGY_SLOPE) == (0.0, 1.0)
        with pytest.raises(ValueError, match="no energy axis"):
            h.calibrate_energy(lines_at([20, 120, 60], 10), [512.0, 513.0, 514.0])
        assert (h.ENERGY_INTERCEPT, h.ENERGY_SLOPE) == (0.0, 1.0)
