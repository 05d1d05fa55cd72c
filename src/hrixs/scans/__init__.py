"""Groups of images, runs put together, maps over incident energy and delay."""

__all__ = []
