"""What is drawn of spectra, read from the axes: steps, errors, labels; no pixels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from hrixs import MissingDataError, hRIXS, plot_spectra

ENERGY = xr.DataArray(
    [530.0, 530.1, 530.2, 530.3], dims="energy", attrs={"units": "eV", "long_name": "energy"}
)
COUNTS = np.array([[1, 0, 9, 2], [0, 4, 7, 1], [2, 0, 0, 1]])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def result(values=COUNTS, energy=ENERGY, units="photons", **attrs) -> xr.Dataset:
    return xr.Dataset(
        {"spectrum": (("trainId", "energy"), values, {"units": units} | attrs)},
        {"trainId": np.arange(len(values)) + 7, "energy": energy},
        {"proposal": "3145"},
    ).assign_coords(run=("trainId", ["r0145"] * len(values)))


def steps(ax) -> list[np.ndarray]:
    """Values of the spectra, in the order drawn."""
    return [patch.get_data().values for patch in ax.patches if not patch.get_fill()]


def bands(ax) -> list[tuple[np.ndarray, np.ndarray]]:
    filled = [patch.get_data() for patch in ax.patches if patch.get_fill()]
    return [(np.asarray(one.baseline), one.values) for one in filled]


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestAsItIs:
    def test_counts_are_added_up_in_photons_from_0_and_nothing_is_subtracted(self):
        ax = plot_spectra(result(COUNTS + 50))
        np.testing.assert_array_equal(steps(ax)[0], (COUNTS + 50).sum(axis=0))
        assert ax.get_ylabel() == "photons"
        assert ax.get_xlabel() == "energy (eV)"
        assert ax.get_ylim()[0] == 0
        assert legend(ax) == ["sum of 3 images", "± 1 standard deviation"]

    def test_title_says_proposal_run_and_images(self):
        assert plot_spectra(result()).get_title() == "spectrum\np003145, r0145, 3 images"

    def test_steps_lie_around_the_middles_of_the_bins(self):
        edges = plot_spectra(result()).patches[0].get_data().edges
        np.testing.assert_allclose(edges, [529.95, 530.05, 530.15, 530.25, 530.35])

    def test_band_of_counts_is_their_root(self):
        ((low, high),) = bands(plot_spectra(result()))
        total = COUNTS.sum(axis=0)
        np.testing.assert_allclose(low, total - np.sqrt(total))
        np.testing.assert_allclose(high, total + np.sqrt(total))

    def test_no_band_where_the_error_is_not_known_or_not_wanted(self):
        averaged = plot_spectra({"mean": result().spectrum.mean("trainId", keep_attrs=True)})
        assert not bands(averaged)
        assert not bands(plot_spectra(result(), errors=False))

    def test_intensity_is_averaged_which_the_legend_says(self):
        values = COUNTS - 2.5
        ax = plot_spectra(result(values, units="ADU", long_name="mean intensity per pixel"))
        np.testing.assert_allclose(steps(ax)[0], values.mean(axis=0))
        assert legend(ax) == ["mean of 3 images"]
        assert ax.get_ylabel() == "mean intensity per pixel (ADU)"
        assert ax.get_ylim()[0] < values.mean(axis=0).min()

    def test_normalized_is_made_of_the_sums_with_its_error(self):
        data = result().assign(I0=("trainId", [1.0, 2.0, 4.0]))
        hRIXS().normalize(data, "I0")
        ax = plot_spectra(data)
        total = COUNTS.sum(axis=0)
        np.testing.assert_allclose(steps(ax)[0], total / 7)
        np.testing.assert_allclose(bands(ax)[0][1], (total + np.sqrt(total)) / 7)
        assert ax.get_ylabel() == "photons per I0"

    def test_groups_have_a_line_each(self):
        data = result().assign(nrj=("trainId", [530.0, 530.0, 531.0], {"units": "eV"}))
        ax = plot_spectra(hRIXS().aggregate(data, "nrj"))
        np.testing.assert_array_equal(steps(ax), [COUNTS[:2].sum(axis=0), COUNTS[2]])
        assert legend(ax)[:2] == ["nrj = 530 eV, 2 images", "nrj = 531 eV, 1 image"]

    def test_too_many_groups_are_refused_with_what_to_type(self):
        many = xr.DataArray(np.ones((40, 4)), dims=["nrj", "energy"], coords={"nrj": range(40)})
        with pytest.raises(ValueError, match=r"40 spectra over nrj.*plot_map"):
            plot_spectra({"many": many})

    def test_images_within_a_train_are_images(self):
        data = xr.Dataset(
            {"spectrum": (("trainId", "pulse", "energy"), COUNTS[None].repeat(2, 0))},
            {"trainId": [7, 8], "energy": ENERGY},
        )
        data.spectrum.attrs["units"] = "photons"
        ax = plot_spectra(data)
        np.testing.assert_array_equal(steps(ax)[0], 2 * COUNTS.sum(axis=0))
        assert legend(ax)[0] == "sum of 6 images"


class TestAxes:
    def test_rows_are_called_rows(self):
        rows = xr.DataArray([0.5, 1.5, 2.5, 3.5], dims="energy", attrs={"units": "px"})
        assert plot_spectra(result(energy=rows)).get_xlabel() == "row of the chip (px)"

    def test_energy_loss(self):
        loss = result().rename(energy="energy_loss")
        loss.energy_loss.attrs["long_name"] = "energy loss"
        assert plot_spectra(loss).get_xlabel() == "energy loss (eV)"

    @pytest.mark.parametrize("order", [[3, 2, 1, 0], [2, 0, 3, 1]])
    def test_any_order_of_the_axis_gives_the_same_picture(self, order):
        turned = steps(plot_spectra(result().isel(energy=order)))
        np.testing.assert_array_equal(turned, steps(plot_spectra(result())))

    def test_unequal_bins(self):
        ax = plot_spectra(result(energy=ENERGY.copy(data=[1.0, 2.0, 4.0, 8.0])))
        np.testing.assert_allclose(ax.patches[0].get_data().edges, [0.5, 1.5, 3, 6, 10])

    def test_spectra_over_energy_and_rows_are_refused(self):
        rows = ENERGY.assign_attrs(units="px")
        with pytest.raises(ValueError, match=r"different axes: .*energy \(eV\) \(a"):
            plot_spectra({"a": result(), "b": result(energy=rows)})


class TestMissing:
    def test_bins_without_a_value_are_gaps(self):
        values = np.where(np.arange(4) == 1, np.nan, COUNTS)
        ax = plot_spectra(result(values))
        np.testing.assert_array_equal(steps(ax)[0], [3, np.nan, 16, 4])
        assert np.isnan(bands(ax)[0][0][1])

    def test_images_without_any_value_are_left_out_of_sum_and_number(self):
        values = np.where([[False], [True], [False]], np.nan, COUNTS)
        ax = plot_spectra(result(values))
        np.testing.assert_array_equal(steps(ax)[0], COUNTS[[0, 2]].sum(axis=0))
        assert legend(ax)[0] == "sum of 2 images"

    def test_lazy_spectra(self):
        pytest.importorskip("dask")
        ax = plot_spectra(result().chunk(trainId=1))
        np.testing.assert_array_equal(steps(ax)[0], COUNTS.sum(axis=0))

    def test_no_photons(self):
        ax = plot_spectra(result(0 * COUNTS))
        assert ax.get_ylim() == (0, 1)
        np.testing.assert_array_equal(steps(ax)[0], np.zeros(4))

    def test_no_values(self):
        assert "no values" in legend(plot_spectra(result(np.full((2, 4), np.nan))))[0]

    def test_no_spectrum(self):
        with pytest.raises(MissingDataError, match=r"no spectrum to draw.*It has: I0"):
            plot_spectra(xr.Dataset({"I0": ("trainId", [1.0])}))

    def test_an_axis_of_words(self):
        words = ENERGY.copy(data=np.array(list("abcd")))
        with pytest.raises(ValueError, match="energy has values that are not numbers"):
            plot_spectra(result(energy=words))

    def test_nothing_given(self):
        with pytest.raises(ValueError, match="no spectra were given"):
            plot_spectra({})

    def test_no_xarray(self):
        with pytest.raises(TypeError, match=r"ndarray was given, expected a result"):
            plot_spectra(COUNTS)


class TestScaled:
    def test_different_units_are_refused_with_what_to_type(self):
        with pytest.raises(
            ValueError, match=r"photons \(counted, .*ADU \(integrated.*scale='peak'"
        ):
            plot_spectra({"counted": result(), "integrated": result(units="ADU")})

    def test_peak_which_label_and_legend_say(self):
        both = {"counted": result(), "integrated": result(COUNTS / 4, units="ADU")}
        ax = plot_spectra(both, scale="peak", offset=0.5)
        total = COUNTS.sum(axis=0)
        np.testing.assert_allclose(steps(ax), [total / 16, total / 16 + 0.5])
        assert ax.get_ylabel() == "intensity / its peak\neach 0.5 above the one before"
        assert legend(ax)[:2] == [
            "counted, sum of 3 images (peak = 16 photons)",
            "integrated, mean of 3 images (peak = 1.333 ADU) + 0.5",
        ]
        np.testing.assert_allclose(bands(ax)[0][1], (total + np.sqrt(total)) / 16)

    def test_area_by_the_width_of_the_bins(self):
        ax = plot_spectra(result(), scale="area")
        np.testing.assert_allclose(steps(ax)[0].sum() * 0.1, 1)
        assert ax.get_ylabel() == "intensity / its area (1 / eV)"
        assert legend(ax)[0] == "sum of 3 images (area = 2.7 photons eV)"

    def test_nothing_to_divide_by_is_told(self):
        ax = plot_spectra({"dark": result(0 * COUNTS), "light": result()}, scale="peak")
        assert legend(ax)[0] == "dark, sum of 3 images (not scaled: nothing to divide by)"
        np.testing.assert_array_equal(steps(ax)[0], np.zeros(4))

    def test_offset_alone_is_said_and_changes_no_unit(self):
        ax = plot_spectra({"a": result(), "_b": result()}, offset=-5)
        np.testing.assert_array_equal(steps(ax)[1], COUNTS.sum(axis=0) - 5)
        assert ax.get_ylabel() == "photons\neach 5 below the one before"
        assert legend(ax)[1].strip() == "_b, sum of 3 images - 5"
        assert ax.get_ylim()[0] < -2

    def test_unknown_scale(self):
        with pytest.raises(ValueError, match=r"scale.*'peek'"):
            plot_spectra(result(), scale="peek")


class TestSeveral:
    def test_the_old_call_draws_what_is_given_into_the_axes(self):
        _, ax = plt.subplots()
        total = result().spectrum.sum("trainId", keep_attrs=True)
        assert plot_spectra({"name": total}, ax) is ax
        np.testing.assert_array_equal(steps(ax)[0], COUNTS.sum(axis=0))
        assert legend(ax)[0] == "name"

    def test_runs_are_named_once(self):
        both = {"first": result(), "second": result()}
        assert plot_spectra(both).get_title() == "spectra\np003145, r0145"

    def test_the_legend_does_not_lie_on_the_spectrum(self):
        ax = plot_spectra(result(np.full((3, 4), 9)))
        ax.figure.canvas.draw()
        box = ax.get_legend().get_window_extent().transformed(ax.transData.inverted())
        assert box.y0 > 27 + np.sqrt(27)
