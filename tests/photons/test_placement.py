"""Photons placed by the fit of their charge clouds, in the class and through whole runs."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

import hrixs
from conftest import RUN
from hrixs import MissingDataError, hRIXS
from hrixs.cli.main import main
from hrixs.live.spectra import LiveSpectra
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

EXTRA = {"sigma_x", "sigma_y", "chi2", "own_cloud_sigma", "own_cloud_sigma_err", "flag"}


@pytest.fixture
def fitting(h: hRIXS) -> hRIXS:
    h.set_params(position="gaussian", cloud_sigma=0.55, threshold=450.0)
    return h


class TestClass:
    def test_the_default_is_the_centre_of_mass(self, h):
        assert h.POSITION == "com"

    def test_centroid_gives_the_spectra_of_the_fit(self, fitting, data):
        spectrum = fitting.centroid(data).spectrum
        frames = data.MaranaX[:, :, 700:900]
        photons = hrixs.find_photons(
            frames, threshold=450.0, position="gaussian", cloud_sigma=0.55, electrons_per_adu=1.06
        )
        curvature = (fitting.CURVE_A, fitting.CURVE_B)
        expected = hrixs.photon_spectrum(photons, bins=500, range=(700, 900), curvature=curvature)
        np.testing.assert_array_equal(spectrum.values, expected.values)
        assert spectrum.attrs["position"] == "gaussian"
        assert spectrum.attrs["electrons_per_adu"] == 1.06

    def test_lines_are_narrower_than_with_the_centre_of_mass(self):
        """A sharp line, whose width is that of the positions' errors."""
        sensor = Sensor(shape=(256, 64), read_noise=4.0)
        frames, _ = simulate_frames(
            20, sensor=sensor, lines=[SpectralLine(30.0, 0.01, 1.0)], photons_per_frame=60,
            curvature=(0.02, 0.0), seed=2,
        )  # fmt: skip
        widths = {}
        for position in ("com", "gaussian"):
            photons = hrixs.find_photons(
                frames, threshold=460, position=position, electrons_per_adu=1.06
            )
            alone = np.abs((photons.y - 0.02 * photons.x) - 30) < 1
            widths[position] = float((photons.y - 0.02 * photons.x)[alone].std())
        assert widths["gaussian"] < 0.8 * widths["com"]

    @pytest.mark.parametrize(
        "centroid",
        [lambda h, image: h.centroid_one(image), lambda h, image: h.centroid_two(image, 530.0)[0]],
    )
    def test_both_centroids_take_it(self, fitting, data, centroid):
        image = data.MaranaX[0, :, 700:900]
        fitted = np.array(centroid(fitting, image))
        fitting.POSITION = "com"
        plain = np.array(centroid(fitting, image))
        assert len(fitted) == len(plain) > 50
        assert not np.allclose(fitted, plain, atol=1e-3)
        assert np.median(np.abs(fitted - plain)) < 0.3

    def test_a_map_of_the_noise_is_cropped_as_the_images_are(self, fitting, data):
        fitting.READ_NOISE = np.full(data.MaranaX.shape[1:], 1.8)
        mapped = fitting.centroid(data.copy()).spectrum
        one = fitting.centroid_one(data.MaranaX[0, :, 700:900])
        fitting.READ_NOISE = 1.8
        np.testing.assert_array_equal(fitting.centroid(data.copy()).spectrum, mapped)
        np.testing.assert_allclose(fitting.centroid_one(data.MaranaX[0, :, 700:900]), one)
        fitting.READ_NOISE = np.full((3, 3), 1.8)
        with pytest.raises(ValueError, match="READ_NOISE has shape"):
            fitting.centroid(data)

    def test_estimate_cloud_sets_the_width(self, fitting, data):
        fitting.CLOUD_SIGMA = None
        of_data = fitting.estimate_cloud(data)
        assert fitting.CLOUD_SIGMA == of_data.cloud_sigma == pytest.approx(0.55, rel=0.03)
        assert fitting.estimate_cloud(RUN).cloud_sigma == of_data.cloud_sigma

    def test_estimate_cloud_keeps_the_width_where_there_are_no_photons(self, fitting, data):
        fitting.THRESHOLD = 1e6
        with pytest.raises(MissingDataError, match="0 of 0 hits"):
            fitting.estimate_cloud(data)
        assert fitting.CLOUD_SIGMA == 0.55

    def test_an_unknown_position(self, h, data):
        h.POSITION = "gauss"
        with pytest.raises(ValueError, match=r"position.*'gauss'"):
            h.centroid(data)
        assert "spectrum" not in data


class TestRuns:
    @pytest.mark.parametrize("cloud_sigma", [0.55, None])
    @pytest.mark.parametrize("method", ["auto", "manual"])
    def test_process_run_is_centroid(self, fitting, data, method, cloud_sigma):
        fitting.CLOUD_SIGMA = cloud_sigma
        expected = fitting.centroid(data, method=method).spectrum
        processed = fitting.process_run(RUN, method=method, memory="64MB", photons=True)
        np.testing.assert_array_equal(processed.spectrum.values, expected.values)
        assert processed.spectrum.attrs["cloud_sigma"] == expected.attrs["cloud_sigma"]
        table = hrixs.photon_table(processed)
        assert set(table.data_vars) >= EXTRA
        assert table.flag.dtype == np.uint8
        assert table.sigma_x.attrs["units"] == "px"

    def test_lazy_images_give_the_same(self, fitting, data):
        pytest.importorskip("dask")
        fitting.CLOUD_SIGMA = None
        lazy = fitting.from_run(RUN, lazy=True)
        expected = fitting.centroid(data).spectrum
        np.testing.assert_array_equal(fitting.centroid(lazy).spectrum.values, expected.values)

    def test_a_checkpoint_of_another_noise_map_is_not_used(self, fitting, tmp_path):
        fitting.READ_NOISE = np.full((256, 1024), 1.8)
        first = fitting.process_run(RUN, checkpoint=tmp_path / "parts")
        fitting.READ_NOISE = np.full((256, 1024), 1.8)
        fitting.READ_NOISE[128:] = 8.0
        with pytest.warns(hrixs.HrixsWarning):
            second = fitting.process_run(RUN, checkpoint=tmp_path / "parts")
        assert not first.spectrum.equals(second.spectrum)

    def test_a_first_image_that_cannot_be_used(self, fitting, data):
        """It is left out as everywhere; the width comes from the others."""
        fitting.CLOUD_SIGMA = None
        counts = fitting.process_run(RUN).n_photons.values
        fitting.MAX_PHOTONS = int(counts.max()) - 1
        with pytest.warns(hrixs.HrixsWarning, match="more hits"):
            result = fitting.process_run(RUN)
        assert 0 < result.sizes["trainId"] < data.sizes["trainId"]

    def test_the_width_of_a_run_that_begins_in_the_dark(self, fitting, data, tmp_path):
        """Images are looked at until there are photons; the same everywhere."""
        images = np.concatenate([np.full_like(data.MaranaX[:8], 100), data.MaranaX])
        images[:8] += np.random.default_rng(3).integers(0, 4, images[:8].shape).astype(np.uint16)
        folder = write_run(tmp_path, images, run=7)
        fitting.FIELDS = ["MaranaX"]
        fitting.CLOUD_SIGMA = None
        whole = fitting.from_run(folder)
        expected = fitting.centroid(whole).spectrum
        assert expected.attrs["cloud_sigma"] == pytest.approx(0.55, rel=0.03)
        assert expected.attrs["cloud_sigma_estimated"] == 1
        processed = fitting.process_run(folder, memory="64MB").spectrum
        np.testing.assert_array_equal(processed.values, expected.values)
        lazy = fitting.centroid(fitting.from_run(folder, lazy=True)).spectrum
        np.testing.assert_array_equal(lazy.values, expected.values)
        found = hrixs.find_photons(
            whole.MaranaX[:, :, 700:900],
            threshold=450.0,
            position="gaussian",
            electrons_per_adu=1.06,
        )
        assert found.attrs["cloud_sigma"] == expected.attrs["cloud_sigma"]

    def test_one_image_of_a_lazy_run(self, fitting, data):
        fitting.CLOUD_SIGMA = None
        alone = fitting.centroid(data.isel(trainId=3)).spectrum
        lazy = fitting.from_run(RUN, lazy=True).isel(trainId=3)
        np.testing.assert_array_equal(fitting.centroid(lazy).spectrum, alone)
        with pytest.raises(hrixs.NoLineError, match="99 photons"):
            fitting.find_curvature(data.isel(trainId=3), plot=False, method="photons")

    def test_counts_of_cosmics_add_up(self, fitting, data):
        fitting.MAX_PIXEL = 60.0
        total = fitting.centroid(data).spectrum.attrs["n_cosmics"]
        assert total > 10
        assert fitting.process_run(RUN, memory="42MB").spectrum.attrs["n_cosmics"] == total
        parts = hrixs.photon_parts(
            fitting.from_run(RUN, lazy=True).MaranaX[:, :, 700:900].chunk({"trainId": 3}),
            threshold=450.0, max_pixel=60.0,
        )  # fmt: skip
        joined = hrixs.concat_photons([part.compute() for part in parts])
        assert joined.attrs["n_cosmics"] == int(joined.n_cosmics.sum()) == total

    def test_chunks_do_not_estimate_the_width_one_by_one(self, fitting):
        images = fitting.from_run(RUN, lazy=True).MaranaX
        with pytest.raises(ValueError, match="each chunk would estimate"):
            hrixs.photon_parts(images, position="gaussian")

    def test_a_table_of_a_run_tells_the_width(self, fitting):
        table = hrixs.photon_table(fitting.process_run(RUN, photons=True))
        assert hrixs.estimate_cloud(table).cloud_sigma == pytest.approx(0.55, rel=0.03)
        assert table.charge.attrs["long_name"] == "charge of the fitted cloud"

    def test_live_spectra_need_the_width(self, fitting):
        fitting.CLOUD_SIGMA = None
        with pytest.raises(ValueError, match=r"h\.estimate_cloud"):
            LiveSpectra(fitting)
        LiveSpectra(fitting, method="integrate")

    def test_command_line(self, data_root, tmp_path):
        out = tmp_path / "out.nc"
        words = f"process {data_root.folder} -o {out} --position gaussian --split-doubles yes"
        assert main([*words.split(), "--dbl-threshold", "200", "--threshold", "450"]) == 0
        with xr.open_dataset(out) as result:
            assert result.spectrum.attrs["position"] == "gaussian"
            assert result.spectrum.attrs["split_doubles"] == 1


class TestCount:
    """Spectra of a photon table that was kept, with the curve and the axis as they are now."""

    def test_gives_the_spectra_of_the_run(self, fitting):
        result = fitting.process_run(RUN, photons=True)
        photons = hrixs.photon_table(result)
        counted = fitting.count(photons, result)
        for name in ("spectrum", "energy", "hRIXS_delay", "nrj"):
            np.testing.assert_array_equal(counted[name].values, result[name].values)
        assert "photon_x" not in counted

    def test_follows_the_curve_and_the_axis(self, fitting):
        result = fitting.process_run(RUN, photons=True)
        photons = hrixs.photon_table(result)
        fitting.CURVE_A, fitting.ENERGY_SLOPE = 0.03, 0.02
        counted = fitting.count(photons, bins=100)
        again = fitting.process_run(RUN)
        assert counted.sizes["energy"] == 100
        total = again.spectrum.values.reshape(*again.spectrum.shape[:-1], 100, 5).sum(-1)
        np.testing.assert_array_equal(counted.spectrum.values, total)
        assert float(counted.energy[0]) == pytest.approx(498.27 + 0.02 * (700 + 1.0))

    @pytest.mark.parametrize("rows", [slice(-324, -124), slice(None), slice(None, 900)])
    def test_whatever_way_the_rows_are_told(self, fitting, rows):
        fitting.Y_RANGE = rows
        result = fitting.process_run(RUN, photons=True)
        counted = fitting.count(hrixs.photon_table(result), result)
        np.testing.assert_array_equal(counted.energy, result.energy)
        np.testing.assert_array_equal(counted.spectrum, result.spectrum)

    def test_of_aligned_photons(self, fitting):
        result = fitting.process_run(RUN, photons=True)
        aligned = hrixs.align(
            hrixs.photon_table(result), curvature=(0.04, -2e-5), trains_per_group=2
        )
        counted = fitting.count(aligned, result)
        assert float(counted.spectrum.sum()) == pytest.approx(
            float(result.spectrum.sum()), rel=0.02
        )

    def test_needs_to_know_the_rows(self, fitting, data):
        photons = hrixs.find_photons(data.MaranaX[:, :, 700:900], threshold=450)
        with pytest.raises(ValueError, match="does not list the rows"):
            fitting.count(photons)

    def test_of_other_trains(self, fitting):
        result = fitting.process_run(RUN, photons=True)
        photons = hrixs.photon_table(result)
        with pytest.raises(ValueError, match="expected the same"):
            fitting.count(photons, result.isel(trainId=slice(3)))
        with pytest.raises(ValueError, match="data has 0 trains"):
            fitting.count(photons, xr.Dataset())
        with pytest.raises(TypeError, match="expected a photon table"):
            fitting.count(None)


class TestOptions:
    def test_a_class_that_splits_needs_the_fit(self, h, data):
        h.set_params(split_doubles=True, dbl_threshold=200)
        with pytest.raises(ValueError, match="split_doubles was given with position='com'"):
            h.centroid(data)

    def test_half_of_the_pixels_are_good(self):
        """The level comes from rows that are not masked."""
        rng = np.random.default_rng(1)
        frame = rng.normal(100, 2, (2048, 64))
        frame[127:130, 31:34] += 30.0
        mask = np.ones(frame.shape, bool)
        mask[100:1124] = False
        frame[mask] = rng.normal(400, 30, int(mask.sum()))
        found = hrixs.find_photons(
            frame, threshold=455, mask=mask, position="gaussian", cloud_sigma=0.7
        )
        assert float(found.noise[0]) == pytest.approx(2.0, rel=0.05)
        assert found.chi2.values[np.argmax(found.charge.values)] < 30


class TestSpikes:
    """A cosmic ray's track, and a photon that touches it."""

    @pytest.fixture
    def frame(self):
        frame = np.full((48, 48), 100.0)
        frame[10:12, 10:12] += 40.0  # a photon
        frame[30:32, 30:32] += 40.0  # beside the track
        frame[26, 20:36] += 900.0
        return frame

    @pytest.mark.parametrize("limits", [{"max_pixel": 500.0}, {"max_charge": 600.0}])
    def test_are_dropped_with_their_neighbourhood(self, frame, limits):
        found = hrixs.find_photons(frame, threshold=450, **limits)
        assert found.sizes["photon"] == 1
        assert float(found.x[0]) == pytest.approx(10.5, abs=0.1)
        assert int(found.n_cosmics[0]) == found.attrs["n_cosmics"] >= 2
        assert found.attrs["n_hits"] == 1

    def test_stay_without_limits(self, frame):
        found = hrixs.find_photons(frame, threshold=450)
        assert found.sizes["photon"] > 2
        assert found.attrs["n_cosmics"] == 0

    def test_in_classify_photons(self, frame):
        found = hrixs.classify_photons(frame, 600.0, max_pixel=500.0)
        assert found.sizes["photon"] == 1
        without = hrixs.classify_photons(frame, 600.0)
        assert without.sizes["photon"] > 1

    @pytest.mark.parametrize("name", ["max_pixel", "max_charge"])
    def test_a_limit_is_positive(self, frame, name):
        with pytest.raises(ValueError, match=rf"{name} = -1"):
            hrixs.find_photons(frame, **{name: -1})

    def test_the_class_takes_them(self, frame):
        h = hRIXS()
        h.set_params(threshold=450, max_pixel=500.0)
        assert len(h.centroid_one(frame)) == 1


def shares(place: float, n_pixels: int) -> np.ndarray:
    """Of a cloud of 0.55 px, in each pixel of a row."""
    edges = np.arange(n_pixels + 1) - 0.5
    return np.diff(ndtr((edges - place) / 0.55))


class TestSplitDoubles:
    @pytest.fixture
    def frame(self):
        """Two photons 1.2 pixels apart, and one of a double charge."""
        rng = np.random.default_rng(5)
        frame = 100 + rng.normal(0, 1.6, (64, 64))
        for charge, at_x, at_y in ((140, 20, 20.3), (140, 20.9, 21.1), (280, 44.2, 44.1)):
            frame += charge * np.outer(shares(at_x, 64), shares(at_y, 64))
        return frame

    def options(self, **more):
        return {"threshold": 450, "dbl_threshold": 210, "position": "gaussian"} | more

    def test_are_placed_one_by_one(self, frame):
        found = hrixs.find_photons(frame, **self.options(cloud_sigma=0.55, split_doubles=True))
        assert found.double.values.tolist() == [False, False, True]
        assert (found.flag.values & 16 > 0).tolist() == [True, True, False]
        np.testing.assert_allclose(found.x[:2], [20, 20.9], atol=0.15)
        np.testing.assert_allclose(found.y[:2], [20.3, 21.1], atol=0.15)
        np.testing.assert_allclose(found.charge[:2], 140, rtol=0.1)

    def test_count_as_before(self, frame):
        counts = [
            float(
                hrixs.photon_spectrum(
                    hrixs.find_photons(
                        frame, **self.options(cloud_sigma=0.55, split_doubles=split)
                    ),
                    bins=1,
                    range=(0, 64),
                ).sum()
            )
            for split in (False, True)
        ]
        assert counts == [4, 4]

    def test_need_a_threshold_of_doubles(self, frame):
        with pytest.raises(ValueError, match="dbl_threshold"):
            hrixs.find_photons(
                frame, position="gaussian", cloud_sigma=0.55, split_doubles=True, threshold=450
            )

    @pytest.mark.parametrize(
        ("distance", "least_apart"), [(0.0, 0.0), (0.6, 0.7), (0.9, 0.97), (1.2, 0.98), (1.5, 0.98)]
    )
    def test_the_farther_apart_the_more_often(self, distance, least_apart):
        """Of 100 pairs in all directions; never fewer photons, nor farther from the truth."""
        rng = np.random.default_rng(4)
        frame = 100 + rng.normal(0, 1.6, (240, 240))
        middles = 24.0 * np.argwhere(np.ones((10, 10))) + 12 + rng.uniform(-0.5, 0.5, (100, 2))
        angle = rng.uniform(0, 2 * np.pi, 100)
        half = 0.5 * distance * np.stack([np.cos(angle), np.sin(angle)], -1)
        pairs = np.stack([middles - half, middles + half], 1)
        for x, y in pairs.reshape(-1, 2):
            frame += 140 * np.outer(shares(x, 240), shares(y, 240))
        found = hrixs.find_photons(frame, **self.options(cloud_sigma=0.55, split_doubles=True))
        assert found.sizes["photon"] + int(found.double.sum()) == 200
        split = (found.flag.values & 16 > 0).sum() / 200
        assert split >= least_apart
        if distance == 0:
            assert split < 0.03
            return
        places = np.stack([found.x.values, found.y.values], -1)[found.flag.values & 16 > 0]
        nearest = np.abs(places[:, None] - pairs.reshape(-1, 2)).max(-1).min(1)
        assert np.sqrt(np.mean(nearest**2)) < 0.06
