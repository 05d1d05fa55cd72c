"""The algorithms in plain NumPy, and runs with every fault, to compare the package with."""
