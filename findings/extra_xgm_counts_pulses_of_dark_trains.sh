#!/usr/bin/env bash
# euxfel-extra 2026.1.1: if the number of pulses varies from train to train, XGM.pulse_counts() gives
# every train the largest number of all: pulse_energy() is NaN where there is no pulse, and NaN is
# counted, too. A warning says that the (right) numbers of the slow data do not match; they are
# replaced, and is_constant_pulse_count() is True.
# Seen: 5 5 5 5 5 5 for trains with 2 2 5 5 0 5 pulses. hrixs knows the value of a place without a
# pulse, and leaves these places out: tests/i0/test_exposures.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'euxfel-extra==2026.1.1' 'extra-data==1.25.0' 'xarray==2026.9.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import warnings

import h5py
import numpy as np
from extra.components import XGM
from extra_data import H5File
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.base import DeviceBase

MONITOR = "SA3_XTD10_XGM/XGM/DOOCS"
PULSES = np.array([2, 2, 5, 5, 0, 5])


class Monitor(DeviceBase):
    control_keys = (("pulseEnergy/numberOfBunchesActual", "i4", ()),)
    output_channels = ("output/data",)
    instrument_keys = (("intensityTD", "f4", (1000,)),)


path = "RAW-R0001-DA01-S00000.h5"
write_file(path, [Monitor(MONITOR)], ntrains=len(PULSES))
with h5py.File(path, "r+") as file:
    energies = np.ones((len(PULSES), 1000))  # 1 where there is no pulse
    for of_train, n in zip(energies, PULSES):
        of_train[:n] = 700.0
    file[f"INSTRUMENT/{MONITOR}:output/data/intensityTD"][: len(PULSES)] = energies
    file[f"CONTROL/{MONITOR}/pulseEnergy/numberOfBunchesActual/value"][: len(PULSES)] = PULSES
xgm = XGM(H5File(path))
finite = np.isfinite(xgm.pulse_energy()).sum("pulseIndex").values
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    counts = xgm.pulse_counts().values
print("pulses:", PULSES, "- energies that are not NaN:", finite, "- pulse_counts():", counts)
print("constant:", xgm.is_constant_pulse_count(), "- warnings:", [str(one.message) for one in told])
if finite.tolist() != PULSES.tolist() or counts.tolist() != [5] * 6 or len(told) != 1:
    raise SystemExit("changed")
EOF
