"""`select`: which images are kept, what is told, and what goes with them."""

import warnings

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import HrixsWarning, MissingDataError, hRIXS, select
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

N = 24
BLANK = np.isin(np.arange(N), [0, 5, 6, 7, 20])
IDS = 1_600_000_000 + np.arange(N)
PHOTONS = np.where(BLANK, 3, 150) + np.arange(N) % 7


@pytest.fixture
def data() -> xr.Dataset:
    rng = np.random.default_rng(0)
    spectrum = rng.multinomial(PHOTONS, np.full(10, 0.1)).astype(float)
    attrs = {"units": "photons", "n_photons": 5, "n_outside": 3, "charge_ratio": 1.0}
    norm = np.full(N, 1000.0) + np.arange(N)
    norm[9] = 4000.0
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), spectrum, attrs),
            "hRIXS_norm": ("trainId", norm),
            "shutter": ("trainId", (~BLANK).astype(int)),
        },
        coords={"trainId": IDS, "energy": np.arange(10.0)},
        attrs={"n_images": N},
    )


def quietly(*args, **options) -> xr.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)
        return select(*args, **options)


class TestCriteria:
    def test_no_number_is_needed_for_blanks(self, data):
        with pytest.warns(HrixsWarning) as told:
            light = select(data)
        np.testing.assert_array_equal(light.trainId, IDS[~BLANK])
        text = str(told[0].message)
        assert "5 of 24 images are left out" in text
        assert "trains 1600000000, 1600000005" in text
        assert "n_photons > " in text
        assert light.attrs["n_left_out"] == 5
        assert light.attrs["left_out"] == "1600000000, 1600000005-1600000007, 1600000020"
        assert light.attrs["n_images"] == 19
        assert data.attrs == {"n_images": N}
        np.testing.assert_array_equal(quietly(data, blanks=True).trainId, IDS[BLANK])

    def test_one_group_stays_whole_and_has_no_blanks(self, data):
        clean = data.isel(trainId=~BLANK)
        light = select(clean)
        assert light.sizes == clean.sizes
        assert light.attrs["n_left_out"] == 0
        assert light.attrs["selected_by"] == "n_photons (one group)"
        with pytest.raises(MissingDataError, match="there are no blanks among 19 images"):
            select(clean, blanks=True)

    def test_two_groups_by_any_field(self, data):
        np.testing.assert_array_equal(quietly(data, "shutter").trainId, IDS[~BLANK])
        np.testing.assert_array_equal(quietly(data, by="shutter", keep="low").trainId, IDS[BLANK])
        ratio = quietly(data, "n_photons / shutter")  # of closed ones it is infinite
        np.testing.assert_array_equal(ratio.trainId, IDS[~BLANK])

    @pytest.mark.parametrize(
        ("by", "kept"),
        [
            ("n_photons > 50", ~BLANK),
            ("n_photons > 50 and hRIXS_norm < 2000", ~BLANK & (np.arange(N) != 9)),
            ("abs(hRIXS_norm - median(hRIXS_norm)) < 5 * sigma(hRIXS_norm)", np.arange(N) != 9),
            ("trainId >= 1600000010", np.arange(N) >= 10),
            ("not shutter == 0", ~BLANK),
        ],
    )
    def test_conditions(self, data, by, kept):
        found = quietly(data, by)
        np.testing.assert_array_equal(found.trainId, IDS[kept])
        assert found.attrs["selected_by"] == by

    def test_true_and_false_or_a_function(self, data):
        for by in (data.shutter == 1, (data.shutter == 1).values, lambda ds: ds.shutter == 1):
            np.testing.assert_array_equal(quietly(data, by).trainId, IDS[~BLANK])
        backwards = (data.shutter == 1)[::-1]
        np.testing.assert_array_equal(quietly(data, backwards).trainId, IDS[~BLANK])
        with pytest.raises(
            MissingDataError, match="is neither True nor False for train 1600000023"
        ):
            select(data, (data.shutter == 1)[:-1])
        with pytest.raises(ValueError, match="expected True or False for each trainId"):
            select(data, data.hRIXS_norm)

    def test_outliers_by_a_robust_deviation(self, data):
        with pytest.warns(HrixsWarning, match="1 of 24 images are left out, train 1600000009"):
            steady = select(data, outliers="hRIXS_norm")
        assert 4000.0 not in steady.hRIXS_norm
        assert quietly(data, outliers=["hRIXS_norm"], n_sigma=1e6).sizes["trainId"] == N

    def test_integrated_spectra_and_images(self, data):
        level = np.where(BLANK, 100.0, 110.0) + np.random.default_rng(1).normal(0, 1, N)
        integrated = data.assign(spectrum=data.spectrum * 0 + xr.DataArray(level, dims="trainId"))
        integrated["spectrum"].attrs["units"] = "ADU"
        kept = quietly(integrated)
        np.testing.assert_array_equal(kept.trainId, IDS[~BLANK])
        assert kept.attrs["selected_by"].startswith("intensity > ")
        images = xr.Dataset(
            {"cam": (("trainId", "x", "y"), np.broadcast_to(level[:, None, None], (N, 4, 5)))},
            {"trainId": IDS},
        )
        np.testing.assert_array_equal(quietly(images).trainId, IDS[~BLANK])
        np.testing.assert_array_equal(quietly(images, "level < 105").trainId, IDS[BLANK])

    @pytest.mark.parametrize(
        ("by", "error", "text"),
        [
            ("n_photns > 5", MissingDataError, "Did you mean 'n_photons'"),
            ("n_photons > 1e6", MissingDataError, "none of 24 images is left: n_photons > 1e6"),
            ("n_photons >", ValueError, "cannot be read"),
            ("os.system('x')", ValueError, "is not understood"),
            ("spectrum > 0", ValueError, "expected one value for each trainId"),
        ],
    )
    def test_what_can_not_be_meant(self, data, by, error, text):
        with pytest.raises(error, match=text):
            select(data, by)


class TestPlaces:
    def test_first_index_and_trains(self, data):
        assert select(data, drop_first=True).trainId[0] == IDS[1]
        assert select(data, drop_first=3).trainId[0] == IDS[3]
        np.testing.assert_array_equal(select(data, index=[2, 4, -1]).trainId, IDS[[2, 4, 23]])
        np.testing.assert_array_equal(select(data, index=slice(3, 9, 2)).trainId, IDS[3:9:2])
        np.testing.assert_array_equal(select(data, trains=IDS[[8, 3]]).trainId, IDS[[3, 8]])
        chosen = select(data, trains=list(IDS[:5]), drop_first=2)
        np.testing.assert_array_equal(chosen.trainId, IDS[2:5])
        assert chosen.attrs["selected_by"] == "without the first 2; by trains"
        assert chosen.attrs["n_left_out"] == N - 3

    def test_blanks_among_chosen_trains(self, data):
        found = quietly(data, "auto", drop_first=True)
        np.testing.assert_array_equal(found.trainId, IDS[1:][~BLANK[1:]])

    def test_what_is_not_there(self, data):
        with pytest.warns(HrixsWarning, match="there is no image of train 5"):
            select(data, trains=[5, IDS[0]])
        with pytest.raises(MissingDataError, match="For numbers in the order of the images"):
            select(data, trains=[0, 1])
        with pytest.raises(MissingDataError, match="there are 24, 0 to 23"):
            select(data, index=[24])
        with pytest.raises(TypeError, match="expected a list of train ids"):
            select(data, trains=[0.5])
        with pytest.raises(ValueError, match="expected True, False or a number"):
            select(data, drop_first=-1)
        with pytest.raises(MissingDataError, match="Choose before aggregating"):
            select(hRIXS().aggregate(data))


def test_several_calls_add_up(data):
    once = quietly(data)
    twice = select(once, index=slice(0, 10))
    assert twice.attrs["n_left_out"] == 5 + 9
    assert twice.attrs["selected_by"].endswith("; by index")


def test_counts_of_all_images_do_not_stay(data):
    assert not {"n_photons", "n_outside", "charge_ratio"} & set(quietly(data).spectrum.attrs)
    assert data.spectrum.attrs["n_photons"] == 5


def test_several_frames_in_a_train(data):
    cells = xr.concat([data.spectrum, data.spectrum], "cell").transpose("trainId", "cell", ...)
    many = data.assign(spectrum=cells)
    np.testing.assert_array_equal(quietly(many).trainId, IDS[~BLANK])
    with pytest.raises(ValueError, match="expected True or False for each trainId"):
        select(many, cells.sum("energy") > 50)


# Light is dense in it, and the first images are blank.
crowded = pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in which every other image is blank."""
    frames, _ = simulate_frames(
        16,
        sensor=Sensor(shape=(256, 120)),
        lines=[SpectralLine(60, 12.0, 1.0)],
        photons_per_frame=np.where(np.arange(16) % 2, 30.0, 0.0),
        curvature=(0, 0),
        seed=3,
    )
    return write_run(tmp_path_factory.mktemp("r"), frames.values)


@pytest.fixture
def h() -> hRIXS:
    h = hRIXS()
    h.FIELDS, h.THRESHOLD = ["MaranaX"], "6 sigma"
    return h


@crowded
def test_the_blanks_of_a_run_are_its_dark(h, run):
    data = h.centroid(h.from_run(run))
    with pytest.warns(HrixsWarning, match="8 of 16 images are left out"):
        light = h.select(data)
    h.load_dark(h.select(data, blanks=True))
    np.testing.assert_allclose(h.dark_image, data.MaranaX[::2].mean("trainId"))
    by_trains = hRIXS()
    by_trains.FIELDS = ["MaranaX"]
    by_trains.load_dark(run, trains=data.trainId.values[::2])
    # Of parts of a run a value near the limit may count as far, which it does not among all.
    assert (by_trains.dark_image != h.dark_image).sum() <= 3
    assert h.centroid(light).sizes["trainId"] == 8


@crowded
def test_photons_go_with_their_images(h, run):
    result = h.process_run(run, photons=True, progress=False)
    light = quietly(result)
    table = hrixs.photon_table(light)
    expected = hrixs.photon_table(
        h.process_run(run, photons=True, progress=False, trains=light.trainId.values)
    )
    for name in ("x", "y", "frame"):
        np.testing.assert_array_equal(table[name], expected[name])


@crowded
def test_lazily_it_is_the_same(h, run):
    whole, lazy = (h.centroid(h.from_run(run, lazy=one)) for one in (False, True))
    found = [quietly(one) for one in (whole, lazy)]
    np.testing.assert_array_equal(found[0].trainId, found[1].trainId)
    assert found[1].MaranaX.chunks is not None
    np.testing.assert_array_equal(found[0].spectrum, found[1].spectrum)
