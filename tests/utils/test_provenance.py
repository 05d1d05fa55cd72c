"""What a result says of where it is from."""

import numpy as np
import pytest
import xarray as xr

from hrixs import concat, hRIXS, open_images
from hrixs.utils.provenance import source_text


def result(n=6, run="r0145", proposal="3145") -> xr.Dataset:
    counts = np.random.default_rng(1).poisson(3.0, (n, 20))
    attrs = {
        "units": "photons",
        "n_photons": float(counts.sum()),
        "counts_of": f"{n} images of {run}",
    }
    return xr.Dataset(
        {"spectrum": (("trainId", "energy"), counts, attrs)},
        {"trainId": np.arange(n) + 7, "energy": np.arange(20.0)},
        {"proposal": proposal, "n_images": n},
    ).assign_coords(run=("trainId", [run] * n))


class TestSourceText:
    def test_proposal_run_and_images(self):
        assert source_text(result()) == "p003145, r0145, 6 images"

    def test_only_what_is_known(self):
        assert source_text(xr.Dataset()) == ""
        assert source_text(result(proposal="")) == "r0145, 6 images"

    def test_without_images(self):
        assert source_text(result(), images=False) == "p003145, r0145"

    def test_chosen_images_are_counted(self):
        assert source_text(result().isel(trainId=slice(2))) == "p003145, r0145, 2 images"
        assert source_text(result().isel(trainId=0)) == "p003145, r0145, train 7"

    def test_a_sum_tells_its_images_as_long_as_it_is_of_all(self):
        total = result().sum("trainId", keep_attrs=True)
        assert source_text(total) == "p003145, r0145, 6 images"
        some = result().isel(trainId=slice(2)).sum("trainId", keep_attrs=True)
        assert source_text(some) == "p003145, r0145"
        assert source_text(result().spectrum.mean("trainId", keep_attrs=True)) == "r0145"

    def test_groups(self):
        data = result().assign(nrj=("trainId", [530.0, 531.0] * 3))
        assert source_text(hRIXS().aggregate(data, "nrj")).endswith("6 images")

    def test_several_runs(self):
        runs = [result(2, f"r{k:04d}") for k in range(1, 7)]
        assert source_text(concat(runs[:2])) == "p003145, r0001, r0002, 4 images"
        assert source_text(concat(runs)) == "p003145, r0001 to r0006 (6 runs), 12 images"

    def test_proposal_of_a_path(self):
        data = xr.Dataset(attrs={"path_of_r0145": "/exp/p003145/raw/r0145", "run": "r0145"})
        assert source_text(data) == "p003145, r0145"

    @pytest.mark.parametrize(("n", "images"), [(1, "1 image"), (3, "3 images")])
    def test_a_file_of_images_by_its_name(self, tmp_path, n, images):
        np.save(tmp_path / "scan.npy", np.ones((n, 8, 8), np.uint16))
        data = open_images(tmp_path / "scan.npy", stack_axis=0)
        assert source_text(data) == f"scan.npy, {images}"
