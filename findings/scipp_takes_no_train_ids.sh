#!/usr/bin/env bash
# scipp 26.8.0 with extra-data 1.25.0: compat.from_xarray raises an error for every DataArray of
# extra-data, because train ids are uint64, which scipp does not have. With the ids as int64, which
# is large enough for them, the same array is converted.
# Seen: RuntimeError "Unsupported numpy dtype: uint64". hrixs has the train ids of extra-data: type
# assign_coords(trainId=data.trainId.astype("i8")) before you hand data to scipp.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'scipp==26.8.0' 'extra-data==1.25.0' 'xarray==2026.9.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import scipp as sc
from extra_data import H5File
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.xgm import XGM

write_file("RAW-R0001-DA01-S00000.h5", [XGM("SA3_XTD10_XGM/XGM/DOOCS")], ntrains=10)
run = H5File("RAW-R0001-DA01-S00000.h5")
flux = run["SA3_XTD10_XGM/XGM/DOOCS", "pulseEnergy.photonFlux"].xarray()
taken = sc.compat.from_xarray(flux.assign_coords(trainId=flux.trainId.astype("i8")))
print("int64 ids:", taken.coords["trainId"].dtype, taken.sizes)
try:
    sc.compat.from_xarray(flux)
except RuntimeError as error:
    print("as extra-data gives it: RuntimeError:", error)
else:
    raise SystemExit("changed: uint64 ids are taken")
EOF
