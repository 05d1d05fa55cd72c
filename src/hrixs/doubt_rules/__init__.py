"""Rules that tell what is doubtful in a result, each on plain numbers."""

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
