"""The level under the light: pedestals, fitted darks, backgrounds, cosmic rays."""

__all__ = []
