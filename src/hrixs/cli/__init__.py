"""The commands of ``hrixs``, one a module."""

__all__ = []
