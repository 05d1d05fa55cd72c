"""Spectra of rows finer than a pixel, with the charge cloud and the pixel taken out."""
