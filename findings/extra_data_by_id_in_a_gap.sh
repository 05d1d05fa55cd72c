#!/usr/bin/env bash
# extra-data 1.25.0: a slice of train ids, by_id[a:b], raises TypeError if one of its ends is not a
# train of the run. Label slices of pandas and xarray give everything between the ends. Runs have
# gaps, so an end from a log book may be missing.
# Seen: TypeError from select_train_ids for by_id[10002:10006] in a run without train 10006;
# by_id[10002:10005] and a list of ids work. hrixs gives the trains between the ends:
# tests/runs/test_open_runs.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'extra-data==1.25.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
from extra_data import H5File, by_id
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.xgm import XGM

write_file("RAW-R0001-DA01-S00000.h5", [XGM("SA3_XTD10_XGM/XGM/DOOCS")], ntrains=10)
run = H5File("RAW-R0001-DA01-S00000.h5")
run = run.select_trains(by_id[[t for t in run.train_ids if t - run.train_ids[0] not in (5, 6)]])
first = int(run.train_ids[0])
inside = run.select_trains(by_id[first + 2 : first + 4]).train_ids
assert [int(t) - first for t in inside] == [2, 3], inside
print("both ends are trains:", [int(t) - first for t in inside])
try:
    run.select_trains(by_id[first + 2 : first + 6])
except TypeError as error:
    print("an end in a gap: TypeError:", error)
else:
    raise SystemExit("changed: an end in a gap is taken")
EOF
