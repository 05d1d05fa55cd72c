#!/usr/bin/env bash
# extra-data 1.25.0: RunDirectory(..., inc_suspect_trains=False) leaves out trains whose ids the
# data acquisition marked as suspect (INDEX/flag 0). If the run has a virtual overview file (made by
# `python -m extra_data.voview`, to open the run faster), the same call gives all trains.
# Seen: 9 of 10 trains without an overview, 10 of 10 with one. hrixs reads the flags in the files of
# the run, and lists suspect trains with and without an overview: tests/runs/test_open_runs.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'extra-data==1.25.0' 'numpy==2.4.6'
cd "$folder"
mkdir r0001
venv/bin/python - <<'EOF'
import h5py
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.xgm import XGM

path = "r0001/RAW-R0001-DA01-S00000.h5"
write_file(path, [XGM("SA3_XTD10_XGM/XGM/DOOCS")], ntrains=10, format_version="1.3")
with h5py.File(path, "r+") as file:
    file["INDEX/flag"][3] = 0
EOF
trains() {
  venv/bin/python -c 'from extra_data import RunDirectory
print(len(RunDirectory("r0001", inc_suspect_trains=False).train_ids))'
}
before=$(trains)
venv/bin/python -m extra_data.voview r0001
after=$(trains)
echo "trains that are not suspect: $before; with an overview: $after"
[ "$before $after" = "9 10" ] || { echo changed; exit 1; }
