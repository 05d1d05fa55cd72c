"""All that is local works without dask."""

import subprocess
import sys

SCRIPT = """
import sys
for name in ("dask", "distributed"):
    sys.modules[name] = None  # an import of it fails
import numpy as np
import warnings
from hrixs import LostPhotonsWarning, hRIXS
h = hRIXS()
h.Y_RANGE = slice(700, 900)
data = h.from_run(sys.argv[1])
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    expected = h.centroid(data)
    found = h.process_run(sys.argv[1], progress=False)
lost = [one for one in said if one.category is LostPhotonsWarning]
assert len(lost) == 2  # the images are crowded
np.testing.assert_array_equal(found.spectrum, expected.spectrum)
h.normalize(h.aggregate(found, "hRIXS_delay"))
try:
    h.from_run(sys.argv[1], lazy=True)
except ImportError as error:
    print(error)
"""


def test_everything_local(simulated):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(simulated.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install 'dask[array]'" in done.stdout
