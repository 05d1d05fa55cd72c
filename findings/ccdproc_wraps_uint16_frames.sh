#!/usr/bin/env bash
# ccdproc 2.5.1: uint16 frames, as cameras store them, stay uint16, so negative differences become
# large positive numbers, without a warning. subtract_dark gives 65526 ADU for a pixel 10 ADU below
# its dark; with scale=True, or for a flat or an overscan, it computes in floats. cosmicray_median
# takes pixels below the median around them for cosmic rays.
# Seen: 90 - 100 = 65526, and -10.0 with scale=True; 1769 cosmic rays in 4096 pixels of noise as
# uint16, none as int32. docs/other-beamlines.md says what to do before; tests/test_other_programs.py
# tests that it helps, and that hrixs reads both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'ccdproc==2.5.1' 'astropy==8.0.2' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import warnings

import ccdproc
import numpy as np
from astropy import units as u
from astropy.nddata import CCDData

warnings.simplefilter("error", RuntimeWarning)
frame = CCDData(np.array([[90, 300]], "u2"), unit="adu")
dark = CCDData(np.array([[100, 100]], "u2"), unit="adu")
times = {"dark_exposure": 1 * u.s, "data_exposure": 1 * u.s}
plain = ccdproc.subtract_dark(frame, dark, **times).data[0, 0]
scaled = ccdproc.subtract_dark(frame, dark, **times, scale=True).data[0, 0]
print(f"90 - 100: {plain}, with scale=True {scaled}")
noise = np.random.default_rng(0).normal(100, 3, (64, 64)).round()
found = {}
for dtype in ("u2", "i4"):
    error = np.full(noise.shape, 3.0)
    rays = ccdproc.cosmicray_median(noise.astype(dtype), error_image=error, thresh=5)[1]
    found[dtype] = int(rays.sum())
    print(f"cosmic rays in {noise.size} pixels of noise as {dtype}: {found[dtype]}")
if (plain, scaled) != (65526, -10.0) or found["u2"] < 1000 or found["i4"] > 0:
    raise SystemExit("changed")
EOF
