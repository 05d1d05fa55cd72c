"""Which images are used: blanks, weak and unstable ones, chosen trains, the range of the line."""

from hrixs.selection.choose import select
from hrixs.selection.groups import TwoGroups, two_groups

__all__ = ["TwoGroups", "select", "two_groups"]
