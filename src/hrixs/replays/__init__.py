"""Results made again by the steps and settings in their attributes, and told as Python."""

from hrixs.replays.again import made_again
from hrixs.replays.executor import Replay
from hrixs.replays.python_text import how_made
from hrixs.replays.set_by import set_by_result

__all__ = ["Replay", "how_made", "made_again", "set_by_result"]
