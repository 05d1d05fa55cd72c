#!/usr/bin/env bash
# xarray 2026.9.0: a ratio of two variables with the same unit has that unit, as a difference has: attributes
# that both share are kept, which is the default since 2025.11 (before, none were). So the fraction of
# photons in a line, and the square root of counts, say that they are counts, and a plot's axis
# is labelled with it. A spectrum divided by another unit has none.
# Seen: units 'photons' of photons / photons and of photons ** 0.5, no units of photons / uJ. hrixs says what
# unit a ratio has: tests/spectra/test_with_xarray.py.
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
