"""Two settings side by side, of frames in which it is known who finds what."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import DARK, OTHER_RUN, RUN, SimulatedRun
from hrixs import Comparison, compare, concat, hRIXS
from hrixs.reduction import stack

N, SIZE = 6, 64
WEAK, BRIGHT = 90, 200


def images() -> xr.Dataset:
    """Photons of two charges on a grid: as many weak ones as bright ones, in rows by turns."""
    frames = np.full((N, SIZE, SIZE), 100.0)
    frames[:, 8:56:8, 8:56:16] += BRIGHT
    frames[:, 8:56:8, 16:56:16] += WEAK
    frames[2] = 100  # an image without light
    pixels = (("trainId", "x", "y"), frames)
    return xr.Dataset({"MaranaX": pixels}, {"trainId": 1000 + np.arange(N)})


BRIGHT_ONES, WEAK_ONES = 6 * 3, 6 * 3


def settings(threshold: float, **more) -> hRIXS:
    h = hRIXS()
    # Above the level: a square of four pixels at 100 ADU.
    h.set_params(threshold=400 + threshold, bins=SIZE, energy_slope=0.1, energy_intercept=500)
    h.set_params(**more)
    return h


@pytest.fixture
def low() -> hRIXS:
    return settings(50)


@pytest.fixture
def high() -> hRIXS:
    return settings(150)


def state(h: hRIXS) -> str:
    return repr({name: copy.deepcopy(value) for name, value in vars(h).items()})


def n_outside(found: Comparison) -> int:
    """Photons of the first beside the bins of the difference, and not of the second alone."""
    low, high = found.difference.energy.values[[0, -1]]
    total = found.first.spectrum.sum("trainId")
    return int(total.where((total.energy < low - 0.01) | (total.energy > high + 0.01), 0).sum())


class TestImages:
    def test_the_second_threshold_loses_the_weak_half(self, low, high):
        found = compare(low, high, images())
        assert found.settings == {"THRESHOLD": (450, 550)}
        np.testing.assert_array_equal(found.photons.both, [18, 18, 0, 18, 18, 18])
        np.testing.assert_array_equal(found.photons.only_first, [18, 18, 0, 18, 18, 18])
        np.testing.assert_array_equal(found.photons.only_second, 0)
        np.testing.assert_array_equal(found.photons.trainId, 1000 + np.arange(N))
        assert (found.found_by_both, found.only_first, found.only_second) == (90, 90, 0)
        assert found.n_images == (N, N)
        assert [one.value for one in found.total] == [180, 90]
        assert [one.error for one in found.total] == pytest.approx([180**0.5, 90**0.5])
        assert [one.value for one in found.per_image] == [30, 15]
        assert [one.error for one in found.per_image] == pytest.approx([180**0.5 / N, 90**0.5 / N])
        assert all(one > 0 for one in found.seconds)

    def test_the_error_of_the_difference_is_of_the_photons_not_in_both(self, low, high):
        made = compare(low, high, images()).difference
        np.testing.assert_array_equal(made.difference.sum(), -90)
        # Rows of weak photons have lost them all, rows of bright ones none.
        np.testing.assert_allclose(made.hrixs.error("difference") ** 2, -made.difference)
        assert made.attrs["sum_err"] == 90**0.5
        assert made.energy.attrs["units"] == "eV"

    def test_photons_that_are_counted_in_another_bin_are_in_its_error(self, low):
        bent = settings(50, curve_a=0.05)
        found = compare(low, bent, images())
        assert found.settings == {"CURVE_A": (0.0, 0.05)}
        assert (found.found_by_both, found.only_first, found.only_second) == (180, 0, 0)
        assert found.difference.attrs["sum_err"] == 0
        moved = found.difference.difference != 0
        assert moved.any()
        variance = found.difference.hrixs.error("difference") ** 2
        assert (variance.where(moved, 1) > 0).all()
        assert (variance >= abs(found.difference.difference) - 1e-9).all()

    def test_nothing_that_was_given_is_changed(self, low, high):
        data = images()
        before = state(low), state(high), data.copy(deep=True)
        compare(low, high, data)
        compare(low, high, data, methods=("auto", "integrate"))
        assert (state(low), state(high)) == before[:2]
        assert data.identical(before[2])

    def test_a_double_hit_is_two_photons(self, low):
        twice = settings(50, dbl_threshold=150)
        found = compare(low, twice, images())
        assert (found.found_by_both, found.only_first, found.only_second) == (180, 0, 90)
        assert found.total[1].value == 270

    def test_another_crop_on_the_whole_chip(self, low):
        half = settings(50, x_range=slice(20, None), y_range=slice(10, 60))
        found = compare(low, half, images())
        assert found.settings == {"X_RANGE": (":", "20:"), "Y_RANGE": (":", "10:60")}
        assert found.only_second == 0
        assert found.found_by_both == found.total[1].value
        # In bins of a row, as the first has them; rows 10 to 60 both have.
        assert found.difference.energy.size == 50
        assert found.difference.attrs["sum"] == -found.only_first + n_outside(found)
        assert "energy axes differ: they are up to" in str(found)

    def test_other_bins_hold_the_same_photons(self, low):
        for bins, way in ((25, 1), (150, 1), (64, -1)):
            other = settings(50, bins=bins, energy_slope=way * 0.1, energy_intercept=503 - way * 3)
            found = compare(low, other, images())
            made = found.difference
            n_bins = min(bins, SIZE) if way > 0 else 60
            assert made.energy.size == pytest.approx(n_bins, abs=3)
            if way > 0:
                np.testing.assert_array_equal(made.difference, 0)
                np.testing.assert_array_equal(made.hrixs.error("difference"), 0)
            assert "photons are counted into them by their positions" in str(found)

    @pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
    def test_other_bins_without_photons_share_them(self, low):
        other = settings(50, bins=25)
        results = [h.centroid(images()) for h in (low, other)]
        found = compare(low, other, results)
        assert "uses the bins of the second, 0.256 eV wide" in str(found)
        assert "divided in proportion" in str(found)
        assert found.difference.attrs["sum"] == pytest.approx(0, abs=1e-9)
        assert np.isnan(found.difference.attrs["sum_err"])

    def test_axes_that_do_not_meet(self, low):
        far = settings(50, energy_intercept=900)
        found = compare(low, far, images())
        assert found.difference is None
        assert "have no bins in common, so there is no difference." in str(found)
        rows = settings(50, energy_slope=1.0, energy_intercept=0.0)
        found = compare(low, rows, images())
        assert "one is in eV, the other in px, so there is no difference." in str(found)

    @pytest.mark.parametrize("chunks", [None, 2])
    def test_part_by_part_and_lazy(self, low, high, monkeypatch, chunks):
        whole = compare(low, high, images())
        monkeypatch.setattr(stack, "_BYTES_PER_PART", 2 * SIZE * SIZE * 8)
        data = images()
        if chunks is not None:
            pytest.importorskip("dask")
            data = data.chunk({"trainId": chunks})
        parts = compare(low, high, data)
        assert parts.photons.identical(whole.photons)
        assert parts.difference.identical(whole.difference)

    def test_methods(self, low):
        found = compare(low, low, images(), methods=("auto", "integrate"))
        assert found.settings == {"method": ("auto", "integrate")}
        assert found.photons is None
        assert found.found_by_both is None
        assert found.difference is None
        assert [one.unit for one in found.total] == ["photons", "ADU"]
        told = str(found)
        assert "has no photon table, so single photons are not compared" in told
        assert "first is in photons, the second in ADU, so there is no difference" in told

    def test_integrated_both(self, low):
        dim = settings(50, mask=np.arange(SIZE)[:, None] * np.ones(SIZE) == 8)
        found = compare(low, dim, images(), method="integrate")
        assert found.settings == {"MASK": (None, "image (64, 64), 64 marked")}
        assert found.difference.difference.shape == (SIZE,)
        with pytest.raises(hrixs.UnknownUncertaintyError):
            found.difference.hrixs.error("difference")
        assert "Its error is not known" in str(found)

    def test_an_image_file(self, low, high, tmp_path):
        np.save(tmp_path / "scan.npy", images().MaranaX.values)
        found = compare(low, high, tmp_path / "scan.npy")
        assert (found.found_by_both, found.only_first) == (90, 90)

    def test_doubts_are_listed_and_not_warned_of(self, low, high):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = compare(low, high, images())
        assert all(found.doubts)
        first = found.doubts[0][0]
        assert f"! first: {first}" in str(found)

    @pytest.mark.parametrize("options", [{}, {"region": (500, 501)}])
    def test_a_width_where_there_is_a_line_else_a_word(self, low, options):
        none = settings(1e6)
        found = compare(low, none, images(), **options)
        assert np.isnan(found.line[1].value)
        assert "no line" in str(found.line[1])
        assert "no line" in str(found)


class TestRuns:
    def test_a_run_is_as_its_images(self, h):
        other = copy.copy(h)
        other.STD_THRESHOLD = 12
        of_run = compare(h, other, RUN, progress=False)
        of_data = compare(h, other, h.from_run(RUN))
        assert of_run.settings == {"STD_THRESHOLD": (3.5, 12)}
        for name in ("both", "only_first", "only_second"):
            np.testing.assert_array_equal(of_run.photons[name], of_data.photons[name])
        assert of_run.difference.identical(of_data.difference)
        assert of_run.only_first > 0
        assert int(of_run.total[0].value) == int(of_run.first.spectrum.sum())
        assert of_run.line[0].value == pytest.approx(hrixs.line_width(
            of_run.first.spectrum.sum("trainId")).fwhm)  # fmt: skip

    def test_found_is_the_truth(self, h, simulated: SimulatedRun):
        """All that a threshold finds is found by charge, too, but for crowded ones."""
        found = compare(h, h, RUN, methods=("auto", "resolve"), progress=False)
        rate = found.found_by_both / (found.found_by_both + found.only_first)
        assert rate > 0.97
        assert found.only_second > 0

    def test_chosen_trains(self, h):
        trains = h.process_run(RUN, progress=False).trainId.values[:3]
        found = compare(h, h, RUN, trains=trains, progress=False)
        assert found.n_images == (3, 3)
        assert found.settings == {}
        assert "No setting differs." in str(found)
        assert (found.only_first, found.only_second) == (0, 0)

    def test_a_dark(self, h):
        other = copy.copy(h)
        other.load_dark(DARK)
        assert compare(h, other, RUN, progress=False).settings == {"USE_DARK": (False, True)}
        another = copy.copy(other)
        another.load_dark(DARK, drop_first=2)
        assert list(compare(other, another, RUN, progress=False).settings) == ["dark"]


class TestResults:
    def results(self, h: hRIXS, photons: bool = True) -> list[xr.Dataset]:
        other = copy.copy(h)
        other.STD_THRESHOLD = 12
        return [one.process_run(RUN, photons=photons, progress=False) for one in (h, other)]

    def test_that_are_there(self, h):
        first, second = self.results(h)
        found = compare(h, h, (first, second))
        again = compare(h, h, [second, first])
        assert (found.only_first, found.only_second) == (again.only_second, again.only_first)
        assert "given result" not in str(found)
        assert np.isnan(found.seconds).all()
        # As the results tell, though the settings that are given are the same.
        assert found.settings == {"STD_THRESHOLD": (3.5, 12)}

    def test_without_photons(self, h):
        found = compare(h, h, self.results(h, photons=False))
        assert found.photons is None
        assert found.difference.difference.sum() < 0
        assert "quadrature" in found.difference.attrs["error"]
        more = compare(h, h, (found.second, found.first)).difference  # no count of photons
        with pytest.raises(hrixs.UnknownUncertaintyError):
            more.hrixs.error("difference")

    def test_of_which_one_has_fewer_images(self, h):
        first, second = self.results(h)
        fewer = second.drop_dims("photon").isel(trainId=[0, 1, 4])
        assert compare(h, h, (first, fewer)).n_images == (8, 3)
        trains = first.trainId.values[[0, 1, 4]]
        part = h.process_run(RUN, photons=True, trains=trains, progress=False)
        found = compare(h, h, (part, first))
        assert found.photons.sizes["trainId"] == 3
        assert (found.only_first, found.only_second) == (0, 0)
        assert "5 images are only in the second" in str(found)
        # What is in the second alone makes the difference, and its error.
        assert found.difference.attrs["sum"] == pytest.approx(
            found.difference.attrs["sum_err"] ** 2
        )

    def test_of_other_images(self, h):
        one, other = (h.process_run(run, photons=True, progress=False) for run in (RUN, OTHER_RUN))
        found = compare(h, h, (one, other))
        assert found.photons is None
        assert "images are not the same" in str(found)
        assert np.isnan(found.difference.attrs["sum_err"])

    def test_of_several_runs(self, h):
        runs = [h.process_run(run, photons=True, progress=False) for run in (RUN, OTHER_RUN)]
        joined = concat(runs)
        found = compare(h, h, (joined, joined))
        assert (found.only_first, found.only_second) == (0, 0)
        assert found.found_by_both == int(joined.photon_double.sum()) + joined.sizes["photon"]

    def test_moved_since(self, h):
        first, second = self.results(h)
        second["spectrum"] = second.spectrum.roll(energy=40).assign_attrs(second.spectrum.attrs)
        found = compare(h, h, (first, second))
        assert "Its error is not known" in str(found)


class TestShown:
    def test_text(self, low, high):
        lines = str(compare(low, high, images())).splitlines()
        assert lines[0].split() == ["first", "second"]
        rows = {re.split(r"  +", line)[0]: re.split(r"  +", line)[1:] for line in lines[2:10]}
        assert rows["THRESHOLD"] == ["450", "550"]
        assert rows["photons, all"] == ["180 ± 13", "90.0 ± 9.5"]
        assert rows["photons, per image"] == ["30.0 ± 2.2", "15.0 ± 1.6"]
        assert rows["found by both"] == ["90", "90"]
        assert rows["found by this one only"] == ["90", "0"]
        below = "\n".join(lines)
        assert "second - first: -90.0 ± 9.5 photons" in below
        assert "quadrature sum of both errors, 16.4, would be wrong" in below

    def test_html_is_escaped(self, low):
        odd = settings(50, i0="<b>a</b> & b")
        html = compare(low, odd, images())._repr_html_()
        assert "&lt;b&gt;a&lt;/b&gt; &amp; b" in html
        assert "<b>a" not in html
        assert html.startswith("<table>")

    @pytest.mark.parametrize(
        ("change", "n_axes"),
        [
            (lambda h: None, 2),
            (lambda h: setattr(h, "Y_RANGE", slice(0, 32)), 2),
            (lambda h: h.set_params(energy_slope=1.0, energy_intercept=0.0), 3),
        ],
    )
    def test_drawn(self, low, high, change: Callable[[hRIXS], None], n_axes: int):
        change(high)
        figure = compare(low, high, images()).plot()
        assert len(figure.axes) == (2 if n_axes == 3 else n_axes)
        figure.canvas.draw()
        first = figure.axes[0].get_lines()[0]
        assert np.sum(first.get_ydata()) == 180

    def test_drawn_in_two_units(self, low):
        figure = compare(low, low, images(), methods=("auto", "integrate")).plot()
        labels = [ax.get_ylabel() for ax in figure.axes]
        assert labels == ["photons per bin", "intensity per bin (ADU)"]
        figure.canvas.draw()

    def test_is_frozen(self, low):
        found = compare(low, low, images())
        assert isinstance(found, Comparison)
        with pytest.raises(AttributeError):
            found.settings = {}


@pytest.mark.parametrize(
    ("data", "options", "error", "text"),
    [
        (images(), {"methods": "auto"}, ValueError, "expected two, such as"),
        (images(), {"methods": ("auto",)}, ValueError, "expected two"),
        (images(), {"method": "reslove"}, ValueError, "Did you mean 'resolve'"),
        (images(), {"memory": "1GB"}, TypeError, "memory was given with a dataset; it is for runs"),
        ([images()], {}, TypeError, "expected two results"),
        (
            [images()] * 2,
            {"methods": ("auto",) * 2},
            TypeError,
            "methods was given with existing results",
        ),
        ([1, 2], {}, TypeError, "expected two results"),
        ([images(), images()], {}, hrixs.MissingDataError, "has no spectrum"),
        (images().drop_vars("MaranaX"), {}, hrixs.MissingDataError, "MaranaX"),
    ],
)
def test_what_can_not_be_compared(data, options, error, text):
    with pytest.raises(error, match=text):
        compare(settings(50), settings(60), data, **options)
