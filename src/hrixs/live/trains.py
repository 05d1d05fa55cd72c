"""Find the images and the photon energy in the live data of a train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from hrixs.runs.mnemonic_table import Mnemonic, checked_entry, mnemonics
from hrixs.utils.errors import MissingDataError

#: Values of one train by source and key.
TrainData: TypeAlias = Mapping[str, Mapping[str, Any]]

#: Number of trains without the camera after which the mnemonic is taken to be wrong.
PATIENCE = 20


class TrainReader:
    """Find the images of a camera in trains; if there are none, list what the trains have.

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
        """Whether there is an image. Trains without one may still have the source."""
        pixels = data.get(self.entry["source"], {}).get(self.entry["key"])
        return pixels is not None and np.size(pixels) > 0

    def images(self, data: TrainData) -> xr.DataArray:
        """Return the images of a train.

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
        dims = self.entry["dim"] or ["x", "y"]  # the camera was given by source and key only
        # With one image per train the leading dimensions are left out.
        names = [f"image_{k}" for k in range(pixels.ndim - len(dims))] + dims
        named = names[len(names) - pixels.ndim :]
        if not {"x", "y"} <= set(named):
            raise ValueError(
                f"the image has shape {pixels.shape}, expected ({', '.join(dims)}), optionally "
                "with more dimensions before them. Correct `dim` of the mnemonic."
            )
        return xr.DataArray(pixels, dims=named)

    def photon_energy(self, data: TrainData) -> float:
        """Photon energy ``nrj`` in eV, of the train or else of the last train that had it.

        Raises
        ------
        MissingDataError
            If no train had it.
        """
        entry = mnemonics["nrj"]
        values = data.get(entry["source"], {})
        key = entry["key"].removesuffix(".value")
        value = values.get(f"{key}.value", values.get(key))
        if value is not None and np.size(value):
            self._last_energy = float(np.ravel(value)[0])
        if self._last_energy is None:
            raise MissingDataError(
                f"the trains have no photon energy ({entry['source']} / {entry['key']}), which "
                "method 'manual' needs. Add this source to the bridge, or give the energy in eV "
                "(on the command line with --energy)."
            )
        return self._last_energy

    def require_camera(self, data: TrainData) -> None:
        """Count a train without an image, at the beginning of the watch.

        Raises
        ------
        MissingDataError
            After `PATIENCE` trains without the source of the camera, or with other keys only. The
            message lists what they had.
        """
        self._n_without += 1
        if self._n_without > PATIENCE:
            return
        for source, values in data.items():
            self._keys_seen.setdefault(source, set()).update(values)
        source, key = self.entry["source"], self.entry["key"]
        seen = self._keys_seen.get(source, set()) - {"metadata"}
        # A train without an image has only metadata of the source.
        if self._n_without < PATIENCE or key in seen or (source in self._keys_seen and not seen):
            return
        if seen:
            problem = f"{source} has no {key} in the first {PATIENCE} trains, but only "
            problem += f"{', '.join(sorted(seen))}."
        else:
            problem = f"the first {PATIENCE} trains have no {source}. Their sources: "
            problem += f"{', '.join(sorted(self._keys_seen)) or 'none'}."
        raise MissingDataError(
            f"{problem} Choose a different detector, or correct the mnemonic {self.camera} (on "
            "the command line with --mnemonics)."
        )
