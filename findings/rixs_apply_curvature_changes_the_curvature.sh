#!/usr/bin/env bash
# rixs 0.0.3: apply_curvature sets the last coefficient in the array of the caller to 0. A fitted
# curvature that is stored or used again after the first spectrum has lost its constant.
# image_to_photon_events is documented to include no zeros, but has an event for each empty pixel.
# Seen: [1e-4, 0.02, 50] becomes [1e-4, 0.02, 0]; 16 events for 16 pixels with one photon. hrixs
# does not change its arguments: tests/photons/test_find.py.
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
