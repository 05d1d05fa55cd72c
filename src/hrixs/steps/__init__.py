"""The calls that made a result, recorded in its ``attrs``, so that it can be shown and repeated."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.steps.record import STEPS, recorded, steps_of
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["STEPS", "recorded", "steps_of"]
