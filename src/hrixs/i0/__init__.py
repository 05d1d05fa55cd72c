"""The incident intensity of an exposure, and spectra divided by it."""

__all__ = []
