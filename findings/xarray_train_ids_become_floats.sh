#!/usr/bin/env bash
# xarray 2026.9.0 with extra-data 1.25.0: train ids of extra-data are uint64; those made from a list or
# from a table of a log book are int64. A difference, a merge or a concat of both has float64 ids,
# with any join. Two arrays with uint64 ids keep uint64.
# Seen: float64 from a - b, merge (outer and inner) and concat. The concat of hrixs keeps whole
# numbers:
# tests/scans/test_joining.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'extra-data==1.25.0' 'xarray==2026.9.0' 'pandas==3.1.1' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
import xarray as xr
from extra_data import H5File
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.xgm import XGM

write_file("RAW-R0001-DA01-S00000.h5", [XGM("SA3_XTD10_XGM/XGM/DOOCS")], ntrains=10)
run = H5File("RAW-R0001-DA01-S00000.h5")
flux = run["SA3_XTD10_XGM/XGM/DOOCS", "pulseEnergy.photonFlux"].xarray().rename("flux")
ids = [int(one) for one in run.train_ids]
shift = xr.DataArray(np.zeros(8), {"trainId": ids[:8]}, ["trainId"], name="shift")
print("extra-data:", flux.trainId.dtype, "- from a list:", shift.trainId.dtype)
own = shift.assign_coords(trainId=shift.trainId.astype("u8"))
found = {}
for name, other in (("int64", shift), ("uint64", own)):
    made = {
        "a - b": flux - other,
        "merge outer": xr.merge([flux, other], join="outer", compat="no_conflicts"),
        "merge inner": xr.merge([flux, other], join="inner", compat="no_conflicts"),
        "concat": xr.concat([flux, other.rename("flux")], "trainId"),
    }
    found[name] = {way: str(one.trainId.dtype) for way, one in made.items()}
    print(f"uint64 with {name}:", found[name])
if set(found["int64"].values()) != {"float64"} or set(found["uint64"].values()) != {"uint64"}:
    raise SystemExit("changed")
EOF
