"""A train's data as they come live: where its images and its photon energy lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from hrixs.runs.mnemonic_table import Mnemonic, checked_entry, mnemonics
from hrixs.utils.errors import MissingDataError

#: Values of one train by source and key.
TrainData: TypeAlias = Mapping[str, Mapping[str, Any]]

#: Trains that may lack the camera before the mnemonic is to blame.
PATIENCE = 20


class TrainReader:
    """Finds a camera's images in trains, and says what is there where it finds none.

    Parameters
    ----------
    camera : str
        Mnemonic of the camera.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import mnemonics
    >>> from hrixs.live.trains import TrainReader
    >>> reader = TrainReader("MaranaX")
    >>> source, key, _ = mnemonics["MaranaX"].values()
    >>> reader.images({source: {key: np.zeros((4, 64, 32))}}).sizes
    Frozen({'image_0': 4, 'x': 64, 'y': 32})
    >>> reader.has_image({source: {"metadata": {}}})
    False
    """

    def __init__(self, camera: str) -> None:
        self.camera = camera
        self.entry: Mnemonic = checked_entry(camera, mnemonics[camera])
        self._n_without = 0
        self._keys_seen: dict[str, set[str]] = {}
        self._last_energy: float | None = None

    def has_image(self, data: TrainData) -> bool:
        """Whether there is an image. The source alone stands in trains without one, too."""
        pixels = data.get(self.entry["source"], {}).get(self.entry["key"])
        return pixels is not None and np.size(pixels) > 0

    def images(self, data: TrainData) -> xr.DataArray:
        """Images of a train that has some.

        Returns
        -------
        xarray.DataArray, dims (..., x, y) in the order of the mnemonic
            Leading dimensions that the mnemonic does not name are called ``image_0`` and so on.

        Raises
        ------
        ValueError
            If there are fewer than two dimensions.
        """
        pixels = np.asarray(data[self.entry["source"]][self.entry["key"]])
        dims = self.entry["dim"] or ["x", "y"]  # given by source and key alone
        # Leading dimensions are there or not: of one image a train they are left out.
        names = [f"image_{k}" for k in range(pixels.ndim - len(dims))] + dims
        named = names[len(names) - pixels.ndim :]
        if not {"x", "y"} <= set(named):
            raise ValueError(
                f"the image has shape {pixels.shape}, expected ({', '.join(dims)}), perhaps with "
                "more dimensions before them."
            )
        return xr.DataArray(pixels, dims=named)

    def photon_energy(self, data: TrainData) -> float:
        """Photon energy ``nrj`` of the train or, where it has none, of the last that had; in eV.

        Raises
        ------
        MissingDataError
            If no train had one.
        """
        entry = mnemonics["nrj"]
        values = data.get(entry["source"], {})
        key = entry["key"].removesuffix(".value")
        value = values.get(f"{key}.value", values.get(key))
        if value is not None and np.size(value):
            self._last_energy = float(np.ravel(value)[0])
        if self._last_energy is None:
            raise MissingDataError(
                f"the trains have no photon energy, that is {entry['source']} / {entry['key']}, "
                "which method 'manual' needs. Let the bridge send it, or give it in eV (on the "
                "command line with --energy)."
            )
        return self._last_energy

    def require_camera(self, data: TrainData) -> None:
        """Count a train without an image, from the beginning of the watch.

        Raises
        ------
        MissingDataError
            If it is the last of `PATIENCE` trains in none of which the camera's source was, or
            only with other keys. It lists what they had.
        """
        self._n_without += 1
        if self._n_without > PATIENCE:
            return
        for source, values in data.items():
            self._keys_seen.setdefault(source, set()).update(values)
        source, key = self.entry["source"], self.entry["key"]
        seen = self._keys_seen.get(source, set()) - {"metadata"}
        # A train without an image has the source with its metadata alone.
        if self._n_without < PATIENCE or key in seen or (source in self._keys_seen and not seen):
            return
        if seen:
            problem = f"{source} has no {key} in the first {PATIENCE} trains, only "
            problem += f"{', '.join(sorted(seen))}."
        else:
            problem = f"there is no {source} in the first {PATIENCE} trains. Sources in them: "
            problem += f"{', '.join(sorted(self._keys_seen)) or 'none'}."
        raise MissingDataError(
            f"{problem} Choose another detector, or correct the mnemonic {self.camera} (on the "
            "command line with --mnemonics)."
        )
