#!/usr/bin/env bash
# euxfel-extra 2026.1.1: extra.components.Scan finds the steps of a motor that stays for 20 trains at
# each of six positions. It finds none if the motor stays for 200 trains, with the same read-back
# noise of 1 % of a step. bin_by_steps gives one number as the uncertainty of a step: the standard
# deviation over trains and all other axes together. This is 289 for a spectrum from 0 to 1000 whose
# values scatter by 1 from train to train.
# Seen: 6 steps of 20 trains, 0 of 200 trains; uncertainty 289.2 where 1 / sqrt(n) is right. hrixs uses
# the steps of a Scan as they are, reports what is left out, and groups by values with tolerance='auto':
# tests/groups/test_grouped.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'euxfel-extra==2026.1.1' 'numpy<2.5' 'xarray>=2025.1'
cd "$folder"
venv/bin/python - <<'EOF'
from importlib.metadata import version

import numpy as np
import xarray as xr
from extra.components import Scan


def motor(n_trains):
    """Six positions 1.0 apart, so many trains at each, noise 0.01."""
    rng = np.random.default_rng(1)
    values = np.repeat(np.arange(6.0), n_trains) + rng.normal(0, 0.01, 6 * n_trains)
    return xr.DataArray(values, {"trainId": 10000 + np.arange(len(values))}, ["trainId"], "motor")


print("euxfel-extra", version("euxfel-extra"))
found = {n: len(Scan(motor(n)).positions) for n in (20, 200)}
print("steps found of 6, by trains a step:", found)
scan = Scan(motor(20))
rng = np.random.default_rng(2)
energy = np.linspace(0, 1000, 501)
spectra = energy + rng.normal(0, 1, (120, 501))
spectra = xr.DataArray(spectra, {"trainId": 10000 + np.arange(120)}, ["trainId", "energy"])
uncertainty = np.asarray(scan.bin_by_steps(spectra).uncertainty)
print("uncertainty of a step:", uncertainty.shape, float(uncertainty.flat[0]))
if found != {20: 6, 200: 0} or not 250 < uncertainty.flat[0] < 330:
    raise SystemExit("changed")
EOF
