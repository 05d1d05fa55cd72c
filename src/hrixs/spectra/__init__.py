"""Spectra counted from photons or integrated from frames; added up, compared, rebinned."""
