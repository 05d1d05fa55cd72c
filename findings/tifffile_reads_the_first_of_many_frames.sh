#!/usr/bin/env bash
# tifffile 2026.3.3: a file that was written by a loop, with one write() for each frame, has one
# series for each frame. imread gives the first frame only, without a warning, and so does imageio.
# fabio reads all frames. Written with metadata=None, the frames are one series for all three.
# Seen: shape (16, 20) for five frames, 5 frames by fabio; (5, 16, 20) with metadata=None. hrixs
# stacks series of equal shape and type: tests/files/test_tif.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'tifffile==2026.3.3' 'imageio==2.38.1' 'fabio==2026.6.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import fabio
import imageio.v3 as imageio
import numpy as np
import tifffile

found = {}
for name, options in (("plain", {}), ("without metadata", {"metadata": None})):
    with tifffile.TiffWriter(f"{name}.tif") as file:
        for value in range(5):
            file.write(np.full((16, 20), value, "u2"), **options)
    with fabio.open(f"{name}.tif") as file:
        n = file.nframes
    shapes = (tifffile.imread(f"{name}.tif").shape, imageio.imread(f"{name}.tif").shape)
    found[name] = (*shapes, n)
    print(f"{name}: tifffile {shapes[0]}, imageio {shapes[1]}, frames by fabio {n}")
one, all_of_it = (16, 20), (5, 16, 20)
if found != {"plain": (one, one, 5), "without metadata": (all_of_it, all_of_it, 5)}:
    raise SystemExit("changed")
EOF
