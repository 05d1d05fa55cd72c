#!/usr/bin/env bash
# xarray 2026.1.0 and 2024.7.0 (no longer 2026.4.0): numbers with the unit "seconds", "nanoseconds"
# or another long name of a unit of time are read from netCDF as timedelta64, without the unit.
# Numbers with "s" or "second" do not change. A delay of 20 fs, stored in nanoseconds, becomes 0.
# Seen: 0.5 'seconds' read as 500000000 ns, 2e-05 'nanoseconds' as 0 ns, 0.5 's' as 0.5. hrixs
# writes short names of units: tests/output/test_writing.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'xarray==2026.1.0' 'h5netcdf==1.8.2' 'h5py==3.16.0' 'numpy==2.3.5'
cd "$folder"
venv/bin/python - <<'EOF'
import xarray as xr

given = {"seconds": 0.5, "nanoseconds": 2e-5, "second": 0.5, "s": 0.5}
data = xr.Dataset({unit: ((), value, {"units": unit}) for unit, value in given.items()})
data.to_netcdf("result.nc", engine="h5netcdf")
read = xr.open_dataset("result.nc", engine="h5netcdf")
found = {}
for unit, value in given.items():
    one = read[unit]
    found[unit] = (str(one.dtype), one.values.item(), one.attrs.get("units"))
    print(f"{value} {unit!r} is read as {found[unit]}")
expected = {
    "seconds": ("timedelta64[ns]", 500_000_000, None),
    "nanoseconds": ("timedelta64[ns]", 0, None),
    "second": ("float64", 0.5, "second"),
    "s": ("float64", 0.5, "s"),
}
if found != expected:
    raise SystemExit("changed")
EOF
