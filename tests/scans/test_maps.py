"""RIXS maps against the spectra that were put in, from one scan and from many runs."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import SHARED
from hrixs import HrixsWarning, MissingDataError, concat, cut, hRIXS, line_width, plot_map, rixs_map
from hrixs.spectra.dataset import store_spectrum

ADRESS = SHARED / "data" / "adress"
STEP = 0.02
AXIS = 525 + STEP * (np.arange(400) + 0.5)
STEPS = np.linspace(528.5, 531.3, 15)
# An elastic line and one at a loss of 1.7 eV, and fluorescence that stays at 527.5 eV.
ELASTIC, LOSS, FLUORESCENCE = 40.0, 60.0, 50.0


def expected(nrj: float, i0: float = 1.0) -> np.ndarray:
    """Photons in each bin."""

    def line(centre: float, sigma: float) -> np.ndarray:
        return STEP * np.exp(-0.5 * ((AXIS - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))

    lines = ELASTIC * line(nrj, 0.03) + LOSS * line(nrj - 1.7, 0.2)
    return i0 * (lines + FLUORESCENCE * line(527.5, 0.1) + 0.01)


def scan(
    steps=STEPS, *, images: int = 6, jitter: float = 0.005, seed: int = 0, run: str = "r0001"
) -> xr.Dataset:
    """Counted spectra of a scan as `process_run` gives them: jitter, an I0 that fluctuates."""
    rng = np.random.default_rng(seed)
    true = np.repeat(steps, images)
    i0 = rng.uniform(0.5, 1.5, len(true))
    counts = rng.poisson([expected(*one) for one in zip(true, i0, strict=True)])
    trains = 1000 * (seed + 1) + 10 * np.arange(len(true))
    axis = ("energy", AXIS, {"units": "eV", "long_name": "energy"})
    spectrum = xr.DataArray(
        counts, {"trainId": trains, "energy": axis}, ("trainId", "energy"), "spectrum",
        {"units": "photons", "energy_slope": STEP},
    )  # fmt: skip
    data = store_spectrum(xr.Dataset(coords={"trainId": trains}), spectrum)
    data["nrj"] = "trainId", true + rng.normal(0, jitter, len(true)), {"units": "eV"}
    data["I0"] = "trainId", i0
    return data.assign_coords(run=("trainId", [run] * len(true)))


class TestOverTheLoss:
    def test_steps_are_found_through_the_jitter_and_the_axes_are_named(self):
        one = rixs_map(scan(), normalize="I0")
        assert one.normalized.dims == ("nrj", "energy_loss")
        np.testing.assert_allclose(one.nrj, STEPS, atol=0.006)
        np.testing.assert_array_equal(one.counts, 6)
        assert (one.nrj_spread < 0.015).all()
        assert one.nrj.attrs == {"units": "eV", "long_name": "incident energy"}
        assert one.energy_loss.attrs == {"units": "eV", "long_name": "energy loss"}
        assert one.normalized.attrs["units"] == "photons per I0"
        assert one.attrs["incident"] == "nrj"

    def test_lines_of_loss_stand_still_and_fluorescence_moves(self):
        one = rixs_map(scan(), normalize="I0")
        for k, step in enumerate(STEPS):
            elastic = line_width(one.spectrum[k], region=(-0.2, 0.2))
            assert elastic.centre == pytest.approx(0, abs=4 * elastic.centre_err + 0.006)
            fluorescence = step - 527.5
            if abs(fluorescence - 1.7) > 0.8:
                near = line_width(one.spectrum[k], region=(fluorescence - 0.4, fluorescence + 0.4))
                assert near.centre == pytest.approx(fluorescence, abs=4 * near.centre_err + 0.006)

    def test_intensities_are_the_truth_within_their_errors(self):
        pulls = []
        for seed in range(12):
            data = scan(seed=seed)
            one = rixs_map(data, normalize="I0")
            within = {
                "energy_loss": slice(*((0.9, 2.5)[:: int(np.sign(np.diff(one.energy_loss)[0]))]))
            }
            part = one.sel(within).sum("energy_loss", keep_attrs=True)
            for k, step in enumerate(STEPS):
                if abs(step - 527.5 - 1.7) < 1.3:
                    continue  # the fluorescence is in it
                truth = LOSS + 0.01 * one.sel(within).sizes["energy_loss"]
                error = float(part.hrixs.error("normalized")[k])
                pulls.append((float(part.normalized[k]) - truth) / error)
        assert np.mean(pulls) == pytest.approx(0, abs=4 / np.sqrt(len(pulls)))
        assert np.std(pulls) == pytest.approx(1, abs=4 / np.sqrt(2 * len(pulls)))

    def test_photons_are_kept(self):
        data = scan()
        one = rixs_map(data)
        assert float(one.spectrum.sum()) == pytest.approx(float(data.spectrum.sum()))
        np.testing.assert_allclose(one.normalized.fillna(0) * 6, one.spectrum)

    def test_each_step_has_its_own_energies(self):
        one = rixs_map(scan())
        assert one.energy.dims == ("nrj", "energy_loss")
        np.testing.assert_allclose(one.energy + one.energy_loss, one.nrj.broadcast_like(one.energy))

    def test_what_no_spectrum_reached_is_nan(self):
        one = rixs_map(scan())
        beyond = one.coverage.transpose("nrj", "energy_loss") < 0.5
        assert beyond.any()
        assert one.normalized.where(beyond).isnull().all()
        assert one.normalized.where(~beyond).notnull().sum() == (~beyond).sum()

    def test_the_method_of_the_class_is_the_function(self):
        data = scan()
        xr.testing.assert_identical(
            hRIXS().rixs_map(data, normalize="I0"), rixs_map(data, normalize="I0")
        )

    def test_one_energy_with_its_jitter_is_one_step(self):
        one = rixs_map(scan([530.0], images=20, jitter=0.003))
        np.testing.assert_array_equal(one.counts, [20])
        assert one.normalized.dims == ("nrj", "energy_loss")


class TestOverTheEmittedEnergy:
    def test_fluorescence_stands_still(self):
        one = rixs_map(scan(), axis="energy", normalize="I0")
        assert one.normalized.dims == ("nrj", "energy")
        assert one.energy.attrs["units"] == "eV"
        total = line_width(
            one.spectrum.sel(nrj=slice(530, None)).sum("nrj", keep_attrs=True), region=(527, 528)
        )
        assert total.centre == pytest.approx(527.5, abs=4 * total.centre_err)

    def test_the_zero_of_loss_has_no_place_there(self):
        with pytest.raises(ValueError, match="elastic is given with axis='energy'"):
            rixs_map(scan(), axis="energy", elastic=530.0)


class TestSeveralRuns:
    def test_a_run_a_step_is_the_same_map(self):
        whole = scan()
        step = np.repeat(np.arange(15), 6)
        runs = [whole.isel(trainId=np.flatnonzero(step == k)) for k in range(15)]
        one, many = rixs_map(whole, normalize="I0"), rixs_map(runs, normalize="I0")
        np.testing.assert_array_equal(one.spectrum, many.spectrum)
        np.testing.assert_allclose(one.normalized, many.normalized)

    def test_repeats_are_added(self):
        a, b = scan(seed=1), scan(seed=2, run="r0002")
        both = rixs_map([a, b], normalize="I0")
        np.testing.assert_array_equal(both.counts, 12)
        assert float(both.spectrum.sum()) == pytest.approx(
            float(a.spectrum.sum() + b.spectrum.sum())
        )

    def test_lazy_spectra_give_the_same(self):
        data = scan()
        lazy = rixs_map(data.chunk(trainId=7), normalize="I0")
        np.testing.assert_array_equal(lazy.normalized, rixs_map(data, normalize="I0").normalized)


class TestCut:
    def test_along_the_incident_energy(self):
        one = rixs_map(scan(), normalize="I0")
        along = one.hrixs.cut(energy_loss=(1.2, 2.2))
        assert along.normalized.dims == ("nrj",)
        inside = np.abs(one.energy_loss.values - 1.7) <= 0.5
        counts = one.spectrum.values[:, inside].sum(1)
        np.testing.assert_allclose(along.spectrum, counts)
        np.testing.assert_allclose(along.normalized, counts / one.I0)
        np.testing.assert_allclose(along.hrixs.error("normalized"), np.sqrt(counts) / one.I0)

    def test_along_the_loss_what_came_in_is_added_up(self):
        one = rixs_map(scan(), normalize="I0")
        with pytest.warns(HrixsWarning, match="a part of the map .* has no spectrum"):
            along = cut(one, nrj=(528.4, 529.6))
        np.testing.assert_allclose(along.spectrum, one.spectrum[:6].sum("nrj"))
        reached = one.coverage[:6].sum("nrj") > 0.5  # by any of the steps
        assert 0 < reached.sum() < reached.size
        expected = (along.spectrum / float(one.I0[:6].sum())).where(reached)
        np.testing.assert_allclose(along.normalized, expected)

    def test_divided_again_bins_that_no_spectrum_reaches_have_no_value(self):
        one = rixs_map(scan(), normalize="I0")
        again = hRIXS().normalize(one.copy(), "counts")
        assert one.normalized.isnull().any()
        np.testing.assert_array_equal(again.normalized.isnull(), one.normalized.isnull())

    def test_at_the_nearest_step(self):
        one = rixs_map(scan(), axis="energy")
        np.testing.assert_array_equal(cut(one, nrj=530.04).spectrum, one.spectrum[8])

    def test_outside_of_the_map(self):
        with pytest.raises(ValueError, match=r"holds none of the map's 15 values, from 528.5"):
            cut(rixs_map(scan()), nrj=(540, 541))
        with pytest.raises(ValueError, match="unknown axis 'energy'"):
            cut(rixs_map(scan()), energy=(540, 541))


class TestPlot:
    def test_axes_colours_and_what_is_not_reached(self):
        one = rixs_map(scan(), normalize="I0")
        ax = one.hrixs.plot(scale="sqrt")
        assert ax.get_xlabel() == "energy loss (eV)"
        assert ax.get_ylabel() == "incident energy (eV)"
        assert ax.figure.axes[-1].get_ylabel() == "photons per I0, sqrt scale"
        assert ax.collections[0].get_array().shape == (15, one.sizes["energy_loss"])
        assert ax.get_title().startswith("RIXS map")
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["elastic line"]

    def test_groups_that_are_not_normalized(self):
        groups = hRIXS().aggregate(scan(), "nrj", tolerance="auto")
        ax = plot_map(groups)
        np.testing.assert_array_equal(ax.collections[0].get_array(), groups.spectrum)
        assert ax.get_title().startswith("spectra of groups")
        assert ax.figure.axes[-1].get_ylabel() == "photons"

    def test_emitted_energy_with_the_elastic_line(self):
        ax = plot_map(rixs_map(scan(), axis="energy"))
        assert ax.get_xlabel() == "energy (eV)"
        assert len(ax.lines) == 1
        assert ax.get_xlim()[1] < 534

    def test_a_difference_over_delays(self):
        h, data = hRIXS(), scan([530.0], images=80)
        delays = np.tile(np.repeat([-1.0, 0.0, 2.0, 5.0], 10), 2)
        data["delay"] = "trainId", delays, {"units": "ps"}
        data = data.assign(pumped=("trainId", np.arange(80) < 40))
        groups = h.normalize(h.aggregate(data, ["delay", "pumped"]), "I0")
        result = hrixs.difference(groups.sel(pumped=True), groups.sel(pumped=False))
        assert result.difference.dims == ("delay", "energy")
        by_hand = [
            [
                data.spectrum.values[(delays == delay) & (data.pumped.values == state)].sum(0)
                / data.I0.values[(delays == delay) & (data.pumped.values == state)].sum()
                for state in (True, False)
            ]
            for delay in (-1.0, 0.0, 2.0, 5.0)
        ]
        np.testing.assert_allclose(result.difference, [a - b for a, b in by_hand])
        error = result.hrixs.error("difference")
        pull = (result.difference / error).values[error.values > 0]
        assert np.std(pull) == pytest.approx(1, abs=0.15)
        ax = result.hrixs.plot()
        assert ax.get_ylabel() == "delay (ps)"
        assert ax.figure.axes[-1].get_ylabel() == "pumped - unpumped, photons per I0"
        assert ax.collections[0].norm.vmin == -ax.collections[0].norm.vmax

    def test_no_map(self):
        with pytest.raises(MissingDataError, match="normalized has nothing, expected a map"):
            plot_map(scan())
        with pytest.raises(ValueError, match="unknown scale 'cubic'"):
            plot_map(rixs_map(scan()), scale="cubic")


def test_own_spectra_are_added_up_or_told():
    data = scan()
    data["own"] = 0.1 * data.spectrum
    with pytest.warns(HrixsWarning, match="own is left out: nothing says whether"):
        one = rixs_map(data)
    assert one.attrs["not_aggregated"] == "own"
    one = rixs_map(data, aggregators={"own": hrixs.add})
    assert one.own.dims == one.spectrum.dims
    np.testing.assert_allclose(one.own, 0.1 * one.spectrum)
    assert "own" not in rixs_map(data, aggregators={"own": None})
    assert "own" in hRIXS().rixs_map(data, aggregators={"own": hrixs.add})


def test_what_lies_over_other_dimensions_is_told():
    data = scan(STEPS[:3])
    data["spectrum"] = data.spectrum.expand_dims(half=2, axis=1).assign_attrs(data.spectrum.attrs)
    data["share"] = ("trainId", "half"), np.ones((data.sizes["trainId"], 2))
    with pytest.warns(HrixsWarning, match="share left out of the map"):
        one = rixs_map(data)
    assert one.spectrum.sum() == data.spectrum.sum()


def test_errors_help():
    data = scan()
    with pytest.raises(MissingDataError, match="Did you mean 'nrj'"):
        rixs_map(data, incident="nrj_")
    with pytest.raises(ValueError, match="unknown axis 'loss'"):
        rixs_map(data, axis="loss")
    with pytest.raises(MissingDataError, match="no spectrum; make one first"):
        rixs_map(data.drop_vars("spectrum"))
    with pytest.raises(ValueError, match="expected eV"):
        rixs_map(data.assign_coords(energy=data.energy.drop_attrs()))


def test_inputs_stay_as_they_were():
    data = scan()
    before = data.copy(deep=True)
    rixs_map(data, normalize="I0")
    assert data.identical(before)


@pytest.mark.skipif(not ADRESS.is_dir(), reason="the event lists of ADRESS are not there")
def test_seven_event_lists_of_a_real_scan():
    """Four incident energies, three of them twice; images of 3 s and of 2 s."""
    tables = [hrixs.read_events(path) for path in sorted(ADRESS.glob("*.h5"))]
    h = hRIXS()
    h.BINS = 1600
    h.find_curvature(tables[3], method="photons", plot=False)
    with pytest.warns(hrixs.DoubtWarning, match="chi2"):  # its lines are no Gaussians
        h.calibrate_energy(tables, [float(one.frames_nrj.mean()) for one in tables], plot=False)
    with pytest.warns(HrixsWarning, match="BackgroundValue is missing in 3 of 7"):
        runs = concat([h.count(one) for one in tables])
    one = rixs_map(hrixs.align_elastic(runs), normalize="exposure")
    np.testing.assert_allclose(one.nrj, [775.0, 775.5, 776.0, 776.5], atol=0.003)
    np.testing.assert_array_equal(one.counts, [100, 200, 300, 200])
    np.testing.assert_allclose(one.exposure, [300, 600, 600, 600])
    assert float(one.spectrum.sum()) == pytest.approx(
        sum(one.sizes["photon"] for one in tables), abs=60
    )
    for step in one.spectrum:
        # Told apart by less than a bin of 20 meV, where the energies are off by up to 120 meV.
        assert line_width(step, region=(-0.3, 0.3)).centre == pytest.approx(0, abs=0.02)
    excitation = one.hrixs.cut(energy_loss=(0.8, 1.6))
    rising = excitation.normalized / excitation.normalized[0]
    assert (rising[1:3] > [1.5, 5]).all()
    assert float(rising[3]) == pytest.approx(13, abs=1.4)  # its error
    # Two lists of one energy agree within their errors.
    twice = [
        rixs_map(
            hrixs.align_elastic(runs.isel(frame=np.flatnonzero(runs.run == f"Co_{n}_d2.h5"))),
            normalize="exposure",
        ).hrixs.cut(energy_loss=(0.8, 1.6))
        for n in ("0616", "0617")
    ]
    apart = float(twice[0].normalized[0] - twice[1].normalized[0])
    errors = [float(one.hrixs.error("normalized")[0]) for one in twice]
    assert abs(apart) < 3 * np.hypot(*errors)


def test_a_scan_that_drifts_is_aligned_step_by_step():
    """The whole spectrum moves by 0.03 eV a step; the map's lines come back to their places."""
    data = scan()
    drift = np.repeat(np.arange(15) - 7, 6) * 0.03
    moved = [
        np.roll(row, round(d / STEP)) for row, d in zip(data.spectrum.values, drift, strict=True)
    ]
    drifting = data.assign(spectrum=data.spectrum.copy(data=np.array(moved)))
    aligned = hrixs.align_elastic(drifting, by="nrj")
    one = rixs_map(aligned, normalize="I0")
    for step in one.spectrum:
        elastic = line_width(step, region=(-0.2, 0.2))
        assert elastic.centre == pytest.approx(0, abs=5 * elastic.centre_err + 0.002)
    found = aligned.drift.values[::6] * STEP
    np.testing.assert_allclose(found, [round(d / STEP) * STEP for d in drift[::6]], atol=0.02)
