"""A run in the browser: images, photons, spectrum, and the settings that make it."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.view.viewer import View
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["View"]
