"""A live watch in the browser: the last image with its photons, the sum, doubts."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.live_page.watched import Watched
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["Watched"]
