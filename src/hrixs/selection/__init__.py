"""Which images are used: blanks, weak and unstable ones, chosen trains, the range of the line."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.selection.choose import select
    from hrixs.selection.groups import TwoGroups, two_groups
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["TwoGroups", "select", "two_groups"]
