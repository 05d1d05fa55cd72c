"""Repeat the steps recorded in the attributes of a result, or write them as Python."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.replays.again import made_again
    from hrixs.replays.executor import Replay
    from hrixs.replays.python_text import how_made
    from hrixs.replays.set_by import set_by_result
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["Replay", "how_made", "made_again", "set_by_result"]
