"""The commands of ``hrixs``, one a module."""
