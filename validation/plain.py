"""The plain NumPy of the tests' folder, which says what each algorithm computes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles import frames as reference
from oracles import gaussian_fit as gaussian_reference

__all__ = ["gaussian_reference", "reference"]
