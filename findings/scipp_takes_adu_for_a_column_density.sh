#!/usr/bin/env bash
# scipp 26.8.0: compat.from_xarray reads "ADU", the unit of camera images, as atto-Dobson units, a
# column density of gas: 100 ADU become 4.462e-20 mol/m^2. "adu", "photons" and "px" raise
# UnitError.
# Seen: the unit 4.462e-22 mol/m^2 for a frame in ADU; "counts" stays counts. Images of hrixs are in
# ADU, spectra in photons: set their unit to "counts" before you hand them to scipp.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'scipp==26.8.0' 'xarray==2026.9.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import scipp as sc
import xarray as xr

found = {}
for unit in ("ADU", "adu", "photons", "px", "counts"):
    frame = xr.DataArray([[100.0]], dims=["x", "y"], attrs={"units": unit})
    try:
        found[unit] = str(sc.compat.from_xarray(frame).unit)
    except sc.UnitError as error:
        found[unit] = "UnitError"
    print(f"{unit}: {found[unit]}")
taken = sc.compat.from_xarray(xr.DataArray(100.0, attrs={"units": "ADU"})).to(unit="mol/m^2")
print("100 ADU:", taken.value, taken.unit)
if not found["ADU"].endswith("mol/m^2") or not 4.4e-20 < taken.value < 4.5e-20:
    raise SystemExit("changed")
if found["photons"] != "UnitError" or found["counts"] != "counts":
    raise SystemExit("changed")
EOF
