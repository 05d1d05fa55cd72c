"""The calls that made a result, recorded in its ``attrs``, to be told and to be made again."""

from hrixs.steps.record import STEPS, recorded, steps_of

__all__ = ["STEPS", "recorded", "steps_of"]
