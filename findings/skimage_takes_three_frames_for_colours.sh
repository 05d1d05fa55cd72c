#!/usr/bin/env bash
# scikit-image 0.26.0: io.imread takes a TIFF stack of three or four frames for colours and makes the
# frames the last axis, although the file says that pixels are grey values. With five frames, and in
# tifffile and imageio, frames are the first axis. So mean(axis=0) is the mean over frames, except in
# a dark run that was stopped after three frames: there it is the mean over rows.
# Seen: shape (16, 20, 3) for three frames of 16 x 20 pixels, (16, 20, 4) for four, (5, 16, 20) for
# five. In hrixs frames are the first axis: tests/files/test_tif.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'scikit-image==0.26.0' 'tifffile==2026.3.3' 'imageio==2.38.1' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import imageio.v3 as imageio
import numpy as np
import skimage.io
import tifffile

found = {}
for n in (3, 4, 5):
    frames = np.arange(n * 16 * 20, dtype="u2").reshape(n, 16, 20)
    tifffile.imwrite(f"{n}.tif", frames, photometric="minisblack")
    found[n] = skimage.io.imread(f"{n}.tif").shape
    others = {tifffile.imread(f"{n}.tif").shape, imageio.imread(f"{n}.tif").shape}
    print(f"{n} frames: scikit-image {found[n]}, tifffile and imageio {others}")
    if others != {(n, 16, 20)}:
        raise SystemExit("changed")
if found != {3: (16, 20, 3), 4: (16, 20, 4), 5: (5, 16, 20)}:
    raise SystemExit("changed")
EOF
