#!/usr/bin/env bash
# fabio 2026.6.0: CbfImage.write writes an image of floats as int32 without a warning; fractions are
# lost. EDF keeps floats. A mean of darks, or a frame after a dark is subtracted, changes by up to 1
# ADU in each pixel, always towards zero.
# Seen: 99, 0, 0 for 99.75, 0.75, -0.75. hrixs writes no CBF, and reads whole numbers from it:
# tests/files/test_fabio_files.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'fabio==2026.6.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python -W error - <<'EOF'
import fabio
import numpy as np

image = np.array([[99.75, 0.75, -0.75, 3.0]], "f4")
found = {}
for name, kind in (("edf", fabio.edfimage.EdfImage), ("cbf", fabio.cbfimage.CbfImage)):
    kind(data=image).write(f"image_0001.{name}")
    with fabio.open(f"image_0001.{name}") as file:
        found[name] = file.data.ravel().tolist()
        print(name, file.data.dtype, found[name])
if found != {"edf": [99.75, 0.75, -0.75, 3.0], "cbf": [99, 0, 0, 3]}:
    raise SystemExit("changed")
EOF
