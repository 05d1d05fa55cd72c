#!/usr/bin/env bash
# fabio 2026.6.0: CbfImage.write takes an image of floats, cuts the fractions off, and says nothing;
# what is read back is int32. EDF keeps floats. A mean of darks, or a frame with a dark subtracted,
# loses up to 1 ADU in each pixel, and always towards zero.
# Seen: 99, 0, 0 of 99.75, 0.75, -0.75. hrixs writes no CBF, and reads whole numbers from one:
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
