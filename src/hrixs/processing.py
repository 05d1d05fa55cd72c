"""The work of ``hrixs process``: one run or image stack to a file of spectra."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs import image_files
from hrixs.errors import MissingDataError
from hrixs.mnemonics import mnemonics
from hrixs.provenance import slice_text
from hrixs.spectrometer import hRIXS


def process(
    run: str,
    output: Path,
    *,
    method: str,
    params: dict[str, Any],
    plot: str | None = None,
    proposal: str | None = None,
    detector: str = "MaranaX",
    dark: str | None = None,
    mask: str | None = None,
    find_curvature: str | None = None,
    energy: float | None = None,
    fields: Sequence[str] = (),
    mnemonics_file: str | None = None,
    aggregate: str | None = None,
    normalize: str | None = None,
    transpose: bool = False,
    dataset: str | None = None,
) -> xr.Dataset:
    """Make the spectra of one run, write them to `output`, and say what was done.

    The arguments are the options of ``hrixs process``; `params` are settings of `hRIXS`.

    Returns
    -------
    xarray.Dataset
        What was written: the spectra and the slow data, without the images.
    """
    for path in (output, Path(plot or output)):
        if not path.parent.is_dir():
            raise MissingDataError(f"there is no folder {path.parent} to write {path.name} to.")
    if mnemonics_file is not None:
        mnemonics.update(json.loads(Path(mnemonics_file).read_text(encoding="utf8")))
    h = hRIXS(proposal, detector)
    h.set_params(**params)

    def opened(name: str) -> Any:
        if image_files.is_image_file(name):
            return image_files.read_images(name, detector, dataset=dataset, transpose=transpose)
        return int(name) if name.isdigit() and not Path(name).exists() else name

    source = opened(run)
    data = source if isinstance(source, xr.Dataset) else h.from_run(source, extra_fields=fields)
    if energy is not None:
        data["nrj"] = ("trainId", np.full(data.sizes["trainId"], energy), {"units": "eV"})
    if mask is not None:
        h.MASK = _read_mask(mask, transpose)
    if dark is not None:
        h.load_dark(opened(dark))
    if find_curvature is not None:
        h.find_curvature(opened(find_curvature) if find_curvature else data, plot=False)
        fit = h.curvature_fit
        assert fit is not None
        print(
            f"curvature: A = {fit.curve_a:.7f} +- {fit.curve_a_err:.1g}, "
            f"B = {fit.curve_b:.2e} +- {fit.curve_b_err:.1g}, line {fit.fwhm:.2f} px FWHM"
        )
    if method == "integrate":
        h.integrate(data)
    else:
        h.centroid(data, method=method)
    result = data.drop_vars(detector)
    if aggregate is not None:
        result = h.aggregate(result, aggregate)
    if normalize is not None:
        h.normalize(result, normalize)
    result.attrs["settings"] = json.dumps(h.get_params(), default=_json)
    result.to_netcdf(output, engine="h5netcdf")
    _report(h, data, result, output)
    if plot is not None:
        _plot(h, data, method, plot)
        print(f"wrote {plot}")
    return result


def _report(h: hRIXS, data: xr.Dataset, result: xr.Dataset, output: Path) -> None:
    counts = {
        "n_images": "images",
        "n_trains": "trains",
        "n_trains_without_image": "trains without an image",
        "n_images_dropped": "images dropped for lack of slow data",
    }
    print(
        ", ".join(f"{data.attrs[key]} {text}" for key, text in counts.items() if key in data.attrs)
    )
    attrs = data.spectrum.attrs
    if "n_photons" in attrs:
        print(
            f"{attrs['n_photons']:.0f} photons in the spectra, "
            f"{attrs['n_photons'] / data[h.DETECTOR].sizes['trainId']:.1f} an image; "
            f"{attrs['n_outside']:.0f} outside of the range, {attrs['n_dropped']} spots left out"
        )
    if data["energy"].attrs["units"] == "px":
        print("energy axis in rows: give --energy-slope and --energy-intercept for eV")
    print(f"wrote {output}: {', '.join(map(str, result.data_vars))}")


def _plot(h: hRIXS, data: xr.Dataset, method: str, path: str) -> None:
    from hrixs import plotting

    figure, axes = plotting.new_figure([["image", "spectrum"], ["image", "trains"]], (12, 6))
    image = h.mean_image(data)
    if h.curvature_fit is None:
        plotting.plot_image(image, axes["image"])
    else:
        plotting.plot_curvature(image, h.curvature_fit, axes["image"])
    plotting.plot_spectra({method: data.spectrum.mean("trainId")}, axes["spectrum"])
    if method == "integrate":
        intensity = data.spectrum.mean("energy")
        plotting.plot_per_train(intensity, axes["trains"], "mean intensity (ADU)")
    else:
        plotting.plot_per_train(data.spectrum.sum("energy"), axes["trains"])
    figure.savefig(path, dpi=120)


def _read_mask(path: str, transpose: bool) -> Any:
    mask = np.load(path, allow_pickle=False) != 0
    return mask.T if transpose else mask


def _json(value: Any) -> Any:
    if isinstance(value, slice):
        return slice_text(value)
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    return str(value)
