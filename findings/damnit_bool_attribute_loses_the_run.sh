#!/usr/bin/env bash
# DAMNIT 0.4.0: if one variable of the context file returns a DataArray with a bool attribute (for
# example, whether a dark was subtracted), the results of all variables of the run are lost. All are
# computed, but their common file is not written. An error in a variable loses only this variable.
# Seen: CompatibilityError of h5netcdf after "Computed spectrum", and no file; with 1 instead of
# True, a file with both variables. The context in the docs of hrixs returns no bool:
# tests/test_damnit.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
  'damnit==0.4.0' 'EXtra-proposal==0.1.4' 'extra-data==1.25.0' \
  'xarray==2026.9.0' 'h5netcdf==1.8.2' 'numpy==2.4.6'
cd "$folder"
export EXTRA_DATA_DATA_ROOT=$folder/root
run=root/SCS/202601/p001234/raw/r0001
mkdir -p $run
venv/bin/python - $run/RAW-R0001-DA01-S00000.h5 <<'EOF'
import sys
from extra_data.tests.mockdata import write_file
from extra_data.tests.mockdata.xgm import XGM

write_file(sys.argv[1], [XGM("SA3_XTD10_XGM/XGM/DOOCS")], ntrains=10)
EOF
support=$(venv/bin/python -c 'import damnit; print(damnit.__path__[0])')/ctxsupport

evaluate() { # the folder, the value of the attribute
  mkdir "$1"
  cat > "$1/context.py" <<EOF
import xarray as xr
from damnit_ctx import Variable


@Variable(title="images")
def images(run):
    return 10


@Variable(title="spectrum")
def spectrum(run):
    return xr.DataArray([1.0, 2.0, 3.0], dims="energy", attrs={"dark_subtracted": $2})
EOF
  status=0
  (cd "$1" && PYTHONPATH=$support ../venv/bin/python -m ctxrunner exec 1234 1 all) \
    > "$1/log" 2>&1 || status=$?
  files=$(find "$1/extracted_data" -name '*.h5' | wc -l)
  echo "attribute $2: exit status $status, $files files of results; $(tail -n 1 "$1/log")"
}

evaluate as_a_number 1
[ "$status $files" = "0 1" ] || { echo changed; exit 1; }
evaluate as_a_bool True
grep -q 'Computed spectrum' as_a_bool/log && grep -q CompatibilityError as_a_bool/log &&
  [ "$status $files" = "1 0" ] || { echo changed; exit 1; }
