"""Which images are used: blanks, weak and unstable ones, chosen trains, the range of the line."""

__all__ = []
