#!/usr/bin/env bash
# rixs 0.0.3: apply_curvature writes 0 into the last coefficient of the caller's array, so that a curvature that was fitted, and is to be
# stored or used again, has lost its constant after the first spectrum. image_to_photon_events, of which
# the documents say that zeros are not included, gives an event for each empty pixel.
# Seen: [1e-4, 0.02, 50] is [1e-4, 0.02, 0] after the call; 16 events of an image with one photon in 16 pixels. hrixs changes no array
# that it is given: tests/photons/test_placement.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'rixs==0.0.3' 'numpy==2.4.6' 'scipy==1.17.1'
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
from rixs.process2d import apply_curvature, image_to_photon_events

rng = np.random.default_rng(0)
x = rng.uniform(0, 200, 1000)
y = 1e-4 * x**2 + 0.02 * x + 50 + rng.normal(0, 0.5, 1000)
events = np.column_stack([x, y, np.ones(1000)])
curvature = np.array([1e-4, 0.02, 50.0])
given = curvature.tolist()
apply_curvature(events, curvature, bins=1.0)
print("curvature before and after:", given, curvature.tolist())
image = np.zeros((4, 4))
image[1, 2] = 1.0
n = len(image_to_photon_events(image))
print("events of an image with one photon:", n)
if curvature.tolist() != [1e-4, 0.02, 0.0] or n != 16:
    raise SystemExit("changed")
EOF
