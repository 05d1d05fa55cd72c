#!/usr/bin/env bash
# xarray 2026.9.0: the ratio of two variables in photons, and the root of one, still have the unit
# photons, in their attributes and on the axes of plots. Since 2025.11 attributes that both operands
# share are kept by default (in 2025.10 none were). A ratio of different units has no unit.
# Seen: unit 'photons' for photons / photons and photons ** 0.5, none for photons / uJ. hrixs sets
# the unit of a ratio: tests/i0/test_normalize.py, tests/spectra/test_pump_probe.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'xarray==2026.9.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import xarray as xr

line = xr.DataArray([40.0, 50.0], dims="trainId", attrs={"units": "photons"})
total = xr.DataArray([400.0, 400.0], dims="trainId", attrs={"units": "photons"})
energy = xr.DataArray([2.0, 4.0], dims="trainId", attrs={"units": "uJ"})
found = {
    "photons / photons": (line / total).attrs,
    "photons ** 0.5": (total**0.5).attrs,
    "photons / uJ": (line / energy).attrs,
}
for what, attrs in found.items():
    print(what, attrs)
if list(found.values()) != [{"units": "photons"}, {"units": "photons"}, {}]:
    raise SystemExit("changed")
EOF
