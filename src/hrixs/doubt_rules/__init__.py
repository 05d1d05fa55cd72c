"""Rules that find doubts about a result; each rule uses plain numbers."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.doubt_rules.doubt import (
        DOUBTS,
        Doubt,
        as_text,
        first_of_each,
        from_text,
        new_ones,
        require_none_grave,
        tell,
        with_doubts,
    )
    from hrixs.doubt_rules.listing import doubts
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "DOUBTS",
    "Doubt",
    "as_text",
    "doubts",
    "first_of_each",
    "from_text",
    "new_ones",
    "require_none_grave",
    "tell",
    "with_doubts",
]
