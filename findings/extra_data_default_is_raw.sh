#!/usr/bin/env bash
# extra-data 1.25.0: if raw and processed files of a run have a source with the same name, open_run
# without data= (documented as "combining raw & proc") gives the raw data; data='all' prefers the
# processed data. A camera whose corrected images have the same name is read uncorrected.
# Seen: uint16 counts of 100 from 'default', float32 values of 0 from 'all'. hrixs reads what the
# given collection reads, and has its own option data=: tests/runs/test_open_runs.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'extra-data==1.25.0' 'numpy==2.4.6'
cd "$folder"
export EXTRA_DATA_DATA_ROOT=$folder/root
venv/bin/python - <<'EOF'
from pathlib import Path

import h5py
from extra_data import open_run
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.base import DeviceBase

CAMERA = "SCS_HRIXS_CAM/CAM/CAMERA"


def write(kind, dtype, value):
    """A run's file with one camera, whose pixels all have this value."""

    class Camera(DeviceBase):
        output_channels = ("daqOutput/data",)
        instrument_keys = (("image/pixels", dtype, (4, 4)),)

    folder = Path("root/SCS/202601/p001234", kind, "r0001")
    folder.mkdir(parents=True)
    path = folder / f"{ {'raw': 'RAW', 'proc': 'CORR'}[kind]}-R0001-DA02-S00000.h5"
    write_file(path, [Camera(CAMERA)], ntrains=5)
    with h5py.File(path, "r+") as file:
        file[f"INSTRUMENT/{CAMERA}:daqOutput/data/image/pixels"][:] = value


write("raw", "u2", 100)
write("proc", "f4", 0)
found = {}
for data in ("raw", "proc", "default", "all"):
    pixels = open_run(1234, 1, data=data)[f"{CAMERA}:daqOutput", "data.image.pixels"].ndarray()
    found[data] = f"{pixels.dtype} {pixels.mean():.0f}"
    print(f"{data}: {found[data]}")
raw, proc = "uint16 100", "float32 0"
if found != {"raw": raw, "proc": proc, "default": raw, "all": proc}:
    raise SystemExit("changed")
EOF
