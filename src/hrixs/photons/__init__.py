"""Photons found and placed in frames, their table, and the bias inside the pixel."""
