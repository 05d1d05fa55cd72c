"""Files of a run of the European XFEL: its index, faults, images and slow data.

Each image is read where it lies; what contradicts its train id is told.
"""

from hrixs.runs.budget import Budget, share_out
from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.images import (
    count_trains,
    index_images,
    load_run,
    require_dims,
    sum_images,
    tell_failed,
)
from hrixs.runs.index import Entries
from hrixs.runs.lazy_images import lazy_reader
from hrixs.runs.mnemonic_table import Mnemonic, mnemonics
from hrixs.runs.parts import Part, PartReader, ReadPart, plan_parts
from hrixs.runs.run import Field, Run, RunLike, field_entries, open_run, run_name, trains_by_id
from hrixs.runs.slow_data import SlowData, load_slow_data
from hrixs.runs.storage import Failed

__all__ = [
    "Budget",
    "Entries",
    "Failed",
    "Faults",
    "Field",
    "Mnemonic",
    "Part",
    "PartReader",
    "ReadPart",
    "Run",
    "RunLike",
    "SlowData",
    "count_trains",
    "field_entries",
    "index_images",
    "lazy_reader",
    "load_run",
    "load_slow_data",
    "mnemonics",
    "named_trains",
    "open_run",
    "plan_parts",
    "require_dims",
    "run_name",
    "share_out",
    "sum_images",
    "tell_failed",
    "trains_by_id",
]
