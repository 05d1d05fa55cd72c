"""Short names of a run's data: where each lies in the run's files.

The camera entries are placeholders, for the real ones are not public: check them on site, with
``run.all_sources`` and ``run.keys_for_source(...)``, and change them in place, for example::

    hrixs.mnemonics["MaranaX"] = {"source": "...:daqOutput", "key": "data.image.pixels",
                                  "dim": ["x", "y"]}
"""

from __future__ import annotations

from typing import TypedDict


class Mnemonic(TypedDict):
    """Source and key in the run, and the dimensions of one entry besides the train."""

    source: str
    key: str
    dim: list[str]


#: The table: a plain dict that users may change.
mnemonics: dict[str, Mnemonic] = {
    "hRIXS_det": {
        "source": "SCS_HRIXS_CAM/CAM/HRIXS:daqOutput",
        "key": "data.image.pixels",
        "dim": ["x", "y"],
    },
    "MaranaX": {
        "source": "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput",
        "key": "data.image.pixels",
        "dim": ["x", "y"],
    },
    "hRIXS_index": {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "index.value", "dim": []},
    "hRIXS_delay": {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "delay.value", "dim": []},
    "hRIXS_norm": {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "norm.value", "dim": []},
    "hRIXS_exposure": {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "exposure.value", "dim": []},
    "nrj": {"source": "SA3_XTD10_MONO/MDL/PHOTON_ENERGY", "key": "actualEnergy.value", "dim": []},
}

#: Units of the slow data above.
UNITS = {"hRIXS_delay": "ps", "hRIXS_exposure": "s", "nrj": "eV"}
