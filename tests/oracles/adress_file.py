"""Small files in the layout of ADRESS (SLS), with the beamline's own spectrum in plain NumPy."""

import h5py
import numpy as np

NX, NY, EXPANSION, N_EXPOSURES = 160, 80, 4, 5
CF1, CF2 = -0.0133, -2.5e-5


def write_adress(path, *, images=0, events_name="entry/analysis/events", **changed):
    """A file as the beamline writes it, with its own spectrum; columns count from the corner."""
    rng = np.random.default_rng(4)
    counts = np.array([300, 0, 280, 310, 0])
    x = rng.uniform(1, NX - 1, counts.sum())
    y = np.clip(rng.normal(40, 8, x.size) + CF1 * x + CF2 * x**2, 0.1, NY - 0.1)
    # The beamline's own arithmetic, in plain NumPy.
    number = np.floor(EXPANSION * (y - CF1 * x - CF2 * x**2)).astype(int)
    kept = (number >= 0) & (number < EXPANSION * NY)
    recorded = {
        "CurvatureCF1": np.full(N_EXPOSURES, CF1),
        "CurvatureCF2": np.full(N_EXPOSURES, CF2),
        "CurvatureCF3": np.zeros(N_EXPOSURES),
        "ExpansionFactor": np.full(N_EXPOSURES, float(EXPANSION)),
        "EventCount": np.cumsum(counts).astype(np.int32),
        "PhotonEnergy": 776 + 0.003 * np.arange(N_EXPOSURES),
        "AcquireTime": np.full(N_EXPOSURES, 300.0),
        "Comment": np.array([b"Co L3"] * N_EXPOSURES),
    } | changed
    with h5py.File(path, "w") as file:
        file[events_name] = np.c_[x, y]
        file["entry/analysis/spectrum"] = np.bincount(
            number[kept], minlength=EXPANSION * NY
        ).astype(float)
        file["entry/analysis/bad"] = np.zeros((NY, NX), np.uint32)
        file["entry/instrument/detector/data"] = np.zeros((NY, NX, images), np.uint16)
        for name, values in recorded.items():
            if values is not None:
                file[f"entry/instrument/NDAttributes/{name}"] = values
    return path
