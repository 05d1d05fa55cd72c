"""The oracles of the tests: each algorithm in plain NumPy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles import frames as reference
from oracles import gaussian_fit as gaussian_reference

__all__ = ["gaussian_reference", "reference"]
