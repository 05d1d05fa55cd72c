#!/usr/bin/env bash
# euxfel-extra 2026.1.1: extra.applications.Grating2DCalibration takes the angle of its camera in
# degrees, as documented, and rotates the images by it. It then crops them to a rectangle that is
# computed as if the same number was in radians. At 1 degree nothing of the image is left, and its
# spectra would be means of no pixels.
# Seen: of 512 x 1024 pixels 133 x 0 are left at 1 degree, 0 x 135 at 5 degrees, all of them at 0.
# hrixs does not rotate images: a tilted line is part of the curvature,
# tests/curvature/test_photon_fit.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'euxfel-extra==2026.1.1' 'extra-data==1.25.0' 'numpy==2.4.6' 'scipy==1.17.1'
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
from extra.applications import Grating2DCalibration
from scipy.ndimage import rotate

image = np.ones((512, 1024))
left = {}
for angle in (0, 1, 5):
    grating = Grating2DCalibration(angle=angle)
    grating.estimate_crop_roi(*image.shape)
    turned = rotate(image, angle, axes=(-1, -2))
    left[angle] = grating.crop(turned).shape
    print(f"{angle} degrees: rotated {turned.shape}, cropped {left[angle]}")
if left[0] != image.shape or np.prod(left[1]) or np.prod(left[5]):
    raise SystemExit("changed")
EOF
