#!/usr/bin/env bash
# scippnexus 26.1.1: an NXdata of whole numbers with standard deviations (NAME_errors), such as a
# spectrum of counts, cannot be loaded, nor can its entry. Floats with errors are loaded, and so are
# whole numbers without errors. nexusformat reads all three.
# Seen: VariancesError for int64 counts with errors, variances 4 and 9 for float64. NeXus files of
# hrixs hold counts with errors as floats: tests/output/test_writing.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'scippnexus==26.1.1' 'scipp==26.8.0' 'h5py==3.16.0' 'nexusformat==2.1.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'EOF'
import h5py
import numpy as np
import scipp as sc
import scippnexus as sx
from nexusformat.nexus import nxload


def write(path, dtype, errors):
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("spectrum")
        data.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": ["energy"]})
        data.create_dataset("counts", data=np.array([4, 9], dtype)).attrs["units"] = "counts"
        data.create_dataset("energy", data=[530.0, 530.1]).attrs["units"] = "eV"
        if errors:
            data.create_dataset("counts_errors", data=[2.0, 3.0]).attrs["units"] = "counts"


found = {}
for dtype, errors in (("i8", False), ("f8", True), ("i8", True)):
    path = f"{dtype}_{errors}.nxs"
    write(path, dtype, errors)
    told = nxload(path)["entry/spectrum"].nxerrors
    try:
        with sx.File(path) as file:
            found[dtype, errors] = file["entry"][()]["spectrum"].variances
    except sc.VariancesError as error:
        found[dtype, errors] = "VariancesError"
    print(f"{dtype}, errors: {told}: {found[dtype, errors]}")
if found["i8", True] != "VariancesError" or list(found["f8", True]) != [4.0, 9.0]:
    raise SystemExit("changed")
EOF
